"""Instants as places on a picture, and how far a page looks back."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeAxis:
    """Instants from `start` to `end`, drawn from `left` on over `width` pixels."""

    start: datetime
    end: datetime
    left: float
    width: float

    def x(self, at: datetime) -> float:
        """Place of an instant, to a tenth of a pixel; one outside is drawn at the nearer end.

        >>> axis = TimeAxis(start=datetime(2025, 1, 1), end=datetime(2025, 1, 3), left=10, width=100)
        >>> axis.x(datetime(2025, 1, 2)), axis.x(datetime(2026, 1, 1))
        (60.0, 110.0)
        """
        share = (at - self.start) / (self.end - self.start)
        return round(self.left + self.width * min(1.0, max(0.0, share)), 1)

    def days(self) -> Iterator[datetime]:
        """Midnights of the axis."""
        at = self.start.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        while at <= self.end:
            if at >= self.start:
                yield at
            at += DAY
