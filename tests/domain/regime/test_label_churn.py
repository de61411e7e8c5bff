"""Labels churn when a day has many more changes than the days before; a day that is not known says nothing."""

from datetime import UTC, datetime

import pytest

from domain.config.alarm import AlarmConfig
from domain.regime.label_churn import churn_look

HOUR = datetime(2026, 3, 1, tzinfo=UTC)
CONFIG = AlarmConfig()


def look(*days, config=CONFIG):
    return churn_look({"nano": days}, config, newest_at=HOUR)


@pytest.mark.parametrize(
    ("days", "stands"),
    [
        ((10, *[3] * 14), True),
        ((9, *[3] * 14), False),
        ((8, *[0] * 14), True),
        ((7, *[0] * 14), False),
        ((12, 1, 2, 3, 4, 5, 6, 7), False),
        ((13, 1, 2, 3, 4, 5, 6, 7), True),
    ],
    ids=["three times and one", "three times", "after quiet days", "few", "of an odd number", "above the median"],
)
def test_labels_churn_above_a_multiple_of_the_median(days, stands):
    assert bool(look(*days).standing) is stands


def test_days_before_the_window_do_not_count():
    assert look(10, *[3] * 14, *[100] * 30).standing


@pytest.mark.parametrize("days", [(None, *[0] * 14), (20, *[0] * 6, *[None] * 8), (20,)])
def test_what_is_not_known_is_not_judged(days):
    assert (look(*days).standing, look(*days).judged) == ((), frozenset())


def test_it_says_how_often_and_what_is_usual():
    (alarm,) = look(12, *[1, 2] * 7).standing

    assert alarm.sentence == (
        "The phases of nano changed 12 times in 24 hours; the median of the 14 days before is 1.5."
    )
    assert alarm.evidence["rows"] == {"regime.phase_state_bucket": "nano"}


def test_limits_that_contradict_each_other_are_refused():
    with pytest.raises(ValueError, match="churn_min_days must be <= churn_days"):
        AlarmConfig(churn_days=3, churn_min_days=4)
    with pytest.raises(ValueError, match="stale_error_hours must be >= stale_warn_hours"):
        AlarmConfig(stale_error_hours=1.0)
