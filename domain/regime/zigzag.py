"""Zigzag swings on closes, sized in ATR. Only the trend decay reads them.

A leg reverses when the close has come back `REVERSAL_ATR` average true ranges from the leg's extreme close, or the
bar's wick a quarter ATR less than that; the ATR is the one at the extreme. The extreme must be 3 bars old and stand at
least 4 bars after the pivot before it. In a very quiet series (mean ATR under 0.3 % of price) the size grows by .2.

A new leg starts from the bar that declared it, the first leg too: bars from before a direction existed say nothing
about its extreme. Where the ATR is not positive nothing has a size, hence nothing reverses.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from domain.regime.uptrend_bar import FloatArray

REVERSAL_ATR = 1.2
QUIET_REVERSAL_ATR = 1.4
QUIET_ATR_FRAC = 0.003
WICK_RELIEF_ATR = 0.25
BACKSTEP_BARS = 3
MIN_LEG_BARS = 4


@njit(cache=True, error_model="numpy")
def _reversal_atr(close: FloatArray, atr: FloatArray, first: int, stop: int) -> float:
    total = 0.0
    for i in range(first, stop):
        total += atr[i] / close[i]
    return QUIET_REVERSAL_ATR if total / (stop - first) < QUIET_ATR_FRAC else REVERSAL_ATR


@njit(cache=True, error_model="numpy")
def _first_move(close: FloatArray, threshold: float, first: int, stop: int) -> tuple[int, int]:
    """Row of the first close a threshold away from the first one and the side it lies on; `stop` if there is none."""
    if threshold > 0.0:
        for i in range(first + 1, stop):
            move = close[i] - close[first]
            if abs(move) >= threshold:
                return i, 1 if move > 0.0 else -1
    return stop, 0


@njit(cache=True, error_model="numpy")
def zigzag_pivots(
    close: FloatArray,
    high: FloatArray,
    low: FloatArray,
    atr: FloatArray,
    first: int,
    stop: int,
    pivots: NDArray[np.int64],
) -> int:
    """Rows of the swing highs and lows inside [first, stop), oldest first, high and low in turn.

    Parameters
    ----------
    close, high, low, atr : ndarray of shape (n_bars,)
        One series, oldest bar first, price units. NaN never reverses a leg.
    first, stop : int
        Half-open window; `first` is the first pivot as soon as a direction exists.
    pivots : ndarray of shape (>= stop - first,), int64
        Receives the rows.

    Returns
    -------
    int
        Number of pivots written; 0 when no close moves far enough.
    """
    size = _reversal_atr(close, atr, first, stop)
    extreme, side = _first_move(close, size * atr[first], first, stop)
    if side == 0:
        return 0
    pivots[0] = first
    count = 1
    for i in range(extreme + 1, stop):
        if side * (close[i] - close[extreme]) > 0.0:
            extreme = i
            continue
        if i - extreme < BACKSTEP_BARS or extreme - pivots[count - 1] < MIN_LEG_BARS:
            continue
        unit = atr[extreme]
        wick = low[i] if side > 0 else high[i]
        come_back = side * (close[extreme] - close[i]) >= size * unit
        wick_back = side * (close[extreme] - wick) >= (size - WICK_RELIEF_ATR) * unit
        if unit > 0.0 and (come_back or wick_back):
            pivots[count] = extreme
            count += 1
            side = -side
            extreme = i
    if stop - 1 - extreme >= BACKSTEP_BARS and extreme - pivots[count - 1] >= MIN_LEG_BARS:
        pivots[count] = extreme
        count += 1
    return count
