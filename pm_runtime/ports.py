"""What the runtime needs of the world: a store, a clock, and to be told to stop.

Every port has a twin in memory; the store's two pass the same contract tests.
"""

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from domain.portfolio.strand import DeadLetter
from domain.portfolio.token_bar import TokenBar
from domain.scores.score_reading import PublishedScore
from domain.vocabulary.alarm import Look
from domain.vocabulary.cap_bucket import CapBucket
from domain.vocabulary.execution_bar import ExecutionBar
from domain.vocabulary.timeframe import Timeframe
from pm_runtime.portfolio_row import (
    ChannelStates,
    EpisodeRow,
    FillRow,
    OrderRow,
    PositionRow,
    Provenance,
    RawOverrideSet,
    StrandRow,
    Token,
)
from pm_runtime.tick_row import TickRow
from sql.alarm import Settled
from sql.pm_config import VersionedConfig
from sql.trading_switch import SwitchRow


class AlreadyTickedError(RuntimeError):
    """The bar has its tick; another process may have written it a moment ago."""


class AlreadyOrderedError(AlreadyTickedError):
    """A position has its order for this bar. Orders are written with their tick, so the bar was ticked as well."""


class StaleRowError(RuntimeError):
    """A row is no longer as it was read: somebody else wrote it meanwhile. Read again and decide again."""


class FillConflictError(ValueError):
    """A fill is stored under this id with other values; one of the two cannot be right."""


@dataclass(frozen=True, slots=True)
class Lease:
    """Who may tick: at most one session at a time."""

    is_held: bool
    """Whether the session that asked holds it."""
    holder: str
    """Who holds it, as host:pid:start."""


class PortfolioSnapshot(Protocol):
    """The portfolio, and the market it is decided on. Writes are seen by later reads of the same snapshot.

    Everything is of the store's book. Every method is one round trip, however many rows. Rows come in a fixed order:
    positions by id, orders, fills and episodes by time and id, strands as they were stored.
    """

    def read_switch(self) -> list[SwitchRow]:
        """Return the rows that set something in each scope, oldest first.

        Raises `UnreadableSwitchError`; the snapshot can be used after that, for exits are allowed whatever happens.
        """

    def positions(self, timeframe: Timeframe) -> list[PositionRow]:
        """Return all positions of a timeframe, whatever their status."""

    def book(self, *, besides: Timeframe | None = None) -> list[PositionRow]:
        """Return the positions of all timeframes that hold something; without those of one that is known already."""

    def watchlist(self, *, besides: Timeframe | None = None) -> list[PositionRow]:
        """Return the positions of all timeframes that may be entered and hold nothing; `besides` as for the book."""

    def token_bars(self, bar: ExecutionBar, tokens: Collection[Token]) -> dict[Token, TokenBar]:
        """Return each token's bar with state and indicators, at exactly this bar, where there are bar and state."""

    def cap_buckets(self, at: datetime, tokens: Collection[Token]) -> dict[Token, CapBucket]:
        """Return the tag of each token that holds at an instant; a token without one, or whose tag expired, has none.

        The tags of a day are made after its midnight. An instant within the bar, its open, finds them live and in a
        replay alike; its close is midnight once a day.
        """

    def regime_context(self, at: datetime) -> dict[str, Any] | None:
        """Return the regime as it was known at an instant; None when its newest evaluation was too old then."""

    def channel_states(self, bar: ExecutionBar, buckets: Collection[CapBucket]) -> dict[CapBucket, ChannelStates]:
        """Return what stands behind each bucket's newest score at or before the bar; fewer where there is none."""

    def open_orders(self, timeframe: Timeframe) -> list[OrderRow]:
        """Return the orders that are planned or submitted."""

    def trade_fills(self, trade_ids: Collection[str]) -> list[FillRow]:
        """Return the fills of some trades."""

    def trade_strands(self, trade_ids: Collection[str]) -> list[StrandRow]:
        """Return the actions of some trades."""

    def live_overrides(self) -> RawOverrideSet:
        """Return the live set of learned overrides as it is stored, unchecked."""

    def pending_episodes(self, timeframe: Timeframe) -> list[EpisodeRow]:
        """Return the episodes whose outcome is not known."""

    def cash_flow_usd(self) -> float:
        """Return sales less buys less fees of all fills, USD; the same whatever order they were stored in."""

    def promised_usd(self) -> float:
        """Return what buys that are planned or submitted, of all timeframes, may still spend, USD."""

    def write_positions(self, rows: Sequence[PositionRow], made_by: Provenance) -> None:
        """Store where positions stand, each with its revision + 1; what a person approved is not written.

        Raises `StaleRowError` if the revision of one is not the one it was read with.
        """

    def write_orders(self, rows: Sequence[OrderRow], made_by: Provenance) -> None:
        """Store new orders. Raises `AlreadyOrderedError` if a position has one for that bar, seen or not."""

    def mark_submitted(self, order_ids: Collection[str]) -> None:
        """Note that venues took planned orders; orders that have gone further stay as they are."""

    def settle_orders(self, rows: Sequence[OrderRow]) -> None:
        """Store status, reason and end of orders. Raises `StaleRowError` if one was not open any more."""

    def write_fills(self, rows: Sequence[FillRow]) -> None:
        """Store fills; one that is known does nothing, known with other values raises `FillConflictError`."""

    def write_strands(self, rows: Sequence[StrandRow]) -> None:
        """Append strands; one that is known does nothing."""

    def write_episodes(self, rows: Sequence[EpisodeRow], made_by: Provenance) -> None:
        """Store episodes as they stand now. Raises `StaleRowError` if the outcome of one was known."""

    def write_dead_letters(self, rows: Sequence[DeadLetter]) -> None:
        """Keep strands that break their schema; one that is known does nothing."""


class Snapshot(PortfolioSnapshot, Protocol):
    """One instant of the database: what others write meanwhile is not seen. Left by an error, it leaves nothing."""

    def now_at(self) -> datetime:
        """Return the database's time at the start of the snapshot."""

    def ticked_by(self, bar: ExecutionBar) -> str | None:
        """Return who ticked a bar, as host:pid:start; None when nobody has."""

    def read_config(self) -> VersionedConfig:
        """Return the newest configuration. Raises `ConfigError` if it is not valid under this code."""

    def newest_scores(self, bar: ExecutionBar, buckets: Sequence[CapBucket]) -> list[PublishedScore]:
        """Return each bucket's newest score of the bar's timeframe at or before the bar; fewer where there is none."""

    def write_tick(self, tick: TickRow) -> None:
        """Store a tick. Raises `AlreadyTickedError` if its bar has one, seen in the snapshot or not."""


class RuntimeStore(Protocol):
    """One session with the place scores are read from and ticks are written to."""

    @property
    def holder(self) -> str:
        """Name of this process, as host:pid:start."""

    def take_lease(self) -> Lease:
        """Hold the lease until the session ends, or say who holds it. Asking again changes nothing."""

    def snapshot(self) -> AbstractContextManager[Snapshot]:
        """Open a transaction on one instant; its writes are stored when it is left without an error."""

    def settle_alarms(self, looks: Sequence[Look]) -> Settled:
        """Raise what was found wrong with the runtime and clear what is over, in a transaction of its own."""

    def is_usable(self) -> bool:
        """Whether the session can still be used. When not, close it and open another."""

    def close(self) -> None:
        """End the session; its lease is free for others."""


class Clock(Protocol):
    """When ticks are due. Leases and stored times are the database's."""

    def now_at(self) -> datetime:
        """Return the present instant, UTC."""

    def wait_until(self, at: datetime) -> None:
        """Return at that instant, or as soon as the runtime is asked to stop."""


class StopRequest(Protocol):
    """Whether somebody asked the runtime to end."""

    def is_set(self) -> bool:
        """Whether to end after the tick at hand."""
