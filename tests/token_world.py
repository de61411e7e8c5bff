"""A few tokens with bars and tags in a real database, and the two token tables made of them by hand."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import numpy as np
import polars as pl

from domain.config.pm_config import PmConfig
from domain.config.token_state import TokenStateConfig
from domain.vocabulary.timeframe import Timeframe
from domain.vocabulary.window import Window
from regime_assets import token_ta, token_uptrend_state
from regime_assets.chain_asset import ChainTable, Work
from resources.candle_memory import CandleMemory
from resources.stamp import Stamp
from resources.tables import Tables
from tests.builders import random_walk

BARS, TAGS = "regime.lowcap_price_data_ohlc", "regime.token_cap_bucket"
TABLES = (token_ta.SPEC.table, token_uptrend_state.SPEC.table)
UTC_US = pl.Datetime("us", "UTC")
DAY = timedelta(days=1)
FIRST = datetime(2026, 3, 1, tzinfo=UTC)
"""Midnight of the first bar; the tests count days from here."""

SPANS = {Timeframe.M1: (18, 4), Timeframe.M15: (0, 22), Timeframe.H1: (0, 22), Timeframe.H4: (0, 22)}
"""Day of the first bar, and days, of each timeframe."""


def day(number: int) -> datetime:
    return FIRST + number * DAY


def token_bars(name: str, seed: int, *, keep: float = 1.0) -> pl.DataFrame:
    """Bars of one token in the four timeframes; of the minutes only a share `keep`, as of one that trades little."""
    frames = []
    for number, (timeframe, (first, days)) in enumerate(SPANS.items()):
        close = random_walk(days * 1440 // timeframe.minutes, 100 * seed + number)
        rng = np.random.default_rng([seed, number])
        opens = [day(first) + i * timeframe.duration for i in range(close.size)]
        rows = pl.DataFrame(
            {
                "timeframe": pl.repeat(timeframe.value, close.size, eager=True),
                "timestamp": pl.Series(opens, dtype=UTC_US),
                "open_usd": close,
                "high_usd": close * (1 + 0.01 * rng.random(close.size)),
                "low_usd": close * (1 - 0.01 * rng.random(close.size)),
                "close_usd": close,
                "volume": rng.lognormal(6, 1, close.size),
            }
        )
        frames.append(rows.filter(pl.Series(rng.random(close.size) < (keep if timeframe is Timeframe.M1 else 1.0))))
    return pl.concat(frames).select(pl.lit(name).alias("token_contract"), pl.lit("x").alias("chain"), pl.all())


def store_bars(bars: pl.DataFrame, until: datetime) -> None:
    """Store the bars that have closed by `until`, in the place of all others."""
    length = pl.col("timeframe").replace_strict(
        {timeframe.value: timeframe.duration for timeframe in Timeframe}, return_dtype=pl.Duration("us")
    )
    closed = bars.filter(pl.col("timestamp") + length <= until)
    rows = closed.with_columns(
        source=pl.lit("venue"), coverage=pl.lit(1.0), partial=pl.lit(value=False), known_at=pl.lit(until)
    )
    Tables().replace(BARS, Window(FIRST, day(60)), rows, stamp=Stamp("bars", "1"))


def store_tags(days_of: Mapping[str, Mapping[str, Sequence[int]]]) -> None:
    """Store tags: for each token, for each bucket, the days it has it."""
    rows = [
        {"token_contract": token, "bucket": bucket, "timestamp": day(number)}
        for token, buckets in days_of.items()
        for bucket, numbers in buckets.items()
        for number in numbers
    ]
    tags = pl.DataFrame(rows, schema_overrides={"timestamp": UTC_US}).with_columns(
        chain=pl.lit("x"),
        market_cap_usd=pl.lit(1e6),
        **dict.fromkeys(("circulating_supply", "volume_24h_usd", "liquidity_usd"), pl.lit(None, dtype=pl.Float64)),
        **dict.fromkeys(("updated_at", "bucket_since", "valid_from"), pl.col("timestamp")),
        valid_to=pl.col("timestamp") + DAY,
        config_version=pl.lit(1, dtype=pl.Int64),
    )
    Tables().replace(TAGS, Window(FIRST, day(60)), tags, stamp=Stamp("tags", "1"))


def work(spec: ChainTable, window: Window, as_of: datetime, **token_state: Any) -> Work:
    """What `publish` of one of the two tables is given."""
    config = PmConfig()
    regime = config.regime.model_copy(update={"token_state": TokenStateConfig(**token_state)})
    return Work(
        table=spec.table,
        window=window,
        as_of=as_of,
        tables=Tables(),
        market=CandleMemory({}),
        config=config.model_copy(update={"regime": regime}),
        config_version=1,
        stamp=Stamp("a-run", spec.code_version),
        checks=spec.checks,
    )


def make(window: Window, as_of: datetime | None = None, **token_state: Any) -> dict[str, dg.MaterializeResult]:
    """Make a window of both tables, at its end when no instant is given."""
    specs = (token_ta.SPEC, token_uptrend_state.SPEC)
    return {spec.table: spec.publish(work(spec, window, as_of or window.end, **token_state)) for spec in specs}


def made(*, stamps: bool = False) -> dict[str, pl.DataFrame]:
    """Every row of both tables."""
    rows = {table: Tables().read(table, Window(FIRST, day(60))) for table in TABLES}
    return rows if stamps else {table: frame.drop("run_id", "computed_at") for table, frame in rows.items()}
