"""The rows of a file in the shape of the port: names, units, tokens by the coin.

What belongs here: expressions from a file's own columns, which bear `RAW` before their names. What does not: opening
files, and reading their times.
"""

import re

import polars as pl

from resources.candle_layout import CandleEntry, DominanceEntry, MarketCapEntry, TokenEntry
from resources.candle_source import NAIVE_TEXT

RAW = "raw_"
"""Prefix of a file's own columns, so that none can be taken for one of ours."""


def as_bars(rows: pl.LazyFrame, entry: CandleEntry) -> pl.LazyFrame:
    """Bars by the coin: columns of `CANDLE_SCHEMA`, and `NAIVE_TEXT`."""
    columns = entry.columns
    printed = pl.lit(entry.symbol) if columns.symbol is None else pl.col(RAW + columns.symbol).cast(pl.String)
    symbol, coins = _token_and_coins(printed, entry)
    timeframe = pl.lit(entry.timeframe) if columns.timeframe is None else pl.col(RAW + columns.timeframe)
    price = {name: _number(getattr(columns, name)) / coins for name in ("open", "high", "low", "close")}
    volume = _number(columns.volume)
    bars = rows.select(
        symbol.alias("token_contract"),
        pl.lit(entry.chain).alias("chain"),
        timeframe.cast(pl.String).alias("timeframe"),
        pl.col("timestamp"),
        *(value.alias(f"{name}_usd") for name, value in price.items()),
        (volume * coins if entry.volume_unit == "base" else volume).alias("volume"),
        pl.lit(entry.source).alias("source"),
        pl.col(NAIVE_TEXT),
    )
    return _listed(bars, entry)


def as_readings(rows: pl.LazyFrame, entry: MarketCapEntry) -> pl.LazyFrame:
    """Caps and supplies: columns of `MARKET_CAP_SCHEMA`; a row without a token or a time is none."""
    columns = entry.columns
    token, _ = _token_and_coins(pl.col(RAW + columns.token).cast(pl.String), entry)
    readings = rows.select(
        token.alias("token_contract"),
        pl.lit(entry.chain).alias("chain"),
        pl.col("timestamp"),
        _amount(columns.market_cap).alias("market_cap_usd"),
        _amount(columns.circulating_supply).alias("circulating_supply"),
        _amount(columns.fdv).alias("fdv_usd"),
        _amount(columns.volume_24h).alias("volume_24h_usd"),
        _amount(columns.liquidity).alias("liquidity_usd"),
        pl.lit(entry.source).alias("source"),
    )
    return _listed(readings, entry).drop_nulls(["token_contract", "timestamp"])


def _token_and_coins(printed: pl.Expr, entry: TokenEntry) -> tuple[pl.Expr, pl.Expr]:
    """Token of a printed symbol, and the coins one of it stands for."""
    printed = printed.str.strip_suffix(entry.strip_suffix)
    token, coins = printed, pl.lit(1.0)
    for prefix, number in entry.multipliers.items():
        has_prefix = printed.str.contains(f"^{re.escape(prefix)}[A-Za-z]")
        token = pl.when(has_prefix).then(printed.str.strip_prefix(prefix)).otherwise(token)
        coins = pl.when(has_prefix).then(number).otherwise(coins)
    return token, coins


def _listed(rows: pl.LazyFrame, entry: TokenEntry) -> pl.LazyFrame:
    """Rows of the tokens an entry includes and does not exclude; those without a token stay."""
    token = pl.col("token_contract")
    if entry.include:
        rows = rows.filter(token.is_in(entry.include).fill_null(value=True))
    return rows.filter(~token.is_in(entry.exclude).fill_null(value=False)) if entry.exclude else rows


def as_samples(rows: pl.LazyFrame, metric: str, column: str, entry: DominanceEntry) -> pl.LazyFrame:
    """Dominance: columns of `DOMINANCE_SCHEMA`; a row with a missing value is none."""
    return rows.select(
        pl.lit(metric).alias("metric"),
        pl.col("timestamp"),
        pl.lit(entry.timeframe).cast(pl.String).alias("timeframe"),
        _number(column).alias("value_pct"),
        pl.lit(entry.source).alias("source"),
    ).drop_nulls()


def _amount(column: str | None) -> pl.Expr:
    """Text that is no number is unknown, as is what the file does not have."""
    return pl.lit(None, pl.Float64) if column is None else _number(column)


def _number(column: str) -> pl.Expr:
    """Text that is no number becomes null, which validation refuses."""
    return pl.col(RAW + column).cast(pl.Float64, strict=False)
