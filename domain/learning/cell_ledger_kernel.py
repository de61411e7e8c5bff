"""Sums of cells in an open-addressing table, compiled: a trade is added to thousands of cells in one call.

A cell is named by one integer: its group, and up to three conditions in the order of their bits. A condition is a
number that stands for one value of one dimension. The table holds (name, place of the cell); the cells stand in the
order they came in, eight integers each, which is one line of the processor's cache.

All are integers, so neither the order of trades nor that of cells changes a bit. Squares of outcomes are summed in two
halves of 32 bits: with outcomes below 2^31 steps and fewer than 2^31 trades neither half overflows.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

IntArray = NDArray[np.int64]

MAX_DEPTH = 3
CONDITION_BITS = 18
GROUP_BITS = 9
MAX_CONDITION = (1 << CONDITION_BITS) - 1
MAX_GROUP = (1 << GROUP_BITS) - 1
MAX_STEPS = (1 << 31) - 1
MAX_TRADES = (1 << 31) - 1

COLUMNS = 8
N_TRADES, TOTAL, SQUARES_LOW, SQUARES_HIGH, N_WINS, N_ACTIONS, WITHOUT_RR, LAST_TRADE = range(COLUMNS)

_GROUP_SHIFT = MAX_DEPTH * CONDITION_BITS
_LOW = (1 << 32) - 1
_MIX = np.uint64(0x9E3779B97F4A7C15)
_MIX_AGAIN = np.uint64(0xD6E8FEB86659FD93)
_HALF = np.uint64(32)


@njit(cache=True)
def cell_name(group: int, first: int, second: int, third: int) -> int:
    """Name of a cell, above 0: a group from 1, conditions from 1 in the order of their bits, 0 for none."""
    return (group << _GROUP_SHIFT) | (first << 2 * CONDITION_BITS) | (second << CONDITION_BITS) | third


def parts_of_name(name: int) -> tuple[int, int, int, int]:
    """Group and three conditions of a name.

    >>> parts_of_name(cell_name(7, 3, 2, 0))
    (7, 3, 2, 0)
    """
    return (
        name >> _GROUP_SHIFT,
        name >> 2 * CONDITION_BITS & MAX_CONDITION,
        name >> CONDITION_BITS & MAX_CONDITION,
        name & MAX_CONDITION,
    )


@njit(cache=True)
def _slot_of(name: int, n_slots: int) -> int:
    """Slot to look at first; names that differ little are far apart."""
    mixed = np.uint64(name) * _MIX
    mixed ^= mixed >> _HALF
    mixed *= _MIX_AGAIN
    mixed ^= mixed >> _HALF
    return int(np.int64(mixed & np.uint64(n_slots - 1)))


@njit(cache=True)
def place_of(slots: IntArray, name: int) -> int:
    """Place of a cell, or -1.

    Parameters
    ----------
    slots : ndarray of int64 of shape (2^k, 2)
        Name, or 0 where the slot is free, and place.
    """
    slot = _slot_of(name, slots.shape[0])
    while slots[slot, 0] != name:
        if slots[slot, 0] == 0:
            return -1
        slot = (slot + 1) & (slots.shape[0] - 1)
    place: int = slots[slot, 1]
    return place


@njit(cache=True)
def index_names(names: IntArray, n_cells: int, slots: IntArray) -> None:
    """Fill an empty table with the first cells."""
    for place in range(n_cells):
        slot = _slot_of(names[place], slots.shape[0])
        while slots[slot, 0] != 0:
            slot = (slot + 1) & (slots.shape[0] - 1)
        slots[slot, 0], slots[slot, 1] = names[place], place


@njit(cache=True)
def cell_names(group: int, conditions: IntArray, max_depth: int, out: IntArray) -> int:
    """Write the names of all cells of some conditions, up to a depth; return how many."""
    n, k = 1, conditions.size
    out[0] = cell_name(group, 0, 0, 0)
    for i in range(k if max_depth > 0 else 0):
        out[n] = cell_name(group, conditions[i], 0, 0)
        n += 1
        for j in range(i + 1, k if max_depth > 1 else 0):
            out[n] = cell_name(group, conditions[i], conditions[j], 0)
            n += 1
            for m in range(j + 1, k if max_depth > 2 else 0):
                out[n] = cell_name(group, conditions[i], conditions[j], conditions[m])
                n += 1
    return n


@njit(cache=True)
def find_or_make(slots: IntArray, names: IntArray, n_cells: int, wanted: IntArray, n: int) -> int:
    """Replace the first n wanted names by the places of their cells, made where there were none; return n_cells.

    There must be room for n more names, and at least one free slot more than that.
    """
    mask = slots.shape[0] - 1
    for i in range(n):
        name = wanted[i]
        slot = _slot_of(name, slots.shape[0])
        while slots[slot, 0] != name and slots[slot, 0] != 0:
            slot = (slot + 1) & mask
        if slots[slot, 0] == 0:
            slots[slot, 0], slots[slot, 1] = name, n_cells
            names[n_cells] = name
            n_cells += 1
        wanted[i] = slots[slot, 1]
    return n_cells


@njit(cache=True)
def add_to_cells(
    cells: IntArray, places: IntArray, n: int, trade: int, n_actions: int, steps: int, has_rr: bool
) -> None:
    """Count a trade in n cells, once in each, whatever of its rows say the same; its actions count every time."""
    is_win, square = 1 if steps > 0 else 0, steps * steps
    low, high = square & _LOW, square >> 32
    for i in range(n):
        cell = cells[places[i]]
        cell[N_ACTIONS] += n_actions
        if cell[LAST_TRADE] == trade:
            continue
        cell[LAST_TRADE] = trade
        if not has_rr:
            cell[WITHOUT_RR] += 1
            continue
        cell[N_TRADES] += 1
        cell[TOTAL] += steps
        cell[SQUARES_LOW] += low
        cell[SQUARES_HIGH] += high
        cell[N_WINS] += is_win


@njit(cache=True, nogil=True)
def add_row(
    slots: IntArray,
    names: IntArray,
    cells: IntArray,
    n_cells: int,
    group: int,
    conditions: IntArray,
    max_depth: int,
    trade: int,
    n_actions: int,
    steps: int,
    has_rr: bool,
    work: IntArray,
) -> int:
    """Count a trade in every cell of one of its scopes; return how many cells there are.

    Parameters
    ----------
    slots, names, cells : ndarray of int64
        The table, the names of the cells in order, and the cells of shape (room, COLUMNS).
    n_cells : int
        Cells so far; there must be room for those that are new.
    conditions : ndarray of int64
        What the scope knows, in the order of the bits.
    trade : int
        Number of the trade, from 1; the rows of a trade come one after another.
    n_actions : int
        Actions of the trade with this scope.
    steps : int
        Outcome in steps; 0 where it is unknown.
    work : ndarray of int64
        Room for the names of the row's cells.
    """
    n = cell_names(group, conditions, max_depth, work)
    n_cells = find_or_make(slots, names, n_cells, work, n)
    add_to_cells(cells, work, n, trade, n_actions, steps, has_rr)
    return n_cells
