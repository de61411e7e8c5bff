"""Tables of items: the rows of one item, with what is still frequent among them. Compiled.

What belongs here: how the table of a part is made. What does not: in which order parts are taken (`lattice_walk`), what
is counted of them (`lattice_kernel`).
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from domain.learning.lattice_kernel import (
    ADDITIVE,
    COLUMN,
    CONDITION,
    FIRST,
    INDEX_ROWS,
    ONE,
    WORD,
    BitArray,
    Int32Array,
    IntArray,
    ItemArray,
    Rule,
    Shape,
    lowest_bit,
)

NEXT, END, USES_REST, ROWS, COLUMNS, EARLY_ROW, WIN_ROW, STATES = range(8)


class Rooms(NamedTuple):
    """Room for a table a level.

    items: (n_rows, n_columns), the items of column j are numbered entries[FIRST, j]:entries[FIRST, j + 1], the last of
    these numbers being n_items; n_items + j is one too rare or none. packed: (n_rows,), outcome in steps x 2^bits + 1.
    trade: (n_rows,), equal for the rows of one trade. members: (n_items + n_columns, n_words), the rows of an item.
    entries: an entry an item, its first rows the sums of the table. rest: what the items taken so far leave of them.
    state: where the walk stands, and the shape of the table.
    """

    items: ItemArray
    packed: IntArray
    trade: Int32Array
    members: BitArray
    entries: IntArray
    rest: IntArray
    state: IntArray


@njit(cache=True, error_model="numpy", nogil=True)
def new_rooms(depth: int, n_rows: int, n_columns: int, width: int) -> Rooms:
    """Room for so many levels; memory is taken as it is written to."""
    return Rooms(
        np.empty((depth, n_rows, n_columns), np.uint16),
        np.empty((depth, n_rows), np.int64),
        np.empty((depth, n_rows), np.int32),
        np.empty((depth, width, n_rows // 64 + 1), np.uint64),
        np.empty((depth, INDEX_ROWS, width), np.int64),
        np.empty((depth, ADDITIVE, width), np.int64),
        np.empty((depth, STATES), np.int64),
    )


@njit(cache=True, error_model="numpy", nogil=True)
def _finest_first(index: IntArray, sums: IntArray, column: int, n_columns: int, rule: Rule) -> IntArray:
    """Columns from one on that have an item with enough trades, by the sum of the squares of their numbers."""
    mask = (1 << rule.bits) - 1
    found, squared = np.empty(n_columns - column, np.int64), np.zeros(n_columns - column)
    n = 0
    for j in range(column, n_columns):
        for item in range(index[FIRST, j], index[FIRST, j + 1]):
            size = sums[WORD, item] & mask
            if size >= rule.min_trades:
                squared[n] += float(size) * float(size)
        if squared[n] > 0.0:
            found[n] = j
            n += 1
    return found[:n][np.argsort(squared[:n], kind="mergesort")]


@njit(cache=True, error_model="numpy", nogil=True)
def _rename(
    index: IntArray, sums: IntArray, columns: IntArray, n_columns: int, rule: Rule, to_index: IntArray
) -> ItemArray:
    """Give the items of some columns that have enough trades new numbers, and the others that of none."""
    names = np.zeros(index[FIRST, n_columns] + n_columns, np.uint16)
    mask, n_items = (1 << rule.bits) - 1, 0
    for j in range(columns.size):
        to_index[FIRST, j] = n_items
        for item in range(index[FIRST, columns[j]], index[FIRST, columns[j] + 1]):
            if sums[WORD, item] & mask >= rule.min_trades:
                for k in range(ADDITIVE):
                    to_index[k, n_items] = sums[k, item]
                to_index[CONDITION, n_items] = index[CONDITION, item]
                to_index[COLUMN, n_items] = j
                names[item] = n_items
                n_items += 1
    to_index[FIRST, columns.size] = n_items
    for j in range(columns.size):
        for item in range(index[FIRST, columns[j]], index[FIRST, columns[j] + 1]):
            if sums[WORD, item] & mask < rule.min_trades:
                names[item] = n_items + j
        names[index[FIRST, n_columns] + columns[j]] = n_items + j
    return names


@njit(cache=True, error_model="numpy", nogil=True)
def _copy(
    items: ItemArray, packed: IntArray, trade: Int32Array, members: BitArray, part: int, columns: IntArray,
    names: ItemArray, n_names: int, shape: Shape, to_items: ItemArray, to_packed: IntArray, to_trade: Int32Array,
    to_members: BitArray,
) -> Shape:  # fmt: skip
    """Copy the rows of an item, and their items under new names."""
    n_rows, early_row, win_row = 0, 0, 0
    block = np.zeros(n_names, np.uint64)
    for place in range((shape.n_rows + 63) // 64):
        rows = members[part, place]
        while rows != 0:
            row = 64 * place + np.int64(lowest_bit(rows))
            rows &= rows - ONE
            to_packed[n_rows] = packed[row]
            to_trade[n_rows] = trade[row]
            early_row += int(row < shape.early_row)
            win_row += int(row < shape.win_row)
            bit = ONE << np.uint64(n_rows % 64)
            for j in range(columns.size):
                name = names[items[row, columns[j]]]
                to_items[n_rows, j] = name
                block[name] |= bit
            n_rows += 1
            if n_rows % 64 == 0:
                for name in range(n_names):
                    to_members[name, n_rows // 64 - 1] = block[name]
                    block[name] = 0
    for name in range(n_names):
        to_members[name, n_rows // 64] = block[name]
    return Shape(n_rows, columns.size, early_row, win_row)


@njit(cache=True, error_model="numpy", nogil=True)
def descend(
    items: ItemArray, packed: IntArray, trade: Int32Array, members: BitArray, index: IntArray, sums: IntArray,
    part: int, column: int, shape: Shape, rule: Rule, rooms: Rooms, level: int,
) -> int:  # fmt: skip
    """Make the table of an item at a level, of the columns from one on; how many it has."""
    columns = _finest_first(index, sums, column, shape.n_columns, rule)
    if columns.size == 0:
        return 0
    state, to_index = rooms.state[level], rooms.entries[level]
    names = _rename(index, sums, columns, shape.n_columns, rule, to_index)
    made = _copy(
        items, packed, trade, members, part, columns, names, to_index[FIRST, columns.size] + columns.size, shape,
        rooms.items[level], rooms.packed[level], rooms.trade[level], rooms.members[level],
    )  # fmt: skip
    state[ROWS], state[COLUMNS], state[EARLY_ROW], state[WIN_ROW] = made
    state[NEXT], state[END] = 0, to_index[FIRST, columns.size - 1]
    return columns.size
