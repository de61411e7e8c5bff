"""Roll-up of accepted bars into every timeframe, and the comparison with the venue's own bars.

What belongs here: bars in, bars out, for majors, low-caps and the minutes of dominance alike. What does not: which
bars are accepted, and how the bars of several tokens become one driver.

A bar is labelled by its open, all grids start at midnight UTC, and only bars closed at `as_of` come out. Nothing is
remembered between calls: when late minutes arrive, the window is rolled up again and the bar comes out complete.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from domain.regime.bar_quarantine import VALUE_COLUMNS
from domain.vocabulary.timeframe import Timeframe

TIMESTAMP = pl.Datetime("us", "UTC")
TIMEFRAME_ORDER = pl.Enum([timeframe.value for timeframe in Timeframe])
"""Sorts timeframes by length instead of by spelling."""


def bar_length() -> pl.Expr:
    """Length of the bar in each row, from its column `timeframe`."""
    lengths = {timeframe.value: timeframe.duration for timeframe in Timeframe}
    return pl.col("timeframe").replace_strict(lengths, return_dtype=pl.Duration("us"))


def roll_up(
    bars: pl.DataFrame,
    *,
    key: Sequence[str],
    as_of: datetime,
    timeframes: Sequence[Timeframe] = tuple(Timeframe),
) -> pl.DataFrame:
    """Bars of every timeframe from bars of one or more native timeframes.

    The venue's own bar of a timeframe is kept as it is, with coverage 1. Where it is missing, each finer native
    timeframe n makes a candidate: open = first, high = max, low = min, close = last, volume = sum, coverage = minutes
    covered / minutes of the target. The highest coverage wins, ties go to the finest n; source is "rollup:<n>".

    Parameters
    ----------
    bars : DataFrame
        Accepted bars in any order: `key`, timeframe, timestamp (the open), OHLC in USD, volume, source; each series
        has one row a timeframe and timestamp. A bar can only be as complete as the window: leave out of `timeframes`
        what is longer than the window given.
    key : sequence of str
        Columns that name a series.
    as_of : datetime
        A bar comes out only if its open + timeframe <= `as_of`.
    timeframes : sequence of Timeframe
        Timeframes to make; bars of other timeframes still serve as material.

    Returns
    -------
    DataFrame
        The columns above plus coverage (0..1) and partial (coverage < 1), sorted by key, timeframe length, timestamp.
        NaN and null in a price or volume become NaN of every bar they touch.

    Raises
    ------
    ValueError
        If `as_of` or the timestamps are not UTC-aware, a timeframe is unknown, a timestamp is off its grid, or a
        series has two rows for one bar.
    """
    if as_of.utcoffset() != timedelta(0):
        raise ValueError(f"as_of must be UTC-aware, was {as_of!r}")
    native = _by_native_timeframe(bars, key)
    made = [
        candidate.filter(pl.col("timestamp") + target.duration <= as_of)
        for target in timeframes
        for candidate in _best_bars(native, target, key)
    ]
    no_bars = _plain(bars.clear(), key).with_columns(coverage=pl.lit(1.0))
    return (
        pl.concat([no_bars, *made])
        .with_columns(partial=pl.col("coverage") < 1.0)
        .sort(*key, pl.col("timeframe").cast(TIMEFRAME_ORDER), "timestamp")
    )


def rollup_disagreements(bars: pl.DataFrame, key: Sequence[str], relative_tolerance: float) -> pl.DataFrame:
    """Where a fully covered roll-up and the venue's own bar do not say the same.

    Parameters
    ----------
    bars : DataFrame
        As for `roll_up`.
    key : sequence of str
        Columns that name a series.
    relative_tolerance : float
        Largest |own - rolled| / max(|own|, |rolled|) that counts as the same; >= 0. Two zeros agree, NaN never does.

    Returns
    -------
    DataFrame
        One row a differing value: `key`, timeframe, timestamp, source (of the roll-up), column, own, rolled,
        relative_difference; sorted.

    Raises
    ------
    ValueError
        As `roll_up`, or if the tolerance is negative.
    """
    if not relative_tolerance >= 0:
        raise ValueError(f"relative_tolerance must be >= 0, was {relative_tolerance}")
    native = _by_native_timeframe(bars, key)
    compared = [
        _compared(native[target], _rolled(finer_bars, finer, target, key), key)
        for target in native
        for finer, finer_bars in native.items()
        if finer.minutes < target.minutes
    ]
    columns = [*key, "timeframe", "timestamp", "source", "column", "own", "rolled", "relative_difference"]
    if not compared:
        nothing = _plain(bars.clear(), key).select(*key, "timeframe", "timestamp", "source", column="source")
        return nothing.with_columns(pl.lit(0.0).alias(name) for name in columns[-3:])
    return (
        pl.concat(compared)
        .filter(pl.col("relative_difference") > relative_tolerance)
        .select(columns)
        .sort(*key, pl.col("timeframe").cast(TIMEFRAME_ORDER), "timestamp", "source", "column")
    )


def _plain(bars: pl.DataFrame, key: Sequence[str]) -> pl.DataFrame:
    """Select the columns of a raw bar, values as floats; a missing value becomes NaN."""
    values = pl.col(VALUE_COLUMNS).cast(pl.Float64).fill_null(float("nan"))
    return bars.select(*key, "timeframe", "timestamp", *VALUE_COLUMNS, "source").with_columns(values)


def _by_native_timeframe(bars: pl.DataFrame, key: Sequence[str]) -> dict[Timeframe, pl.DataFrame]:
    """Bars of each native timeframe, finest first, sorted by key and timestamp; refuses what cannot be right."""
    if bars.schema["timestamp"] != TIMESTAMP:
        raise ValueError(f"timestamp must be {TIMESTAMP}, was {bars.schema['timestamp']}")
    unknown = set(bars["timeframe"].unique()) - set(Timeframe)
    if unknown:
        raise ValueError(f"Expected timeframes of {[each.value for each in Timeframe]}, was {unknown}")
    native = {}
    for timeframe in Timeframe:
        rows = _plain(bars.filter(timeframe=timeframe.value), key).sort(*key, "timestamp")
        off_grid = rows.filter(pl.col("timestamp") != _label(timeframe))
        if off_grid.height:
            raise ValueError(f"{timeframe} bars must open on their grid, was {off_grid['timestamp'][0]}")
        if _starts(rows.select(*key, "timestamp")).size != rows.height:
            raise ValueError(f"A series must have one {timeframe} bar a timestamp, was given more")
        if rows.height:
            native[timeframe] = rows
    return native


def _best_bars(native: dict[Timeframe, pl.DataFrame], target: Timeframe, key: Sequence[str]) -> list[pl.DataFrame]:
    """Bars of `target`, one a series and timestamp: the own one, else the highest coverage, else the finest."""
    own = [native[target].with_columns(coverage=pl.lit(1.0))] if target in native else []
    # Own first, then finest first: the stable sort and `keep="first"` leave that order among equal coverages.
    finer = [_rolled(rows, name, target, key) for name, rows in native.items() if name.minutes < target.minutes]
    candidates = own + finer
    if len(candidates) < 2:
        return candidates
    ranked = pl.concat(candidates).sort("coverage", descending=True, maintain_order=True)
    return [ranked.unique(subset=[*key, "timestamp"], keep="first", maintain_order=True)]


def _rolled(rows: pl.DataFrame, native: Timeframe, target: Timeframe, key: Sequence[str]) -> pl.DataFrame:
    """Bars of `target` from `rows` of one finer timeframe, sorted by key and timestamp.

    NumPy folds each bar by itself: its sum cannot depend on which other bars the window holds, so a bar made
    again is the same to the last bit.
    """
    labelled = rows.with_columns(timestamp=_label(target))
    first = _starts(labelled.select(*key, "timestamp"))
    last = np.append(first[1:], rows.height) - 1
    high, low, volume = (rows[name].to_numpy() for name in ("high_usd", "low_usd", "volume"))
    return labelled[first].with_columns(
        timeframe=pl.lit(target.value),
        high_usd=pl.Series(np.maximum.reduceat(high, first)),
        low_usd=pl.Series(np.minimum.reduceat(low, first)),
        close_usd=rows["close_usd"].gather(last),
        volume=pl.Series(np.add.reduceat(volume, first)),
        source=pl.lit(f"rollup:{native.value}"),
        coverage=pl.Series((last - first + 1) * native.minutes / target.minutes),
    )


def _compared(own: pl.DataFrame, rolled: pl.DataFrame, key: Sequence[str]) -> pl.DataFrame:
    """Each value of the bars present and complete on both sides, with its relative difference."""
    names = [*key, "timeframe", "timestamp"]
    complete = rolled.filter(pl.col("coverage") == 1.0)
    own_values = own.unpivot(VALUE_COLUMNS, index=names, variable_name="column", value_name="own")
    rolled_values = complete.unpivot(
        VALUE_COLUMNS, index=[*names, "source"], variable_name="column", value_name="rolled"
    )
    scale = pl.max_horizontal(pl.col("own").abs(), pl.col("rolled").abs())
    difference = (pl.col("own") - pl.col("rolled")).abs()
    return rolled_values.join(own_values, on=[*names, "column"]).with_columns(
        relative_difference=pl.when(difference == 0.0).then(0.0).otherwise(difference / scale)
    )


def _label(timeframe: Timeframe) -> pl.Expr:
    """Open of the bar of `timeframe` that contains the timestamp; the epoch was a midnight, so the grid is ours."""
    return pl.col("timestamp").dt.truncate(f"{timeframe.minutes}m")


def _starts(sorted_names: pl.DataFrame) -> NDArray[np.intp]:
    """Row numbers where a new combination of values begins."""
    return np.flatnonzero(
        sorted_names.select(pl.any_horizontal(pl.all().ne_missing(pl.all().shift()))).to_series().to_numpy()
    )
