"""EDX, the decay of a trend since its S3 began: 0 = fresh, .5 = nothing to tell, 1 = spent.

Read over the bars of the S3 episode, at most the last 500. From 30 bars on they are split into three disjoint
thirds, so that "decay speeds up" compares different bars. EMAs, slopes, RSI and ADX come from the stored series; only
the AVWAP and the swings belong to the window. No state and no price level belongs here.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from domain.regime.uptrend_bar import DecayColumns
from domain.regime.uptrend_score import clamp, sigmoid
from domain.regime.zigzag import zigzag_pivots

WINDOW_CAP_BARS = 500
NEUTRAL_BELOW_BARS = 10
THIRDS_FROM_BARS = 30
COMPRESSION_FROM_BARS = 144
SLOPE_BARS = 10
SLOW_FIELD_BARS = 20
_SLOPE_NORM = SLOPE_BARS * (SLOPE_BARS**2 - 1) / 12.0  # sum of squared distances from the middle of ten bars

DECAY_WEIGHTS = (0.30 / 0.85, 0.25 / 0.85, 0.20 / 0.85, 0.10 / 0.85)
"""Weights of slow field, structure, participation, compression; they sum to 1."""


@njit(cache=True, error_model="numpy")
def slow_field_decay(columns: DecayColumns, first: int, stop: int) -> float:
    """1 minus the strength of the slow EMAs (mean norm slope of the last 20 bars), RSI slope and ADX slope."""
    total = 0.0
    bars = min(SLOW_FIELD_BARS, stop - first)
    for i in range(stop - bars, stop):
        total += 0.5 * (columns.ema250_slope[i] + columns.ema333_slope[i])
    strength = sigmoid(1000.0 * total / bars)
    strength += sigmoid(columns.rsi_slope_10[stop - 1] / 5.0)
    strength += sigmoid(columns.adx_slope_10[stop - 1] / 2.0)
    return 1.0 - strength / 3.0


@njit(cache=True, error_model="numpy")
def structure_decay(columns: DecayColumns, first: int, stop: int, pivots: NDArray[np.int64]) -> float:
    """Share of swings that are lower than the swing of their kind before; .5 below four pivots.

    A swing equal to the one before is no evidence and is left out.
    """
    count = zigzag_pivots(columns.close, columns.high, columns.low, columns.atr, first, stop, pivots)
    if count < 4:
        return 0.5
    higher, lower = 0, 0
    for k in range(2, count):  # pivots alternate, so the one before of the same kind is two back
        change = columns.close[pivots[k]] - columns.close[pivots[k - 2]]
        higher += change > 0.0
        lower += change < 0.0
    return 0.5 if higher + lower == 0 else lower / (higher + lower)


@njit(cache=True, error_model="numpy")
def participation_decay(columns: DecayColumns, first: int, stop: int) -> float:
    """Whether the volume-weighted price since `first` falls: sig(-1000 x its 10-bar slope / its last value)."""
    paid, volume, moment = 0.0, 0.0, 0.0
    avwap = columns.close[first]
    for i in range(first, stop):
        paid += columns.close[i] * columns.volume[i]
        volume += columns.volume[i]
        if volume != 0.0:  # before the first traded bar the value is the first close
            avwap = paid / volume
        place = i - (stop - SLOPE_BARS)
        if place >= 0:
            moment += (place - 0.5 * (SLOPE_BARS - 1)) * avwap
    return sigmoid(-1000.0 * moment / _SLOPE_NORM / avwap)


@njit(cache=True, error_model="numpy")
def compression_decay(columns: DecayColumns, first: int, stop: int) -> float:
    """Whether EMA144 and EMA250 close in on EMA333: sig(-100 x mean 10-bar slope of their gaps); .5 below 144 bars."""
    if stop - first < COMPRESSION_FROM_BARS:
        return 0.5
    moment = 0.0
    for place in range(SLOPE_BARS):
        i = stop - SLOPE_BARS + place
        slow = columns.ema333[i]
        gap = 0.5 * ((columns.ema144[i] - slow) / slow + (columns.ema250[i] - slow) / slow)
        moment += (place - 0.5 * (SLOPE_BARS - 1)) * gap
    return sigmoid(-100.0 * moment / _SLOPE_NORM)


@njit(cache=True, error_model="numpy")
def _part_scores(
    columns: DecayColumns, first: int, stop: int, pivots: NDArray[np.int64]
) -> tuple[float, float, float, float]:
    return (
        slow_field_decay(columns, first, stop),
        structure_decay(columns, first, stop, pivots),
        participation_decay(columns, first, stop),
        compression_decay(columns, first, stop),
    )


@njit(cache=True, error_model="numpy")
def accelerated(oldest: float, middle: float, newest: float) -> float:
    """One value of three thirds: decay that rises throughout leans on the newest third, else the mean counts."""
    if newest > middle:
        if middle > oldest:
            return 0.2 * oldest + 0.3 * middle + 0.5 * newest
        return 0.3 * middle + 0.7 * newest
    return (oldest + middle + newest) / 3.0


@njit(cache=True, error_model="numpy")
def trend_decay(columns: DecayColumns, first: int, last: int, pivots: NDArray[np.int64]) -> float:
    """EDX at bar `last` of an S3 episode that began at bar `first`.

    Parameters
    ----------
    columns : DecayColumns
        Columns of one series, oldest bar first. Rows after `last` are not read.
    first, last : int
        Rows of the first and the current bar of the episode, both inclusive; only the last 500 bars count.
    pivots : ndarray of shape (>= 500,), int64
        Scratch space, overwritten.

    Returns
    -------
    float
        In [0, 1]; .5 below ten bars, NaN when an input in the window is NaN.
    """
    first = max(first, last + 1 - WINDOW_CAP_BARS)
    stop = last + 1
    bars = stop - first
    if bars < NEUTRAL_BELOW_BARS:
        return 0.5
    if bars < THIRDS_FROM_BARS:
        one = _part_scores(columns, first, stop, pivots)
        return _weighted(one[0], one[1], one[2], one[3])
    third = bars // 3
    old = _part_scores(columns, first, stop - 2 * third, pivots)
    mid = _part_scores(columns, stop - 2 * third, stop - third, pivots)
    new = _part_scores(columns, stop - third, stop, pivots)
    return _weighted(
        accelerated(old[0], mid[0], new[0]),
        accelerated(old[1], mid[1], new[1]),
        accelerated(old[2], mid[2], new[2]),
        accelerated(old[3], mid[3], new[3]),
    )


@njit(cache=True, error_model="numpy")
def _weighted(slow_field: float, structure: float, participation: float, compression: float) -> float:
    total = DECAY_WEIGHTS[0] * slow_field + DECAY_WEIGHTS[1] * structure
    return clamp(total + DECAY_WEIGHTS[2] * participation + DECAY_WEIGHTS[3] * compression, 0.0, 1.0)
