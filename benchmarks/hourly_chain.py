"""Benchmark I: the chain on hourly candles of 2,000 simulated tokens, table by table, over a real Postgres.

`python -m benchmarks.hourly_chain [--small]`. Sixteen days in one window, as a backfill makes them; the day after them;
and that day once more, as each hourly run makes it. Every table is made by its asset's own function. Database time is
spent waiting for the driver: connecting, statements, binary COPY in and out, commits; the rest but the candle source's
share is compute. No peer does the same; the floor is the database's part, and compute should stay under half. It
reports and does not judge: exit code 0.
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import PrivateAttr

from benchmarks.window_bars import scratch_server
from domain.vocabulary.universe import Universe
from domain.vocabulary.window import Window
from regime_assets.chain_asset import ChainTable, begin
from regime_assets.definitions import CHAIN_TABLES
from resources.candle_memory import CandleMemory
from resources.clock import Clock
from resources.market import Market
from resources.pm_settings import PmSettings
from resources.simulated_market import SimulatedMarket
from resources.stamp import Stamp
from resources.table_asset import ROWS_WRITTEN
from resources.tables import Tables

TOKENS, TOKENS_SMALL, TOKENS_WARM_UP = 2000, 300, 10
DAYS = 16
"""Days before the one that is timed: 384 hours make the hourly states warm."""
DAY = timedelta(days=1)
END = datetime(2026, 3, 9, tzinfo=UTC)
DATABASE, SOURCE = "database", "source"


@dataclass
class Watch:
    """Seconds spent in each place."""

    spent_s: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def measured(self, place: str) -> Iterator[None]:
        """Add the time of the block."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.spent_s[place] = self.spent_s.get(place, 0.0) + time.perf_counter() - started


class Timed:
    """Something whose named methods are timed, and whose other attributes are its own."""

    def __init__(self, inner: Any, watch: Watch, place: str, methods: Sequence[str]) -> None:
        self._inner, self._watch, self._place, self._methods = inner, watch, place, methods

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if name == "cursor":
            return lambda: Timed(found(), self._watch, self._place, self._methods)
        return self._timed(found) if name in self._methods else found

    def __enter__(self) -> "Timed":
        self._inner.__enter__()
        return self

    def __exit__(self, *raised: object) -> None:
        self._inner.__exit__(*raised)

    def _timed(self, method: Any) -> Any:
        def run(*args: Any, **kwargs: Any) -> Any:
            with self._watch.measured(self._place):
                return method(*args, **kwargs)

        return run


class TimedTables(Tables):
    """The tables resource, whose waits for the database are measured."""

    _watch: Watch = PrivateAttr(default_factory=Watch)

    @contextmanager
    def _connection(self) -> Iterator[Any]:
        opening = super()._connection()
        with self._watch.measured(DATABASE):
            connection = opening.__enter__()
        try:
            yield Timed(connection, self._watch, DATABASE, ("execute", "fetch_polars", "adbc_ingest", "commit"))
        finally:
            opening.__exit__(None, None, None)


class GivenMarket(Market):
    """A market whose rows are in memory already, and whose answers are measured."""

    _source: Any = PrivateAttr(default=None)

    def source(self, as_of: datetime) -> Any:
        """Give the source, whatever the instant."""
        return self._source


@dataclass(frozen=True)
class Made:
    """What one table of one window took, seconds."""

    table: str
    rows: int
    wall_s: float
    database_s: float
    source_s: float

    @property
    def compute_s(self) -> float:
        """Time that was neither."""
        return self.wall_s - self.database_s - self.source_s


@dataclass(frozen=True)
class Chain:
    """The chain with everything it needs."""

    watch: Watch
    tables: TimedTables
    market: GivenMarket

    @classmethod
    def of(cls, candles: CandleMemory) -> "Chain":
        """Make the resources, all of which report to one watch."""
        tables, market = TimedTables(), GivenMarket()
        market._source = Timed(candles, tables._watch, SOURCE, ("candles", "dominance", "market_caps"))
        return cls(tables._watch, tables, market)

    def make(self, window: Window) -> list[Made]:
        """Make a window of every table, known as of its end."""
        return [self._make(spec, window) for spec in CHAIN_TABLES]

    def _make(self, spec: ChainTable, window: Window) -> Made:
        self.watch.spent_s.clear()
        started = time.perf_counter()
        clock = Clock(as_of=window.end.isoformat())
        work = begin(spec, window, self.tables, self.market, clock, PmSettings(), Stamp("benchmark", spec.code_version))
        rows = spec.publish(work).metadata[ROWS_WRITTEN]
        wall_s, spent_s = time.perf_counter() - started, self.watch.spent_s
        return Made(spec.table, rows, wall_s, spent_s.get(DATABASE, 0.0), spent_s.get(SOURCE, 0.0))


def main() -> None:
    """Make the chain three times, print a table each time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="300 tokens instead of 2,000")
    tokens = TOKENS_SMALL if parser.parse_args().small else TOKENS
    with scratch_server():  # compile, load and connect once, on little
        Chain.of(candles(TOKENS_WARM_UP)).make(Window(END - DAYS * DAY, END))
    given = candles(tokens)
    bars = given.bars[Universe.LOWCAP].height
    with scratch_server():
        chain, day = Chain.of(given), Window(END - DAY, END)
        report(
            f"I. {DAYS} days in one window, {tokens:,} tokens, {bars:,} hourly candles with the day after",
            chain.make(Window(day.start - DAYS * DAY, day.start)),
        )
        report("I. The day after them", chain.make(day))
        report("I. The same day again, as the next hourly run makes it", chain.make(day))


def candles(tokens: int) -> CandleMemory:
    """Hourly candles, dominance and caps of a simulated market, drawn beforehand."""
    drawn = SimulatedMarket(end=END, minute_days=0, hour_days=DAYS + 1, n_lowcaps=tokens)
    start = END - (DAYS + 1) * DAY
    return CandleMemory(
        bars={universe: drawn.candles(universe, start, END) for universe in Universe},
        samples=drawn.dominance(start, END),
        caps=drawn.market_caps(start, END),
        terms=drawn.terms,
    )


def report(title: str, made: Sequence[Made]) -> None:
    """Print a line a table and their sum; the last column leaves the source out."""
    total = Made(
        "all", *(sum(getattr(one, name) for one in made) for name in ("rows", "wall_s", "database_s", "source_s"))
    )
    print(
        f"\n{title}\n{'':34}{'rows':>10}{'wall ms':>10}{'database':>10}{'source':>8}{'compute':>9}{'compute share':>15}"
    )
    for one in (*made, total):
        share = one.compute_s / (one.compute_s + one.database_s)
        times = f"{1e3 * one.wall_s:10,.0f}{1e3 * one.database_s:10,.0f}{1e3 * one.source_s:8,.0f}"
        print(f"{one.table:34}{one.rows:10,}{times}{1e3 * one.compute_s:9,.0f}{share:15.0%}", flush=True)


if __name__ == "__main__":
    main()
