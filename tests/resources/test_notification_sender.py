"""A round tells what is due, at least once and under one key; a receiver that is down is asked once a round."""

import json
from datetime import timedelta

import pytest
from pydantic import SecretStr

from domain.config.alarm import NotifyConfig
from resources.notification_sender import SendingRound, send_round
from resources.notifier import MemoryNotifier, NotTakenError
from resources.webhook import WebhookNotifier
from sql.database import connect
from sql.database_role import DatabaseRole
from tests.alarm_rows import AT, HOUR, coverage, found, settle
from tests.loopback_api import Reply, in_turn, serving

pytestmark = pytest.mark.postgres
CONFIG = NotifyConfig(max_attempts=3, first_retry_s=30)


@pytest.fixture
def console(database):
    with connect(DatabaseRole.REGIME, autocommit=True) as regime:
        settle(regime, found(coverage("nano 1h"), coverage("mid 1h")))
    with connect(DatabaseRole.CONSOLE, autocommit=True) as connection:
        yield connection


def send(connection, notifier, at=AT, **values):
    return send_round(connection, notifier, CONFIG, now=lambda: at, **values)


def statuses(connection):
    return connection.execute("SELECT status, attempts, last_status FROM notification ORDER BY sequence").fetchall()


def test_everything_due_is_told_once_and_noted(console):
    notifier = MemoryNotifier()

    assert send(console, notifier) == SendingRound(collected=2, delivered=2)
    assert send(console, notifier, AT + HOUR) == SendingRound()
    assert [json.loads(each.body)["subject"] for each in notifier.told] == [
        "coverage_low nano 1h",
        "coverage_low mid 1h",
    ]
    assert len({each.key for each in notifier.told}) == 2
    assert statuses(console) == [("delivered", 1, "kept")] * 2


def test_a_receiver_that_is_down_is_asked_once_a_round(console):
    notifier = MemoryNotifier(answers=[NotTakenError("ConnectError")])

    assert send(console, notifier) == SendingRound(collected=2, retried=1)
    assert statuses(console) == [("waiting", 1, "ConnectError"), ("waiting", 0, None)]
    assert send(console, notifier, AT + timedelta(seconds=29)) == SendingRound(delivered=1)
    assert send(console, notifier, AT + timedelta(seconds=30)) == SendingRound(delivered=1)


def test_one_that_is_refused_for_good_holds_up_no_other(console):
    notifier = MemoryNotifier(answers=[NotTakenError("404", is_permanent=True)])

    assert send(console, notifier) == SendingRound(collected=2, delivered=1, given_up=1)
    assert statuses(console) == [("given_up", 1, "404"), ("delivered", 1, "kept")]


def test_after_the_last_attempt_it_is_given_up(console):
    notifier = MemoryNotifier(answers=[NotTakenError("503") for _ in range(6)])
    rounds = [send(console, notifier, AT + n * HOUR) for n in range(6)]

    assert sum(each.given_up for each in rounds) == 2
    assert statuses(console) == [("given_up", 3, "503")] * 2


def test_a_sender_that_dies_between_telling_and_noting_tells_again_under_the_same_key(console):
    def die(_message):
        raise KeyboardInterrupt

    dying = MemoryNotifier(on_send=die)
    with pytest.raises(KeyboardInterrupt):
        send(console, dying)
    notifier = MemoryNotifier()
    send(console, notifier, AT + timedelta(minutes=5))

    assert dying.told[0] in notifier.told
    assert statuses(console) == [("delivered", 2, "kept"), ("delivered", 1, "kept")]


def test_a_round_ends_in_time(console):
    later = iter(AT + n * timedelta(seconds=1) for n in range(100))

    done = send_round(console, MemoryNotifier(), CONFIG, now=lambda: next(later), longest=timedelta(seconds=2))

    assert (done.collected, done.delivered) == (2, 1)


def test_no_transaction_is_open_while_a_receiver_is_waited_for(console):
    seen = []
    send(console, MemoryNotifier(on_send=lambda _message: seen.append(console.info.transaction_status.name)))

    assert seen == ["IDLE", "IDLE"]


def test_a_connection_that_does_not_commit_by_itself_is_refused(database):
    with connect(DatabaseRole.CONSOLE) as connection, pytest.raises(ValueError, match="autocommit"):
        send(connection, MemoryNotifier())


def test_a_webhook_that_failed_once_is_told_by_the_next_round(console):
    with serving(in_turn(Reply({}, 500), Reply({}, 200))) as api:
        notifier = WebhookNotifier(SecretStr(api.url))
        rounds = [send(console, notifier, AT + n * HOUR) for n in range(2)]

    assert [(each.delivered, each.retried) for each in rounds] == [(0, 1), (2, 0)]
    keys = [asked.headers["Idempotency-Key"] for asked in api.asked]
    assert (len(keys), keys[0] in keys[1:]) == (3, True)
