"""Thin scores, overdue rows, a silent daemon, a silent runtime; of what never was nothing is said."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.config.alarm import AlarmConfig
from domain.scores.alarm import ScoreCoverage, coverage_look, daemon_look, silence_look, staleness_look
from domain.vocabulary.alarm import AlarmSeverity
from domain.vocabulary.timeframe import Timeframe

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
CONFIG = AlarmConfig()


def score(bucket, heard):
    return ScoreCoverage(bucket=bucket, timeframe="1h", coverage=heard, timestamp=AT)


def test_scores_below_the_limit_stand_and_those_at_it_do_not():
    look = coverage_look([score("nano", 11), score("mid", 12)], min_coverage=12)

    assert [alarm.subject for alarm in look.standing] == ["nano 1h"]
    assert look.judged == {"nano 1h", "mid 1h"}
    assert "heard 11 of 15 channels, below 12" in look.standing[0].sentence


def test_without_a_score_nobody_can_tell():
    assert coverage_look([], min_coverage=12) is None


@pytest.mark.parametrize(
    ("late", "severity"),
    [(2 * HOUR, None), (2 * HOUR + MINUTE, AlarmSeverity.WARN), (3 * HOUR + MINUTE, AlarmSeverity.ERROR)],
)
def test_a_table_is_overdue_by_its_own_cadence(late, severity):
    look = staleness_look({"hourly": AT - HOUR - late}, {"hourly": HOUR}, CONFIG, at=AT)

    assert [alarm.severity for alarm in look.standing] == ([severity] if severity else [])


def test_a_table_that_never_had_a_row_is_not_judged():
    look = staleness_look({"a": None, "b": AT}, {"a": HOUR, "b": HOUR}, CONFIG, at=AT)

    assert (look.standing, look.judged) == ((), frozenset({"b"}))


def test_one_silent_part_of_the_daemon_is_named_and_all_of_them_are_the_daemon():
    one = daemon_look({"SENSOR": AT, "SCHEDULER": AT - 6 * MINUTE}, CONFIG, at=AT)
    both = daemon_look({"SENSOR": AT - 7 * MINUTE, "SCHEDULER": AT - 6 * MINUTE}, CONFIG, at=AT)

    assert [alarm.subject for alarm in one.standing] == ["SCHEDULER"]
    assert [(alarm.subject, alarm.sentence) for alarm in both.standing] == [
        ("daemon", "Dagster's daemon was last heard 6 min ago: no schedule starts.")
    ]


def test_a_daemon_that_beats_is_well_and_one_that_never_ran_is_not_judged():
    assert daemon_look({"SENSOR": AT - 5 * MINUTE}, CONFIG, at=AT).standing == ()
    assert daemon_look({}, CONFIG, at=AT) is None


@pytest.mark.parametrize(
    ("timeframe", "after_close", "stands"),
    [("1m", 10 * MINUTE, False), ("1m", 11 * MINUTE, True), ("1h", 2 * HOUR, False), ("1h", 2 * HOUR + MINUTE, True)],
)
def test_the_runtime_may_miss_two_bars_or_ten_minutes(timeframe, after_close, stands):
    frame = Timeframe(timeframe)
    look = silence_look({frame: AT - after_close - frame.duration}, at=AT)

    assert (bool(look.standing), look.judged) == (stands, frozenset({timeframe}))
