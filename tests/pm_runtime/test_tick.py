from datetime import timedelta

import pytest

from domain.config.pm_config import ConfigError
from domain.scores.score_reading import CorruptScoreError
from domain.vocabulary.cap_bucket import REGIME_BUCKETS, CapBucket
from domain.vocabulary.execution_bar import ExecutionBar
from domain.vocabulary.release import __version__
from domain.vocabulary.timeframe import Timeframe
from pm_runtime.tick import FutureBarError, run_tick
from pm_runtime.tick_line import tick_line
from tests.runtime_worlds import START, MemoryWorld, published

BAR = ExecutionBar(Timeframe.H1, START)
HOUR = Timeframe.H1.duration
NANO, MICRO, MID, BIG, LARGE = REGIME_BUCKETS


@pytest.fixture
def world():
    return MemoryWorld()


def test_a_tick_lists_every_bucket_and_names_its_versions(world):
    version = world.configure({"runtime": {"neutral_lever": 0.4}})
    world.publish(*(published(bucket, START) for bucket in REGIME_BUCKETS))

    tick = run_tick(world.store("me:1:now"), BAR).tick

    assert [reading.bucket for reading in tick.scores] == list(REGIME_BUCKETS)
    assert (tick.mode, tick.config_version, tick.code_version, tick.holder) == (
        "ACTIVE",
        version,
        __version__,
        "me:1:now",
    )


def test_one_fresh_score_keeps_the_tick_active(world):
    world.publish(published(NANO, START), published(MICRO, START - 9 * HOUR))

    tick = run_tick(world.store(), BAR).tick

    assert (tick.mode, tick.mode_reason) == ("ACTIVE", None)


def test_with_degraded_scores_only_the_tick_acts_on_neutral_levers_and_says_so(world):
    world.publish(published(NANO, START - 3 * HOUR), published(MICRO, START - 4 * HOUR))
    world.publish(published(MID, START, coverage=11, degraded=True))

    run_tick(world.store(), BAR)

    (row,) = world.ticks()
    assert row["mode"] == "ACTIVE"
    assert row["mode_reason"] == "neutral levers only: 1 degraded (mid); 2 missing (big, large); 2 stale (nano, micro)"
    assert (row["scores_fresh"], row["scores_stale"], row["scores_degraded"]) == (0, 2, 1)


def test_without_a_score_in_time_the_tick_reduces_only_and_says_why(world):
    world.publish(published(NANO, START - 3 * HOUR), published(MICRO, START - 4 * HOUR))

    tick = run_tick(world.store(), BAR).tick

    assert tick.mode == "REDUCE_ONLY"
    assert tick.mode_reason == "no score to act on: 3 missing (mid, big, large); 2 stale (nano, micro)"


def test_a_later_score_changes_no_tick_of_an_earlier_bar(world):
    world.publish(published(NANO, START, a=0.3), published(NANO, START + HOUR, a=0.9))

    tick = run_tick(world.store(), BAR).tick

    assert tick.scores[0].a_used == 0.3


def test_a_second_tick_of_a_bar_writes_nothing_and_says_who_was_first(world):
    run_tick(world.store("first:1:now"), BAR)
    world.publish(published(NANO, START))

    again = run_tick(world.store("second:2:now"), BAR)

    assert (again.tick, again.holder) == (None, "first:1:now")
    assert len(world.ticks()) == 1


def test_a_bar_that_has_not_closed_by_the_databases_clock_is_refused(world):
    world.now_at = BAR.closed_at - timedelta(seconds=2.001)

    with pytest.raises(FutureBarError, match="has not closed"):
        run_tick(world.store(), BAR)
    assert world.ticks() == []


def test_clocks_may_differ_by_two_seconds(world):
    world.now_at = BAR.closed_at - timedelta(seconds=2)

    assert run_tick(world.store(), BAR).tick is not None


def test_a_corrupt_score_stops_the_tick(world):
    world.publish(published(NANO, START, a=1.7))

    with pytest.raises(CorruptScoreError):
        run_tick(world.store(), BAR)
    assert world.ticks() == []


def test_an_invalid_configuration_stops_the_tick(world):
    world.configure({"scores": {"min_coverage": 99}})

    with pytest.raises(ConfigError, match=r"scores\.min_coverage"):
        run_tick(world.store(), BAR)
    assert world.ticks() == []


def test_a_tick_fits_in_a_line(world):
    world.publish(published(NANO, START, a=0.533, e=0.6425), published(MICRO, START, coverage=9, degraded=True))
    world.publish(published(MID, START - 9 * HOUR))

    line = tick_line(run_tick(world.store(), BAR))

    assert line == "1h 2025-06-01T00:00Z ACTIVE nano 0.53/0.64 micro 0.50/0.50* mid stale big - large -"


def test_only_the_buckets_asked_for_are_read(world):
    tick = run_tick(world.store(), BAR, buckets=[CapBucket.LARGE]).tick

    assert [reading.bucket for reading in tick.scores] == [CapBucket.LARGE]
