"""Mean log return of groups of members, bar by bar, as arrays: one pass over closes sorted by time and member.

What belongs here: the arithmetic. What does not: names, frames, which members a group has and why.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

DAY_US = 86_400_000_000
NO_GROUP = -1

_NEVER_US = -(2**62)
_FOLD_EVERY = 128  # ratios multiplied before a logarithm is taken; 128 x MAX_CLIP stays below ln of the largest float
_USED, _TRADED, _DROPPED, _CLIPPED = range(4)
_FINE, _UNSORTED, _OFF_GRID, _BAD_PRICE = 0, -1, -2, -3
_COMPLAINTS = {
    _UNSORTED: "Closes must be sorted by time and member (0 .. n_members - 1), each pair once, were not",
    _OFF_GRID: "Times must stand on the grid of the bar length, did not",
    _BAD_PRICE: "Closes must be finite and > 0, were not: one of them would poison the level for good",
}

MAX_CLIP = 5.0
"""Largest clip of one return, natural log; ln 3 is usual."""

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


class MemberCloses(NamedTuple):
    """Closes of all members in one timeframe, sorted by (at_us, member), each pair once.

    at_us : open of the bar, microseconds since the epoch, UTC, shape (n_closes,). member : number of the member, any
    integer type. close : USD, finite and > 0. Both of the same shape.
    """

    at_us: IntArray
    member: NDArray[np.integer]
    close: FloatArray


class GroupDays(NamedTuple):
    """Group of each member on each UTC day, and its weight; day 0 is that of the first bar to make.

    group : shape (n_days, n_members), NO_GROUP where it has none. weight : the same shape, > 0, NaN where it is not
    known, which leaves the member out; None when all members count alike.
    """

    group: NDArray[np.int16]
    weight: FloatArray | None


class GroupRule(NamedTuple):
    """Length of a bar (microseconds), bars a member may miss, clip of one return (natural log)."""

    bar_us: int
    max_missing_bars: int
    max_abs_log_return: float


class GroupRows(NamedTuple):
    """One row a timestamp at which any member has a close; all but `at_us` of shape (n_rows, n_groups).

    log_return : NaN where no member traded. used : members with two fresh closes. traded : those of them with a bar
    here. dropped : members of the group that could not be used. clipped : returns clipped.
    """

    at_us: IntArray
    log_return: FloatArray
    used: IntArray
    traded: IntArray
    dropped: IntArray
    clipped: IntArray


def group_returns(closes: MemberCloses, days: GroupDays, *, n_groups: int, start_us: int, rule: GroupRule) -> GroupRows:
    """Mean log return of each group at each time from `start_us` on.

    A close is fresh for `max_missing_bars` after its bar. Formula: r(t) = sum_i w_i clip(ln(P_i(t) / P_i(t-1)), +-x)
    / sum_i w_i over members whose closes at t and at t-1 are both fresh; a member silent at t but fresh counts with a
    return of 0, and its next bar is measured from the same close, so no move is lost. With equal weights the ratios
    are multiplied and one logarithm is taken a row.

    Parameters
    ----------
    closes : MemberCloses
        Reaching back before `start_us` by `max_missing_bars` + 1 bars; earlier ones change nothing.
    days : GroupDays
        No close lies after its last day.
    n_groups : int
        Groups are numbered 0 .. n_groups - 1.
    start_us : int
        First open to make, microseconds since the epoch, on the grid.
    rule : GroupRule
        Bar length, missing bars, clip.

    Returns
    -------
    GroupRows
        In order of time. The same from any earlier cut to the last bit.

    Raises
    ------
    ValueError
        If the order is wrong or a pair repeated, a time is off the grid, a price is not finite and > 0, or the
        tables do not fit the closes.
    """
    _require_fit(closes, days, n_groups, start_us, rule)
    first = int(np.searchsorted(closes.at_us, start_us - (rule.max_missing_bars + 1) * rule.bar_us))
    at_us, member, close = closes.at_us[first:], closes.member[first:], closes.close[first:]
    span = 0 if at_us.size == 0 or at_us[-1] < start_us else int(at_us[-1] - start_us) // rule.bar_us + 1
    mean = np.full((span, n_groups), np.nan)
    counts = np.zeros((span, n_groups, 4), np.int64)
    has_row = np.zeros(span, np.bool_)
    most = math.exp(rule.max_abs_log_return)
    status = _walk(
        at_us, member, close, *days, start_us, rule.bar_us, rule.max_missing_bars, most, mean, counts, has_row
    )
    if status != _FINE:
        raise ValueError(_COMPLAINTS[status])
    rows = np.flatnonzero(has_row)
    used, traded, dropped, clipped = np.moveaxis(counts[rows], 2, 0)
    return GroupRows(start_us + rows * rule.bar_us, mean[rows], used, traded, dropped, clipped)


def _require_fit(closes: MemberCloses, days: GroupDays, n_groups: int, start_us: int, rule: GroupRule) -> None:
    """Refuse what would lead the kernel out of its arrays: it checks no index of a table."""
    if not 0 < rule.max_abs_log_return <= MAX_CLIP:
        raise ValueError(f"max_abs_log_return must be > 0 and <= {MAX_CLIP}, was {rule.max_abs_log_return}")
    if start_us % rule.bar_us or DAY_US % rule.bar_us:
        raise ValueError(f"start_us must be on the grid of bars that divide a day, was {start_us}, {rule.bar_us}")
    if not closes.at_us.shape == closes.member.shape == closes.close.shape:
        raise ValueError(f"Columns must have one shape, was {[column.shape for column in closes]}")
    if days.group.size and not NO_GROUP <= int(days.group.min()) <= int(days.group.max()) < n_groups:
        raise ValueError(f"Groups must be within {NO_GROUP}..{n_groups - 1}, was {np.unique(days.group)}")
    if days.weight is not None and days.weight.shape != days.group.shape:
        raise ValueError(f"weight must have the shape of group {days.group.shape}, was {days.weight.shape}")
    if closes.at_us.size and int(closes.at_us[-1]) // DAY_US - start_us // DAY_US >= len(days.group):
        raise ValueError(f"Closes must end within {len(days.group)} days of the start, did not")


@njit(cache=True, error_model="numpy", nogil=True)
def _walk(
    at_us: IntArray,
    member: NDArray[np.integer],
    close: FloatArray,
    group: NDArray[np.int16],
    weight: FloatArray | None,
    start_us: int,
    bar_us: int,
    max_missing: int,
    most: float,
    mean: FloatArray,
    counts: IntArray,
    has_row: NDArray[np.bool_],
) -> int:
    """Walk the times in order and fill the last three; times before the start only give closes."""
    n_members, n_groups = group.shape[1], mean.shape[1]
    last, last_us = np.ones(n_members), np.full(n_members, _NEVER_US)
    product, total, weighed = np.ones(n_groups), np.zeros(n_groups), np.zeros(n_groups)
    nobody, nothing = np.full(n_members, NO_GROUP, np.int16), np.zeros((n_groups, 4), np.int64)
    low = 0
    while low < at_us.size:
        at = at_us[low]
        if at % bar_us != 0:
            return _OFF_GRID
        product[:], total[:], weighed[:] = 1.0, 0.0, 0.0
        silent_us, oldest_us = at - max_missing * bar_us, at - (max_missing + 1) * bar_us
        tables = (last, last_us, oldest_us, silent_us, 1.0 / most, most, product, total, weighed)
        if at < start_us:
            low = _one_time(at_us, member, close, low, nobody, None, nothing, tables)
        else:
            k, day = (at - start_us) // bar_us, at // DAY_US - start_us // DAY_US
            if k >= has_row.size:
                return _UNSORTED
            has_row[k] = True
            if weight is None:
                low = _one_time(at_us, member, close, low, group[day], None, counts[k], tables)
            else:
                low = _one_time(at_us, member, close, low, group[day], weight[day], counts[k], tables)
        if low < 0 or (low < at_us.size and at_us[low] < at):
            return min(low, _UNSORTED)
        if at >= start_us:
            _close_time(mean[k], counts[k], product, total, weighed, weight is None)
    return _FINE


@njit(cache=True, error_model="numpy", nogil=True)
def _one_time(
    at_us: IntArray,
    member: NDArray[np.integer],
    close: FloatArray,
    low: int,
    group: NDArray[np.int16],
    weight: FloatArray | None,
    counts: IntArray,
    tables: tuple[FloatArray, IntArray, int, int, float, float, FloatArray, FloatArray, FloatArray],
) -> int:
    """Take in the rows of one time, from `low`; return the first row after it, or what is wrong.

    The common row (in a group, fresh, not clipped) takes the short way: its ratio within the clip says that its price
    is finite and > 0. Indices are unsigned, which spares the test for a negative one.
    """
    last, last_us, oldest_us, _, least, most, product, total, _ = tables
    at, n_rows, n_members, one = at_us[low], np.uint64(at_us.size), np.uint64(group.size), np.uint64(1)
    expected, row = np.uint64(0), np.uint64(low)
    while row < n_rows and at_us[row] == at:
        i, price = np.uint64(member[row]), close[row]
        if i != expected:
            if i < expected:
                return _UNSORTED
            _pass_silent(int(np.int64(expected)), int(np.int64(min(i, n_members))), group, weight, counts, tables)
        if i >= n_members:
            return _UNSORTED
        expected, ratio, g = i + one, price / last[i], group[i]
        if weight is None and g >= 0 and last_us[i] >= oldest_us and least <= ratio <= most:
            of = np.uint64(g)
            product[of] *= ratio
            traded = counts[of, _TRADED] + 1
            counts[of, _TRADED] = traded
            if traded % _FOLD_EVERY == 0:
                total[of] += np.log(product[of])
                product[of] = 1.0
        else:
            if not 0.0 < price < np.inf:
                return _BAD_PRICE
            if g >= 0:
                _take_rare(int(np.int64(i)), g, ratio, weight, counts, tables)
        last[i], last_us[i] = price, at
        row += one
    _pass_silent(int(np.int64(expected)), group.size, group, weight, counts, tables)
    return int(np.int64(row))


@njit(cache=True, error_model="numpy", nogil=True)
def _take_rare(
    i: int,
    g: int,
    ratio: float,
    weight: FloatArray | None,
    counts: IntArray,
    tables: tuple[FloatArray, IntArray, int, int, float, float, FloatArray, FloatArray, FloatArray],
) -> None:
    """Take in a row that is weighted, clipped or not usable."""
    _, last_us, oldest_us, _, least, most, _, total, weighed = tables
    w = 1.0
    if weight is not None:
        w = weight[i]
    if last_us[i] < oldest_us or not w > 0.0:
        counts[g, _DROPPED] += 1
        return
    counts[g, _CLIPPED] += not least <= ratio <= most
    counts[g, _TRADED] += 1
    total[g] += w * np.log(min(max(ratio, least), most))
    weighed[g] += w


@njit(cache=True, error_model="numpy", nogil=True)
def _pass_silent(
    first: int,
    until: int,
    group: NDArray[np.int16],
    weight: FloatArray | None,
    counts: IntArray,
    tables: tuple[FloatArray, IntArray, int, int, float, float, FloatArray, FloatArray, FloatArray],
) -> None:
    """Count the members first .. until - 1, which have no bar here: a fresh close is a return of 0."""
    _, last_us, _, silent_us, _, _, _, _, weighed = tables
    for j in range(first, until):
        g = group[j]
        if g >= 0:
            w = 1.0
            if weight is not None:
                w = weight[j]
            if last_us[j] >= silent_us and w > 0.0:
                counts[g, _USED] += 1
                weighed[g] += w
            else:
                counts[g, _DROPPED] += 1


@njit(cache=True, error_model="numpy", nogil=True)
def _close_time(
    mean: FloatArray,
    counts: IntArray,
    product: FloatArray,
    total: FloatArray,
    weighed: FloatArray,
    is_equal: bool,
) -> None:
    """Turn the sums of one time into means; those used are the silent ones so far and the traded ones."""
    for g in range(mean.size):
        counts[g, _USED] += counts[g, _TRADED]
        if counts[g, _TRADED] > 0:
            mean[g] = (total[g] + np.log(product[g])) / (counts[g, _USED] if is_equal else weighed[g])
