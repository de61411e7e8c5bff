"""The runtime as people start it: real processes, real signals."""

import contextlib
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.vocabulary.cap_bucket import REGIME_BUCKETS
from sql.database import connect
from sql.database_role import DatabaseRole
from tests.runtime_worlds import START, PostgresWorld, published, stored_ticks

pytestmark = pytest.mark.postgres
PROJECT = Path(__file__).resolve().parents[2]
DAY = ["--from", "2025-06-01T00:00Z", "--to", "2025-06-02T00:00Z", "--timeframe", "1h"]


class Runtime:
    """A started `python -m pm_runtime`, and what it has said so far."""

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "pm_runtime", *arguments]
        self.process = subprocess.Popen(
            command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.lines.extend(line.rstrip("\n") for line in iter(self.process.stdout.readline, ""))

    def wait_for(self, pattern: str, timeout_s: float = 20.0) -> str:
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            for line in list(self.lines):
                if re.search(pattern, line):
                    return line
            time.sleep(0.02)
        raise AssertionError(f"{pattern!r} was not said within {timeout_s} s: {self.lines}")

    def end(self, timeout_s: float = 20.0) -> int:
        code = self.process.wait(timeout_s)
        self._reader.join(timeout_s)
        return code

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.end()
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def start() -> Iterator[type]:
    with contextlib.ExitStack() as stack:
        yield lambda *arguments: stack.enter_context(contextlib.closing(Runtime(*arguments)))


@pytest.fixture
def scores(database) -> None:
    PostgresWorld().publish(*(published(bucket, START) for bucket in REGIME_BUCKETS))


def test_a_window_prints_a_line_a_tick_and_a_summary(start, scores):
    run = start(*DAY)

    assert run.end() == 0
    assert run.lines[0] == (
        "1h 2025-06-01T00:00Z ACTIVE nano 0.60/0.40 micro 0.60/0.40 mid 0.60/0.40 big 0.60/0.40 large 0.60/0.40"
    )
    assert run.lines[3].startswith("1h 2025-06-01T03:00Z REDUCE_ONLY nano stale")
    assert run.lines[-1] == "24 bars: 3 ACTIVE, 21 REDUCE_ONLY"


def test_a_window_ticked_again_writes_nothing(start, scores):
    assert start(*DAY).end() == 0
    again = start(*DAY, "--quiet")

    assert again.end() == 0
    assert again.lines == ["24 bars: 24 already ticked"]
    assert len(stored_ticks()) == 24


def test_once_ticks_the_newest_bar_of_every_timeframe_as_of_an_instant(start, scores):
    run = start("--once", "--as-of", "2025-06-01T02:30+01:00")

    assert run.end() == 0
    assert [line.split(" ACTIVE")[0].split(" REDUCE")[0] for line in run.lines] == [
        "1m 2025-06-01T01:29Z",
        "15m 2025-06-01T01:15Z",
        "1h 2025-06-01T00:00Z",
        "4h 2025-05-31T20:00Z",
    ]


def test_processes_at_once_give_every_bar_one_tick(start, scores):
    runs = [start(*DAY, "--standby") for _ in range(3)]

    assert [run.end() for run in runs] == [0, 0, 0]
    assert Counter(row["bar_timestamp"] for row in stored_ticks()).most_common(1)[0][1] == 1
    assert len(stored_ticks()) == 24


@pytest.mark.parametrize("arguments", [["--once"], []])
def test_the_second_process_ends_well_and_says_who_holds_the_lease(start, scores, arguments):
    first = start()
    holder = re.search(r"holder=(\S+)", first.wait_for("lease_taken"))[1]

    second = start(*arguments)

    assert second.end() == 0
    assert f":{first.process.pid}:" in holder
    assert second.lines[-1].startswith(f"The lease is held by {holder}")


def test_a_standby_takes_over_from_a_process_that_was_killed(start, scores):
    first = start()
    first.wait_for("already_ticked|ticked")
    standby = start("--standby")
    standby.wait_for("lease_held_elsewhere")

    first.process.kill()

    standby.wait_for("lease_taken")
    standby.wait_for("(already_)?ticked .*bar='4h")
    assert Counter((row["timeframe"], row["bar_timestamp"]) for row in stored_ticks()).most_common(1)[0][1] == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_loop_at_once_with_exit_code_0(start, scores, number):
    run = start()
    run.wait_for("ticked .*bar='4h")

    run.process.send_signal(number)

    assert run.end(timeout_s=5) == 0
    assert "loop_ended" in run.lines[-1]


def test_a_signal_ends_a_standby_at_once(start, scores):
    start().wait_for("lease_taken")
    standby = start("--once", "--standby")
    standby.wait_for("waiting for it")

    standby.process.send_signal(signal.SIGTERM)

    assert standby.end(timeout_s=5) == 0


def test_a_database_without_the_newest_migration_is_refused(start, empty_database):
    run = start("--once")

    assert run.end() == 2
    assert "0001" in run.lines[-1]
    assert "python -m sql.migrate" in run.lines[-1]


def test_a_database_newer_than_the_code_is_refused(start, database):
    with connect(DatabaseRole.OWNER) as connection:
        connection.execute(
            "INSERT INTO lowcap_migration_checksum (revision, file_name, sha256) VALUES ('9999', 'x', 'x')"
        )

    run = start()

    assert run.end() == 2
    assert any("newer than this code" in line for line in run.lines)


def test_a_bar_of_the_future_fails_a_bounded_run(start, scores):
    run = start("--from", "2999-01-01T00:00Z", "--to", "2999-01-01T01:00Z", "--timeframe", "1h")

    assert run.end() == 1
    assert "has not closed" in run.lines[-1]
    assert stored_ticks() == []


def test_a_loop_started_before_its_server_waits_for_it(start, monkeypatch):
    monkeypatch.setenv("DATABASE_URL_PM", "postgresql://nobody@127.0.0.1:1/nowhere")
    run = start()

    run.wait_for("store_failed in_a_row=2")
    run.process.send_signal(signal.SIGTERM)

    assert run.end(timeout_s=5) == 0
