"""`python -m resources.notify` tells what is due without Dagster, also after it was killed in the middle."""

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta

import psycopg
import pytest

from sql.database import connect
from sql.database_role import DatabaseRole
from tests.alarm_rows import coverage, found, settle
from tests.loopback_api import Asked, Reply, in_turn, serving

pytestmark = pytest.mark.postgres
COMMAND = [sys.executable, "-m", "resources.notify"]
NAMES = ("LOWCAP_WEBHOOK_URL", "LOWCAP_WEBHOOK_SECRET", "LOWCAP_APPRISE_URL", "LOWCAP_NOTIFIER")


@pytest.fixture(autouse=True)
def world(database, monkeypatch):
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    with connect(DatabaseRole.REGIME, autocommit=True) as connection:
        ((now,),) = connection.execute("SELECT now()").fetchall()
        settle(connection, found(coverage("nano 1h")), at=now)


def notify(*arguments: str, **named: str) -> "subprocess.CompletedProcess[str]":
    command = [*COMMAND, "--once", *arguments]
    return subprocess.run(command, env=os.environ | named, capture_output=True, text=True, check=False, timeout=60)


def test_without_a_notifier_it_says_which_could_be_named():
    done = notify()

    assert (done.returncode, done.stderr.startswith("Nobody to tell: set one of LOWCAP_WEBHOOK_URL")) == (2, True)


def test_one_round_tells_what_is_due_and_shows_no_address():
    with serving(in_turn(Reply(b"", 200))) as api:
        done = notify(LOWCAP_WEBHOOK_URL=f"{api.url}/T0KEN")

    assert (done.returncode, done.stdout) == (0, "1 new, 1 told by webhook, 0 to be tried again, 0 given up\n")
    assert api.asked[0].body["subject"] == "coverage_low nano 1h"
    assert "T0KEN" not in done.stdout + done.stderr


def test_a_round_that_gives_something_up_ends_with_1():
    with serving(in_turn(Reply(b"", 404))) as api:
        done = notify(LOWCAP_WEBHOOK_URL=f"{api.url}/T0KEN")

    assert (done.returncode, done.stdout) == (1, "1 new, 0 told by webhook, 0 to be tried again, 1 given up\n")
    assert "T0KEN" not in done.stderr


def test_a_mistake_in_a_variable_is_told_without_its_value():
    done = notify(LOWCAP_WEBHOOK_URL="ftp://T0KEN")

    assert (done.returncode, "LOWCAP_WEBHOOK_URL" in done.stderr, "T0KEN" in done.stderr) == (2, True, False)


def killing(started: list["subprocess.Popen[str]"]) -> Callable[[Asked], Reply]:
    """Kill the first sender while it waits for its answer."""

    def answer(_asked: Asked) -> Reply:
        for process in started:
            process.kill()
            process.wait()
        started.clear()
        return Reply(b"", 200)

    return answer


def test_a_sender_killed_between_telling_and_noting_is_followed_by_one_that_tells_under_the_same_key(database):
    started: list[subprocess.Popen[str]] = []
    with serving(killing(started)) as api:
        named = os.environ | {"LOWCAP_WEBHOOK_URL": api.url}
        process = subprocess.Popen([*COMMAND, "--once"], env=named, text=True)
        started.append(process)
        process.wait(timeout=60)
        during = rows(database)
        forget_the_claim(database)
        done = notify(LOWCAP_WEBHOOK_URL=api.url)

    assert (process.returncode, done.returncode) == (-9, 0)
    assert during == [("waiting", 1, None)]
    assert rows(database) == [("delivered", 2, "200")]
    keys = [asked.headers["Idempotency-Key"] for asked in api.asked]
    assert (len(keys), len(set(keys))) == (2, 1)


def rows(database) -> list[tuple[str, int, str | None]]:
    with psycopg.connect(database.libpq()) as owner:
        return owner.execute("SELECT status, attempts, last_status FROM pm.notification").fetchall()


def forget_the_claim(database) -> None:
    """Let the time pass that a claim lasts."""
    with psycopg.connect(database.libpq()) as owner:
        owner.execute("UPDATE pm.notification SET next_at = next_at - %s", [timedelta(minutes=10)])


def test_without_once_it_goes_round_until_it_is_asked_to_end():
    with serving(in_turn(Reply(b"", 500), Reply(b"", 200))) as api:
        named = os.environ | {"LOWCAP_WEBHOOK_URL": api.url}
        with subprocess.Popen([*COMMAND, "--every-s", "0.1"], env=named, stdout=subprocess.PIPE, text=True) as process:
            first = process.stdout.readline()
            process.send_signal(2)
            status = process.wait(timeout=30)

    assert first == "1 new, 0 told by webhook, 1 to be tried again, 0 given up\n"
    assert status == 0
