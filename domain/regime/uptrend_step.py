"""One bar of the uptrend engine, and its fold over a series: the same compiled step, batch or live.

Order inside a bar: the state moves, then scores and gates are computed for the *new* state, then the flags. Nothing
is carried from bar to bar but `Memory`, so a bar evaluated twice from the same memory gives the same row.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from domain.regime.trend_decay import WINDOW_CAP_BARS, trend_decay
from domain.regime.uptrend_bar import (
    Bar,
    DecayColumns,
    EmaStack,
    FloatArray,
    SignalColumns,
    StackColumns,
    UptrendParams,
)
from domain.regime.uptrend_gate import (
    BUY_SIGNAL_GATES,
    DISCOUNT_BUY_GATES,
    FIRST_DIP_GATES,
    RETEST_BUY_GATES,
    TRIM_GATES,
    has_gates,
    passed_gates,
)
from domain.regime.uptrend_score import (
    decayed_overextension,
    discount,
    is_level_near,
    overextension_base,
    sr_boost,
    trend_strength,
)
from domain.regime.uptrend_state import S0, S1, S2, S3, S4, next_state
from domain.vocabulary.uptrend import UptrendFlag

NO_TIME = np.iinfo(np.int64).min

FLAGS = tuple(UptrendFlag)
"""Flag of each bit of the code `FLAG_MASK`, lowest first."""
BUY_SIGNAL, BUY, FIRST_DIP_BUY, TRIM, EMERGENCY_EXIT, RECLAIMED_EMA333, EXIT_POSITION = (1 << bit for bit in range(7))

CODES = 7
STATE, PREVIOUS_STATE, BOOTSTRAPPED, S3_START, BARS_SINCE_S3, FLAG_MASK, GATE_MASK = range(CODES)
SCORES = 6
TS, TS_WITH_BOOST, SR_BOOST, OX, DX, EDX = range(SCORES)


class Memory(NamedTuple):
    """All that one bar leaves to the next. Times in microseconds of the Unix epoch, `NO_TIME` outside S3."""

    state: int
    bootstrapped: bool
    s3_start: int
    is_emergency: bool


class Scores(NamedTuple):
    """Scores of one bar, NaN where its state has none."""

    ts: float
    ts_with_boost: float
    sr_boost: float
    ox: float
    dx: float
    edx: float


class SeriesPlan(NamedTuple):
    """What to evaluate of each series, and what the bar before it left; every column of shape (n_series,).

    Series `s` stands in rows [first, stop) of the panel, its new bars from `first_new`, its levels in rows
    [level_first, level_stop) of the levels. `state` is `NO_STATE` and `s3_start` is `NO_TIME` where there is none.
    """

    first: NDArray[np.int64]
    first_new: NDArray[np.int64]
    stop: NDArray[np.int64]
    level_first: NDArray[np.int64]
    level_stop: NDArray[np.int64]
    bar_us: NDArray[np.int64]
    state: NDArray[np.int64]
    bootstrapped: NDArray[np.bool_]
    s3_start: NDArray[np.int64]
    is_emergency: NDArray[np.bool_]


class Panel(NamedTuple):
    """Bars of many series one after the other, each oldest first; every column of shape (n_bars,).

    `at` is the bar's open in microseconds of the Unix epoch.
    """

    stack: StackColumns
    signal: SignalColumns
    decay: DecayColumns
    at: NDArray[np.int64]


@njit(cache=True, error_model="numpy")
def moved(memory: Memory, stack: EmaStack, at: int, is_warm: bool) -> Memory:
    """Memory after the bar that opened at `at`; a bar that is not warm forgets everything and stands in S4."""
    if not is_warm:
        return Memory(S4, False, NO_TIME, False)
    state = next_state(memory.state, stack)
    is_bearish_exit = memory.state == S1 and state == S0
    if state != S3:
        return Memory(state, False, NO_TIME, is_bearish_exit)
    is_emergency = stack.price < stack.ema333
    if memory.state == S3:
        return Memory(S3, memory.bootstrapped, memory.s3_start, is_emergency)
    return Memory(S3, memory.state != S2, at, is_emergency)  # S2 is the only way into S3 but the bootstrap


@njit(cache=True, error_model="numpy")
def scored(
    state: int, bar: Bar, edx: float, level_price: FloatArray, level_strength: FloatArray, params: UptrendParams
) -> Scores:
    """Scores that a state has: TS in S0..S3, the boost in S1..S3, OX in S2 and S3, DX and EDX in S3."""
    none = math.nan
    if state == S4:
        return Scores(none, none, none, none, none, none)
    ts = trend_strength(bar.rsi_slope_10, bar.adx_slope_10)
    if state == S0:
        return Scores(ts, none, none, none, none, none)
    anchor = bar.stack.ema60 if state == S1 else bar.stack.ema333
    boost = sr_boost(anchor, bar.atr, level_price, level_strength, params)
    if state == S1:
        return Scores(ts, ts + boost, boost, none, none, none)
    ox = overextension_base(bar, params)
    if state == S2:
        return Scores(ts, ts + boost, boost, ox, none, none)
    return Scores(ts, ts + boost, boost, decayed_overextension(ox, edx), discount(bar, edx, params), edx)


@njit(cache=True, error_model="numpy")
def raised_flags(before: Memory, after: Memory, stack: EmaStack, gates: int) -> int:
    """Bit mask of the flags of a bar, from the states around it and the gates it passed."""
    flags = 0
    if after.state == S1:
        flags |= BUY_SIGNAL * has_gates(gates, BUY_SIGNAL_GATES)
    elif after.state == S2:
        flags |= BUY * has_gates(gates, RETEST_BUY_GATES) | TRIM * has_gates(gates, TRIM_GATES)
    elif after.state == S3:
        flags |= BUY * has_gates(gates, DISCOUNT_BUY_GATES) | TRIM * has_gates(gates, TRIM_GATES)
        flags |= FIRST_DIP_BUY * has_gates(gates, FIRST_DIP_GATES)
        is_back = before.state == S3 and before.is_emergency and stack.price >= stack.ema333
        flags |= RECLAIMED_EMA333 * is_back
    elif after.state == S0:
        flags |= EXIT_POSITION * (before.state == S1 or before.state == S2 or before.state == S3)
    return flags | EMERGENCY_EXIT * after.is_emergency


@njit(cache=True, error_model="numpy")
def step(
    before: Memory,
    after: Memory,
    bar: Bar,
    edx: float,
    bars_since_s3: int,
    level_price: FloatArray,
    level_strength: FloatArray,
    params: UptrendParams,
) -> tuple[int, int, Scores]:
    """Compute flags, gates and scores of one bar.

    Parameters
    ----------
    before, after : Memory
        What the bar found and what it leaves (`moved`).
    bar : Bar
        The bar.
    edx : float
        Trend decay at the bar; NaN outside S3.
    bars_since_s3 : int
        Whole bars since S3 began; unused outside S3.
    level_price, level_strength : ndarray of shape (n_levels,)
        Support and resistance of the series.
    params : UptrendParams
        Thresholds.

    Returns
    -------
    tuple
        Flag mask, gate mask, `Scores`.
    """
    state = after.state
    scores = scored(state, bar, edx, level_price, level_strength, params)
    is_near_level = is_level_near(bar.stack.price, bar.atr, level_price, params)
    is_on_a_flip = (before.state == S1 and state == S2) or (before.state == S2 and state == S1)
    gates = passed_gates(
        state,
        bar,
        scores.ts_with_boost,
        scores.ox,
        scores.dx,
        scores.edx,
        is_near_level,
        is_on_a_flip,
        bars_since_s3,
        after.bootstrapped,
        params,
    )
    return raised_flags(before, after, bar.stack, gates), gates, scores


@njit(cache=True, error_model="numpy")
def fold_series(
    panel: Panel,
    first: int,
    first_new: int,
    stop: int,
    before: Memory,
    bar_us: int,
    level_price: FloatArray,
    level_strength: FloatArray,
    params: UptrendParams,
    pivots: NDArray[np.int64],
    codes: NDArray[np.int64],
    scores: FloatArray,
) -> Memory:
    """Evaluate the rows [first_new, stop) of one series; those from `first` are only read by the trend decay.

    `codes` and `scores` receive a row a bar from row 0 on; returns what the last bar leaves.
    """
    price, ema20, ema30, ema60, ema144, ema250, ema333, bars_count = panel.stack
    slope20, slope60, slope144, slope250, slope333, turn144, fast, mid, atr, mean, rsi, adx, turn, vo_z = panel.signal
    decay, at = panel.decay, panel.at
    s3_row = first + int(np.searchsorted(at[first:stop], before.s3_start))
    for i in range(first_new, stop):
        emas = EmaStack(price[i], ema20[i], ema30[i], ema60[i], ema144[i], ema250[i], ema333[i])
        slopes = (slope20[i], slope60[i], slope144[i], slope250[i], slope333[i], turn144[i])
        bar = Bar(emas, *slopes, fast[i], mid[i], atr[i], mean[i], rsi[i], adx[i], turn[i], vo_z[i])
        after = moved(before, emas, at[i], bars_count[i] >= params.min_bars)
        edx, bars_since_s3 = math.nan, 0
        if after.state == S3:
            s3_row = s3_row if before.state == S3 else i
            edx = trend_decay(decay, s3_row, i, pivots)
            bars_since_s3 = (at[i] - after.s3_start) // bar_us
        flags, gates, score = step(before, after, bar, edx, bars_since_s3, level_price, level_strength, params)
        row = i - first_new
        codes[row] = (after.state, before.state, int(after.bootstrapped), after.s3_start, bars_since_s3, flags, gates)
        scores[row] = score
        before = after
    return before


@njit(cache=True, error_model="numpy", nogil=True)
def fold_panel(
    panel: Panel,
    plan: SeriesPlan,
    level_price: FloatArray,
    level_strength: FloatArray,
    params: UptrendParams,
    codes: NDArray[np.int64],
    scores: FloatArray,
) -> None:
    """Evaluate the new bars of every series. Linear in bars, times at most 500 per bar in S3. Releases the GIL.

    Parameters
    ----------
    panel : Panel
        New bars and the bars before them.
    plan : SeriesPlan
        Where each series stands and what the bar before it left.
    level_price, level_strength : ndarray of shape (n_levels,)
        Support and resistance of all series, in force for all new bars of theirs.
    params : UptrendParams
        Thresholds.
    codes, scores : ndarray of shape (n_new, 7), int64, and (n_new, 6), float64
        Receive a row a new bar, series after series; columns as named in this module, NaN where there is no score.
    """
    pivots = np.empty(WINDOW_CAP_BARS, np.int64)
    done = 0
    for k in range(plan.first.size):
        until = done + plan.stop[k] - plan.first_new[k]
        levels = slice(plan.level_first[k], plan.level_stop[k])
        fold_series(
            panel,
            plan.first[k],
            plan.first_new[k],
            plan.stop[k],
            Memory(plan.state[k], plan.bootstrapped[k], plan.s3_start[k], plan.is_emergency[k]),
            plan.bar_us[k],
            level_price[levels],
            level_strength[levels],
            params,
            pivots,
            codes[done:until],
            scores[done:until],
        )
        done = until
