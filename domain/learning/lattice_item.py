"""Values of a group of trades that conditions are made of, numbered: an item is one value of one dimension."""

from typing import NamedTuple

import numpy as np

from domain.config.lesson import MiningConfig
from domain.learning.trade_group import N_BITS, NOT_KNOWN, CodeArray, IntArray, TradeGroup
from domain.vocabulary.scope_dimension import BIT


class GroupItems(NamedTuple):
    """Items by bit and code, so that rising items are conditions in the order of the bits.

    bits, codes: (n_items,), the value an item is. first: (n_columns + 1,), the items of column j, a dimension that has
    any, are first[j]:first[j + 1]. n_left_out: values that have enough trades but are beyond the bound of a dimension.
    """

    bits: IntArray
    codes: CodeArray
    first: IntArray
    n_left_out: int

    @property
    def n_items(self) -> int:
        """Values that are mined."""
        return self.bits.size

    def of_rows(self, codes: CodeArray) -> CodeArray:
        """Items of rows, a column a dimension; n_items + j where column j has none of the items.

        Parameters
        ----------
        codes : ndarray of uint16 of shape (n_rows, N_BITS)
            As in `TradeGroup`.

        Returns
        -------
        ndarray of uint16 of shape (n_rows, n_columns)
        """
        n_columns = self.first.size - 1
        items = np.empty((len(codes), n_columns), np.uint16)
        for j in range(n_columns):
            numbers = np.arange(self.first[j], self.first[j + 1])
            column = codes[:, self.bits[numbers[0]]]
            table = np.full(max(column.max(initial=0), self.codes[numbers[-1]]) + 1, self.n_items + j, np.uint16)
            table[self.codes[numbers]] = numbers
            items[:, j] = table[column]
        return items


def group_items(group: TradeGroup, config: MiningConfig) -> GroupItems:
    """Items of a group: all values of a dimension, or those with most trades where there are too many.

    Of values with as many trades the first in order of their names is taken.
    """
    excluded = {BIT[dimension] for dimension in config.excluded_dimensions}
    chosen: dict[int, CodeArray] = {}
    n_left_out = 0
    for bit in range(N_BITS):
        codes = np.arange(1, len(group.values[bit]) + 1, dtype=np.uint16)
        if bit in excluded or not codes.size:
            continue
        if codes.size > config.max_values_per_dimension:
            n_trades = _trades_of_values(group, bit)
            by_trades = np.argsort(-n_trades, kind="stable")
            n_left_out += int(np.sum(n_trades[by_trades[config.max_values_per_dimension :]] >= config.min_trades))
            codes = np.sort(codes[by_trades[: config.max_values_per_dimension]])
        chosen[bit] = codes
    sizes = [codes.size for codes in chosen.values()]
    return GroupItems(
        bits=np.repeat(np.array(list(chosen), np.int64), sizes),
        codes=np.concatenate([np.zeros(0, np.uint16), *chosen.values()]),
        first=np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)]),
        n_left_out=n_left_out,
    )


def _trades_of_values(group: TradeGroup, bit: int) -> IntArray:
    """Trades that have each value of a dimension, one with several rows counted once."""
    codes = group.codes[:, bit].astype(np.int64)
    pairs = np.unique(codes * group.n_trades + group.row_trade) // group.n_trades
    return np.bincount(pairs[pairs != NOT_KNOWN], minlength=len(group.values[bit]) + 1)[1:]
