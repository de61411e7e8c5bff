"""How long the dominance feed has told one number: samples that keep coming and never change are no news.

What belongs here: the newest run of equal values of each metric. What does not: a feed without samples, which goes
stale by itself, and what is done about one that stands still.

Incident: an earlier system read BTC.d 57.24 and USDT.d 6.06 in run after run, each time with a fresh time, and no score
said so. A feed of the whole market does move: to two decimals, it never rested half an hour in four recorded days.
"""

import math

import polars as pl

from domain.regime.rollup import bar_length

MIN_SAMPLES = 3
"""Fewest equal samples that are a standing feed. A daily figure of two decimals is now and then alike on two days."""

STANDING_SCHEMA = pl.Schema(
    {
        "metric": pl.String(),
        "timeframe": pl.String(),
        "value_pct": pl.Float64(),
        "since": pl.Datetime("us", "UTC"),
        "until": pl.Datetime("us", "UTC"),
        "samples": pl.UInt32(),
        "static_hours": pl.Float64(),
        "limit_hours": pl.Float64(),
        "is_static": pl.Boolean(),
    }
)
_SERIES = ("metric", "timeframe")


def newest_standing(samples: pl.DataFrame, *, max_static_hours: float) -> pl.DataFrame:
    """Newest value of each metric, since when it has been told, and whether that is too long.

    A run is the samples of one series, back from the newest, that are equal to the last bit. Its static hours go from
    its first sample to its last, so that silence does not lengthen it. The limit is `max_static_hours`, or two
    intervals between samples where those are longer: a daily feed stands still when three days are alike.

    Parameters
    ----------
    samples : DataFrame
        metric, timeframe (interval between samples), timestamp (UTC), value_pct, in any order; other columns are
        ignored. A null or NaN value is no sample.
    max_static_hours : float
        Hours, > 0.

    Returns
    -------
    DataFrame
        Columns of `STANDING_SCHEMA`, one row a metric and interval, sorted by both. `since` is no earlier than the
        first sample given.

    Raises
    ------
    ValueError
        If `max_static_hours` is not positive.
    """
    if not 0 < max_static_hours < math.inf:
        raise ValueError(f"max_static_hours must be > 0 and finite, was {max_static_hours}")
    told = samples.filter(pl.col("value_pct").is_not_null() & pl.col("value_pct").is_not_nan())
    value = pl.col("value_pct")
    alike = (value == value.last()).cum_min(reverse=True).over(_SERIES)
    runs = (
        told.sort(*_SERIES, "timestamp", "value_pct")
        .filter(alike)
        .group_by(_SERIES, maintain_order=True)
        .agg(
            pl.col("value_pct").last(),
            since=pl.col("timestamp").first(),
            until=pl.col("timestamp").last(),
            samples=pl.len(),
        )
    )
    return (
        runs.with_columns(
            static_hours=(pl.col("until") - pl.col("since")).dt.total_seconds(fractional=True) / 3600.0,
            limit_hours=((MIN_SAMPLES - 1) * bar_length().dt.total_hours(fractional=True)).clip(max_static_hours),
        )
        .with_columns(is_static=(pl.col("samples") >= MIN_SAMPLES) & (pl.col("static_hours") >= pl.col("limit_hours")))
        .select(*STANDING_SCHEMA)
        .cast(STANDING_SCHEMA)
    )
