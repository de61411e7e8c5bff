"""What a runtime store promises, asked of the one in memory and of the one in Postgres."""

import contextlib
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from domain.config.pm_config import ConfigError, PmConfig
from domain.portfolio.trading_switch import TradingMode
from domain.scores.score_reading import read_score
from domain.vocabulary.alarm import Alarm, AlarmKind, AlarmSeverity, Look
from domain.vocabulary.cap_bucket import REGIME_BUCKETS, CapBucket
from domain.vocabulary.execution_bar import ExecutionBar
from domain.vocabulary.timeframe import Timeframe
from pm_runtime.ports import AlreadyTickedError, RuntimeStore
from pm_runtime.tick_row import PortfolioTick, TickRow
from tests.runtime_worlds import START, MemoryWorld, PostgresWorld, published

HOUR = timedelta(hours=1)
BAR = ExecutionBar(Timeframe.H1, START)
NANO, MICRO = CapBucket.NANO, CapBucket.MICRO
DONE = PortfolioTick(
    positions=3,
    orders_settled=1,
    orders_planned=2,
    trades_closed=1,
    override_set_id=7,
    overrides_ignored=("override 42 ignored: expired: since yesterday",),
)

World = MemoryWorld | PostgresWorld
OpenStore = Callable[[str], RuntimeStore]


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.postgres)])
def world(request: pytest.FixtureRequest) -> World:
    if request.param == "memory":
        return MemoryWorld()
    request.getfixturevalue("database")
    return PostgresWorld()


@pytest.fixture
def open_store(world: World) -> Iterator[OpenStore]:
    """Opens a session by the name of its holder; all of them are closed at the end."""
    opened: list[RuntimeStore] = []

    def open_named(holder: str) -> RuntimeStore:
        opened.append(world.store(holder))
        return opened[-1]

    yield open_named
    for session in opened:
        session.close()


@pytest.fixture
def store(open_store: OpenStore) -> RuntimeStore:
    return open_store("a:1:start")


def active_tick(holder: str = "a:1:start", bar: ExecutionBar = BAR) -> TickRow:
    score = published(NANO, bar.timestamp)
    readings = tuple(
        read_score(bucket, score if bucket is NANO else None, bar=bar, config=PmConfig()) for bucket in (NANO, MICRO)
    )
    return TickRow(
        bar=bar,
        mode=TradingMode.ACTIVE,
        mode_reason=None,
        scores=readings,
        config_version=1,
        code_version="0.0.0",
        holder=holder,
        portfolio=DONE,
    )


def write(store: RuntimeStore, tick: TickRow) -> None:
    with store.snapshot() as snapshot:
        snapshot.write_tick(tick)


def test_the_newest_score_at_or_before_the_bar_is_read_and_never_a_later_one(world: World, store: RuntimeStore) -> None:
    world.publish(*(published(NANO, START + hours * HOUR, a=0.5 + hours / 10) for hours in (-2, 0, 1)))
    world.publish(published(MICRO, START - HOUR), published(CapBucket.MID, START + HOUR))

    with store.snapshot() as snapshot:
        scores = snapshot.newest_scores(BAR, REGIME_BUCKETS)

    assert scores == [published(NANO, START, a=0.5), published(MICRO, START - HOUR)]


def test_scores_of_another_timeframe_are_not_read(world: World, store: RuntimeStore) -> None:
    world.publish(published(NANO, START), timeframe=Timeframe.H4)

    with store.snapshot() as snapshot:
        assert snapshot.newest_scores(BAR, REGIME_BUCKETS) == []


def test_a_score_without_channels_has_no_levers(world: World, store: RuntimeStore) -> None:
    empty = published(NANO, START, a=None, e=None, coverage=0, degraded=True)
    world.publish(empty)

    with store.snapshot() as snapshot:
        assert snapshot.newest_scores(BAR, [NANO]) == [empty]


def test_the_newest_configuration_is_read_with_its_version(world: World, store: RuntimeStore) -> None:
    version = world.configure({"runtime": {"score_ttl_bars": 7}})

    with store.snapshot() as snapshot:
        versioned = snapshot.read_config()

    assert versioned.version == version
    assert versioned.config.runtime.score_ttl_bars == 7


def test_a_configuration_this_code_does_not_know_is_refused(world: World, store: RuntimeStore) -> None:
    world.configure({"runtime": {"score_ttl": 7}})

    with pytest.raises(ConfigError, match="score_ttl_bars"), store.snapshot() as snapshot:
        snapshot.read_config()


def test_what_others_write_during_a_snapshot_is_not_seen(world: World, store: RuntimeStore) -> None:
    world.publish(published(NANO, START - HOUR))
    with store.snapshot() as snapshot:
        before = (snapshot.read_config().version, snapshot.newest_scores(BAR, [NANO]))
        world.configure({"runtime": {"score_ttl_bars": 7}})
        world.publish(published(NANO, START))

        assert (snapshot.read_config().version, snapshot.newest_scores(BAR, [NANO])) == before


def test_a_stored_tick_says_all_it_was_given(world: World, store: RuntimeStore) -> None:
    tick = active_tick()

    write(store, tick)

    (row,) = world.ticks()
    assert row == {
        "timeframe": "1h",
        "bar_timestamp": START,
        "mode": "ACTIVE",
        "mode_reason": None,
        "scores": [reading.to_json() for reading in tick.scores],
        "scores_fresh": 1,
        "scores_stale": 0,
        "scores_degraded": 0,
        "config_version": 1,
        "code_version": "0.0.0",
        "holder": "a:1:start",
        "positions": 3,
        "orders_settled": 1,
        "orders_planned": 2,
        "trades_closed": 1,
        "override_set_id": 7,
        "overrides_ignored": ["override 42 ignored: expired: since yesterday"],
    }


def test_an_error_in_a_snapshot_leaves_no_tick_and_a_usable_session(world: World, store: RuntimeStore) -> None:
    with contextlib.suppress(ZeroDivisionError), store.snapshot() as snapshot:
        snapshot.write_tick(active_tick())
        _ = 1 / 0

    assert world.ticks() == []
    assert store.is_usable()
    write(store, active_tick())


def test_a_second_tick_of_a_bar_is_refused(world: World, store: RuntimeStore, open_store: OpenStore) -> None:
    write(store, active_tick())

    with pytest.raises(AlreadyTickedError):
        write(open_store("b:2:start"), active_tick("b:2:start"))
    assert [row["holder"] for row in world.ticks()] == ["a:1:start"]


def test_a_tick_written_after_the_snapshot_began_is_not_seen_and_still_refuses_a_second(
    store: RuntimeStore, open_store: OpenStore
) -> None:
    other = open_store("b:2:start")
    with contextlib.suppress(AlreadyTickedError), store.snapshot() as snapshot:
        assert snapshot.ticked_by(BAR) is None
        write(other, active_tick("b:2:start"))
        assert snapshot.ticked_by(BAR) is None
        with pytest.raises(AlreadyTickedError):
            snapshot.write_tick(active_tick())
        raise AlreadyTickedError

    with store.snapshot() as later:
        assert later.ticked_by(BAR) == "b:2:start"


def test_the_same_instant_of_another_timeframe_is_another_bar(world: World, store: RuntimeStore) -> None:
    write(store, active_tick())
    write(store, active_tick(bar=ExecutionBar(Timeframe.H4, START)))

    assert [row["timeframe"] for row in world.ticks()] == ["1h", "4h"]


def test_one_session_holds_the_lease_and_the_other_learns_who(store: RuntimeStore, open_store: OpenStore) -> None:
    second = open_store("b:2:start")

    assert (store.take_lease().is_held, store.take_lease().is_held) == (True, True)
    assert not second.take_lease().is_held
    assert second.take_lease().holder == "a:1:start"


def test_the_lease_is_free_when_its_session_ends(store: RuntimeStore, open_store: OpenStore) -> None:
    store.take_lease()
    second = open_store("b:2:start")
    store.close()

    assert second.take_lease().is_held
    assert not store.is_usable()


def test_an_old_session_of_the_same_process_does_not_share_its_lease(
    store: RuntimeStore, open_store: OpenStore
) -> None:
    store.take_lease()
    again = open_store(store.holder)

    assert not again.take_lease().is_held
    assert again.take_lease().holder == store.holder


def slow(subject: str) -> Alarm:
    return Alarm(
        kind=AlarmKind.TICK_OVERRUN, subject=subject, severity=AlarmSeverity.ERROR, sentence=f"{subject} is slow"
    )


def test_an_alarm_is_raised_once_and_over_when_its_subject_is_judged_again(store: RuntimeStore) -> None:
    look = Look(kind=AlarmKind.TICK_OVERRUN, standing=(slow("1m"), slow("1h")), judged=frozenset({"1m", "1h"}))
    first, again = store.settle_alarms([look]), store.settle_alarms([look])
    over = store.settle_alarms([Look(kind=AlarmKind.TICK_OVERRUN, judged=frozenset({"1m"}))])
    back = store.settle_alarms([look])

    assert [alarm.subject for alarm in first.raised] == ["1m", "1h"]
    assert (again.raised, again.cleared) == ((), ())
    assert over.cleared == ((AlarmKind.TICK_OVERRUN, "1m"),)
    assert [alarm.subject for alarm in back.raised] == ["1m"]


def test_an_alarm_outlives_the_session_that_raised_it(open_store: OpenStore) -> None:
    look = Look(kind=AlarmKind.TICK_OVERRUN, standing=(slow("1m"),), judged=frozenset({"1m"}))
    first = open_store("a:1:start")
    first.settle_alarms([look])
    first.close()

    assert open_store("b:1:start").settle_alarms([look]).raised == ()
