"""Bar lengths, and the grid every bar stands on.

A bar is labelled by its open and is usable from open + timeframe. All grids start at midnight UTC, so every
timeframe divides a day and a day partition holds whole bars only.
"""

from datetime import datetime, timedelta
from enum import StrEnum


class Timeframe(StrEnum):
    """A bar length, shortest first."""

    M1 = "1m"
    M5 = "5m"
    M15 = "15m"
    H1 = "1h"
    H4 = "4h"
    D1 = "1d"

    @property
    def minutes(self) -> int:
        """Length in minutes."""
        return MINUTES[self]

    @property
    def duration(self) -> timedelta:
        """Length as a time difference."""
        return timedelta(minutes=MINUTES[self])

    def floor(self, at: datetime) -> datetime:
        """Open of the bar that contains `at`.

        >>> from datetime import UTC
        >>> Timeframe.H4.floor(datetime(2025, 1, 1, 11, 59, tzinfo=UTC)).hour
        8
        """
        midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
        return midnight + (at - midnight) // self.duration * self.duration

    def ceil(self, at: datetime) -> datetime:
        """First open at or after `at`.

        >>> from datetime import UTC
        >>> str(Timeframe.D1.ceil(datetime(2025, 1, 1, 0, 1, tzinfo=UTC)))
        '2025-01-02 00:00:00+00:00'
        """
        opened = self.floor(at)
        return opened if opened == at else opened + self.duration


MINUTES: dict[Timeframe, int] = {
    Timeframe.M1: 1,
    Timeframe.M5: 5,
    Timeframe.M15: 15,
    Timeframe.H1: 60,
    Timeframe.H4: 240,
    Timeframe.D1: 1440,
}
