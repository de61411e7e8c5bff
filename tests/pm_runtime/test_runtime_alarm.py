"""The store is told at the first look and at changes, of each subject by itself; what it missed stays to be told."""

import pytest

from domain.vocabulary.alarm import AlarmKind
from domain.vocabulary.execution_bar import ExecutionBar
from domain.vocabulary.timeframe import Timeframe
from pm_runtime.runtime_alarm import RuntimeAlarms, orders_not_taken, overrun, reconcile_failed
from tests.runtime_worlds import START

BAR = ExecutionBar(Timeframe.H1, START)
SLOW = overrun(BAR, skipped=2, in_a_row=3)
OVERRUN, ORDERS = AlarmKind.TICK_OVERRUN, AlarmKind.ORDER_NOT_TAKEN


@pytest.fixture
def alarms() -> RuntimeAlarms:
    return RuntimeAlarms()


def said(alarms: RuntimeAlarms) -> list[tuple[str, list[str], list[str]]]:
    return [
        (look.kind.value, [alarm.subject for alarm in look.standing], sorted(look.judged or ()))
        for look in alarms.untold()
    ]


def test_the_first_look_is_told_also_where_nothing_is_wrong(alarms):
    alarms.note(OVERRUN, "1h", None)

    assert said(alarms) == [("tick_overrun", [], ["1h"])]


def test_what_was_told_is_told_again_only_when_it_changes(alarms):
    alarms.note(OVERRUN, "1h", SLOW)
    alarms.told(alarms.untold())
    alarms.note(OVERRUN, "1h", overrun(BAR, skipped=9, in_a_row=4))
    quiet = said(alarms)
    alarms.note(OVERRUN, "1h", None)

    assert (quiet, said(alarms)) == ([], [("tick_overrun", [], ["1h"])])


def test_only_the_subjects_that_changed_are_judged(alarms):
    for subject in ("1m", "1h"):
        alarms.note(OVERRUN, subject, None)
    alarms.told(alarms.untold())
    alarms.note(OVERRUN, "1h", SLOW)
    alarms.note(ORDERS, "1h", orders_not_taken(BAR, 2))

    assert said(alarms) == [("order_not_taken", ["1h"], ["1h"]), ("tick_overrun", ["1h"], ["1h"])]


def test_what_changes_while_the_store_is_told_is_told_next(alarms):
    alarms.note(OVERRUN, "1h", SLOW)
    looks = alarms.untold()
    alarms.note(OVERRUN, "1m", None)
    alarms.told(looks)

    assert said(alarms) == [("tick_overrun", [], ["1m"])]


def test_an_error_is_told_by_its_name_alone():
    alarm = reconcile_failed(ConnectionError("postgresql://user:secret@h/db"))

    assert alarm.evidence["error"] == "ConnectionError"
    assert "secret" not in str(alarm)
