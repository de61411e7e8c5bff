"""Equal-weight chained return index over bars of many members, as arrays.

What belongs here: the arithmetic of one index in one timeframe. What does not: drivers, frames, names.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

DAY_US = 86_400_000_000

_NEVER_US = -(2**62)

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


class MemberBars(NamedTuple):
    """Bars of all members in one timeframe, sorted by (at_us, member), each pair once.

    at_us : open, microseconds since the epoch, UTC, shape (n_bars,). member : number of the member, same shape.
    ohlc : USD, finite and > 0, shape (n_bars, 4). volume, coverage : shape (n_bars,), coverage 0..1.
    """

    at_us: IntArray
    member: IntArray
    ohlc: FloatArray
    volume: FloatArray
    coverage: FloatArray


class IndexRows(NamedTuple):
    """One row a timestamp at which any member has a bar; values are NaN where `is_made` is false.

    used : members with a reference, traded or not. traded : those of them with a bar. present : eligible members with
    a bar, with or without a reference. clipped : close returns clipped.
    """

    at_us: IntArray
    ohlc: FloatArray
    volume: FloatArray
    coverage: FloatArray
    used: IntArray
    traded: IntArray
    present: IntArray
    clipped: IntArray
    is_made: NDArray[np.bool_]


class IndexRule(NamedTuple):
    """Length of a bar and of the longest silence bridged (microseconds), clip (natural log), fewest members."""

    bar_us: int
    max_fill_us: int
    max_abs_log_return: float
    min_members: int


def chain_returns(
    bars: MemberBars, eligible: NDArray[np.bool_], *, start_us: int, level: float, rule: IndexRule
) -> IndexRows:
    """Chain the mean return of the eligible members on `level`, from `start_us` on.

    Bars before `start_us` only give references. Formula: ohlc(t) = level(t-1) x mean over used members of
    clip(ohlc_i(t) / reference_i, e^-x, e^x), level(t) = close(t); reference_i = last close of i that closed in
    [t - max_fill, t]; a used member without a bar counts as 1, 1, 1, 1. Every member's terms are ordered low <= open,
    close <= high, and rounding keeps order, so the index bar is ordered too.

    Parameters
    ----------
    bars : MemberBars
        Members numbered 0 .. n_members - 1.
    eligible : ndarray of shape (n_days, n_members)
        Whether a member counts on a UTC day; day 0 is that of `start_us`, and no bar lies after the last one.
    start_us : int
        First open to make, microseconds since the epoch.
    level : float
        Index level before the first bar, > 0.
    rule : IndexRule
        Bar length, fill, clip, minimum.

    Returns
    -------
    IndexRows
        In order of time, all opens >= `start_us`. A NaN volume or coverage of a member stays NaN.

    Raises
    ------
    ValueError
        If the order is wrong or a pair repeated, a price is not finite and > 0, or `level` is not.
    """
    step_us, step_member = np.diff(bars.at_us), np.diff(bars.member)
    if not bool(np.all((step_us > 0) | ((step_us == 0) & (step_member > 0)))):
        raise ValueError("Member bars must be sorted by time and member, with one bar a member and time, were not")
    if not (bool(np.all(bars.ohlc > 0)) and bool(np.all(np.isfinite(bars.ohlc)))):
        raise ValueError("Member prices must be finite and > 0, were not: one of them would poison the level for good")
    if not 0 < level < math.inf:
        raise ValueError(f"level must be finite and > 0, was {level}")
    most = math.exp(rule.max_abs_log_return)
    at_us, values, counts = _chain(
        *bars, eligible, start_us, level, rule.bar_us, rule.max_fill_us, most, rule.min_members
    )
    used, traded, present, clipped = counts.T
    is_made = (used >= rule.min_members) & (traded > 0)
    return IndexRows(at_us, values[:, :4], values[:, 4], values[:, 5], used, traded, present, clipped, is_made)


@njit(cache=True)
def _chain(
    at_us: IntArray,
    member: IntArray,
    ohlc: FloatArray,
    volume: FloatArray,
    coverage: FloatArray,
    eligible: NDArray[np.bool_],
    start_us: int,
    level: float,
    bar_us: int,
    max_fill_us: int,
    most: float,
    min_members: int,
) -> tuple[IntArray, FloatArray, IntArray]:
    """Walk the opens in order: make the bar of each from the references before it, then move the references."""
    opens = np.unique(at_us[np.searchsorted(at_us, start_us) :])
    values = np.full((opens.size, 6), np.nan)
    counts = np.zeros((opens.size, 4), np.int64)
    n_members = eligible.shape[1]
    reference, reference_us = np.ones(n_members), np.full(n_members, _NEVER_US)
    row_of = np.full(n_members, -1)
    low, out = 0, 0
    while low < at_us.size:
        at, high = at_us[low], low
        while high < at_us.size and at_us[high] == at:
            row_of[member[high]] = high
            high += 1
        if at >= start_us:
            today = eligible[at // DAY_US - start_us // DAY_US]
            is_fresh = reference_us >= at - max_fill_us
            sums = _sums(ohlc, volume, coverage, row_of, low, today, is_fresh, reference, most, counts[out])
            if counts[out, 0] >= min_members and counts[out, 1] > 0:
                values[out, :4] = level * (sums[:4] / counts[out, 0])
                values[out, 4] = sums[4]
                values[out, 5] = sums[5] / counts[out, 0]
                level = values[out, 3]
            out += 1
        for row in range(low, high):
            reference[member[row]], reference_us[member[row]] = ohlc[row, 3], at + bar_us
        low = high
    return opens, values, counts


@njit(cache=True)
def _sums(
    ohlc: FloatArray,
    volume: FloatArray,
    coverage: FloatArray,
    row_of: IntArray,
    first_row: int,
    is_eligible: NDArray[np.bool_],
    is_fresh: NDArray[np.bool_],
    reference: FloatArray,
    most: float,
    counts: IntArray,
) -> FloatArray:
    """Sum the ratios o, h, l, c, the volume and the coverage of one bar; count used, traded, present, clipped.

    `row_of` holds the latest row of each member: below `first_row` the member has no bar here.
    """
    sums = np.zeros(6)
    for i in range(is_eligible.size):
        if not is_eligible[i]:
            continue
        row = row_of[i]
        counts[2] += row >= first_row
        if not is_fresh[i]:
            continue
        counts[0] += 1
        if row < first_row:
            sums[:4] += 1.0
            continue
        counts[1] += 1
        ratio = ohlc[row] / reference[i]
        sums[:4] += np.minimum(np.maximum(ratio, 1.0 / most), most)
        sums[4] += volume[row]
        sums[5] += coverage[row]
        counts[3] += ratio[3] < 1.0 / most or ratio[3] > most
    return sums
