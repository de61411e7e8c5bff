"""Every cell of every closed trade, current the moment the trade is known; equal to a recompute from all facts.

What belongs here: taking trades, finding cells, the numbers of a cell. What does not: the compiled table
(`cell_ledger_kernel`), the edge made of the numbers (`edge`).

A trade with 28 known dimensions stands in 3,683 cells of up to three conditions. To write them all to a table for each
trade costs megabytes of log; facts are written, once, and cells are kept in memory, made anew from the facts at any
time. Sums are kept in every cell; medians are taken, of the cells that are asked for, from the trades.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import comb

import numpy as np

from domain.learning import cell_ledger_kernel as kernel
from domain.learning.cell_ledger_kernel import IntArray
from domain.learning.kept_trade import N_BITS, KeptTrades, TradeRow
from domain.learning.pattern_scope_stat import RR_SCALE, CellTrades, PatternScopeStat, rr_steps
from domain.learning.trade_fact import ScopeCell, TradeFact, check_one_trade
from domain.scopes.bitmask import dimensions_of, mask_of
from domain.vocabulary.action import ActionCategory
from domain.vocabulary.scope_dimension import BIT, ScopeDimension

FIRST_ROOM = 1 << 14

_Group = tuple[str, ActionCategory]
_ScopeItems = tuple[tuple[ScopeDimension, str], ...]


@dataclass(frozen=True, slots=True)
class CellSums:
    """Sums of one cell, exact: trades, actions, and outcomes in steps of `RR_STEP`.

    The fields of the same name are those of `PatternScopeStat`.
    """

    n_trades: int
    n_trades_without_rr: int
    n_actions: int
    n_wins: int
    sum_steps: int
    sum_squares: int


class CellLedger:
    """Sums of every cell up to a depth, trade by trade.

    Adding a trade costs time for its own cells only, and now and then (each time their number doubles) a copy of all.

    Parameters
    ----------
    max_abs_rr : float
        Winsor limit of an outcome, R.
    max_depth : int
        Most conditions of a cell, 0 to 3; 0 keeps the whole patterns only.

    Raises
    ------
    ValueError
        If the limit or the depth is out of bounds.

    >>> CellLedger(max_abs_rr=10.0).n_cells
    0
    """

    def __init__(self, *, max_abs_rr: float, max_depth: int = kernel.MAX_DEPTH) -> None:
        if not 0 < max_abs_rr * RR_SCALE <= kernel.MAX_STEPS:
            raise ValueError(f"max_abs_rr must be > 0 and <= {kernel.MAX_STEPS // RR_SCALE}, was {max_abs_rr}")
        if not 0 <= max_depth <= kernel.MAX_DEPTH:
            raise ValueError(f"max_depth must be 0..{kernel.MAX_DEPTH}, was {max_depth}")
        self._max_abs_rr, self._max_depth = max_abs_rr, max_depth
        self._trades: dict[str, frozenset[TradeFact]] = {}
        self._groups: dict[_Group, int] = {}
        self._conditions: dict[tuple[ScopeDimension, str], int] = {}
        self._kept = KeptTrades()
        self._n_cells = 0
        self._names: IntArray = np.zeros(FIRST_ROOM, dtype=np.int64)
        self._cells: IntArray = np.zeros((FIRST_ROOM, kernel.COLUMNS), dtype=np.int64)
        self._slots: IntArray = np.zeros((2 * FIRST_ROOM, 2), dtype=np.int64)
        self._work: IntArray = np.empty(_n_cells(N_BITS, max_depth), dtype=np.int64)

    @property
    def n_trades(self) -> int:
        """Trades taken, those without a known rr among them."""
        return len(self._trades)

    @property
    def n_cells(self) -> int:
        """Cells with a trade."""
        return self._n_cells

    def add_trade(self, facts: Sequence[TradeFact]) -> bool:
        """Take all facts of one closed trade; return False, changing nothing, when it was taken already.

        Raises
        ------
        ValueError
            If the facts are not those of one trade, or differ from those taken for it before; if there are more
            values or groups than can be numbered. Nothing is changed then.
        """
        if not facts:
            return False
        check_one_trade(facts)
        fact, taken = facts[0], frozenset(facts)
        known = self._trades.get(fact.trade_id)
        if known is not None:
            if known != taken:
                raise ValueError(f"Trade {fact.trade_id} was taken with other facts: facts are never changed")
            return False
        steps = 0 if fact.rr is None else rr_steps(fact.rr, self._max_abs_rr)
        self._check_room(facts)
        trade = self._kept.add(fact, steps)
        for row in self._rows(facts):
            self._make_room(_n_cells(row.conditions.size, self._max_depth))
            self._n_cells = kernel.add_row(
                *(self._slots, self._names, self._cells, self._n_cells, row.group, row.conditions, self._max_depth),
                *(trade + 1, row.n_actions, steps, fact.rr is not None, self._work),
            )
            self._kept.add_row(trade, row)
        self._trades[fact.trade_id] = taken
        return True

    def sums(self, cell: ScopeCell) -> CellSums | None:
        """Look up the sums of a cell; None where no trade is in it.

        Raises
        ------
        ValueError
            If the cell has more conditions than are kept, or not one value for each dimension of its mask.
        """
        named = self._numbered(cell)
        place = -1 if named is None else kernel.place_of(self._slots, _name(*named))
        if place < 0:
            return None
        row = self._cells[place].tolist()
        return CellSums(
            n_trades=row[kernel.N_TRADES],
            n_trades_without_rr=row[kernel.WITHOUT_RR],
            n_actions=row[kernel.N_ACTIONS],
            n_wins=row[kernel.N_WINS],
            sum_steps=row[kernel.TOTAL],
            sum_squares=row[kernel.SQUARES_LOW] + (row[kernel.SQUARES_HIGH] << 32),
        )

    def stats(self, cells: Iterable[ScopeCell]) -> dict[ScopeCell, PatternScopeStat]:
        """Statistics of the cells that are asked for; one without a trade is left out.

        Returns
        -------
        dict of ScopeCell to PatternScopeStat
            By cell, the bits of `pattern_scope_stats` of the same facts; medians cost time for the trades of the
            rarest condition of the cell.

        Raises
        ------
        ValueError
            As `sums`.
        """
        found = ((cell, self.sums(cell)) for cell in sorted(set(cells)))
        return {cell: self._stat(cell, sums) for cell, sums in found if sums is not None}

    def cells(self, *, min_trades: int = 0) -> list[ScopeCell]:
        """Cells with at least so many trades of a known rr, in order; 0 gives every cell."""
        is_wanted = self._cells[: self._n_cells, kernel.N_TRADES] >= min_trades
        groups, conditions = list(self._groups), list(self._conditions)
        names = map(kernel.parts_of_name, self._names[: self._n_cells][is_wanted].tolist())
        return sorted(_cell(groups[group - 1], [conditions[i - 1] for i in numbers if i]) for group, *numbers in names)

    def _stat(self, cell: ScopeCell, sums: CellSums) -> PatternScopeStat:
        group, numbers = self._numbered(cell) or (0, [])
        bits = [BIT[dimension] for dimension in dimensions_of(cell.mask)]
        trades = self._kept.trades_in(group, list(zip(bits, numbers, strict=True)))
        return CellTrades(
            steps=self._kept.steps_of(trades),
            hours_to_s3=self._kept.hours_to_s3_of(trades),
            hold_hours=self._kept.hold_hours_of(trades),
            total=sums.sum_steps,
            squares=sums.sum_squares,
            micro_usd=self._kept.micro_usd_of(trades),
            n_actions=sums.n_actions,
            without_rr=sums.n_trades_without_rr,
        ).summary()

    def _numbered(self, cell: ScopeCell) -> tuple[int, list[int]] | None:
        """Numbers of the group and the conditions of a cell; None where one has never come."""
        dimensions = dimensions_of(cell.mask)
        if len(dimensions) != len(cell.values) or len(dimensions) > self._max_depth:
            raise ValueError(f"Expected a value for each of at most {self._max_depth} dimensions, was {cell}")
        group = self._groups.get((cell.pattern_key, cell.action_category))
        numbers = [self._conditions.get(each) for each in zip(dimensions, cell.values, strict=True)]
        if group is None or None in numbers:
            return None
        return group, [number for number in numbers if number is not None]

    def _check_room(self, facts: Sequence[TradeFact]) -> None:
        groups = self._groups.keys() | {_group(fact) for fact in facts}
        n_new = len({item for fact in facts for item in fact.scope} - self._conditions.keys())
        if len(groups) > kernel.MAX_GROUP or len(self._conditions) + n_new > kernel.MAX_CONDITION:
            raise ValueError(
                f"A ledger numbers {kernel.MAX_GROUP} groups and {kernel.MAX_CONDITION} values, would need"
                f" {len(groups)} and {len(self._conditions) + n_new}"
            )
        if self.n_trades >= kernel.MAX_TRADES:
            raise ValueError(f"A ledger keeps {kernel.MAX_TRADES} trades, sums of more are not exact")

    def _rows(self, facts: Sequence[TradeFact]) -> Iterator[TradeRow]:
        """Distinct groups and scopes of a trade; values that are new get the next numbers."""
        counts: Counter[tuple[_Group, _ScopeItems]] = Counter((_group(fact), fact.scope) for fact in facts)
        for (group, scope), n_actions in counts.items():
            numbers = [self._conditions.setdefault(item, len(self._conditions) + 1) for item in scope]
            yield TradeRow(
                group=self._groups.setdefault(group, len(self._groups) + 1),
                conditions=np.array(numbers, dtype=np.int64),
                bits=[BIT[dimension] for dimension, _ in scope],
                n_actions=n_actions,
            )

    def _make_room(self, n_more: int) -> None:
        """Double what is too small; at most half of the slots are ever taken."""
        needed = self._n_cells + n_more
        if needed <= len(self._names):
            return
        room = 2 * len(self._names)
        self._names = _extended(self._names, room)
        self._cells = _extended(self._cells, room)
        self._slots = np.zeros((2 * room, 2), dtype=np.int64)
        kernel.index_names(self._names, self._n_cells, self._slots)


def _group(fact: TradeFact) -> _Group:
    return fact.pattern_key, fact.action_category


def _n_cells(n_conditions: int, max_depth: int) -> int:
    return sum(comb(n_conditions, depth) for depth in range(max_depth + 1))


def _name(group: int, conditions: Sequence[int]) -> int:
    first, second, third = (*conditions, 0, 0, 0)[: kernel.MAX_DEPTH]
    return kernel.cell_name(group, first, second, third)


def _cell(group: _Group, conditions: Sequence[tuple[ScopeDimension, str]]) -> ScopeCell:
    values = tuple(value for _, value in conditions)
    return ScopeCell(*group, mask_of(dimension for dimension, _ in conditions), values)


def _extended(values: IntArray, room: int) -> IntArray:
    """Copy with more room, 0 where nothing stands yet."""
    longer = np.zeros((room, *values.shape[1:]), dtype=np.int64)
    longer[: len(values)] = values
    return longer
