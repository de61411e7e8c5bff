"""The store in memory: for tests and for trying out the runtime without a database."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from domain.config.pm_config import effective_config
from domain.portfolio.trading_switch import EVERYWHERE, TradingMode
from domain.scores.score_reading import PublishedScore
from domain.vocabulary.alarm import Look
from domain.vocabulary.cap_bucket import CapBucket
from domain.vocabulary.driver import DEFAULT_BOOK_ID
from domain.vocabulary.execution_bar import ExecutionBar
from domain.vocabulary.timeframe import Timeframe
from pm_runtime.memory_alarm import MemoryAlarms
from pm_runtime.memory_market import MemoryMarket
from pm_runtime.memory_portfolio import MemoryPortfolioSnapshot
from pm_runtime.memory_tables import MemoryPortfolio
from pm_runtime.ports import AlreadyTickedError, Lease
from pm_runtime.tick_row import TickRow
from sql.alarm import Settled
from sql.pm_config import VersionedConfig
from sql.trading_switch import SwitchRow

ALLOWED = SwitchRow(
    scope=EVERYWHERE,
    mode=TradingMode.ACTIVE.value,
    overrides_on=True,
    author="migration",
    reason="defaults",
    set_at=datetime(1970, 1, 1, tzinfo=UTC),
)
"""The row a migrated database starts with, older than any other."""


@dataclass
class MemoryDatabase:
    """What several sessions share. `now_at` gives the database's time."""

    now_at: Callable[[], datetime]
    scores: dict[Timeframe, list[PublishedScore]] = field(default_factory=dict)
    configs: list[Mapping[str, Any]] = field(default_factory=lambda: [{}])
    ticks: dict[ExecutionBar, TickRow] = field(default_factory=dict)
    portfolio: MemoryPortfolio = field(default_factory=lambda: MemoryPortfolio(switches=[ALLOWED]))
    market: MemoryMarket = field(default_factory=MemoryMarket)
    alarms: MemoryAlarms = field(default_factory=MemoryAlarms)
    lease: "MemoryStore | None" = None

    def publish(self, timeframe: Timeframe, score: PublishedScore) -> None:
        """Store a score of an execution timeframe."""
        self.scores.setdefault(timeframe, []).append(score)

    def configure(self, overrides: Mapping[str, Any]) -> int:
        """Store a version of the configuration, unchecked, and return its number."""
        self.configs.append(deepcopy(dict(overrides)))
        return len(self.configs)


class MemorySnapshot(MemoryPortfolioSnapshot):
    """The shared state as it was at one instant, and what this transaction adds."""

    def __init__(self, database: MemoryDatabase, *, book_id: str) -> None:
        super().__init__(database.portfolio, database.market, book_id=book_id)
        self._database = database
        self._now_at = database.now_at()
        self._scores = {timeframe: list(scores) for timeframe, scores in database.scores.items()}
        self._configs = list(database.configs)
        self._holders = {bar: tick.holder for bar, tick in database.ticks.items()}
        self._written: list[TickRow] = []

    def now_at(self) -> datetime:
        """Return the time the snapshot was taken."""
        return self._now_at

    def ticked_by(self, bar: ExecutionBar) -> str | None:
        """Return who ticked a bar; None when nobody has."""
        return self._holders.get(bar)

    def read_config(self) -> VersionedConfig:
        """Return the newest configuration."""
        return VersionedConfig(len(self._configs), effective_config(self._configs[-1]))

    def newest_scores(self, bar: ExecutionBar, buckets: Sequence[CapBucket]) -> list[PublishedScore]:
        """Return each bucket's newest score at or before the bar."""
        newest: dict[CapBucket, PublishedScore] = {}
        for score in sorted(self._scores.get(bar.timeframe, []), key=lambda score: score.timestamp):
            if score.timestamp <= bar.timestamp:
                newest[score.bucket] = score
        return [newest[bucket] for bucket in buckets if bucket in newest]

    def write_tick(self, tick: TickRow) -> None:
        """Keep a tick for the end of the transaction."""
        self._refuse_second(tick)
        self._written.append(tick)

    def commit(self) -> None:
        """Let the others see what was written: all of it, or nothing where a race was lost."""
        for tick in self._written:
            self._refuse_second(tick)
        self._database.portfolio.take_over(self.changed())
        self._database.ticks |= {tick.bar: tick for tick in self._written}

    def _refuse_second(self, tick: TickRow) -> None:
        if tick.bar in self._database.ticks:
            raise AlreadyTickedError(str(tick.bar))


class MemoryStore:
    """One session with a `MemoryDatabase`."""

    def __init__(self, database: MemoryDatabase, *, holder: str, book_id: str = DEFAULT_BOOK_ID) -> None:
        self._database = database
        self._book_id = book_id
        self._holder = holder
        self._is_open = True

    @property
    def holder(self) -> str:
        """Name of this process."""
        return self._holder

    def take_lease(self) -> Lease:
        """Hold the lease until the session ends, or say who holds it."""
        self._refuse_closed()
        if self._database.lease is None:
            self._database.lease = self
        return Lease(self._database.lease is self, self._database.lease.holder)

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[MemorySnapshot]:
        """Open a transaction on one instant."""
        self._refuse_closed()
        transaction = MemorySnapshot(self._database, book_id=self._book_id)
        yield transaction
        transaction.commit()

    def settle_alarms(self, looks: Sequence[Look]) -> Settled:
        """Raise and clear alarms, as of the database's time."""
        self._refuse_closed()
        return self._database.alarms.settle(looks, at=self._database.now_at(), by=self._holder)

    def is_usable(self) -> bool:
        """Whether the session is open."""
        return self._is_open

    def close(self) -> None:
        """End the session and free its lease."""
        self._is_open = False
        if self._database.lease is self:
            self._database.lease = None

    def _refuse_closed(self) -> None:
        if not self._is_open:
            raise ConnectionError(f"The session of {self._holder} has ended")
