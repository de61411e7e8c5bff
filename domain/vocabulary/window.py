"""A half-open stretch of time in UTC."""

from dataclasses import dataclass
from datetime import datetime, timedelta


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


FIRST_DAY = "2020-01-01"
"""First day any asset has a partition for."""
