"""`lowcap alarms`: what stands, what was told, what nobody was told of."""

import json

import pytest
from typer.testing import CliRunner

from console.alarm_view import alarm_facts
from console.cli import app
from domain.config.alarm import NotifyConfig
from resources.notification_sender import send_round
from resources.notifier import MemoryNotifier, NotTakenError
from sql.database import connect
from sql.database_role import DatabaseRole
from tests.alarm_rows import AT, HOUR, coverage, found, settle

pytestmark = pytest.mark.postgres
ESCAPE = "nano \x1b[31m\u202e 1h"
NAMES = ("LOWCAP_WEBHOOK_URL", "LOWCAP_APPRISE_URL", "LOWCAP_NOTIFIER")


@pytest.fixture(autouse=True)
def world(database, monkeypatch):
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


def raised(*subjects, at=AT):
    with connect(DatabaseRole.REGIME, autocommit=True) as connection:
        settle(connection, found(*map(coverage, subjects)), at=at)


def run(*arguments):
    return CliRunner().invoke(app, list(arguments))


def facts(**values):
    with connect(DatabaseRole.CONSOLE, read_only=True) as connection:
        return alarm_facts(connection, at=AT + 2 * HOUR, **values)


def test_what_stands_is_shown_and_what_is_over_only_when_asked_for():
    raised("nano 1h", "mid 1h")
    raised("mid 1h", at=AT + HOUR)

    assert [alarm["subject"] for alarm in facts()["alarms"]] == ["mid 1h"]
    told = {alarm["subject"]: alarm["cleared_at"] for alarm in facts(ended=True)["alarms"]}
    assert told == {"mid 1h": None, "nano 1h": (AT + HOUR).isoformat()}
    assert "1 alarms stand" in run("alarms").stdout
    assert len(json.loads(run("alarms", "--all", "--json").stdout)["alarms"]) == 2


def test_a_board_without_alarms_says_so():
    assert facts()["alarms"] == []
    assert "0 alarms stand" in run("alarms").stdout


def test_messages_that_nobody_takes_up_are_said():
    raised("nano 1h", "mid 1h")
    told = facts(environment={})["notifications"]

    assert (told["not_taken_up"], told["is_notifier_named"], told["troubled"]) == (2, False, None)
    assert "2 that no sender has taken up" in run("alarms").stdout


def test_what_was_given_up_is_said_on_the_board():
    raised("nano 1h")
    notifier = MemoryNotifier(answers=[NotTakenError("404", is_permanent=True)])
    with connect(DatabaseRole.CONSOLE, autocommit=True) as connection:
        send_round(connection, notifier, NotifyConfig(), now=lambda: AT)
    told = facts(environment={"LOWCAP_NOTIFIER": "a:b"})["notifications"]

    assert told["is_notifier_named"]
    assert told["counts"] == {"waiting": 0, "delivered": 0, "given_up": 1, "expired": 0}
    assert told["troubled"] == "Nobody was told of 1 given up"
    (row,) = told["rows"]
    assert (row["last_status"], row["attempts"], row["notifier"]) == ("404", 1, "memory")
    assert row["sentence"] == "nano 1h heard 9 of 15 channels"


def test_what_a_terminal_would_obey_is_spelled_out():
    raised(ESCAPE)

    for arguments in (("alarms",), ("alarms", "--json"), ("alarms", "--all")):
        assert "\x1b" not in run(*arguments).stdout
