"""What the loop finds wrong becomes one alarm, is cleared once it is over, and never stops a tick."""

from domain.vocabulary.cap_bucket import REGIME_BUCKETS
from tests.loop_world import HOUR, MINUTE, OutageError, World
from tests.runtime_worlds import START, published


def events(caplog, name):
    return [record.fields for record in caplog.records if record.message == name]


def told(world, kind):
    return [(row.subject, row.cleared_at is None) for row in world.database.alarms.rows if row.kind == kind]


def test_ticks_that_stay_too_slow_are_one_alarm_which_ends_when_they_are_fast_again():
    world = World(hours=1)
    wait = world.clock.wait_until
    world.clock.wait_until = lambda at: wait(at + 2 * MINUTE)
    loop = world.loop(timeframes=["1m"])
    loop.run()
    standing = told(world, "tick_overrun")
    world.clock.wait_until = wait
    world.clock.ends_at += 10 * MINUTE
    loop.run()

    assert standing == [("1m", True)]
    assert told(world, "tick_overrun") == [("1m", False)]


def test_a_tick_without_any_score_is_an_alarm_until_one_has_some():
    world = World(hours=3)
    world.clock.on_wait = lambda at: world.publish(*(published(bucket, START) for bucket in REGIME_BUCKETS))

    world.run(timeframes=["1h"])

    assert told(world, "no_score") == [("1h", False)]
    (row,) = world.database.alarms.rows
    assert "no A/E to act on (5 missing)" in row.sentence
    assert row.cleared_at - row.raised_at == HOUR


def test_an_alarm_of_an_earlier_process_is_over_once_the_next_has_looked():
    world = World(hours=2)
    world.run(timeframes=["1h"])
    world.publish(*(published(bucket, START + HOUR) for bucket in REGIME_BUCKETS))
    world.clock.ends_at += 2 * HOUR
    world.run(timeframes=["1h"])

    assert told(world, "no_score") == [("1h", False)]


def test_a_store_that_refuses_alarms_stops_no_tick_and_is_told_later(caplog):
    world = World(hours=4)
    opened, refused = world.open, []

    def refusing():
        store = opened()
        settle = store.settle_alarms

        def once(looks):
            if not refused:
                refused.append(looks)
                raise OutageError("no room for alarms")
            return settle(looks)

        store.settle_alarms = once
        return store

    world.open = refusing
    report = world.run(timeframes=["1h"])

    assert len(world.bars()) == 4
    assert len(events(caplog, "alarms_not_settled")) == report.unsettled_alarms == 1
    assert told(world, "no_score") == [("1h", True)]


def test_nothing_is_asked_of_the_store_while_nothing_changes():
    world = World(hours=6)
    asked, inner = [], world.database.alarms.settle
    world.database.alarms.settle = lambda looks, **at: asked.append(looks) or inner(looks, **at)

    world.run(timeframes=["1h"])

    assert len(asked) == 1
