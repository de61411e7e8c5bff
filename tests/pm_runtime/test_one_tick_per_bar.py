"""One tick per timeframe and bar, however many processes tick, and whenever one of them or its session dies."""

import threading
from collections import Counter
from contextlib import closing
from datetime import datetime, timedelta

import psycopg
import pytest

from domain.vocabulary.cap_bucket import REGIME_BUCKETS
from domain.vocabulary.execution_bar import ExecutionBar
from domain.vocabulary.timeframe import Timeframe
from pm_runtime.loop import RuntimeLoop
from pm_runtime.postgres_store import PostgresSnapshot, open_postgres_store
from pm_runtime.settings import RuntimeSettings
from pm_runtime.tick import run_tick
from sql.database import connect
from sql.database_role import DatabaseRole
from tests.runtime_worlds import START, PostgresWorld, end_sessions_of_runtime, published, stored_ticks
from tests.simulated_time import SimulatedClock

pytestmark = [pytest.mark.postgres, pytest.mark.usefixtures("database")]
HOUR = timedelta(hours=1)
BARS = [ExecutionBar(Timeframe.H1, START + hours * HOUR) for hours in range(12)]


@pytest.fixture
def world():
    world = PostgresWorld()
    world.publish(*(published(bucket, START + n * HOUR, a=n / 20) for bucket in REGIME_BUCKETS for n in range(12)))
    return world


def test_sessions_that_race_for_every_bar_write_one_row_each(world):
    outcomes = []
    start_together = threading.Barrier(3, timeout=20)

    def race(holder):
        with closing(open_postgres_store(holder)) as store:
            for bar in BARS:
                start_together.wait()
                outcomes.append((holder, run_tick(store, bar)))

    threads = [threading.Thread(target=race, args=(f"p{n}:1:x",)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    holders = {ExecutionBar(Timeframe(r["timeframe"]), r["bar_timestamp"]): r["holder"] for r in stored_ticks()}
    assert len(outcomes) == 36
    assert Counter(outcome.bar for _, outcome in outcomes if outcome.tick is not None) == dict.fromkeys(BARS, 1)
    assert all(outcome.holder == holders[outcome.bar] for _, outcome in outcomes)


class DyingSnapshot(PostgresSnapshot):
    """A snapshot whose server process is killed just before one of its statements."""

    statements_left = 0

    def die_when_due(self):
        DyingSnapshot.statements_left -= 1
        if DyingSnapshot.statements_left == 0:
            with connect(DatabaseRole.OWNER, autocommit=True) as killer:
                assert end_sessions_of_runtime(killer) == 1

    def ticked_by(self, bar):
        self.die_when_due()
        return super().ticked_by(bar)

    def read_config(self):
        self.die_when_due()
        return super().read_config()

    def newest_scores(self, bar, buckets):
        self.die_when_due()
        return super().newest_scores(bar, buckets)

    def write_tick(self, tick):
        self.die_when_due()
        super().write_tick(tick)
        self.die_when_due()


@pytest.mark.parametrize("statement", range(1, 6))
def test_a_session_that_dies_at_any_statement_leaves_nothing_and_the_next_one_ticks(world, monkeypatch, statement):
    with closing(open_postgres_store("dies:1:x")) as store, monkeypatch.context() as patch:
        patch.setattr("pm_runtime.postgres_store.PostgresSnapshot", DyingSnapshot)
        DyingSnapshot.statements_left = statement
        with pytest.raises(psycopg.OperationalError):
            run_tick(store, BARS[3])
        assert not store.is_usable()
    assert stored_ticks() == []

    with closing(open_postgres_store("next:2:x")) as store:
        assert store.take_lease().is_held
        assert run_tick(store, BARS[3]).tick.scores[0].a_used == 3 / 20


def test_the_loop_reconnects_after_the_server_ended_its_session_and_misses_no_bar(world):
    clock = SimulatedClock(START + timedelta(seconds=5), ends_at=START + 5 * HOUR)

    def cut(_at):
        with connect(DatabaseRole.OWNER, autocommit=True) as killer:
            end_sessions_of_runtime(killer)

    clock.on_wait = cut
    settings = RuntimeSettings(timeframes=["1h"], grace_s=5)
    report = RuntimeLoop(lambda: open_postgres_store("me:1:x"), clock=clock, stop=clock, settings=settings).run()

    assert [row["bar_timestamp"] for row in stored_ticks()] == [START + (n - 1) * HOUR for n in range(5)]
    assert report.store_failures + report.failed >= 4


def test_a_tick_carries_the_databases_times(world):
    with connect(DatabaseRole.CONSOLE) as connection:
        (before,) = connection.execute("SELECT clock_timestamp()").fetchone()
    with closing(open_postgres_store("me:1:x")) as store:
        run_tick(store, BARS[0])

    (row,) = stored_ticks()
    assert isinstance(before, datetime)
    assert before <= row["started_at"] <= row["finished_at"]
