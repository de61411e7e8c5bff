"""Bars as a venue's API gives them, before they are anybody's candles.

What belongs here: the port of a venue, how its numbers and instants are read, which bars had closed. What does not:
any one venue, and whether a price is right.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, Protocol

import polars as pl

from domain.vocabulary.timeframe import Timeframe
from resources.http_client import Answer
from resources.source_error import SourceError

BAR_SCHEMA: dict[str, pl.DataType] = {
    "timestamp": pl.Datetime("us", "UTC"),
    **{name: pl.Float64() for name in ("open_usd", "high_usd", "low_usd", "close_usd", "volume")},
}
FORMING = "forming"
NO_TRADE = "no_trade"
REPEATED = "repeated"

Row = tuple[datetime, float | None, float | None, float | None, float | None, float | None]
"""Open of the bar; open, high, low, close, volume, None where the venue's value is no number."""


@dataclass(frozen=True)
class VenueBars:
    """Closed bars of one series, oldest first, and how many rows were left out, by reason."""

    bars: pl.DataFrame
    left_out: Counter[str] = field(default_factory=Counter)


class CandleVenue(Protocol):
    """One API that gives candles of what it calls a symbol."""

    @property
    def source(self) -> str:
        """Value of the candles' `source` column."""
        ...

    @property
    def volume_unit(self) -> Literal["base", "usd"]:
        """What its volume counts."""
        ...

    def reach_start(self, timeframe: Timeframe, now: datetime) -> datetime:
        """Open of the oldest bar it still has at `now`."""
        ...

    def bars(self, symbol: str, timeframe: Timeframe, start: datetime, end: datetime, *, now: datetime) -> VenueBars:
        """Bars that open in [start, end) and had closed by `now`. Raises SourceError when the API does not give them.

        What comes out for a window does not depend on the window: a row is left out for what it is.
        """
        ...


def venue_bars(
    rows: Iterable[Row], left_out: Counter[str], timeframe: Timeframe, window: tuple[datetime, datetime], now: datetime
) -> VenueBars:
    """Rows of a window whose bar had closed by `now`; the same row twice is one, rows that differ all stay."""
    at = pl.col("timestamp")
    found = pl.DataFrame(list(rows), schema=BAR_SCHEMA, orient="row")
    within = found.filter(at.is_between(*window, closed="left"))
    closed = within.filter(at + timeframe.duration <= now)
    distinct = closed.unique(maintain_order=False).sort(*BAR_SCHEMA)
    counted = Counter({FORMING: within.height - closed.height, REPEATED: closed.height - distinct.height})
    return VenueBars(distinct, left_out + counted)


def made_by(answer: Answer, now: datetime) -> datetime:
    """Instant an answer can know of: ours, or its maker's if that is earlier (a cache, or a clock of ours ahead)."""
    return min(now, answer.made_at or now)


def number(value: object) -> float | None:
    """Read a JSON number or a text of one; None for anything else. "NaN" is NaN.

    >>> number("92854.24"), number(7), number(True), number({}), number("")
    (92854.24, 7.0, None, None, None)
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def instant(value: object, unit: timedelta, answer: Answer) -> datetime:
    """Read an instant that counts `unit` since 1970.

    Raises
    ------
    SourceError
        If it is not an integer, or is out of range: without a time a row is nothing.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        try:
            return datetime(1970, 1, 1, tzinfo=UTC) + value * unit
        except OverflowError:
            pass
    raise unexpected(answer, f"an instant since 1970, was {repr(value)[:80]}")


def unexpected(answer: Answer, expected: str) -> SourceError:
    """Error for an answer of another shape than the API is known to give."""
    return SourceError(f"{answer.url}: expected {expected}", url=answer.url, status=200)


def list_of(answer: Answer, value: Any, expected: str) -> list[Any]:
    """Give `value` back if it is a list; raise SourceError with what was expected otherwise."""
    if not isinstance(value, list):
        raise unexpected(answer, f"{expected}, was {repr(value)[:80]}")
    return value
