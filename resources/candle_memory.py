"""Candles held in memory: the in-memory twin of every other source."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import polars as pl

from domain.vocabulary.universe import Universe
from resources.candle_source import (
    CANDLE_SCHEMA,
    DOMINANCE_SCHEMA,
    MARKET_CAP_SCHEMA,
    SourceTerms,
    require_window,
    timeframe_duration,
)


@dataclass(frozen=True, eq=False)
class CandleMemory:
    """A source whose rows are given.

    Attributes
    ----------
    bars : mapping of Universe to DataFrame
        Columns of `CANDLE_SCHEMA`, anything in them; an absent universe has no rows.
    samples : DataFrame
        Columns of `DOMINANCE_SCHEMA`.
    caps : DataFrame
        Columns of `MARKET_CAP_SCHEMA`.
    """

    bars: Mapping[Universe, pl.DataFrame]
    samples: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=DOMINANCE_SCHEMA))
    terms: tuple[SourceTerms, ...] = ()
    name: str = "memory"
    is_simulated: bool = True
    caps: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=MARKET_CAP_SCHEMA))

    def candles(self, universe: Universe, start: datetime, end: datetime) -> pl.DataFrame:
        """Rows of the window, as given; rows without a time come with every window."""
        require_window(start, end)
        bars = self.bars.get(universe, pl.DataFrame(schema=CANDLE_SCHEMA))
        at = pl.col("timestamp")
        return bars.filter(at.is_null() | at.is_between(start, end, closed="left"))

    def dominance(self, start: datetime, end: datetime) -> pl.DataFrame:
        """Give the samples of the window."""
        require_window(start, end)
        return self.samples.filter(pl.col("timestamp").is_between(start, end, closed="left"))

    def market_caps(self, start: datetime, end: datetime) -> pl.DataFrame:
        """Give the caps read in the window."""
        require_window(start, end)
        return self.caps.filter(pl.col("timestamp").is_between(start, end, closed="left"))

    def span(self) -> tuple[datetime, datetime]:
        """Open of the first bar and end of the last one."""
        opens = pl.col("timestamp")
        extents = pl.concat(
            bars.select(first=opens.min(), end=(opens + timeframe_duration()).max()) for bars in self.bars.values()
        )
        first, end = extents["first"].min(), extents["end"].max()
        if not isinstance(first, datetime) or not isinstance(end, datetime):
            raise ValueError(f"{self.name} holds no bar with a time")
        return first, end

    def description(self) -> str:
        """How many rows are held."""
        return f"{self.name}: {sum(bars.height for bars in self.bars.values())} bars given in memory"
