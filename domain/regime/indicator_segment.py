"""Stretches of consecutive bars, each with the indicator state it starts from: fresh, or read from stored rows.

What belongs here: which bars are refused, where a series restarts, how a state is rebuilt. What does not: arithmetic on
prices.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import polars as pl

from domain.regime.indicator_kernel import (
    CARRY,
    CARRY_COLUMNS,
    EMA_LEVEL,
    HISTORY_ROWS,
    LEVEL_ROWS,
    LOOKBACK_ROWS,
    PANEL_COLUMNS,
    SPANS,
    FloatArray,
    IntArray,
)
from domain.vocabulary.timeframe import Timeframe

PRICES = ("high_usd", "low_usd", "close_usd")
BAR_VALUES = (*PRICES, "volume")
_HISTORY = tuple(PANEL_COLUMNS[i] for i in HISTORY_ROWS)
_EMAS = tuple(f"ema{span}" for span in SPANS)
RESUME_COLUMNS = ("bars_count", "latest_price", *_EMAS, *_HISTORY, "carry")
_STEP_US = {timeframe.value: timeframe.minutes * 60_000_000 for timeframe in Timeframe}


class Segments(NamedTuple):
    """Stretches of the sorted bars that the recursion runs through without a restart, in the order of the bars.

    starts, lengths: (n_segments,), in bars. level, closes, history: the state before the first bar, as
    `indicator_kernel.advance_segments` takes it.
    """

    starts: IntArray
    lengths: IntArray
    level: FloatArray
    closes: FloatArray
    history: FloatArray

    def longest_first(self) -> "Segments":
        """Order them by length, so that series run side by side end together."""
        order = np.argsort(-self.lengths, kind="stable")
        return Segments(
            self.starts[order], self.lengths[order], self.level[order], self.closes[order], self.history[order]
        )


def checked_bars(bars: pl.DataFrame, key: Sequence[str]) -> pl.DataFrame:
    """Key, timestamp and bar values sorted by key and timestamp; ValueError if a bar could not have been accepted."""
    if "timeframe" not in key:
        raise ValueError(f"key must contain timeframe, was {list(key)}")
    missing = [name for name in (*key, "timestamp", *BAR_VALUES) if name not in bars.columns]
    if missing:
        raise ValueError(f"bars must have the columns {[*key, 'timestamp', *BAR_VALUES]}, lack {missing}")
    dtype = bars.schema["timestamp"]
    if not isinstance(dtype, pl.Datetime) or dtype.time_zone != "UTC":
        raise ValueError(f"timestamp must be Datetime in UTC, was {dtype}")
    is_price = pl.all_horizontal(pl.col(name).is_finite() & (pl.col(name) > 0) for name in PRICES)
    is_volume = pl.col("volume").is_finite() & (pl.col("volume") >= 0)
    is_named = pl.all_horizontal(pl.col(name).is_not_null() for name in (*key, "timestamp"))
    received = bars.select(*key, "timestamp", pl.col(BAR_VALUES).cast(pl.Float64))
    refused = received.filter(~(is_price & is_volume & is_named).fill_null(value=False))
    if refused.height:
        raise ValueError(
            f"prices must be finite and > 0, volume finite and >= 0, keys not null; {refused.height} rows are not,"
            f" the first {refused.row(0, named=True)}"
        )
    return received if _is_sorted(received, key) else received.sort(*key, "timestamp")


def _is_sorted(bars: pl.DataFrame, key: Sequence[str]) -> bool:
    """Whether each series stands in one piece, in the order of the keys, its bars in the order of time."""
    first = _series_starts(bars, key)
    heads = bars[first].select(key)
    rises = np.diff(bars["timestamp"].dt.epoch("us").to_numpy()) >= 0
    rises[first[1:] - 1] = True
    return bool(rises.all()) and heads.equals(heads.unique().sort(key))


def _series_starts(bars: pl.DataFrame, key: Sequence[str]) -> IntArray:
    is_start = pl.any_horizontal(pl.col(name).ne_missing(pl.col(name).shift()) for name in key)
    return bars.select(is_start).to_series().arg_true().to_numpy().astype(np.int64)


def segment_bars(bars: pl.DataFrame, previous: pl.DataFrame | None, key: Sequence[str], max_gap_bars: int) -> Segments:
    """Split checked bars at series and at holes of more than `max_gap_bars`, and find the state of each part.

    Raises
    ------
    ValueError
        If a timeframe is unknown, a series has two bars at one time, or `previous` does not end before the bars or
        lacks rows.
    """
    first = _series_starts(bars, key)
    heads = bars[first]
    unknown = set(heads["timeframe"]) - set(_STEP_US)
    if unknown:
        raise ValueError(f"timeframe must be one of {list(_STEP_US)}, was {sorted(unknown)}")
    step_us = np.array([_STEP_US[timeframe] for timeframe in heads["timeframe"]], dtype=np.int64)
    longest_us = np.repeat((max_gap_bars + 2) * step_us, np.diff(first, append=bars.height))
    elapsed_us = np.diff(bars["timestamp"].dt.epoch("us").to_numpy(), prepend=0)
    elapsed_us[first] = longest_us[first]
    if (elapsed_us == 0).any():
        raise ValueError(f"a series must have one bar a timestamp; {bars.row(int(np.argmin(elapsed_us)))} is repeated")
    starts = np.flatnonzero(elapsed_us >= longest_us)
    segments = _fresh_segments(starts, bars)
    if previous is not None and previous.height:
        heads = heads.with_columns(segment=pl.Series(np.searchsorted(starts, first)))
        _resume(segments, _rows_before(heads, previous, key, max_gap_bars))
    return segments


def _fresh_segments(starts: IntArray, bars: pl.DataFrame) -> Segments:
    """Return the segments as if each began a series: averages and past closes equal its first close."""
    first_close = bars["close_usd"].to_numpy()[starts]
    level = np.zeros((starts.size, LEVEL_ROWS))
    level[:, EMA_LEVEL : EMA_LEVEL + len(SPANS)] = first_close[:, np.newaxis]
    closes = np.repeat(first_close[:, np.newaxis], LOOKBACK_ROWS, axis=1)
    history = np.zeros((starts.size, LOOKBACK_ROWS, len(HISTORY_ROWS)))
    return Segments(starts, np.diff(starts, append=bars.height), level, closes, history)


def _missing_bars(before: pl.Expr) -> pl.Expr:
    """Bars that a series lacks between the time `before` and its own timestamp."""
    step_us = pl.col("timeframe").cast(pl.String).replace_strict(_STEP_US, return_dtype=pl.Int64)
    return (pl.col("timestamp") - before).dt.total_microseconds() // step_us - 1


def _rows_before(heads: pl.DataFrame, previous: pl.DataFrame, key: Sequence[str], max_gap_bars: int) -> pl.DataFrame:
    """Rows of `previous` that segments go on from: `segment`, `back` (1 = the bar before the first), RESUME_COLUMNS."""
    absent = [name for name in (*key, "timestamp", *RESUME_COLUMNS) if name not in previous.columns]
    if absent:
        raise ValueError(f"previous must have the columns {[*key, 'timestamp', *RESUME_COLUMNS]}, lacks {absent}")
    rows = (
        previous.select(*key, "timestamp", *RESUME_COLUMNS)
        .join(heads.select(*key, "segment", first_at="timestamp"), on=list(key), how="inner")
        .sort("segment", "timestamp")
        .with_columns(
            back=(pl.len() - pl.int_range(pl.len())).over("segment"),
            last_at=pl.col("timestamp").last().over("segment"),
            last_count=pl.col("bars_count").last().over("segment").cast(pl.Int64),
        )
    )
    late = rows.filter(pl.col("last_at") >= pl.col("first_at"))
    if late.height:
        raise ValueError(
            f"previous must end before the bars; it ends at {late['last_at'][0]}, key {late.row(0)[: len(key)]}"
        )
    is_held = pl.col("back") <= pl.min_horizontal("last_count", LOOKBACK_ROWS)
    goes_on = _missing_bars(pl.col("last_at")) <= max_gap_bars
    kept = rows.with_columns(timestamp="first_at").filter(is_held & goes_on)
    is_whole = (pl.len() == pl.min_horizontal(pl.col("last_count").first(), LOOKBACK_ROWS)) & (
        pl.col("bars_count") == pl.col("last_count") + 1 - pl.col("back")
    ).all()
    broken = kept.filter(~is_whole.over("segment"))
    if broken.height:
        raise ValueError(
            f"previous must hold the last {LOOKBACK_ROWS} rows of a series, or all since it started; it lacks some of"
            f" {broken.row(0)[: len(key)]}"
        )
    return kept


def _resume(segments: Segments, rows: pl.DataFrame) -> None:
    """Write the state that `rows` hold into the segments that go on from them."""
    segment, back = rows["segment"].to_numpy(), rows["back"].to_numpy()
    oldest = rows.group_by("segment").agg(pl.col("latest_price").sort_by("back").last())
    segments.closes[oldest["segment"].to_numpy()] = oldest["latest_price"].to_numpy()[:, np.newaxis]
    segments.closes[segment, LOOKBACK_ROWS - back] = rows["latest_price"].to_numpy()
    segments.history[segment, LOOKBACK_ROWS - back] = rows.select(pl.col(_HISTORY).cast(pl.Float64)).to_numpy()
    last = rows.filter(pl.col("back") == 1)
    lengths = last["carry"].list.len()
    if not (lengths == len(CARRY_COLUMNS)).all():
        raise ValueError(f"carry must hold {len(CARRY_COLUMNS)} values, held {lengths.unique().to_list()}")
    state = np.concatenate(
        [
            last.select(pl.col("bars_count", *_EMAS).cast(pl.Float64)).to_numpy(),
            last["carry"].list.to_array(len(CARRY_COLUMNS)).to_numpy(),
        ],
        axis=1,
    )
    segments.level[last["segment"].to_numpy(), : CARRY + len(CARRY_COLUMNS)] = state
