"""Technical indicators of every series, one row a bar: EMAs, slopes, separations, ATR, RSI, ADX, volume z-score.

What belongs here: bars in, indicator rows out, each key a series of its own. What does not: the arithmetic
(`indicator_kernel`), where a series restarts (`indicator_segment`), and the states and scores read from the columns.

A row is a function of its bar and of the LOOKBACK_ROWS rows before it, so a year in one call and the same year bar by
bar give the same bits. Conventions and reasons: docs/decisions/0003-indicator-conventions.md.
"""

from collections.abc import Sequence

import numpy as np
import polars as pl

from domain.config.indicator import IndicatorConfig
from domain.regime.indicator_kernel import CARRY_COLUMNS, LOOKBACK_ROWS, PANEL_COLUMNS, advance_segments
from domain.regime.indicator_segment import BAR_VALUES, checked_bars, segment_bars

__all__ = ["CARRY_LENGTH", "LOOKBACK_ROWS", "TA_COLUMNS", "TA_SCHEMA", "indicator_frame"]

CARRY_LENGTH = len(CARRY_COLUMNS)
"""Values in `carry`, named by `indicator_kernel.CARRY_COLUMNS`."""

_VALUE_COLUMNS = (
    *("ema20", "ema30", "ema50", "ema60", "ema144", "ema250", "ema333"),
    *("ema20_slope", "ema60_slope", "ema144_slope", "ema250_slope", "ema333_slope"),
    *("d_ema60_slope", "d_ema144_slope", "d_ema250_slope", "d_ema333_slope"),
    *("sep_fast", "sep_mid", "dsep_fast_5", "dsep_mid_5"),
    *("atr", "atr_norm", "atr_mean_20", "atr_peak_10"),
    *("rsi", "rsi_slope_10", "adx", "adx_slope_10", "vo_z", "vo_z_cluster"),
)
TA_SCHEMA = pl.Schema(
    {
        "bars_count": pl.Int32(),
        "warm": pl.Boolean(),
        "latest_price": pl.Float64(),
        **dict.fromkeys(_VALUE_COLUMNS, pl.Float64()),
        "vo_z_cluster": pl.Boolean(),
        "carry": pl.List(pl.Float64()),
    }
)
TA_COLUMNS = tuple(TA_SCHEMA.names())
"""Columns of an indicator row after its key and timestamp."""

_PICKED_COLUMNS = tuple(PANEL_COLUMNS.index(name) for name in _VALUE_COLUMNS)


def indicator_frame(
    bars: pl.DataFrame, previous: pl.DataFrame | None, *, key: Sequence[str], config: IndicatorConfig
) -> pl.DataFrame:
    """Compute the indicator rows of new closed bars.

    Parameters
    ----------
    bars : DataFrame
        `key`, timestamp (the open, UTC), high_usd, low_usd, close_usd, volume; other columns are ignored. Any order.
        Accepted bars: no NaN, prices > 0, volume >= 0, one row a key and timestamp.
    previous : DataFrame or None
        `key`, timestamp and TA_COLUMNS: of each series the last LOOKBACK_ROWS rows before its first new bar, or all
        since its start; more are ignored. A series without rows here starts at its first bar.
    key : sequence of str
        Columns that name a series; timeframe is one of them.
    config : IndicatorConfig
        `max_gap_bars` bars missing may be skipped, a longer hole restarts the series; `warm_bars` sets `warm`.

    Returns
    -------
    DataFrame
        `key`, timestamp, TA_COLUMNS, one row a new bar, sorted by key and timestamp. Null where a value is not defined
        yet; it is from bar 10 of the series on for slopes, 20 for their deltas, 6 for dsep, 15 for ATR, its ratio and
        RSI, 16 for ADX, 24 for ATR peak and RSI slope, 25 for ADX slope, 30 for vo_z_cluster, 34 for the ATR mean.
        EMAs, ATR and latest_price are in the unit of the price; slopes are fractions of the EMA per bar, separations
        fractions, RSI and ADX 0..100 and their slopes points per bar, vo_z standard deviations in [-4, 6].

    Raises
    ------
    ValueError
        If a column is missing, a timeframe is unknown, a value is not acceptable, a bar stands twice, or `previous`
        does not end before the bars or lacks rows.
    """
    ordered = checked_bars(bars, key)
    segments = segment_bars(ordered, previous, key, config.max_gap_bars).longest_first()
    prices = np.stack([ordered[name].to_numpy() for name in BAR_VALUES])
    values = np.empty((len(_VALUE_COLUMNS), ordered.height))
    count, carry = np.empty(ordered.height, np.int32), np.empty((ordered.height, CARRY_LENGTH))
    advance_segments(
        prices,
        segments.starts,
        segments.lengths,
        segments.level,
        segments.closes,
        segments.history,
        np.array(_PICKED_COLUMNS),
        values,
        count,
        carry,
        is_full=True,
    )
    columns = [pl.Series(name, column, nan_to_null=True) for name, column in zip(_VALUE_COLUMNS, values, strict=True)]
    results = pl.DataFrame(
        [*columns, pl.Series("bars_count", count), pl.Series("carry", carry, dtype=pl.Array(pl.Float64, CARRY_LENGTH))]
    ).with_columns(
        pl.col("vo_z_cluster").cast(pl.Boolean),
        pl.col("carry").arr.to_list(),
        warm=pl.col("bars_count") >= config.warm_bars,
    )
    named = ordered.select(*key, "timestamp", latest_price="close_usd")
    return pl.concat([named, results], how="horizontal").select(*key, "timestamp", *TA_COLUMNS)
