import logging

import pytest

from domain.vocabulary.cap_bucket import REGIME_BUCKETS
from pm_runtime.loop import RuntimeLoop
from pm_runtime.settings import RuntimeSettings
from sql.migration_file import MigrationError
from tests.loop_world import HOUR, MINUTE, World
from tests.runtime_worlds import START, published


def events(caplog, name):
    return [record.fields for record in caplog.records if record.message == name]


def test_every_closed_bar_gets_one_tick_after_its_grace():
    world = World(hours=3)

    report = world.run(timeframes=["1h"])

    assert world.bars() == [START - HOUR, START, START + HOUR]
    assert world.clock.waits == [3600.0] * 3
    assert (report.ticked, report.skipped_bars, report.failed) == (3, 0, 0)


def test_timeframes_are_those_of_the_configuration_and_may_change_meanwhile():
    world = World(hours=4)
    world.configure({"scores": {"execution_timeframes": ["4h"]}})
    world.clock.on_wait = lambda at: world.configure({"scores": {"execution_timeframes": ["4h", "1h"]}})

    world.run()

    assert world.bars("4h") == [START - 4 * HOUR]
    assert len(world.bars("1h")) == 0
    world.clock.ends_at += 4 * HOUR
    world.run()
    assert len(world.bars("1h")) == 4


def test_by_default_the_four_execution_timeframes_tick_shortest_first():
    world = World(hours=1)

    world.run()

    assert [row["timeframe"] for row in world.ticks()[:4]] == ["1m", "15m", "1h", "4h"]
    assert len(world.bars("1m")) == 60


def test_a_restart_ticks_no_bar_twice_and_goes_on():
    world = World(hours=2)
    world.run(timeframes=["1h"])
    world.clock.ends_at += 2 * HOUR

    report = world.run(timeframes=["1h"])

    assert report.already_ticked == 0
    assert world.bars() == [START + (hours - 1) * HOUR for hours in range(4)]


def test_a_tick_longer_than_its_interval_skips_bars_and_alarms_after_three(caplog):
    world = World(hours=1)
    slow_open = world.clock.wait_until
    world.clock.wait_until = lambda at: slow_open(at + 2 * MINUTE)

    report = world.run(timeframes=["1m"])

    overruns = events(caplog, "tick_overrun")
    levels = [record.levelno for record in caplog.records if record.message == "tick_overrun"]
    assert levels[:3] == [logging.WARNING, logging.WARNING, logging.ERROR]
    assert report.skipped_bars == sum(fields["skipped"] for fields in overruns) == 2 * len(overruns)
    assert len(world.bars("1m")) == report.ticked == len(overruns) + 1


def test_an_outage_is_reported_backed_off_and_survived(caplog):
    world = World(hours=3)
    world.away = (START + HOUR, START + HOUR + 10 * MINUTE)

    report = world.run(timeframes=["1h"])

    assert world.bars() == [START - HOUR, START, START + HOUR]
    assert (report.failed, report.ticked) == (1, 3)
    in_a_row = [fields["in_a_row"] for fields in events(caplog, "store_failed")]
    assert in_a_row == list(range(1, report.store_failures + 1))
    assert world.clock.waits[1:9] == [1.0, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0]


def test_a_lost_session_is_tried_once_not_once_a_timeframe():
    world = World(hours=3)
    world.away = (START + HOUR, START + HOUR + MINUTE)

    report = world.run(timeframes=["1m", "5m", "15m", "1h"])

    assert report.failed == 1
    assert world.bars() == [START - HOUR, START, START + HOUR]


def test_an_outage_over_several_bars_skips_them_without_an_alarm(caplog):
    world = World(hours=6)
    world.away = (START + HOUR, START + 4 * HOUR + MINUTE)

    report = world.run(timeframes=["1h"])

    assert world.bars() == [START - HOUR, START + 3 * HOUR, START + 4 * HOUR]
    assert [fields["skipped"] for fields in events(caplog, "bars_skipped")] == [3]
    assert report.skipped_bars == 3
    assert events(caplog, "tick_overrun") == []


def test_a_database_that_is_away_at_the_start_is_waited_for():
    world = World(hours=1)
    world.away = (START, START + MINUTE)

    report = world.run(timeframes=["1h"])

    assert world.bars() == [START - HOUR]
    assert report.store_failures > 1


def test_one_failing_timeframe_does_not_stop_the_others(caplog):
    world = World(hours=1)
    world.publish(published(REGIME_BUCKETS[0], START - HOUR, a=7.0))

    report = world.run(timeframes=["1m", "1h"])

    assert len(world.bars("1m")) == 60
    assert world.bars("1h") == []
    assert report.failed == len(events(caplog, "tick_failed")) == events(caplog, "tick_failed")[-1]["failed"] > 3
    assert world.openings == 1


def test_a_database_of_another_release_ends_the_loop():
    def refuse():
        raise MigrationError("newer")

    world = World(hours=1)
    with pytest.raises(MigrationError, match="newer"):
        RuntimeLoop(refuse, clock=world.clock, stop=world.clock, settings=RuntimeSettings()).run()


def test_the_second_process_ends_and_says_who_holds_the_lease():
    world = World(hours=1)
    world.store("first:1:now").take_lease()

    report = world.run()

    assert (report.held_by, report.ticked, world.clock.waits) == ("first:1:now", 0, [])


def test_a_standby_takes_over_when_the_lease_is_free(caplog):
    caplog.set_level(logging.INFO)
    world = World(hours=1)
    first = world.store("first:1:now")
    first.take_lease()
    world.clock.on_wait = lambda at: first.close() if at > START + MINUTE else None

    report = world.run(timeframes=["1h"], standby=True)

    assert (report.held_by, report.ticked) == (None, 1)
    assert [fields["holder"] for fields in events(caplog, "lease_held_elsewhere")] == ["first:1:now"]


def test_a_process_waits_for_its_own_lost_session_to_end():
    world = World(hours=1)
    lost = world.store("me:1:now")
    lost.take_lease()
    world.clock.on_wait = lambda at: lost.close()

    report = world.run(timeframes=["1h"])

    assert (report.held_by, report.ticked) == (None, 1)


def test_the_lease_is_free_after_the_loop():
    world = World(hours=1)
    world.run()

    assert world.store("next:2:now").take_lease().is_held


def test_without_new_scores_the_ticks_go_on_and_reduce_only_beyond_the_age_limit():
    world = World(hours=6)
    world.publish(*(published(bucket, START) for bucket in REGIME_BUCKETS))

    world.run(timeframes=["1h"])

    modes = {row["bar_timestamp"]: row["mode"] for row in world.ticks()}
    assert [modes[START + hours * HOUR] for hours in range(5)] == ["ACTIVE"] * 3 + ["REDUCE_ONLY"] * 2
    assert world.ticks()[-1]["mode_reason"] == "no score to act on: 5 stale (nano, micro, mid, big, large)"


def test_a_stop_during_a_tick_ends_the_loop_after_it():
    world = World(hours=1)
    world.clock.is_set = lambda: len(world.ticks()) == 1

    report = world.run(timeframes=["1m", "1h"])

    assert report.ticked == 1
    assert world.bars("1h") == []
