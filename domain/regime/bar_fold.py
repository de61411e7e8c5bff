"""The fold that judges each price by what was accepted before it.

What belongs here: plain arrays in, verdicts out, one pass in time order. What does not: frames, rules on single rows.

Incident: every token of one chain was 89,000 times too dear for 74 hours after a backfill in another quote unit. No
bar was odd by itself, so the comparison is with the last *accepted* close and across the tokens of the chain.
"""

import numpy as np
import numpy.typing as npt
from numba import njit

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

ACCEPTED, PRICE_JUMP, UNIT_STEP = 0, 1, 2


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
    limits: FloatArray,
) -> tuple[npt.NDArray[np.int8], FloatArray, IntArray]:
    """Verdict on each bar, in time order, against the last accepted close of its series.

    A slice holds the bars of one chain, timeframe and timestamp. Ratio = close / last accepted close. In a slice,
    ratios above `min_ratio` (or below its inverse) that agree with their median within `tolerance` are a unit step
    when there are at least `min_tokens` of them and at least `min_share` of the series that have a last close. A
    stepped series stays refused while its ratio is within `hold_factor` of the step, or still beyond `min_ratio` on its
    side: a recorded step faded over days, and was wrong until the end. Otherwise a bar is a price jump
    when high / last close > `max_jump` or low / last close < 1 / `max_jump`; without a last close, its own open
    stands in for it, and during a step of its chain it is refused, since nothing says which unit it is in.

    Parameters
    ----------
    slice_starts : ndarray of shape (n_slices + 1,)
        First row of each slice, and the number of rows.
    series : ndarray of shape (n_rows,)
        Index of the row's series, in 0 .. n_series - 1; at most once in a slice.
    prices : ndarray of shape (n_rows, 4), finite and > 0
        Open, high, low, close in USD.
    at : ndarray of shape (n_rows,)
        Open of the bar; ascending within a series.
    forced : ndarray of shape (n_rows,)
        Rows to accept whatever they look like.
    anchor, anchor_at, step : ndarray of shape (n_series,)
        Last accepted close (NaN when there is none), its time, and the ratio of the step under way (NaN when there
        is none). Carried forward in place.
    limits : ndarray of shape (6,)
        max_jump, min_tokens, min_share, min_ratio, tolerance, hold_factor.

    Returns
    -------
    verdict : ndarray of shape (n_rows,)
        ACCEPTED, PRICE_JUMP or UNIT_STEP.
    reference, reference_at : ndarray of shape (n_rows,)
        Last accepted close (NaN when there was none) and its time, as they were when the row was judged.
    """
    n_rows = series.size
    verdict = np.zeros(n_rows, dtype=np.int8)
    reference = np.empty(n_rows)
    reference_at = np.empty(n_rows, dtype=np.int64)
    for k in range(slice_starts.size - 1):
        lo, hi = slice_starts[k], slice_starts[k + 1]
        for i in range(lo, hi):
            reference[i], reference_at[i] = anchor[series[i]], anchor_at[series[i]]
        ratio = prices[lo:hi, 3] / reference[lo:hi]
        stepping = _unit_step(ratio, limits)
        chain_steps = stepping.any()
        for i in range(lo, hi):
            s, r = series[i], ratio[i - lo]
            held = is_held(r, step[s], limits)
            if not forced[i]:
                if stepping[i - lo] and not held:
                    step[s] = r
                if stepping[i - lo] or held or (np.isnan(r) and chain_steps):
                    verdict[i] = UNIT_STEP
                    continue
                base = prices[i, 0] if np.isnan(reference[i]) else reference[i]
                if prices[i, 1] > limits[0] * base or prices[i, 2] * limits[0] < base:
                    verdict[i] = PRICE_JUMP
                    continue
            anchor[s], anchor_at[s], step[s] = prices[i, 3], at[i], np.nan
    return verdict, reference, reference_at


@njit(cache=True)
def is_held(ratio: float, step: float, limits: FloatArray) -> bool:
    """Whether a series is still on its step; False while either number is NaN."""
    is_near = ratio <= step * limits[5] and ratio * limits[5] >= step
    is_beyond = ratio > limits[3] if step > 1.0 else ratio * limits[3] < 1.0
    return is_near or (is_beyond and not np.isnan(step))


@njit(cache=True)
def _unit_step(ratio: FloatArray, limits: FloatArray) -> BoolArray:
    """Which ratios of one slice are a simultaneous step; NaN ratios (no last close) never are, and are not counted."""
    stepping = np.zeros(ratio.size, dtype=np.bool_)
    n_known = np.count_nonzero(~np.isnan(ratio))
    needed = max(limits[1], limits[2] * n_known)
    if n_known < needed:
        return stepping
    for is_up in (True, False):
        side = ratio > limits[3] if is_up else ratio * limits[3] < 1.0
        if np.count_nonzero(side) < needed:
            continue
        median = np.median(ratio[side])
        agreeing = side & (np.abs(ratio / median - 1.0) <= limits[4])
        if np.count_nonzero(agreeing) >= needed:
            stepping |= agreeing
    return stepping
