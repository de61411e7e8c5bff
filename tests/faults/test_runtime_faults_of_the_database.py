"""The database goes away, before a tick, within it, or for the assets alone: what the runtime does then."""

from collections import Counter
from datetime import timedelta, timezone
from typing import ClassVar

import pytest

from domain.vocabulary.execution_bar import ExecutionBar
from domain.vocabulary.timeframe import Timeframe
from pm_runtime.bounded_run import run_bounded
from pm_runtime.loop import RuntimeLoop
from pm_runtime.memory_store import MemoryStore
from pm_runtime.paper_venue import PaperVenue
from pm_runtime.settings import RuntimeSettings
from pm_runtime.tick import run_tick
from tests.portfolio_rows import HOUR, START, order_row, position_row
from tests.portfolio_worlds import MemoryPortfolioWorld
from tests.simulated_time import SimulatedClock
from tests.trade_life import EXIT, TRIM, TradeLife, seen

SECOND = timedelta(seconds=1)


class AwayError(ConnectionError):
    """What a session raises whose database is away."""


class BrokenStore(MemoryStore):
    """A session whose database goes away at the nth thing that is asked of it; `told` counts what a venue hears."""

    def __init__(self, world: MemoryPortfolioWorld, *, dies_at: int) -> None:
        super().__init__(world.database, holder="dies:1:x")
        self.left = dies_at

    def snapshot(self):
        self.left -= 1
        if self.left <= 0:
            self.close()
            raise AwayError("the database is away")
        return super().snapshot()


class CountingVenue(PaperVenue):
    """A paper venue that counts what it is asked."""

    asked: ClassVar[Counter] = Counter()

    def submit(self, order):
        self.asked["submit"] += 1
        super().submit(order)

    def settle(self, order, bar, *, at):
        self.asked["settle"] += 1
        return super().settle(order, bar, at=at)


@pytest.fixture
def asked():
    CountingVenue.asked = Counter()
    return CountingVenue.asked


def counting(config):
    return CountingVenue(config.paper_venue)


def test_while_the_database_is_away_no_venue_is_asked_anything(asked):
    life = TradeLife(MemoryPortfolioWorld())
    life.enter()
    life.see(seen(life.bar, "S2", buyable=True))

    with pytest.raises(AwayError):
        run_tick(BrokenStore(life.world, dies_at=1), life.bar, open_venue=counting)

    assert asked == {}
    assert len(life.world.ticks()) == 3


def test_a_tick_whose_orders_could_not_be_noted_has_told_the_venue_and_tells_it_again(asked):
    life = TradeLife(MemoryPortfolioWorld())
    life.watch()
    life.see(seen(life.bar, "S1", buyable=True))

    with pytest.raises(AwayError):
        run_tick(BrokenStore(life.world, dies_at=2), life.bar, open_venue=counting)
    assert [order.status for order in life.orders] == ["planned"]
    life.bar = life.bar.following()
    life.see(seen(life.bar))
    life.tick(open_venue=counting)

    assert [order.status for order in life.orders] == ["submitted"]
    assert asked["submit"] == 2
    assert len(life.orders) == 1


def test_an_outage_leaves_no_sizing_behind_that_is_used_after_it():
    """What is bought after an outage is sized by what stands in the database then, not by what was read before."""
    life = TradeLife(MemoryPortfolioWorld())
    life.watch()
    life.step("S0")
    life.see(seen(life.bar, "S1", buyable=True))
    with pytest.raises(AwayError):
        run_tick(BrokenStore(life.world, dies_at=1), life.bar)
    life.bar = life.bar.following()
    life.score = {"a": 1.0, "e": 0.1}
    life.step("S1", buyable=True)

    (order,) = life.orders
    assert order.decision["a_value"] == 1.0


def loop_of(world: MemoryPortfolioWorld, clock: SimulatedClock, **settings) -> RuntimeLoop:
    given = RuntimeSettings(**{"timeframes": ["1h"], "grace_s": 5} | settings)
    return RuntimeLoop(lambda: world.store("me:1:x"), clock=clock, stop=clock, settings=given)


def test_with_the_assets_gone_the_ticks_go_on_and_soon_only_exits_are_made():
    world = MemoryPortfolioWorld()
    life = TradeLife(world)
    life.enter()
    life.score = None
    for bar in (("S2", 2.0), ("S2", 2.0), ("S2", 2.0), ("S2", 3.0, TRIM), ("S0", 3.0, EXIT), ("S0", 3.0)):
        life.see(seen(life.bar, *bar))
        life.bar = life.bar.following()
    clock = SimulatedClock(START + 3 * HOUR + 10 * SECOND, ends_at=START + 9 * HOUR + 6 * SECOND)
    world.database.now_at = clock.now_at

    report = loop_of(world, clock).run()

    modes = [row["mode"] for row in world.ticks()]
    assert modes == ["ACTIVE"] * 5 + ["REDUCE_ONLY"] * 4
    assert world.ticks()[-1]["mode_reason"].startswith("no score to act on: 4 missing")
    assert life.patterns == ["S1.buy_flag", "S0.exit_position"]
    assert (report.ticked, report.failed, len(life.closures)) == (6, 0, 1)


def test_a_start_submits_what_a_dead_process_had_planned_before_its_first_tick(caplog):
    world = MemoryPortfolioWorld()
    life = TradeLife(world)
    life.watch()
    life.see(seen(life.bar, "S1", buyable=True))
    with pytest.raises(AwayError):
        run_tick(BrokenStore(world, dies_at=2), life.bar)
    clock = SimulatedClock(START + HOUR + 10 * SECOND, ends_at=START + HOUR + 11 * SECOND)
    world.database.now_at = clock.now_at

    report = loop_of(world, clock).run()

    assert (report.submitted_late, report.ticked) == (1, 0)
    assert [order.status for order in life.orders] == ["submitted"]
    assert [record.message for record in caplog.records] == ["orders_submitted_late"]


def test_a_bounded_run_submits_what_a_dead_process_had_planned_and_says_so():
    life = TradeLife(MemoryPortfolioWorld())
    life.watch()
    life.see(seen(life.bar, "S1", buyable=True))
    with pytest.raises(AwayError):
        run_tick(BrokenStore(life.world, dies_at=2), life.bar)
    said: list[str] = []
    clock = SimulatedClock(START + 2 * HOUR, ends_at=START + 9 * HOUR)
    window = RuntimeSettings(timeframes=["1h"], from_at=START + HOUR, to_at=START + 3 * HOUR)

    run_bounded(life.world.store(), settings=window, clock=clock, stop=clock, say=said.append)

    assert said[0] == "1 orders of an earlier process submitted"
    assert len(said) == 4
    assert [order.status for order in life.orders] == ["submitted"]


def test_an_order_no_venue_takes_is_counted_and_stops_no_tick(caplog):
    world = MemoryPortfolioWorld()
    row = position_row()
    world.add(row)
    foreign = order_row(row, venue="another")
    world.database.portfolio.orders[foreign.order_id] = foreign
    clock = SimulatedClock(START + HOUR + 10 * SECOND, ends_at=START + 4 * HOUR)
    world.database.now_at = clock.now_at

    report = loop_of(world, clock).run()

    assert (report.ticked, report.failed, report.unsubmitted) == (3, 0, 4)
    said = {record.message for record in caplog.records}
    assert said == {"order_not_submitted", "orders_not_submitted", "alarm_raised"}


def test_a_start_that_cannot_submit_still_ticks_and_counts_it(monkeypatch, caplog):
    world = MemoryPortfolioWorld()
    clock = SimulatedClock(START + HOUR + 10 * SECOND, ends_at=START + 2 * HOUR)
    world.database.now_at = clock.now_at

    def refuse(store):
        raise AwayError("no venue")

    monkeypatch.setattr("pm_runtime.loop.reconcile", refuse)
    report = loop_of(world, clock).run()

    assert (report.unsubmitted, report.ticked, report.failed) == (1, 1, 0)
    first, *others = [record.message for record in caplog.records]
    assert (first, set(others)) == ("reconcile_failed", {"alarm_raised"})


def test_a_tick_that_takes_longer_than_its_bars_skips_them_and_says_so(caplog):
    world = MemoryPortfolioWorld()
    clock = SimulatedClock(START + 5 * SECOND, ends_at=START + 10 * timedelta(minutes=1))
    world.database.now_at = clock.now_at
    waited = clock.wait_until
    clock.wait_until = lambda at: waited(at + timedelta(minutes=2))

    report = loop_of(world, clock, timeframes=["1m"]).run()

    overruns = [record for record in caplog.records if record.message == "tick_overrun"]
    assert report.skipped_bars == 2 * len(overruns) > 0
    assert [record.levelname for record in overruns][-1] == "ERROR"


def test_a_bar_is_one_bar_whatever_the_zone_its_instant_is_written_in():
    life = TradeLife(MemoryPortfolioWorld())
    life.watch()
    life.step("S1", buyable=True)
    there = ExecutionBar(Timeframe.H1, START.astimezone(timezone(timedelta(hours=5))))

    assert run_tick(life.world.store("second:2:x"), there).tick is None
    assert len(life.orders) == 1
