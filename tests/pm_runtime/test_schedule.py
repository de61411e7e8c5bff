from datetime import UTC, datetime, timedelta

import pytest

from domain.vocabulary.timeframe import Timeframe
from pm_runtime.schedule import BackOff, BarSchedule

NOON = datetime(2025, 6, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
GRACE = timedelta(seconds=5)


@pytest.fixture
def schedule():
    return BarSchedule(Timeframe.M1, grace=GRACE, back_off=BackOff(10, 60))


def tick_at(schedule, now):
    bar = schedule.due(now)
    if bar is not None:
        schedule.done(bar)
    return bar


def test_the_first_bar_is_the_newest_closed_one_at_once(schedule):
    assert schedule.next_at() is None
    assert schedule.due(NOON + GRACE).closed_at == NOON


def test_a_bar_waits_for_its_grace(schedule):
    assert schedule.due(NOON + GRACE - timedelta(microseconds=1)).closed_at == NOON - MINUTE
    assert schedule.due(NOON + GRACE).closed_at == NOON


def test_a_bar_is_due_once(schedule):
    assert tick_at(schedule, NOON + GRACE) is not None
    assert tick_at(schedule, NOON + MINUTE) is None
    assert schedule.next_at() == NOON + MINUTE + GRACE


def test_bars_passed_over_are_counted_and_never_come_back(schedule):
    tick_at(schedule, NOON + GRACE)
    late = NOON + 4 * MINUTE + GRACE

    bar = schedule.due(late)

    assert (bar.closed_at, schedule.bars_passed_over(bar)) == (NOON + 4 * MINUTE, 3)
    schedule.done(bar)
    assert schedule.due(late) is None


def test_overruns_in_a_row_are_counted_and_a_timely_bar_ends_the_row(schedule):
    for minute in (0, 2, 4, 6):
        tick_at(schedule, NOON + minute * MINUTE + GRACE)
    assert schedule.overruns == 3

    tick_at(schedule, NOON + 7 * MINUTE + GRACE)
    assert schedule.overruns == 0


@pytest.mark.parametrize("interrupt", [lambda s: s.failed(NOON), lambda s: s.interrupted()])
def test_bars_missed_by_a_failure_are_no_overrun(schedule, interrupt):
    tick_at(schedule, NOON + GRACE)
    interrupt(schedule)

    assert tick_at(schedule, NOON + 9 * MINUTE + GRACE) is not None
    assert schedule.overruns == 0


def test_a_failed_bar_is_tried_again_after_a_pause_that_doubles(schedule):
    now = NOON + GRACE
    schedule.failed(now)
    assert schedule.due(now + timedelta(seconds=9)) is None
    assert schedule.due(now + timedelta(seconds=10)).closed_at == NOON

    schedule.failed(now)
    assert schedule.next_at() == now + timedelta(seconds=20)


def test_a_bar_that_failed_after_a_good_one_waits_for_its_pause(schedule):
    tick_at(schedule, NOON + GRACE)
    schedule.failed(NOON + MINUTE + GRACE)

    assert schedule.next_at() == NOON + MINUTE + GRACE + timedelta(seconds=10)


def test_success_forgets_the_failures(schedule):
    schedule.failed(NOON)
    tick_at(schedule, NOON + MINUTE)

    assert schedule.failures == 0
    assert schedule.due(NOON + MINUTE + GRACE) is not None


def test_a_clock_set_back_ticks_nothing_twice(schedule):
    tick_at(schedule, NOON + GRACE)

    assert schedule.due(NOON - 5 * MINUTE) is None
