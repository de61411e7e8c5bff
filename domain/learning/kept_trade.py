"""Closed trades as a ledger keeps them: outcomes and times as columns, and which scopes have which condition.

What belongs here: what grows by one trade at a time and is read by cell. What does not: sums (`cell_ledger`).
"""

from array import array
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.learning.pattern_scope_stat import micro_usd
from domain.learning.trade_fact import TradeFact
from domain.vocabulary.scope_dimension import BIT

N_BITS = max(BIT.values()) + 1
WHOLE_GROUP = 0
"""Stands for no condition where one is asked for."""

IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class TradeRow:
    """Actions of a trade in one group and under one scope, as numbers from 1; conditions by bit."""

    group: int
    conditions: IntArray
    bits: list[int]
    n_actions: int


class KeptTrades:
    """Trades with their rows, in the order they came; only ever added to."""

    def __init__(self) -> None:
        self._steps = array("q")
        self._has_rr = array("b")
        self._hold_hours = array("d")
        self._hours_to_s3 = array("d")
        self._micro_usd: list[int] = []
        self._row_trade = array("q")
        self._row_conditions = array("i")
        self._rows_with: defaultdict[tuple[int, int], array[int]] = defaultdict(lambda: array("q"))

    def add(self, fact: TradeFact, steps: int) -> int:
        """Keep a trade, told by any of its facts; return its number, from 0."""
        self._steps.append(steps)
        self._has_rr.append(fact.rr is not None)
        self._hold_hours.append(fact.hold_hours)
        self._hours_to_s3.append(np.nan if fact.hours_to_s3 is None else fact.hours_to_s3)
        self._micro_usd.append(micro_usd(fact))
        return len(self._steps) - 1

    def add_row(self, trade: int, row: TradeRow) -> None:
        """Keep a row of a trade."""
        number = len(self._row_trade)
        self._row_trade.append(trade)
        by_bit = [0] * N_BITS
        self._rows_with[row.group, WHOLE_GROUP].append(number)
        for bit, condition in zip(row.bits, row.conditions.tolist(), strict=True):
            by_bit[bit] = condition
            self._rows_with[row.group, condition].append(number)
        self._row_conditions.extend(by_bit)

    def trades_in(self, group: int, conditions: Sequence[tuple[int, int]]) -> IntArray:
        """Trades with a known rr and a row that has all conditions, each a bit and a number; ascending, once each."""
        numbers = [number for _, number in conditions] or [WHOLE_GROUP]
        rows = np.array(min((self._rows_with[group, number] for number in numbers), key=len))
        table = np.frombuffer(self._row_conditions, dtype=np.int32).reshape(-1, N_BITS)
        for bit, number in conditions:
            rows = rows[table[rows, bit] == number]
        trades = np.unique(np.frombuffer(self._row_trade, dtype=np.int64)[rows])
        known: IntArray = trades[np.frombuffer(self._has_rr, dtype=np.int8)[trades] != 0]
        return known

    def steps_of(self, trades: IntArray) -> list[int]:
        """Outcomes in steps, ascending."""
        steps: list[int] = np.sort(np.frombuffer(self._steps, dtype=np.int64)[trades]).tolist()
        return steps

    def hold_hours_of(self, trades: IntArray) -> list[float]:
        """Hours held, ascending."""
        return _ascending(self._hold_hours, trades)

    def hours_to_s3_of(self, trades: IntArray) -> list[float]:
        """Hours to S3 of those that reached it, ascending."""
        return _ascending(self._hours_to_s3, trades)

    def micro_usd_of(self, trades: IntArray) -> int:
        """Sum of PnL, millionths of a dollar; of any size, so it is no column of fixed width."""
        return sum(self._micro_usd[trade] for trade in trades.tolist())


def _ascending(column: "array[float]", trades: IntArray) -> list[float]:
    values = np.frombuffer(column, dtype=np.float64)[trades]
    known: list[float] = np.sort(values[~np.isnan(values)]).tolist()
    return known
