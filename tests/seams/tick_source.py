"""A stranger's source of candles: single trades in a CSV file, folded into bars. Uses public names only.

    LOWCAP_SOURCE=tick_source:open_ticks TICK_FOLDER=/data/ticks

`ticks.csv` holds time,token,price,size with ISO times; `dominance.csv` time,metric,value and `caps.csv` time,token,cap.
"""

import os
from datetime import datetime
from pathlib import Path

import polars as pl

from domain.vocabulary.timeframe import Timeframe
from domain.vocabulary.universe import MAJORS, Universe
from resources.candle_source import (
    CANDLE_SCHEMA,
    DOMINANCE_SCHEMA,
    MARKET_CAP_SCHEMA,
    SourceTerms,
    require_window,
    timeframe_duration,
)

NAME, CHAIN = "ticks", "tape"
FOLDED = (Timeframe.M15, Timeframe.H1)


class TickSource:
    """Bars of 15 minutes and of an hour, from trades."""

    name = NAME
    is_simulated = False
    terms = (SourceTerms(NAME, "base"),)

    def __init__(self, folder: Path) -> None:
        ticks = _timed(folder / "ticks.csv")
        bars = pl.concat(_folded(ticks, timeframe) for timeframe in FOLDED)
        self._bars = bars.select(pl.col(name).cast(kind) for name, kind in CANDLE_SCHEMA.items())
        samples = _timed(folder / "dominance.csv").rename({"value": "value_pct"})
        self._samples = samples.with_columns(timeframe=pl.lit("1h"), source=pl.lit(NAME)).select(
            pl.col(name).cast(kind) for name, kind in DOMINANCE_SCHEMA.items()
        )
        caps = _timed(folder / "caps.csv").rename({"token": "token_contract", "cap": "market_cap_usd"})
        given = caps.with_columns(chain=pl.lit(CHAIN), source=pl.lit(NAME))
        self._caps = given.with_columns(
            pl.lit(None).alias(name) for name in MARKET_CAP_SCHEMA if name not in given.columns
        ).select(pl.col(name).cast(kind) for name, kind in MARKET_CAP_SCHEMA.items())

    def candles(self, universe: Universe, start: datetime, end: datetime) -> pl.DataFrame:
        is_major = pl.col("token_contract").is_in(MAJORS)
        return _cut(self._bars.filter(is_major if universe is Universe.MAJORS else ~is_major), start, end)

    def dominance(self, start: datetime, end: datetime) -> pl.DataFrame:
        return _cut(self._samples, start, end)

    def market_caps(self, start: datetime, end: datetime) -> pl.DataFrame:
        return _cut(self._caps, start, end)

    def span(self) -> tuple[datetime, datetime]:
        if self._bars.is_empty():
            raise ValueError("ticks.csv holds no trade")
        opens, ends = pl.col("timestamp").min(), (pl.col("timestamp") + timeframe_duration()).max()
        first, end = self._bars.select(opens, end=ends).row(0)
        return first, end

    def description(self) -> str:
        return f"ticks: {self._bars.height} bars folded from single trades"


def open_ticks(as_of: datetime) -> TickSource:
    """What LOWCAP_SOURCE names: called with the instant the assets work as of."""
    return TickSource(Path(os.environ["TICK_FOLDER"]))


def _timed(file: Path) -> pl.DataFrame:
    rows = pl.read_csv(file)
    at = pl.col("time").str.to_datetime("%Y-%m-%dT%H:%M:%S%z", time_unit="us", time_zone="UTC")
    return rows.with_columns(timestamp=at).drop("time").sort("timestamp", maintain_order=True)


def _folded(ticks: pl.DataFrame, timeframe: Timeframe) -> pl.DataFrame:
    price = pl.col("price")
    return (
        ticks.with_columns(pl.col("timestamp").dt.truncate(timeframe.duration))
        .group_by("token", "timestamp", maintain_order=True)
        .agg(
            open_usd=price.first(), high_usd=price.max(), low_usd=price.min(), close_usd=price.last(),
            volume=pl.col("size").sum(),
        )
        .with_columns(timeframe=pl.lit(timeframe.value), chain=pl.lit(CHAIN), source=pl.lit(NAME))
        .rename({"token": "token_contract"})
    )  # fmt: skip


def _cut(rows: pl.DataFrame, start: datetime, end: datetime) -> pl.DataFrame:
    require_window(start, end)
    return rows.filter(pl.col("timestamp").is_between(start, end, closed="left"))
