"""Two runtimes at one book: racing, hung, or with clocks that differ. One tick a bar, no order twice."""

import threading
from collections import Counter
from contextlib import closing, contextmanager
from datetime import datetime, timedelta

import psycopg
import pytest

from domain.vocabulary.execution_bar import ExecutionBar
from pm_runtime.loop import LoopReport, RuntimeLoop
from pm_runtime.paper_venue import PaperVenue
from pm_runtime.postgres_store import PostgresStore, open_postgres_store
from pm_runtime.settings import RuntimeSettings
from pm_runtime.tick import CLOCK_TOLERANCE, run_tick
from tests.busy_hours import BUSY_BARS, publish_busy_hours
from tests.portfolio_worlds import MemoryPortfolioWorld, PostgresPortfolioWorld
from tests.runtime_tables import differing, runtime_tables
from tests.runtime_worlds import START
from tests.simulated_time import SimulatedClock
from tests.trade_life import LONG_AGO

BUSY = BUSY_BARS[2]
PATIENCE_S = 30


class CountingVenue(PaperVenue):
    """A paper venue that counts how often it is told each order."""

    def __init__(self, config, told: Counter) -> None:
        super().__init__(config)
        self.told = told

    def submit(self, order):
        super().submit(order)
        self.told[order.order_id] += 1


@pytest.fixture
def world(database):
    world = PostgresPortfolioWorld()
    begin(world)
    return world


def begin(world: PostgresPortfolioWorld) -> None:
    """Forget everything and publish the busy hours."""
    world.empty()
    world.switch(set_at=LONG_AGO, mode="ACTIVE", on=True)
    publish_busy_hours(world)


def tick_alone(bars=BUSY_BARS):
    with closing(open_postgres_store("alone:1:x")) as store:
        for bar in bars:
            run_tick(store, bar)
    return runtime_tables()


def race(bars) -> tuple[list, Counter]:
    """Let three sessions tick each bar at the same moment."""
    outcomes, told, start_together = [], Counter(), threading.Barrier(3, timeout=PATIENCE_S)

    def runtime(number: int) -> None:
        with closing(open_postgres_store(f"p{number}:1:x")) as store:
            for bar in bars:
                start_together.wait()
                outcomes.append(run_tick(store, bar, open_venue=lambda config: CountingVenue(config.paper_venue, told)))

    threads = [threading.Thread(target=runtime, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    return outcomes, told


@pytest.mark.postgres
def test_runtimes_that_race_for_busy_bars_leave_what_one_alone_leaves(world):
    outcomes, told = race(BUSY_BARS)
    raced = runtime_tables()
    begin(world)

    assert len(outcomes) == 3 * len(BUSY_BARS)
    assert Counter(each.bar for each in outcomes if each.tick is not None) == dict.fromkeys(BUSY_BARS, 1)
    assert set(told) == {row["order_id"] for row in raced["pm_order"]}
    assert set(told.values()) == {1}
    assert differing(raced, tick_alone()) == []


class HungStore(PostgresStore):
    """A session that hangs where it is told to until it is let go."""

    def __init__(self, inner: PostgresStore, *, after_writes: bool) -> None:
        super().__init__(inner._connection, holder=inner.holder)
        self.after_writes = after_writes
        self.hangs, self.may_go_on = threading.Event(), threading.Event()

    @contextmanager
    def snapshot(self):
        with super().snapshot() as snapshot:
            if not self.after_writes:
                snapshot.read_config()
                self._hang()
            yield snapshot
            if self.after_writes:
                self._hang()

    def _hang(self) -> None:
        self.hangs.set()
        assert self.may_go_on.wait(PATIENCE_S)


def hang(store: HungStore, outcomes: list) -> threading.Thread:
    def runtime() -> None:
        try:
            outcomes.append(run_tick(store, BUSY))
        except psycopg.Error as error:
            outcomes.append(error)

    thread = threading.Thread(target=runtime)
    thread.start()
    assert store.hangs.wait(PATIENCE_S)
    return thread


@pytest.mark.postgres
def test_a_runtime_that_hung_before_it_decided_finds_the_bar_ticked(world):
    tick_alone(BUSY_BARS[:2])
    outcomes: list = []
    with closing(open_postgres_store("hung:1:x")) as inner:
        hung = HungStore(inner, after_writes=False)
        thread = hang(hung, outcomes)
        with closing(open_postgres_store("quick:1:x")) as quick:
            assert run_tick(quick, BUSY).tick is not None
        before = runtime_tables()
        hung.may_go_on.set()
        thread.join(PATIENCE_S)

    assert (outcomes[0].tick, outcomes[0].holder) == (None, "quick:1:x")
    assert differing(runtime_tables(), before) == []


@pytest.mark.postgres
def test_a_runtime_that_hangs_on_its_writes_is_ended_by_the_server_and_another_ticks(world):
    tick_alone(BUSY_BARS[:2])
    outcomes: list = []
    with closing(open_postgres_store("hung:1:x")) as inner:
        inner._connection.execute("SET idle_in_transaction_session_timeout = '300ms'")
        hung = HungStore(inner, after_writes=True)
        thread = hang(hung, outcomes)
        with closing(open_postgres_store("quick:1:x")) as quick:
            assert run_tick(quick, BUSY).tick is not None
        hung.may_go_on.set()
        thread.join(PATIENCE_S)

    assert isinstance(outcomes[0], psycopg.Error)
    assert [row["bar_timestamp"] for row in runtime_tables()["pm_tick"]] == [bar.timestamp for bar in BUSY_BARS[:3]]


HOUR, SKEW = timedelta(hours=1), timedelta(seconds=10)


class SkewedWorld(MemoryPortfolioWorld):
    """A database, and loops whose clocks differ from its own; `written_at` is when it got each tick."""

    def __init__(self) -> None:
        super().__init__()
        self.written_at: dict[ExecutionBar, datetime] = {}

    def run_loop(self, holder: str, *, skew: timedelta, hours: tuple[int, int]) -> LoopReport:
        """Loop from one hour to another by the database's clock."""
        first, last = (START + hour * HOUR + timedelta(seconds=30) for hour in hours)
        clock = SimulatedClock(first + skew, ends_at=last + skew)
        self.database.now_at = lambda: clock.now_at() - skew
        clock.on_wait = lambda at: self.note()
        settings = RuntimeSettings(timeframes=["1h"], grace_s=5)
        report = RuntimeLoop(lambda: self.store(holder), clock=clock, stop=clock, settings=settings).run()
        self.note()
        return report

    def note(self) -> None:
        for bar in self.database.ticks:
            self.written_at.setdefault(bar, self.database.now_at())


def test_clocks_that_are_ten_seconds_off_cost_no_bar_and_tick_none_twice():
    world = SkewedWorld()

    ahead = world.run_loop("ahead:1:x", skew=SKEW, hours=(0, 3))
    behind = world.run_loop("behind:2:x", skew=-SKEW, hours=(3, 6))

    assert [bar.timestamp for bar in world.database.ticks] == [START + n * HOUR for n in range(-1, 6)]
    assert (ahead.ticked, behind.ticked, behind.already_ticked) == (4, 3, 1)
    assert (ahead.skipped_bars, behind.skipped_bars, behind.failed) == (0, 0, 0)


def test_a_clock_that_is_ahead_ticks_no_bar_before_the_database_says_it_has_closed():
    world = SkewedWorld()

    report = world.run_loop("ahead:1:x", skew=SKEW, hours=(0, 3))

    early = {bar: at for bar, at in world.written_at.items() if at < bar.closed_at - CLOCK_TOLERANCE}
    assert (len(world.written_at), early) == (4, {})
    assert report.failed > 0


def test_whoever_holds_the_lease_ticks_whatever_the_clocks_say():
    world = SkewedWorld()
    rival = world.store("rival:2:x")
    rival.take_lease()

    held = world.run_loop("ahead:1:x", skew=SKEW, hours=(0, 2))
    rival.close()
    free = world.run_loop("ahead:1:x", skew=SKEW, hours=(0, 2))

    assert (held.held_by, held.ticked) == ("rival:2:x", 0)
    assert (free.held_by, free.ticked) == (None, 3)
