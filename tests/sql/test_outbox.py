"""What happened is taken up once, claimed by one sender at a time, tried on a schedule, and given up in the end."""

import json
from datetime import timedelta

import psycopg
import pytest

from domain.config.alarm import NotifyConfig
from domain.portfolio.trading_switch import TradingMode
from domain.vocabulary.alarm import DeliveryStatus, NoticeKind
from sql.database import connect
from sql.database_role import DatabaseRole
from sql.outbox import claim, collect, mark_delivered, mark_failed, status_counts, uncollected
from sql.trading_switch import set_switch
from tests.alarm_rows import AT, HOUR, coverage, found, nothing, settle

pytestmark = pytest.mark.postgres
CONFIG = NotifyConfig()
SECOND = timedelta(seconds=1)


@pytest.fixture
def console(database):
    with connect(DatabaseRole.CONSOLE, autocommit=True) as connection:
        yield connection


def raise_alarm(*subjects, at=AT):
    with connect(DatabaseRole.REGIME, autocommit=True) as connection:
        settle(connection, found(*map(coverage, subjects)), at=at)


def clear_all(at):
    with connect(DatabaseRole.REGIME, autocommit=True) as connection:
        settle(connection, nothing(), at=at)


def rows(connection):
    statement = "SELECT status, attempts, last_status, next_at, ended_at FROM pm.notification ORDER BY sequence"
    return connection.execute(statement).fetchall()


def test_a_message_is_taken_up_once(console):
    raise_alarm("nano 1h", "mid 1h")

    assert uncollected(console, CONFIG, at=AT) == 2
    assert [collect(console, CONFIG, at=AT + HOUR * n) for n in (0, 1)] == [2, 0]
    assert uncollected(console, CONFIG, at=AT) == 0
    assert rows(console) == [("waiting", 0, None, AT, None)] * 2


def test_the_body_says_what_happened_and_does_not_change(console):
    raise_alarm("nano 1h")
    collect(console, CONFIG, at=AT)
    first = claim(console, at=AT, notifier="test")
    mark_failed(console, first, CONFIG, at=AT, status="500", is_permanent=False)
    again = claim(console, at=AT + HOUR, notifier="test")

    assert (again.notification_id, again.body, again.attempts) == (first.notification_id, first.body, 2)
    assert json.loads(first.body) == {
        "message_id": "alarm/regime/1/raised",
        "kind": "alarm_raised",
        "severity": "warn",
        "subject": "coverage_low nano 1h",
        "sentence": "nano 1h heard 9 of 15 channels",
        "evidence": {"page": "/quality", "coverage": 9},
        "happened_at": "2026-11-01T12:00:00.000000Z",
    }


def test_an_alarm_that_is_over_is_told_after_it_was_raised(console):
    raise_alarm("nano 1h")
    clear_all(AT + HOUR)
    collect(console, CONFIG, at=AT + HOUR)
    told = []
    while (claimed := claim(console, at=AT + HOUR, notifier="test")) is not None:
        told.append((claimed.kind, json.loads(claimed.body)["sentence"]))
        mark_delivered(console, claimed, at=AT + HOUR, status="200")

    assert told == [
        (NoticeKind.ALARM_RAISED, "nano 1h heard 9 of 15 channels"),
        (NoticeKind.ALARM_CLEARED, "Over: nano 1h heard 9 of 15 channels"),
    ]
    assert rows(console) == [("delivered", 1, "200", AT + HOUR, AT + HOUR)] * 2


def test_two_senders_never_get_the_same(console):
    raise_alarm("nano 1h", "mid 1h")
    collect(console, CONFIG, at=AT)
    with connect(DatabaseRole.CONSOLE, autocommit=True) as other:
        claimed = [claim(each, at=AT, notifier="test") for each in (console, other, console)]

    assert [c and json.loads(c.body)["subject"] for c in claimed] == [
        "coverage_low nano 1h",
        "coverage_low mid 1h",
        None,
    ]


def test_a_sender_that_died_leaves_its_claim_to_run_out(console):
    raise_alarm("nano 1h")
    collect(console, CONFIG, at=AT)
    died = claim(console, at=AT, notifier="test", lease_s=60)

    assert claim(console, at=AT + 59 * SECOND, notifier="test") is None
    again = claim(console, at=AT + 60 * SECOND, notifier="test")
    assert (again.notification_id, again.attempts) == (died.notification_id, 2)
    mark_delivered(console, died, at=AT + 61 * SECOND, status="200")  # too late: the attempt is not its own any more
    assert rows(console)[0][:3] == ("waiting", 2, None)


def test_failures_wait_by_the_schedule_and_the_last_one_gives_up(console):
    config = NotifyConfig(max_attempts=3, first_retry_s=10, longest_retry_s=15)
    raise_alarm("nano 1h")
    collect(console, config, at=AT)
    at, waits = AT, []
    for _ in range(3):
        claimed = claim(console, at=at, notifier="test")
        mark_failed(console, claimed, config, at=at, status="503", is_permanent=False)
        waits.append((rows(console)[0][3] - at).total_seconds())
        at = rows(console)[0][3]

    assert waits == [10, 15, 0]
    assert rows(console) == [("given_up", 3, "503", at, at)]
    assert status_counts(console, since=AT - HOUR)[DeliveryStatus.GIVEN_UP].count == 1


def test_what_is_refused_for_good_is_given_up_at_once_and_a_wish_to_wait_is_obeyed(console):
    raise_alarm("nano 1h", "mid 1h")
    collect(console, CONFIG, at=AT)
    first, second = (claim(console, at=AT, notifier="test") for _ in range(2))
    mark_failed(console, first, CONFIG, at=AT, status="404", is_permanent=True)
    mark_failed(console, second, CONFIG, at=AT, status="429", is_permanent=False, retry_after_s=3600)

    assert rows(console) == [("given_up", 1, "404", AT, AT), ("waiting", 1, "429", AT + HOUR, None)]


def test_old_news_are_not_told_but_an_alarm_that_still_stands_is(console):
    raise_alarm("nano 1h", at=AT - 100 * HOUR)
    with connect(DatabaseRole.REGIME, autocommit=True) as connection:
        settle(connection, found(coverage("mid 1h")), at=AT - 99 * HOUR)  # clears nano

    assert collect(console, CONFIG, at=AT) == 1
    assert json.loads(claim(console, at=AT, notifier="test").body)["subject"] == "coverage_low mid 1h"


def test_what_waited_too_long_expires(console):
    raise_alarm("nano 1h")
    collect(console, CONFIG, at=AT)
    collect(console, CONFIG, at=AT + 73 * HOUR)

    assert rows(console) == [("expired", 0, None, AT, AT + 73 * HOUR)]


def test_a_halt_is_told_and_the_first_row_of_a_migration_is_not(console):
    ((before,),) = console.execute("SELECT count(*) FROM outbox WHERE kind = 'switch'").fetchall()
    row = set_switch(console, mode=TradingMode.HALTED, author="ada", reason="exchange is down")
    collect(console, CONFIG, at=row.set_at)
    claimed = claim(console, at=row.set_at, notifier="test")

    assert before == 0
    assert json.loads(claimed.body)["sentence"] == "HALTED by ada: exchange is down"
    assert json.loads(claimed.body)["severity"] == "error"


def test_only_the_kinds_that_are_wanted_are_told(console):
    raise_alarm("nano 1h")

    assert collect(console, NotifyConfig(kinds=(NoticeKind.SWITCH,)), at=AT) == 0


def test_an_event_of_the_regime_is_told_where_it_is_wanted(console, database):
    with psycopg.connect(database.libpq()) as owner:
        owner.execute(
            "INSERT INTO regime.regime_event VALUES (%s, 'bucket_rotation', %s, NULL, '{}', 1, 'r', %s, '1')",
            ["a" * 64, AT - HOUR, AT],
        )

    assert collect(console, CONFIG, at=AT) == 0
    assert collect(console, NotifyConfig(kinds=tuple(NoticeKind)), at=AT) == 1
    body = json.loads(claim(console, at=AT, notifier="test").body)
    assert (body["kind"], body["subject"]) == ("regime_event", "all buckets")
    assert body["evidence"] == {"page": "/regime?as_of=2026-11-01T12:00Z"}
