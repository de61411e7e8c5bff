"""Statistics of every frequent cell of one group of trades, bottom-up, compiled.

A cell is the trades that share the values of some dimensions. Its rows are split further one dimension at a time,
always by a later one, so each cell is reached once; a part with too few trades is never split (a bottom-up cube).

1. The rows of a table stand in the order of their outcome, those of one trade together. Each value, called an item
   here, has its rows as a set of bits.
2. The rows of an item are added to the items they have in every later dimension: number and sum of outcomes in one
   word, squares in another. They are whole numbers, so no order of rows and no thread can change a bit. What the
   commonest item of a dimension holds is what the others leave of the whole.
3. A median is the middle one of the bits two items share. A count up to one early row says where to begin.
4. Items that are split again get a table of their own, without the items that are too rare in it, for they stay so;
   the dimension that splits finest comes first.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, cast

import numpy as np
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
Int32Array = NDArray[np.int32]
ItemArray = NDArray[np.uint16]
BitArray = NDArray[np.uint64]

NO_CONDITION = 65_535
"""What stands in a place of a cell that has fewer conditions than places."""
SUM, SQUARES = range(2)
TRADES, WINS, MIDDLE = range(3)

EARLY_FRAC = 0.4
ONE, ALL = np.uint64(1), np.uint64(2**64 - 1)
WORD, SQUARE, EARLY, LOSSES, ADDITIVE = range(5)
_LAST_TRADE, SUM_ROWS = ADDITIVE, ADDITIVE + 1
FIRST, CONDITION, COLUMN, PART, INDEX_ROWS = range(ADDITIVE, ADDITIVE + 5)


class Cells(NamedTuple):
    """Cells: conditions (n, depth); sums (n, 2) by SUM, SQUARES; counts (n, 3) by TRADES, WINS, MIDDLE.

    MIDDLE is twice the median, in steps.
    """

    conditions: ItemArray
    sums: IntArray
    counts: Int32Array


class Rule(NamedTuple):
    """What holds for a whole group: low bits of a word that count trades; whether a trade may have several rows."""

    bits: int
    has_repeats: bool
    min_trades: int


class Shape(NamedTuple):
    """Size of a table, up to which row its early counts go, and its first row with an outcome above 0."""

    n_rows: int
    n_columns: int
    early_row: int
    win_row: int


def _count_ones(typing_context: Any, word: Any) -> tuple[Any, Callable[..., Any]]:
    return types.uint64(types.uint64), lambda context, builder, signature, args: builder.ctpop(args[0])


def _count_zeros_below(typing_context: Any, word: Any) -> tuple[Any, Callable[..., Any]]:
    never_zero = cgutils.true_bit
    return types.uint64(types.uint64), lambda context, builder, signature, args: builder.cttz(args[0], never_zero)


_ones = cast("Callable[[Any], Any]", intrinsic(_count_ones))
"""Number of bits set in a word: one instruction."""

lowest_bit = cast("Callable[[Any], Any]", intrinsic(_count_zeros_below))
"""Place of the lowest bit set in a word that has one."""


@njit(cache=True, error_model="numpy", nogil=True)
def _between(word: np.uint64, place: int, low: int, high: int) -> np.uint64:
    """Bits of a word, the one at a place, that are rows low:high."""
    if place == low // 64:
        word &= ALL << np.uint64(low % 64)
    if place == high // 64:
        word &= ~(ALL << np.uint64(high % 64))
    return word


@njit(cache=True, error_model="numpy", nogil=True)
def add_part(
    items: ItemArray, packed: IntArray, members: BitArray, index: IntArray, sums: IntArray, part: int, column: int,
    shape: Shape, bits: int,
) -> None:  # fmt: skip
    """Add the rows of an item to the items they have from a column on. No index is below 0: `max` says so."""
    n_columns, column, part = shape.n_columns, max(column, 0), max(part, 0)
    first, n_items = max(index[FIRST, column], 0), index[FIRST, n_columns]
    for item in range(first, n_items + n_columns):
        sums[WORD, item] = 0
        sums[SQUARE, item] = 0
    for stretch in range(3):
        low = 0 if stretch == 0 else shape.early_row if stretch == 1 else shape.win_row
        high = shape.early_row if stretch == 0 else shape.win_row if stretch == 1 else shape.n_rows
        for place in range(max(low // 64, 0), (high + 63) // 64):
            rows = _between(members[part, place], place, low, high)
            while rows != 0:
                row = 64 * place + np.int64(lowest_bit(rows))
                rows &= rows - ONE
                word = packed[row]
                square = (word >> bits) * (word >> bits)
                for j in range(column, n_columns):
                    item = items[row, j]
                    sums[WORD, item] += word
                    sums[SQUARE, item] += square
        if stretch < 2:
            for item in range(first, n_items):
                sums[EARLY + stretch, item] = sums[WORD, item]


@njit(cache=True, error_model="numpy", nogil=True)
def add_part_once(
    items: ItemArray, packed: IntArray, trade: Int32Array, members: BitArray, index: IntArray, sums: IntArray,
    part: int, column: int, shape: Shape, bits: int,
) -> None:  # fmt: skip
    """Do as `add_part`, but take a trade once an item: its rows stand together."""
    for item in range(index[FIRST, column], index[FIRST, shape.n_columns] + shape.n_columns):
        for k in range(ADDITIVE):
            sums[k, item] = 0
        sums[_LAST_TRADE, item] = -1
    for place in range((shape.n_rows + 63) // 64):
        rows = members[part, place]
        while rows != 0:
            row = 64 * place + np.int64(lowest_bit(rows))
            rows &= rows - ONE
            word, number = packed[row], trade[row]
            square = (word >> bits) * (word >> bits)
            loss = word if row < shape.win_row else 0
            for j in range(column, shape.n_columns):
                item = items[row, j]
                if sums[_LAST_TRADE, item] != number:
                    sums[_LAST_TRADE, item] = number
                    sums[WORD, item] += word
                    sums[SQUARE, item] += square
                    sums[LOSSES, item] += loss


@njit(cache=True, error_model="numpy", nogil=True, inline="always")
def _middle(
    packed: IntArray, members: BitArray, part: int, item: int, n: int, early: int, early_row: int, bits: int
) -> int:
    """Twice the median of the n rows two items share, of which so many stand before the early row, in steps."""
    left, place = (n + 1) // 2, 0
    part, item, early_row = max(part, 0), max(item, 0), max(early_row, 0)
    word = members[item, 0] & members[part, 0]
    if 0 < early < left:
        place, left = early_row // 64, left - early
        word = members[item, place] & members[part, place] & (ALL << np.uint64(early_row % 64))
    ones = int(_ones(word))
    while ones < left:
        left -= ones
        place += 1
        word = members[item, place] & members[part, place]
        ones = int(_ones(word))
    for _ in range(left - 1):
        word &= word - ONE
    lower: int = packed[64 * place + np.int64(lowest_bit(word))] >> bits
    if n & 1 == 0:
        word &= word - ONE
        while word == 0:
            place += 1
            word = members[item, place] & members[part, place]
    upper: int = packed[64 * place + np.int64(lowest_bit(word))] >> bits
    return lower + upper


@njit(cache=True, error_model="numpy", nogil=True, inline="always")
def _middle_once(
    packed: IntArray, trade: Int32Array, members: BitArray, part: int, item: int, n: int, bits: int
) -> int:
    """Do as `_middle` for n trades, each taken once."""
    total: int = 0
    seen, place, last = 0, -1, -1
    while seen < n // 2 + 1:
        place += 1
        rows = members[item, place] & members[part, place]
        while rows != 0 and seen < n // 2 + 1:
            row = 64 * place + np.int64(lowest_bit(rows))
            rows &= rows - ONE
            if trade[row] != last:
                last = trade[row]
                seen += 1
                total += (packed[row] >> bits) * ((seen == (n + 1) // 2) + (seen == n // 2 + 1))
    return total


@njit(cache=True, error_model="numpy", nogil=True)
def write_cells(
    packed: IntArray, trade: Int32Array, members: BitArray, index: IntArray, sums: IntArray, part: int, column: int,
    shape: Shape, rule: Rule, prefix: ItemArray, level: int, conditions: ItemArray, totals: IntArray,
    counts: Int32Array, n_cells: int,
) -> int:  # fmt: skip
    """Append a cell for each item from a column on that has enough trades; the new number of cells.

    A `part` below 0 is the whole table.
    """
    mask, first = (1 << rule.bits) - 1, max(index[FIRST, column], 0)
    for item in range(first, index[FIRST, shape.n_columns]):
        n = sums[WORD, item] & mask
        if n < rule.min_trades:
            continue
        for place in range(conditions.shape[1]):
            conditions[n_cells, place] = prefix[place] if place < level else NO_CONDITION
        conditions[n_cells, level] = index[CONDITION, item]
        totals[n_cells, SUM] = sums[WORD, item] >> rule.bits
        totals[n_cells, SQUARES] = sums[SQUARE, item]
        other = item if part < 0 else part
        if rule.has_repeats:
            middle = _middle_once(packed, trade, members, other, item, n, rule.bits)
        else:
            early = sums[EARLY, item] & mask
            middle = _middle(packed, members, other, item, n, early, shape.early_row, rule.bits)
        counts[n_cells, TRADES] = n
        counts[n_cells, WINS] = n - (sums[LOSSES, item] & mask)
        counts[n_cells, MIDDLE] = middle
        n_cells += 1
    return n_cells
