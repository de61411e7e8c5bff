"""The fold that judges each price by what was accepted before it.

What belongs here: plain arrays in, verdicts out, one pass in time order. What does not: frames, rules on single rows.

Incident: every token of one chain was 89,000 times too dear for 74 hours after a backfill in another quote unit. No
bar was odd by itself, so the comparison is with the last *accepted* close and across the tokens of the chain.
Another, found in review: a lone series that jumped x25 was let in again at x19, so a lone jump is held like a step.
"""

import numpy as np
import numpy.typing as npt
from numba import njit

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

ACCEPTED, PRICE_JUMP, UNIT_STEP, GAVE_WAY = 0, 1, 2, 3


@njit(cache=True)
def judge_jumps(
    slice_starts: IntArray,
    series: IntArray,
    prices: FloatArray,
    at: IntArray,
    forced: BoolArray,
    anchor: FloatArray,
    anchor_at: IntArray,
    step: FloatArray,
    is_lone: BoolArray,
    limits: FloatArray,
) -> tuple[npt.NDArray[np.int8], FloatArray, IntArray]:
    """Verdict on each row, in time order, against the last accepted close of its series.

    A slice holds the bars of one chain, timeframe and timestamp. Ratio = close / last accepted close. In a slice,
    ratios above `min_ratio` (or below its inverse) that agree with their median within `tolerance` are a unit step
    when there are at least `min_tokens` of them and at least `min_share` of the series that have a last close.
    Otherwise a bar is a price jump when high / last close > `max_jump` or low / last close < 1 / `max_jump`; without a
    last close, its own open stands in for it, and during a step of its chain it is refused, since nothing says which
    unit it is in.

    A series that stepped or jumped is held there: it stays refused, for the same reason, while its ratio is within
    `hold_factor` of the first one, or beyond the smaller of `min_ratio` and `max_jump` on either side. A recorded step
    faded over days, and was wrong until the end. A bar that closes within these limits and jumps in its wick alone
    holds nothing.

    Where rows of one bar compete, the first that is not refused is accepted, and what comes after it gave way; if all
    are refused, the first stands for the bar and the others gave way.

    Parameters
    ----------
    slice_starts : ndarray of shape (n_slices + 1,)
        First row of each slice, and the number of rows.
    series : ndarray of shape (n_rows,)
        Index of the row's series, in 0 .. n_series - 1. Rows of one bar stand next to each other, preferred first.
    prices : ndarray of shape (n_rows, 4), finite and > 0
        Open, high, low, close in USD.
    at : ndarray of shape (n_rows,)
        Open of the bar; ascending within a series.
    forced : ndarray of shape (n_rows,)
        Rows to accept whatever they look like; of several in one bar, the first.
    anchor, anchor_at, step, is_lone : ndarray of shape (n_series,)
        Last accepted close (NaN when there is none), its time, the ratio of the step or jump under way (NaN when there
        is none), and whether it is a jump of this series alone. Carried forward in place.
    limits : ndarray of shape (6,)
        max_jump, min_tokens, min_share, min_ratio, tolerance, hold_factor.

    Returns
    -------
    verdict : ndarray of shape (n_rows,)
        ACCEPTED, PRICE_JUMP, UNIT_STEP or GAVE_WAY.
    reference, reference_at : ndarray of shape (n_rows,)
        Last accepted close (NaN when there was none) and its time, as they were when the row was judged.
    """
    n_rows = series.size
    verdict = np.full(n_rows, GAVE_WAY, dtype=np.int8)
    reference = np.empty(n_rows)
    reference_at = np.empty(n_rows, dtype=np.int64)
    for k in range(slice_starts.size - 1):
        lo, hi = slice_starts[k], slice_starts[k + 1]
        for i in range(lo, hi):
            reference[i], reference_at[i] = anchor[series[i]], anchor_at[series[i]]
        held, alone = step[series[lo:hi]], is_lone[series[lo:hi]]
        speaks = _judge_slice(
            verdict[lo:hi], series[lo:hi], prices[lo:hi], reference[lo:hi], forced[lo:hi], held, alone, limits
        )
        for i in lo + np.flatnonzero(speaks):
            s, ratio = series[i], prices[i, 3] / reference[i]
            if verdict[i] == ACCEPTED:
                anchor[s], anchor_at[s], step[s], is_lone[s] = prices[i, 3], at[i], np.nan, False
            elif np.isnan(step[s]) and _is_beyond(ratio, limits):
                step[s], is_lone[s] = ratio, verdict[i] == PRICE_JUMP
    return verdict, reference, reference_at


@njit(cache=True)
def _judge_slice(
    verdict: npt.NDArray[np.int8],
    series: IntArray,
    prices: FloatArray,
    last: FloatArray,
    forced: BoolArray,
    step: FloatArray,
    is_lone: BoolArray,
    limits: FloatArray,
) -> BoolArray:
    """Write the verdicts of one slice, and give the row that speaks for each bar.

    Every bar puts forward its first row, and while that is refused the next one; who has no more goes back to its first
    for good. Steps are counted among the rows put forward, until none moves: those alone, loaded again, are judged the
    same.
    """
    ratio = prices[:, 3] / last
    speaks, first = _put_forward(series, forced)
    is_back = np.zeros(series.size, dtype=np.bool_)
    while True:
        stepping = _unit_step(ratio, speaks, limits)
        chain_steps, has_moved = bool(stepping.any()), False
        for row in np.flatnonzero(speaks):
            verdict[row] = ACCEPTED
            if not forced[row]:
                steps = stepping[row] or (chain_steps and np.isnan(ratio[row]))
                verdict[row] = UNIT_STEP if steps else _verdict(prices[row], last[row], step[row], is_lone[row], limits)
            begin, after = first[row], row + 1
            if verdict[row] == ACCEPTED or is_back[begin]:
                continue
            if after < series.size and first[after] == begin:
                speaks[row], speaks[after], has_moved = False, True, True
            elif row > begin:
                speaks[row], speaks[begin], has_moved = False, True, True
                verdict[begin:after], is_back[begin] = GAVE_WAY, True
        if not has_moved:
            return speaks


@njit(cache=True)
def _put_forward(series: IntArray, forced: BoolArray) -> tuple[BoolArray, IntArray]:
    """Row that speaks for each bar to begin with, a forced one if there is one; and the first row of each row's bar."""
    speaks = np.zeros(series.size, dtype=np.bool_)
    first = np.zeros(series.size, dtype=np.int64)
    spokesman = 0
    for row in range(series.size):
        is_first = row == 0 or series[row] != series[row - 1]
        first[row] = row if is_first else first[row - 1]
        if is_first:
            speaks[row], spokesman = True, row
        elif forced[row] and not forced[spokesman]:
            speaks[spokesman], speaks[row], spokesman = False, True, row
    return speaks, first


@njit(cache=True)
def _is_beyond(ratio: float, limits: FloatArray) -> bool:
    """Whether a close is too far from the last accepted one to be a return to it; False for NaN."""
    back = min(limits[0], limits[3])
    return bool(ratio > back or ratio * back < 1.0)


@njit(cache=True)
def _is_held(ratio: float, step: float, limits: FloatArray) -> bool:
    """Whether a series is still away on its step or jump; False while either number is NaN."""
    is_near = ratio <= step * limits[5] and ratio * limits[5] >= step
    return is_near or (not np.isnan(step) and _is_beyond(ratio, limits))


@njit(cache=True)
def _verdict(price: FloatArray, last: float, step: float, is_lone: bool, limits: FloatArray) -> int:
    """Verdict on one row by its own series."""
    if _is_held(price[3] / last, step, limits):
        return PRICE_JUMP if is_lone else UNIT_STEP
    base = price[0] if np.isnan(last) else last
    return PRICE_JUMP if price[1] > limits[0] * base or price[2] * limits[0] < base else ACCEPTED


@njit(cache=True)
def _unit_step(ratio: FloatArray, speaks: BoolArray, limits: FloatArray) -> BoolArray:
    """Which ratios of one slice are a simultaneous step; NaN ratios (no last close) never are, and are not counted."""
    stepping = np.zeros(ratio.size, dtype=np.bool_)
    n_known = np.count_nonzero(speaks & ~np.isnan(ratio))
    needed = max(limits[1], limits[2] * n_known)
    if n_known < needed:
        return stepping
    for is_up in (True, False):
        side = speaks & (ratio > limits[3] if is_up else ratio * limits[3] < 1.0)
        if np.count_nonzero(side) < needed:
            continue
        median = np.median(ratio[side])
        agreeing = side & (np.abs(ratio / median - 1.0) <= limits[4])
        if np.count_nonzero(agreeing) >= needed:
            stepping |= agreeing
    return stepping
