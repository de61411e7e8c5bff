"""Cells of a group by the trades they hold: which hold the same, and what only the trades can tell. Compiled.

Cells are compared by their trades where their numbers are equal; no hash decides.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from domain.learning.lattice_kernel import (
    MIDDLE,
    NO_CONDITION,
    ONE,
    SQUARES,
    SUM,
    TRADES,
    WINS,
    BitArray,
    Cells,
    Int32Array,
    IntArray,
    ItemArray,
    lowest_bit,
)

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]

_MIX = np.uint64(0x9E3779B97F4A7C15)
_STIR = np.uint64(29)


@njit(cache=True, error_model="numpy", nogil=True)
def sort_conditions(conditions: ItemArray, bit_of_item: IntArray) -> IntArray:
    """Put the conditions of each cell in rising order, in place; the masks of the cells."""
    masks = np.zeros(conditions.shape[0], np.int64)
    for cell in range(conditions.shape[0]):
        for k in range(conditions.shape[1]):
            condition, place = conditions[cell, k], k
            while place > 0 and conditions[cell, place - 1] > condition:
                conditions[cell, place] = conditions[cell, place - 1]
                place -= 1
            conditions[cell, place] = condition
            if condition != NO_CONDITION:
                masks[cell] |= np.int64(1) << bit_of_item[condition]
    return masks


@njit(cache=True, error_model="numpy", nogil=True)
def is_first_of_its_trades(
    cells: Cells, masks: IntArray, items: ItemArray, n_items: int, trade: Int32Array, has_repeats: bool
) -> BoolArray:
    """Whether no cell before holds the same trades: fewer conditions come first, then lower masks, then lower values.

    Parameters
    ----------
    cells : Cells
        As `sort_conditions` left them; the one without conditions too.
    masks : ndarray of int64 of shape (n_cells,)
        Their masks.
    items : ndarray of uint16 of shape (n_rows, n_columns)
        As `mine` takes them, with n_items items.
    trade : ndarray of int32 of shape (n_rows,)
        First row of the trade of each row.
    has_repeats : bool
        Whether a trade has several rows.
    """
    members = _members(items, n_items)
    n_cells, size = masks.size, 64
    while size < 2 * n_cells:
        size *= 2
    slots, is_first = np.full(size, -1, np.int64), np.ones(n_cells, np.bool_)
    ours, theirs = np.empty(members.shape[1], np.uint64), np.empty(members.shape[1], np.uint64)
    for cell in range(n_cells):
        slot = np.int64(_code(cells, cell) & np.uint64(size - 1))
        while slots[slot] >= 0:
            other = slots[slot]
            if _has_numbers_of(cells, cell, other):
                if _asks_more(cells.conditions[cell], cells.conditions[other]):
                    break
                _fill(cells.conditions[cell], members, trade, has_repeats, ours)
                _fill(cells.conditions[other], members, trade, has_repeats, theirs)
                if np.array_equal(ours, theirs):
                    break
            slot = (slot + 1) & (size - 1)
        other = slots[slot]
        if other < 0:
            slots[slot] = cell
        elif _is_before(cells.conditions, masks, cell, other):
            slots[slot], is_first[other] = cell, False
        else:
            is_first[cell] = False
    return is_first


@njit(cache=True, error_model="numpy", nogil=True)
def sums_of_trades(
    conditions: ItemArray, items: ItemArray, n_items: int, trade: Int32Array, values: IntArray
) -> IntArray:
    """Sum over the rows of each cell, and over its trades, each taken once.

    Parameters
    ----------
    conditions : ndarray of uint16 of shape (n_cells, depth)
        Of each cell.
    items : ndarray of uint16 of shape (n_rows, n_columns)
        Rows of a trade stand together.
    n_items : int
        Items there are; numbers from it on are none.
    trade : ndarray of int32 of shape (n_rows,)
        Equal for the rows of one trade, 0 or more.
    values : ndarray of int64 of shape (n_rows, n_values)
        The first is summed over rows; the others, equal for the rows of a trade, over trades.

    Returns
    -------
    ndarray of int64 of shape (n_cells, n_values)
    """
    members, n_values = _members(items, n_items), values.shape[1]
    sums = np.zeros((conditions.shape[0], n_values), np.int64)
    for cell in range(conditions.shape[0]):
        last = -1
        for place in range(members.shape[1]):
            rows = _shared(conditions[cell], members, place)
            while rows != 0:
                row = 64 * place + np.int64(lowest_bit(rows))
                rows &= rows - ONE
                sums[cell, 0] += values[row, 0]
                if trade[row] != last:
                    last = trade[row]
                    for k in range(1, n_values):
                        sums[cell, k] += values[row, k]
    return sums


@njit(cache=True, error_model="numpy", nogil=True)
def medians_of_trades(
    conditions: ItemArray, items: ItemArray, n_items: int, trade: Int32Array, values: FloatArray
) -> FloatArray:
    """Medians over the trades of each cell; NaN for a cell that has no row.

    Parameters are those of `sums_of_trades`, but that the rows stand by value, of shape (n_rows,), and then trade.
    """
    members = _members(items, n_items)
    medians, found = np.full(conditions.shape[0], np.nan), np.empty(values.size)
    for cell in range(conditions.shape[0]):
        last, n = -1, 0
        for place in range(members.shape[1]):
            rows = _shared(conditions[cell], members, place)
            while rows != 0:
                row = 64 * place + np.int64(lowest_bit(rows))
                rows &= rows - ONE
                if trade[row] != last:
                    last = trade[row]
                    found[n] = values[row]
                    n += 1
        if n > 0:
            medians[cell] = found[n // 2] if n % 2 else (found[n // 2 - 1] + found[n // 2]) / 2.0
    return medians


@njit(cache=True, error_model="numpy", nogil=True)
def _members(items: ItemArray, n_items: int) -> BitArray:
    """Rows of each item as bits, and last the rows there are."""
    n_rows, n_columns = items.shape
    members = np.zeros((n_items + 1, n_rows // 64 + 1), np.uint64)
    for row in range(n_rows):
        bit = ONE << np.uint64(row % 64)
        members[n_items, row // 64] |= bit
        for j in range(n_columns):
            members[min(items[row, j], n_items), row // 64] |= bit
    return members


@njit(cache=True, error_model="numpy", nogil=True, inline="always")
def _shared(conditions: ItemArray, members: BitArray, place: int) -> np.uint64:
    """Rows of a word that meet all conditions."""
    rows: np.uint64 = members[members.shape[0] - 1, place]
    for k in range(conditions.size):
        if conditions[k] != NO_CONDITION:
            rows &= members[conditions[k], place]
    return rows


@njit(cache=True, error_model="numpy", nogil=True)
def _fill(conditions: ItemArray, members: BitArray, trade: Int32Array, has_repeats: bool, out: BitArray) -> None:
    """Trades of a cell as bits: those of its rows, the first row of a trade standing for it."""
    if has_repeats:
        out[:] = 0
    for place in range(members.shape[1]):
        rows = _shared(conditions, members, place)
        if not has_repeats:
            out[place] = rows
            continue
        while rows != 0:
            row = trade[64 * place + np.int64(lowest_bit(rows))]
            rows &= rows - ONE
            out[row // 64] |= ONE << np.uint64(row % 64)


@njit(cache=True, error_model="numpy", nogil=True)
def _code(cells: Cells, cell: int) -> np.uint64:
    """Where to look for cells with the same numbers."""
    code = (np.uint64(cells.sums[cell, SUM]) ^ np.uint64(cells.counts[cell, TRADES])) * _MIX
    code = ((code ^ (code >> _STIR)) + np.uint64(cells.sums[cell, SQUARES])) * _MIX
    return code ^ (code >> _STIR)


@njit(cache=True, error_model="numpy", nogil=True)
def _has_numbers_of(cells: Cells, cell: int, other: int) -> bool:
    """Whether all that is counted of two cells is equal, as it is if they hold the same trades."""
    sums, counts = cells.sums, cells.counts
    is_equal: bool = sums[cell, SUM] == sums[other, SUM] and sums[cell, SQUARES] == sums[other, SQUARES]
    for k in (TRADES, WINS, MIDDLE):
        is_equal = is_equal and counts[cell, k] == counts[other, k]
    return is_equal


@njit(cache=True, error_model="numpy", nogil=True)
def _asks_more(conditions: ItemArray, others: ItemArray) -> bool:
    """Whether all the others are among the conditions. Of as many trades, they are then the same trades."""
    k = 0
    for condition in others:
        if condition == NO_CONDITION:
            return True
        while k < conditions.size and conditions[k] < condition:
            k += 1
        if k == conditions.size or conditions[k] != condition:
            return False
    return True


@njit(cache=True, error_model="numpy", nogil=True)
def _is_before(conditions: ItemArray, masks: IntArray, cell: int, other: int) -> bool:
    """Whether a cell comes before another: fewer conditions, then the lower mask, then the lower values."""
    for k in range(conditions.shape[1]):
        if (conditions[cell, k] == NO_CONDITION) != (conditions[other, k] == NO_CONDITION):
            return bool(conditions[cell, k] == NO_CONDITION)
    if masks[cell] != masks[other]:
        return bool(masks[cell] < masks[other])
    for k in range(conditions.shape[1]):
        if conditions[cell, k] != conditions[other, k]:
            return bool(conditions[cell, k] < conditions[other, k])
    return False
