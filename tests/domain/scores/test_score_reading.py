from datetime import timedelta

import pytest

from domain.config.pm_config import effective_config
from domain.scores.score_reading import CorruptScoreError, ScoreStatus, read_score
from domain.vocabulary.cap_bucket import CapBucket
from domain.vocabulary.execution_bar import ExecutionBar
from domain.vocabulary.timeframe import Timeframe
from tests.runtime_worlds import START, published

NANO = CapBucket.NANO
BAR = ExecutionBar(Timeframe.H4, START)
CONFIG = effective_config({})


def reading_of(score, *, bar=BAR, config=CONFIG):
    return read_score(NANO, score, bar=bar, config=config)


@pytest.mark.parametrize(
    ("bars_old", "status"), [(0, "fresh"), (1, "fresh"), (2, "fresh"), (3, "stale"), (99, "stale")]
)
def test_a_score_is_stale_beyond_two_bars_of_its_own_timeframe(bars_old, status):
    reading = reading_of(published(NANO, START - bars_old * Timeframe.H4.duration))

    assert reading.status == status


def test_the_age_limit_is_the_configured_one():
    one_bar = effective_config({"runtime": {"score_ttl_bars": 1}})

    assert reading_of(published(NANO, START - Timeframe.H4.duration), config=one_bar).status == "fresh"
    assert reading_of(published(NANO, START - 2 * Timeframe.H4.duration), config=one_bar).status == "stale"


def test_a_fresh_score_is_used_as_it_is():
    reading = reading_of(published(NANO, START, a=0.533, e=0.6425))

    assert (reading.a_used, reading.e_used) == (0.533, 0.6425)


def test_a_stale_score_is_listed_and_not_used():
    entry = reading_of(published(NANO, START - timedelta(days=3), a=0.9, e=0.1)).to_json()

    assert entry["stale"] is True
    assert (entry["a"], entry["a_used"], entry["e_used"]) == (0.9, None, None)


def test_a_degraded_score_gives_the_neutral_lever_and_says_so():
    entry = reading_of(published(NANO, START, a=0.9, e=0.1, coverage=11, degraded=True)).to_json()

    assert (entry["status"], entry["degraded"], entry["coverage"]) == ("degraded", True, 11)
    assert (entry["a"], entry["a_used"], entry["e_used"]) == (0.9, 0.5, 0.5)


def test_a_stale_degraded_score_is_refused_rather_than_neutral():
    reading = reading_of(published(NANO, START - timedelta(days=3), coverage=3, degraded=True))

    assert reading.status is ScoreStatus.STALE


def test_a_stricter_coverage_counts_at_once_and_a_looser_one_with_the_next_score():
    strict = effective_config({"scores": {"min_coverage": 14}})
    loose = effective_config({"scores": {"min_coverage": 5}})

    assert reading_of(published(NANO, START, coverage=13), config=strict).status == "degraded"
    assert reading_of(published(NANO, START, coverage=9, degraded=True), config=loose).status == "degraded"


def test_a_score_without_levers_is_degraded_whatever_the_coverage_wanted():
    score = published(NANO, START, a=None, e=None, coverage=0)

    reading = reading_of(score, config=effective_config({"scores": {"min_coverage": 0}}))

    assert (reading.status, reading.a_used) == ("degraded", 0.5)


def test_a_missing_score_is_listed_without_values():
    entry = reading_of(None).to_json()

    assert entry.pop("bucket") == "nano"
    assert entry.pop("status") == "missing"
    assert entry.pop("stale") is False
    assert set(entry.values()) == {None}


@pytest.mark.parametrize("levers", [{"a": 1.01}, {"e": -0.01}, {"a": float("nan")}, {"e": float("inf")}])
def test_a_lever_outside_of_0_and_1_is_refused(levers):
    with pytest.raises(CorruptScoreError, match=r"within 0\.\.1"):
        reading_of(published(NANO, START, **levers))


def test_a_score_of_a_later_bar_is_refused():
    with pytest.raises(CorruptScoreError, match="later than bar"):
        reading_of(published(NANO, START + Timeframe.H4.duration))
