"""What the runtime needs of the world: a store, a clock, and to be told to stop.

Every port has a twin in memory; the store's two pass the same contract tests.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.scores.score_reading import PublishedScore
from domain.vocabulary.cap_bucket import CapBucket
from domain.vocabulary.execution_bar import ExecutionBar
from pm_runtime.tick_row import TickRow
from sql.pm_config import VersionedConfig


class AlreadyTickedError(RuntimeError):
    """The bar has its tick; another process may have written it a moment ago."""


@dataclass(frozen=True, slots=True)
class Lease:
    """Who may tick: at most one session at a time."""

    is_held: bool
    """Whether the session that asked holds it."""
    holder: str
    """Who holds it, as host:pid:start."""


class Snapshot(Protocol):
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
