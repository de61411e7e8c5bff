"""From samples of a percentage to bars of it: one a minute, carried a while, or one an interval.

What belongs here: which sample makes which bar. What does not: the call that samples, and roll-ups.

The source changes its figure every few minutes; sampled each minute it gave series of flat bars without a range.
Sampled every five minutes and carried, a minute says whether its value was seen or carried.
"""

from datetime import datetime
from typing import NamedTuple

import polars as pl

from domain.vocabulary.driver import DOMINANCE_DRIVERS
from domain.vocabulary.timeframe import Timeframe

OUT_OF_RANGE = "not_between_0_and_100"

COARSEST_CARRIED = Timeframe.M15
"""Longest interval between samples that still makes minutes."""

_BAR_COLUMNS = ("metric", "timeframe", "timestamp", "value_pct", "source")


class SampledBars(NamedTuple):
    """One value a bar, sorted by metric and timestamp.

    minutes : metric, timeframe "1m", timestamp, value_pct, source, carried. coarse : the same without carried, in the
    timeframes of the samples. refused : metric, timestamp, value_pct, reason.
    """

    minutes: pl.DataFrame
    coarse: pl.DataFrame
    refused: pl.DataFrame


def sampled_bars(samples: pl.DataFrame, *, end: datetime, max_carry_minutes: int) -> SampledBars:
    """Give each sample the bar that contains it, and carry minutes forward.

    The last sample in a bar wins. A sample taken at least every `COARSEST_CARRIED` makes its minute and is carried
    until the next one, at most `max_carry_minutes` and not past `end`; a rarer one makes the bar of its interval.

    Parameters
    ----------
    samples : DataFrame
        metric, timestamp, timeframe (interval between samples), value_pct, source, in any order.
    end : datetime
        No minute at or after it comes out.
    max_carry_minutes : int
        Most minutes that repeat one sample, >= 0.

    Returns
    -------
    SampledBars
        A value outside (0, 100), NaN or null makes no bar and is refused.

    Raises
    ------
    ValueError
        If a metric or an interval is unknown.
    """
    _require_known(samples["metric"], DOMINANCE_DRIVERS)
    _require_known(samples["timeframe"], tuple(Timeframe))
    is_percentage = ((pl.col("value_pct") > 0) & (pl.col("value_pct") < 100)).fill_null(value=False)
    # Source and value decide only between two samples of one instant, so that input order never does.
    accepted = samples.filter(is_percentage).sort("metric", "timestamp", "source", "value_pct")
    carried = [each.value for each in Timeframe if each.minutes <= COARSEST_CARRIED.minutes]
    minutes = accepted.filter(pl.col("timeframe").is_in(carried)).with_columns(timeframe=pl.lit(Timeframe.M1.value))
    return SampledBars(
        minutes=_carried(_last_of_each_bar(minutes), end, max_carry_minutes),
        coarse=_last_of_each_bar(accepted.filter(~pl.col("timeframe").is_in(carried))),
        refused=samples.filter(~is_percentage)
        .select("metric", "timestamp", "value_pct", reason=pl.lit(OUT_OF_RANGE))
        .sort("metric", "timestamp", "value_pct"),
    )


def _last_of_each_bar(samples: pl.DataFrame) -> pl.DataFrame:
    """Label samples, sorted by time, with the open of their timeframe; the last one of a bar stays."""
    minutes = pl.col("timeframe").replace_strict({each.value: f"{each.minutes}m" for each in Timeframe})
    return (
        samples.with_columns(timestamp=pl.col("timestamp").dt.truncate(minutes))
        .unique(subset=["metric", "timeframe", "timestamp"], keep="last", maintain_order=True)
        .select(_BAR_COLUMNS)
    )


def _carried(minutes: pl.DataFrame, end: datetime, max_carry_minutes: int) -> pl.DataFrame:
    """Repeat each sampled minute until the next one of its metric."""
    in_minutes = pl.lit(60_000_000, pl.Int64)
    at = pl.col("timestamp").dt.epoch("us")
    end_us = pl.lit(end).cast(minutes.schema["timestamp"]).dt.epoch("us")
    until = pl.min_horizontal(at.shift(-1).over("metric").fill_null(end_us), end_us)
    length = pl.min_horizontal((until - at) // in_minutes, pl.lit(1 + max_carry_minutes))
    return (
        minutes.with_columns(minute=pl.int_ranges(0, length))
        .explode("minute")
        .drop_nulls("minute")
        .with_columns(
            timestamp=pl.col("timestamp") + pl.duration(minutes=pl.col("minute")), carried=pl.col("minute") > 0
        )
        .select(*_BAR_COLUMNS, "carried")
    )


def _require_known(names: pl.Series, known: tuple[str, ...]) -> None:
    unknown = sorted(set(names.unique()) - set(known))
    if unknown:
        raise ValueError(f"Expected {names.name} of {[str(name) for name in known]}, was {unknown}")
