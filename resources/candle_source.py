"""The port every source of candles fulfils, and the frames that pass through it.

What belongs here: the protocol, its schemas, what a source says about itself. What does not: any one source.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

import polars as pl

from domain.regime.bar_quarantine import RAW_SCHEMA
from domain.regime.token_metadata import READING_SCHEMA
from domain.vocabulary.timeframe import Timeframe
from domain.vocabulary.universe import Universe

CANDLE_SCHEMA: dict[str, pl.DataType] = RAW_SCHEMA
DOMINANCE_SCHEMA: dict[str, pl.DataType] = {
    "metric": pl.String(),
    "timestamp": pl.Datetime("us", "UTC"),
    "timeframe": pl.String(),
    "value_pct": pl.Float64(),
    "source": pl.String(),
}
MARKET_CAP_SCHEMA: dict[str, pl.DataType] = dict(READING_SCHEMA)
NAIVE_TEXT = "timestamp_text"
"""Extra column of a candle frame with times that came without a time zone; their timestamp is null."""


@dataclass(frozen=True)
class SourceTerms:
    """What the volume of a source's rows counts: coins as the venue printed them, or USD."""

    source: str
    volume_unit: Literal["base", "usd"]


class CandleSource(Protocol):
    """Where candles, dominance samples and market caps come from.

    Windows are half open, [start, end), on the open of a bar and the instant of a sample or a cap. The rows of a window
    are the rows of any larger window that lie in it; rows of candles whose time cannot be read, or lacks a time zone,
    may come with every window. Nothing is validated.
    """

    @property
    def name(self) -> str:
        """Short name of the source as a whole."""
        ...

    @property
    def is_simulated(self) -> bool:
        """Whether the prices are made up."""
        ...

    @property
    def terms(self) -> tuple[SourceTerms, ...]:
        """Every value of the frames' `source` column, most trusted first."""
        ...

    def candles(self, universe: Universe, start: datetime, end: datetime) -> pl.DataFrame:
        """Bars of all native timeframes of a universe, in any order.

        Columns of `CANDLE_SCHEMA`, plus `NAIVE_TEXT` where some rows have no time zone. Raises ValueError if a bound
        is naive or `end` is before `start`.
        """
        ...

    def dominance(self, start: datetime, end: datetime) -> pl.DataFrame:
        """Give the samples of "BTC.d" and "USDT.d" in percent: columns of `DOMINANCE_SCHEMA`, any order, no null."""
        ...

    def market_caps(self, start: datetime, end: datetime) -> pl.DataFrame:
        """Give what was read of tokens' size: columns of `MARKET_CAP_SCHEMA`, any order, either universe.

        `timestamp` is the instant of the reading. Token, chain, timestamp and source are never null; values stand as
        the source gave them, 0 and NaN too, null where it gave none. Amounts are in USD, a supply counts coins. A
        source without caps gives no row.
        """
        ...

    def span(self) -> tuple[datetime, datetime]:
        """Open of the first bar and end of the last one; raises ValueError if there is none."""
        ...

    def description(self) -> str:
        """One line for a person: what this is and where it comes from."""
        ...


def require_window(start: datetime, end: datetime) -> None:
    """Refuse a window that cannot be right.

    Raises
    ------
    ValueError
        If a bound is naive or `end` is before `start`.
    """
    for name, at in (("start", start), ("end", end)):
        if at.tzinfo is None:
            raise ValueError(f"{name} must be timezone-aware, was {at!r}")
    if end < start:
        raise ValueError(f"end must not be before start, was {end} before {start}")


def timeframe_duration() -> pl.Expr:
    """Length of each row's `timeframe`; null where it is none of ours."""
    lengths = {timeframe.value: timeframe.minutes * 60_000_000 for timeframe in Timeframe}
    return pl.col("timeframe").replace_strict(lengths, default=None, return_dtype=pl.Int64).cast(pl.Duration("us"))
