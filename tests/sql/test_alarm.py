"""An alarm is raised once and cleared once, in its writer's schema; what was rolled back was never told."""

from datetime import UTC, datetime, timedelta
from typing import get_args

import psycopg
import pytest

from domain.vocabulary.alarm import Alarm, AlarmKind, AlarmSeverity, DeliveryStatus, Look, NoticeKind
from sql.alarm import AlarmSchema, read_alarms, settle_alarms
from sql.database import connect
from sql.database_role import DatabaseRole
from sql.schema import SCHEMA_FILE
from tests.alarm_rows import AT, HOUR, coverage, found, nothing, settle

pytestmark = pytest.mark.postgres


@pytest.fixture
def regime(database):
    with connect(DatabaseRole.REGIME, autocommit=True) as connection:
        yield connection


def told(connection, at=AT + 10 * HOUR, *, ended=True):
    rows = read_alarms(connection, at=at, ended=ended)
    return [(row.subject, row.severity.value, row.raised_at, row.cleared_at) for row in rows]


def test_an_alarm_is_raised_once_however_often_it_is_found(regime):
    first = settle(regime, found(coverage("nano 1h")))
    second = settle(regime, found(coverage("nano 1h")), at=AT + HOUR)

    assert ([a.subject for a in first.raised], second.raised, second.cleared) == (["nano 1h"], (), ())
    assert told(regime) == [("nano 1h", "warn", AT, None)]


def test_an_alarm_that_is_not_found_again_is_over_and_may_come_back(regime):
    settle(regime, found(coverage("nano 1h")))
    over = settle(regime, nothing(), at=AT + HOUR)
    settle(regime, found(coverage("nano 1h")), at=AT + 2 * HOUR)

    assert over.cleared == ((AlarmKind.COVERAGE_LOW, "nano 1h"),)
    assert told(regime) == [
        ("nano 1h", "warn", AT + 2 * HOUR, None),
        ("nano 1h", "warn", AT, AT + HOUR),
    ]
    assert told(regime, AT + HOUR / 2, ended=False) == [("nano 1h", "warn", AT, None)]


def test_an_alarm_whose_subject_nobody_could_judge_stays(regime):
    settle(regime, found(coverage("nano 1h"), coverage("mid 1h")))
    over = settle(regime, Look(kind=AlarmKind.COVERAGE_LOW, judged=frozenset({"mid 1h"})), at=AT + HOUR)

    assert over.cleared == ((AlarmKind.COVERAGE_LOW, "mid 1h"),)
    assert told(regime, ended=False) == [("nano 1h", "warn", AT, None)]


def test_a_look_at_one_kind_leaves_the_others(regime):
    settle(regime, found(coverage("nano 1h")))
    settle(regime, Look(kind=AlarmKind.STALE_TABLE), at=AT + HOUR)

    assert told(regime, ended=False) == [("nano 1h", "warn", AT, None)]


def test_an_alarm_that_got_worse_is_told_anew(regime):
    settle(regime, found(coverage("nano 1h")))
    settled = settle(regime, found(coverage("nano 1h", AlarmSeverity.ERROR)), at=AT + HOUR)

    assert (len(settled.raised), len(settled.cleared)) == (1, 1)
    assert told(regime, ended=False) == [("nano 1h", "error", AT + HOUR, None)]


def test_a_clock_that_went_back_clears_no_alarm_before_it_was_raised(regime):
    settle(regime, found(coverage("nano 1h")))
    settle(regime, nothing(), at=AT - HOUR)

    assert told(regime) == [("nano 1h", "warn", AT, AT)]


def test_what_is_rolled_back_is_neither_an_alarm_nor_a_message(database):
    with connect(DatabaseRole.REGIME, autocommit=True) as connection:
        with connection.transaction() as own:
            settle(connection, found(coverage("nano 1h")))
            inside = connection.execute("SELECT message_id, kind FROM outbox").fetchall()
            raise psycopg.Rollback(own)
        outside = connection.execute("SELECT count(*) FROM outbox").fetchone()

    assert (inside, outside) == ([("alarm/regime/1/raised", "alarm_raised")], (0,))


def test_two_that_look_at_once_raise_one_alarm(database):
    with connect(DatabaseRole.REGIME, autocommit=True) as one, connect(DatabaseRole.REGIME, autocommit=True) as other:
        other.execute("SET lock_timeout = '200ms'")
        with one.transaction():
            settle(one, found(coverage("nano 1h")))
            with pytest.raises(psycopg.errors.LockNotAvailable):
                settle(other, found(coverage("nano 1h")))

        assert settle(other, found(coverage("nano 1h")), at=AT + HOUR).raised == ()


@pytest.mark.parametrize(
    ("role", "schema"),
    [("regime", "pm"), ("regime", "learning"), ("learning", "regime"), ("pm", "learning"), ("console", "regime")],
)
def test_nobody_writes_the_alarms_of_another(database, role, schema):
    with (
        connect(DatabaseRole(role), autocommit=True) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        settle_alarms(connection, schema, [found(coverage("nano 1h"))], at=AT, by="test", config_version=1)


@pytest.mark.parametrize(
    ("role", "schema"), [("regime", "regime"), ("learning", "learning"), ("pm", "pm"), ("console", "pm")]
)
def test_a_writer_raises_and_clears_in_its_schema_and_everybody_sees_it(database, role, schema):
    with connect(DatabaseRole(role), autocommit=True) as connection:
        settle_alarms(connection, schema, [found(coverage("nano 1h"))], at=AT, by="test", config_version=1)
        settle_alarms(connection, schema, [nothing()], at=AT + HOUR, by="test", config_version=1)
    with connect(DatabaseRole.PM, read_only=True) as reader:
        rows = read_alarms(reader, at=AT + HOUR, ended=True)

    assert [(row.source, row.cleared_at) for row in rows] == [(schema, AT + HOUR)]


def test_the_words_of_the_code_are_those_of_the_constraints():
    schema = SCHEMA_FILE.read_text(encoding="utf-8")
    kinds = "ARRAY[" + ", ".join(f"'{kind}'::text" for kind in AlarmKind) + "]"
    severities = "ARRAY[" + ", ".join(f"'{each}'::text" for each in AlarmSeverity) + "]"

    for table in (f"{name}_alarm" for name in get_args(AlarmSchema)):
        assert f"CONSTRAINT {table}_kind_check CHECK ((kind = ANY ({kinds})))" in schema
        assert f"CONSTRAINT {table}_severity_check CHECK ((severity = ANY ({severities})))" in schema
    for name, words in (("kind", NoticeKind), ("status", DeliveryStatus)):
        listed = "ARRAY[" + ", ".join(f"'{word}'::text" for word in words) + "]"
        assert f"CONSTRAINT notification_{name}_check CHECK (({name} = ANY ({listed})))" in schema


@pytest.mark.parametrize(
    "values",
    [
        {"kind": AlarmKind.STALE_TABLE, "standing": (coverage("nano 1h"),)},
        {"kind": AlarmKind.COVERAGE_LOW, "standing": (coverage("nano 1h"), coverage("nano 1h"))},
        {"kind": AlarmKind.COVERAGE_LOW, "standing": (coverage("nano 1h"),), "judged": frozenset({"mid 1h"})},
    ],
    ids=["another kind", "twice", "not judged"],
)
def test_a_look_that_cannot_be_is_refused(values):
    with pytest.raises(ValueError, match=r"finds alarms|stands once|not judged"):
        Look(**values)


def test_a_kind_that_was_looked_at_twice_is_refused(regime):
    with pytest.raises(ValueError, match="one look at coverage_low"):
        settle_alarms(regime, "regime", [nothing(), nothing()], at=AT, by="test", config_version=1)


def test_an_alarm_keeps_its_evidence(regime):
    alarm = Alarm(
        kind=AlarmKind.COVERAGE_LOW,
        subject="nano \u202e 1h",
        severity=AlarmSeverity.WARN,
        sentence="'; DROP TABLE alarm; --",
        evidence={"page": "/quality", "rows": {"regime.ae_score": ["nano", 0.5]}},
    )
    settle(regime, found(alarm))
    (stored,) = read_alarms(regime, at=datetime.now(UTC) + timedelta(days=1))

    assert (stored.subject, stored.sentence, stored.evidence) == (alarm.subject, alarm.sentence, alarm.evidence)
