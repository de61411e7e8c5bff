"""A half-open stretch of time in UTC."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.vocabulary.timeframe import Timeframe


@dataclass(frozen=True, slots=True)
class Window:
    """Instants from `start` up to, not including, `end`.

    Raises
    ------
    ValueError
        If an end is naive, or `end` is not after `start`.
    """

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError(f"Window ends must be timezone-aware, was {self.start} .. {self.end}")
        if self.end <= self.start:
            raise ValueError(f"Window must end after it starts, was {self.start} .. {self.end}")

    def __str__(self) -> str:
        return f"{self.start:%Y-%m-%dT%H:%MZ} .. {self.end:%Y-%m-%dT%H:%MZ}"

    def with_lookback(self, lookback: timedelta) -> "Window":
        """Return the window that also reaches `lookback` further into the past."""
        return Window(self.start - lookback, self.end)

    def opens(self, timeframe: Timeframe, until: datetime) -> list[datetime]:
        """List the opens of a timeframe's bars in the window, up to and including `until`.

        >>> from datetime import UTC
        >>> day = datetime(2025, 1, 1, tzinfo=UTC)
        >>> window = Window(day, day + timedelta(days=3))
        >>> [str(at.date()) for at in window.opens(Timeframe.D1, day + timedelta(hours=25))]
        ['2025-01-01', '2025-01-02']
        """
        first, end = timeframe.ceil(self.start), min(self.end, until + timedelta(microseconds=1))
        count = -((first - end) // timeframe.duration) if end > first else 0
        return [first + number * timeframe.duration for number in range(count)]


FIRST_DAY = "2020-01-01"
"""First day any asset has a partition for."""
