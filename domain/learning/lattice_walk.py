"""The way through the lattice of one group of trades: which items are split, in which order. Compiled.

What belongs here: the walk over tables of items. What does not: the tables (`lattice_table`), what is counted of a part
(`lattice_kernel`).
"""

import numpy as np
from numba import njit

from domain.learning.lattice_kernel import (
    ADDITIVE,
    ALL,
    COLUMN,
    CONDITION,
    EARLY_FRAC,
    FIRST,
    INDEX_ROWS,
    NO_CONDITION,
    PART,
    SUM_ROWS,
    WORD,
    BitArray,
    Cells,
    Int32Array,
    IntArray,
    ItemArray,
    Rule,
    Shape,
    add_part,
    add_part_once,
    write_cells,
)
from domain.learning.lattice_table import (
    COLUMNS,
    EARLY_ROW,
    END,
    NEXT,
    ROWS,
    USES_REST,
    WIN_ROW,
    Rooms,
    descend,
    new_rooms,
)

_ROOM = 4096
"""Cells there is room for at first."""


@njit(cache=True, error_model="numpy", nogil=True)
def _with_room(cells: Cells, n_cells: int, more: int) -> Cells:
    """Room for so many cells more: the same arrays, or longer copies."""
    if n_cells + more <= cells.sums.shape[0]:
        return cells
    capacity = 2 * (n_cells + more)
    conditions = np.empty((capacity, cells.conditions.shape[1]), np.uint16)
    sums, counts = np.empty((capacity, cells.sums.shape[1]), np.int64), np.empty((capacity, 3), np.int32)
    for cell in range(n_cells):
        for k in range(conditions.shape[1]):
            conditions[cell, k] = cells.conditions[cell, k]
        for k in range(sums.shape[1]):
            sums[cell, k] = cells.sums[cell, k]
        for k in range(counts.shape[1]):
            counts[cell, k] = cells.counts[cell, k]
    return Cells(conditions, sums, counts)


@njit(cache=True, error_model="numpy", nogil=True)
def _begin_column(
    items: ItemArray, packed: IntArray, members: BitArray, index: IntArray, sums: IntArray, rest: IntArray,
    column: int, shape: Shape, rule: Rule,
) -> bool:  # fmt: skip
    """Put the commonest item of a column last; whether it is to be what the others leave, which `rest` then holds."""
    first, last, mask = index[FIRST, column], index[FIRST, column + 1] - 1, (1 << rule.bits) - 1
    largest, others = first, shape.n_rows
    for item in range(first, last + 1):
        index[PART, item] = item
        others -= index[WORD, item] & mask
        if index[WORD, item] & mask > index[WORD, largest] & mask:
            largest = item
    index[PART, largest], index[PART, last] = last, largest
    if rule.has_repeats or index[WORD, largest] & mask <= others:
        return False
    n_items, later = index[FIRST, shape.n_columns], max(last + 1, 0)
    add_part(items, packed, members, index, sums, n_items + column, column + 1, shape, rule.bits)
    for k in range(ADDITIVE):
        for item in range(later, n_items):
            rest[k, item] = index[k, item] - sums[k, item]
    return True


@njit(cache=True, error_model="numpy", nogil=True)
def _mine_parts(
    items: ItemArray, packed: IntArray, trade: Int32Array, members: BitArray, index: IntArray, sums: IntArray,
    rest: IntArray, place: int, end: int, uses_rest: bool, shape: Shape, rule: Rule, prefix: ItemArray, level: int,
    conditions: ItemArray, totals: IntArray, counts: Int32Array, n_cells: int,
) -> int:  # fmt: skip
    """Cells of the items at the places place:end, all of one column, each with the later items."""
    column = index[COLUMN, place]
    later, n_items = max(index[FIRST, column + 1], 0), index[FIRST, shape.n_columns]
    for p in range(place, end):
        part = index[PART, p]
        if rule.has_repeats:
            add_part_once(items, packed, trade, members, index, sums, part, column + 1, shape, rule.bits)
        elif uses_rest and p + 1 == later:
            for k in range(ADDITIVE):
                for item in range(later, n_items):
                    sums[k, item] = rest[k, item]
        else:
            add_part(items, packed, members, index, sums, part, column + 1, shape, rule.bits)
            if uses_rest:
                for k in range(ADDITIVE):
                    for item in range(later, n_items):
                        rest[k, item] -= sums[k, item]
        prefix[level] = index[CONDITION, part]
        n_cells = write_cells(
            packed, trade, members, index, sums, part, column + 1, shape, rule, prefix, level + 1, conditions, totals,
            counts, n_cells,
        )  # fmt: skip
    return n_cells


@njit(cache=True, error_model="numpy", nogil=True)
def _walk(rule: Rule, sums: IntArray, rooms: Rooms, cells: Cells, n_cells: int) -> tuple[Cells, int]:
    """Cells under the table of level 0, depth first."""
    depth, level = cells.conditions.shape[1], 0
    prefix = np.empty(depth, np.uint16)
    while level >= 0:
        state, is_leaf, is_deeper = rooms.state[level], level + 2 == depth, False
        items, packed, trade, members = (
            rooms.items[level], rooms.packed[level], rooms.trade[level], rooms.members[level],
        )  # fmt: skip
        index, rest = rooms.entries[level], rooms.rest[level]
        shape = Shape(state[ROWS], state[COLUMNS], state[EARLY_ROW], state[WIN_ROW])
        while state[NEXT] < state[END] and not is_deeper:
            place = state[NEXT]
            column = index[COLUMN, place]
            if place == index[FIRST, column]:
                state[USES_REST] = _begin_column(items, packed, members, index, sums, rest, column, shape, rule)
            end = index[FIRST, column + 1] if is_leaf else place + 1
            cells = _with_room(cells, n_cells, (end - place) * index[FIRST, shape.n_columns])
            n_cells = _mine_parts(
                items, packed, trade, members, index, sums, rest, place, end, state[USES_REST] > 0, shape, rule,
                prefix, level, cells.conditions, cells.sums, cells.counts, n_cells,
            )  # fmt: skip
            state[NEXT] = end
            if not is_leaf:
                part = index[PART, place]
                made = descend(
                    items, packed, trade, members, index, sums, part, column + 1, shape, rule, rooms, level + 1
                )
                is_deeper = made > 1
        level += 1 if is_deeper else -1
    return cells, n_cells


@njit(cache=True, error_model="numpy", nogil=True)
def mine(items: ItemArray, first_item: IntArray, packed: IntArray, trade: Int32Array, rule: Rule, depth: int) -> Cells:
    """Frequent cells of a group, of up to `depth` conditions.

    Parameters
    ----------
    items : ndarray of uint16 of shape (n_rows, n_columns)
        Rows by outcome and trade. The values of column j are first_item[j]:first_item[j + 1]; first_item[-1] + j is
        none. They are the conditions of the cells.
    first_item : ndarray of int64 of shape (n_columns + 1,)
        From 0.
    packed : ndarray of int64 of shape (n_rows,)
        Outcome in steps x 2^bits + 1, not falling. Sums of it must fit; squared outcomes are summed modulo 2^64.
    trade : ndarray of int32 of shape (n_rows,)
        Equal for the rows of one trade, 0 or more.
    rule : Rule
        2^bits exceeds the number of rows.
    depth : int
        At least 1.

    Returns
    -------
    Cells
        First the cell without conditions, its numbers left to the caller, then the others in an order that the rows
        alone decide. The conditions of a cell are in no order.
    """
    n_rows, n_columns = items.shape
    n_words, width = n_rows // 64 + 1, first_item[-1] + n_columns + 1
    sums, index = np.empty((SUM_ROWS, width), np.int64), np.empty((INDEX_ROWS, width), np.int64)
    for k in range(width):
        index[FIRST, k] = first_item[k] if k <= n_columns else 0
        index[CONDITION, k] = k
    win_row = int(np.searchsorted(packed, 2))
    shape = Shape(n_rows, n_columns, min(win_row, int(EARLY_FRAC * n_rows)), win_row)
    everything = np.full((1, n_words), ALL, np.uint64)
    everything[0, n_words - 1] = ~(ALL << np.uint64(n_rows % 64))
    if rule.has_repeats:
        add_part_once(items, packed, trade, everything, index, sums, 0, 0, shape, rule.bits)
    else:
        add_part(items, packed, everything, index, sums, 0, 0, shape, rule.bits)
    rooms = new_rooms(depth, n_rows, n_columns, width)
    room = width + _ROOM
    cells = Cells(np.empty((room, depth), np.uint16), np.empty((room, 2), np.int64), np.empty((room, 3), np.int32))
    cells.conditions[0] = NO_CONDITION
    n_cells, n_split = 1, descend(items, packed, trade, everything, index, sums, 0, 0, shape, rule, rooms, 0)
    if n_split:
        shape = Shape(n_rows, n_split, rooms.state[0, EARLY_ROW], rooms.state[0, WIN_ROW])
        n_cells = write_cells(
            rooms.packed[0], rooms.trade[0], rooms.members[0], rooms.entries[0], rooms.entries[0], -1, 0, shape, rule,
            np.empty(depth, np.uint16), 0, cells.conditions, cells.sums, cells.counts, n_cells,
        )  # fmt: skip
    if n_split > 1 and depth > 1:
        cells, n_cells = _walk(rule, sums, rooms, cells, n_cells)
    return Cells(cells.conditions[:n_cells], cells.sums[:n_cells], cells.counts[:n_cells])
