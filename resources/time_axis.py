"""Time across a picture: where an instant stands, ticks with a date, and the steps a long window is thinned out to."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import count

import polars as pl

from resources.picture import QUIET, RULE, coordinate, text

STEP_HOURS = (1, 2, 3, 4, 6, 8, 12, 24, 48, 72, 168, 336, 672)
"""Steps that divide a day, a week or four weeks; past them each is twice the one before."""

TICKS = {
    **dict.fromkeys(("1h", "2h", "3h", "6h", "12h"), "%d %b %H:%M"),
    **dict.fromkeys(("1d", "2d", "1w", "2w"), "%d %b"),
    **dict.fromkeys(("1mo", "2mo", "3mo", "6mo"), "%b %Y"),
    **dict.fromkeys(("1y", "2y", "5y", "10y"), "%Y"),
}
"""Distance of ticks, and how each is written."""

MAX_TICKS = 9


def step_hours(least: float = 1) -> Iterator[int]:
    """Lengths of a step in hours from `least` on, shortest first, without end.

    >>> steps = step_hours(300)
    >>> [next(steps) for _ in range(4)]
    [336, 672, 1344, 2688]
    """
    yield from (hours for hours in STEP_HOURS if hours >= least)
    yield from (hours for hours in (STEP_HOURS[-1] << doubled for doubled in count(1)) if hours >= least)


def step_name(hours: int) -> str:
    """Length of a step as a title says it.

    >>> step_name(8), step_name(168)
    ('8 h', '7 d')
    """
    return f"{hours} h" if hours < 48 else f"{hours // 24} d"


def step_start(at: pl.Expr, hours: int) -> pl.Expr:
    """Start of the step an instant lies in; steps are counted from the epoch, so a window does not shift them."""
    return at.dt.truncate(f"{hours}h")


@dataclass(frozen=True)
class TimeAxis:
    """Instants from `first` to `end` over `width` pixels from `left` on."""

    first: datetime
    end: datetime
    left: float
    width: float

    def x(self, at: datetime) -> float:
        """Pixels from the left of the picture."""
        return self.left + self.width * ((at - self.first) / (self.end - self.first))

    def drawn(self, top: float, bottom: float) -> str:
        """Draw ticks as upright lines between two heights, their dates below; all UTC."""
        labels = self._ticks()
        path = "".join(f"M{coordinate(self.x(at))} {top}V{bottom}" for at, _ in labels)
        dates = [text(round(self.x(at), 2), bottom + 14, label, colour=QUIET, size=10) for at, label in labels]
        utc = text(self.left + self.width, bottom + 28, "UTC", anchor="end", colour=QUIET, size=10)
        return f'<path stroke="{RULE}" d="{path}"/>' + "".join(dates) + utc

    def _ticks(self) -> list[tuple[datetime, str]]:
        """Round instants within, in the closest distance of which there are few enough."""
        for every in TICKS:
            start = pl.Series([self.first]).dt.truncate(every)[0]
            ticks = pl.datetime_range(start, self.end, every, eager=True)
            inside = ticks.filter(ticks >= self.first)
            if len(inside) <= MAX_TICKS:
                break
        return list(zip(inside.to_list(), inside.dt.to_string(TICKS[every]).to_list(), strict=True))
