"""The bars ticks are made for: which one has closed last, and which ones close within a window."""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from domain.vocabulary.timeframe import Timeframe


@dataclass(frozen=True, slots=True)
class ExecutionBar:
    """A bar of an execution timeframe, named by its open.

    Raises
    ------
    ValueError
        If the timestamp has no offset or is not the open of such a bar.
    """

    timeframe: Timeframe
    timestamp: datetime

    def __post_init__(self) -> None:
        if self.timestamp.utcoffset() is None:
            raise ValueError(f"Expected an instant with an offset, was {self.timestamp.isoformat()}")
        utc = self.timestamp.astimezone(UTC)
        if self.timeframe.floor(utc) != utc:
            raise ValueError(f"Expected the open of a {self.timeframe} bar, was {utc.isoformat()}")
        object.__setattr__(self, "timestamp", utc)

    @property
    def closed_at(self) -> datetime:
        """Instant from which the bar may be used."""
        return self.timestamp + self.timeframe.duration

    def following(self) -> "ExecutionBar":
        """Return the next bar of the timeframe."""
        return ExecutionBar(self.timeframe, self.closed_at)

    def bars_since(self, timestamp: datetime) -> int:
        """Bars of this timeframe from the one that opened at `timestamp` to this one; 0 for this one."""
        return (self.timestamp - timestamp) // self.timeframe.duration

    def __str__(self) -> str:
        return f"{self.timeframe} {self.timestamp:%Y-%m-%dT%H:%MZ}"


def newest_closed_bar(timeframe: Timeframe, at: datetime) -> ExecutionBar:
    """Last bar that has closed by an instant.

    >>> str(newest_closed_bar(Timeframe.H4, datetime(2025, 1, 1, 8, tzinfo=UTC)))
    '4h 2025-01-01T04:00Z'
    """
    return ExecutionBar(timeframe, timeframe.floor(at.astimezone(UTC)) - timeframe.duration)


def bars_closed_between(timeframes: Iterable[Timeframe], from_at: datetime, to_at: datetime) -> Iterator[ExecutionBar]:
    """Every bar that closes after `from_at` and by `to_at`, in the order they close, the shorter first.

    Neighbouring windows share no bar and lose none.

    >>> two_hours = datetime(2025, 1, 1, 2, tzinfo=UTC), datetime(2025, 1, 1, 4, tzinfo=UTC)
    >>> [str(bar) for bar in bars_closed_between([Timeframe.H4, Timeframe.H1], *two_hours)]
    ['1h 2025-01-01T02:00Z', '1h 2025-01-01T03:00Z', '4h 2025-01-01T00:00Z']
    """
    series = [_bars_of(timeframe, from_at, to_at) for timeframe in timeframes]
    return heapq.merge(*series, key=lambda bar: (bar.closed_at, bar.timeframe.minutes))


def _bars_of(timeframe: Timeframe, from_at: datetime, to_at: datetime) -> Iterator[ExecutionBar]:
    bar = newest_closed_bar(timeframe, from_at).following()
    while bar.closed_at <= to_at:
        yield bar
        bar = bar.following()
