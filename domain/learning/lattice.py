"""All frequent combinations of conditions of a group of trades, each with the exact statistics of its trades.

A cell is the trades of one pattern and category that share the values of up to `max_depth` dimensions. It is frequent
with `min_trades` trades; actions are not counted for that.

Each set of trades has one cell. Dimensions that move together give many names to one set: ten that never differ once
made a thousand lessons of one. The cell with the fewest conditions stands for the set, of these the one with the lowest
mask, then the lowest values. So a dimension that is constant among the trades of a cell adds nothing to it.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.config.lesson import MiningConfig
from domain.learning.lattice_item import GroupItems, group_items
from domain.learning.lattice_kernel import MIDDLE, NO_CONDITION, SQUARES, SUM, TRADES, WINS, Cells, Rule
from domain.learning.lattice_set import is_first_of_its_trades, medians_of_trades, sort_conditions, sums_of_trades
from domain.learning.lattice_walk import mine
from domain.learning.pattern_scope_stat import RR_SCALE, USD_SCALE, PatternScopeStat
from domain.learning.trade_fact import ScopeCell
from domain.learning.trade_group import CodeArray, FloatArray, Int32Array, IntArray, TradeGroup

NO_BIT = -1
"""Bit in a place of a cell that has fewer conditions than places."""

_MAX_SUM = 1 << 62
_LIMB_BITS = 32


@dataclass(frozen=True, slots=True, eq=False)
class MinedCells:
    """Cells of a group, the one without conditions first, by number of conditions, mask and values.

    Attributes
    ----------
    group : TradeGroup
        Whose cells they are.
    masks : ndarray of int64 of shape (n_cells,)
        Scope mask of each cell.
    bits : ndarray of int8 of shape (n_cells, max_depth)
        Bits of the mask, rising; NO_BIT in places that are not used.
    codes : ndarray of uint16 of shape (n_cells, max_depth)
        Code of the value of each of the bits, as the group numbers them; 0 in places that are not used.
    n_trades, n_wins : ndarray of int64 of shape (n_cells,)
        Trades with a known rr, and those of them with rr > 0.
    n_trades_without_rr : ndarray of int64 of shape (n_cells,)
        Trades whose rr is unknown; in no other number but `n_actions`.
    n_actions : ndarray of int64 of shape (n_cells,)
        Actions of all these trades.
    sum_steps : ndarray of int64 of shape (n_cells,)
        Sum of the outcomes, steps.
    sum_squares : ndarray of shape (n_cells,)
        Sum of the squared outcomes, steps squared: int64, or Python integers where these might not fit.
    twice_median_steps : ndarray of int64 of shape (n_cells,)
        Twice the median outcome, steps.
    pnl_micro_usd : ndarray of int64 of shape (n_cells,)
        Sum of the results that are known, millionths of a dollar.
    median_hold_hours, median_hours_to_s3 : ndarray of float64 of shape (n_cells,)
        Hours; the second over the trades that reached S3, NaN where none did.
    n_found : int
        Frequent cells, the one without conditions too.
    n_closed : int
        Of these, one for each set of trades.
    n_cut : int
        Of these, left out by `max_cells`.
    n_values_left_out : int
        Values with enough trades that are in no cell, by `max_values_per_dimension`.
    """

    group: TradeGroup
    masks: IntArray
    bits: NDArray[np.int8]
    codes: CodeArray
    n_trades: IntArray
    n_wins: IntArray
    n_trades_without_rr: IntArray
    n_actions: IntArray
    sum_steps: IntArray
    sum_squares: NDArray[np.int64] | NDArray[np.object_]
    twice_median_steps: IntArray
    pnl_micro_usd: IntArray
    median_hold_hours: FloatArray
    median_hours_to_s3: FloatArray
    n_found: int
    n_closed: int
    n_cut: int
    n_values_left_out: int

    @property
    def n_cells(self) -> int:
        """Cells that are kept."""
        return self.masks.size

    def cells(self, i: int) -> ScopeCell:
        """Name of cell i."""
        named = zip(self.bits[i].tolist(), self.codes[i].tolist(), strict=True)
        values = tuple(self.group.values[bit][code - 1] for bit, code in named if bit != NO_BIT)
        return ScopeCell(self.group.pattern_key, self.group.action_category, int(self.masks[i]), values)

    def stats(self, i: int) -> PatternScopeStat:
        """Statistics of cell i; the same bits as `pattern_scope_stats` gives."""
        n, total, squares = int(self.n_trades[i]), int(self.sum_steps[i]), int(self.sum_squares[i])
        return PatternScopeStat(
            n_trades=n,
            n_trades_without_rr=int(self.n_trades_without_rr[i]),
            n_actions=int(self.n_actions[i]),
            n_wins=int(self.n_wins[i]),
            sum_rr=total / RR_SCALE,
            sum_rr2=squares / RR_SCALE**2,
            avg_rr=total / (n * RR_SCALE),
            median_rr=int(self.twice_median_steps[i]) / (2 * RR_SCALE),
            variance_rr=(n * squares - total * total) / (n * RR_SCALE) ** 2,
            win_rate_frac=int(self.n_wins[i]) / n,
            pnl_usd=int(self.pnl_micro_usd[i]) / USD_SCALE,
            median_hours_to_s3=float(self.median_hours_to_s3[i]),
            median_hold_hours=float(self.median_hold_hours[i]),
        )

    def all_stats(self) -> dict[ScopeCell, PatternScopeStat]:
        """Statistics of every cell, in the order of the cells."""
        return {self.cells(i): self.stats(i) for i in range(self.n_cells)}


class FrequentCells(NamedTuple):
    """Every frequent cell of a group, in no order but that the one without conditions comes first.

    cells: conditions are items, rising. masks: (n_cells,). items: what the numbers of items mean. rows: as ordered.
    """

    cells: Cells
    masks: IntArray
    items: GroupItems
    rows: "OrderedRows"


class OrderedRows(NamedTuple):
    """Rows of a group by outcome and trade: items of each, outcome in steps, first row of its trade."""

    items: CodeArray
    steps: IntArray
    first_row: Int32Array


def frequent_cells(group: TradeGroup, config: MiningConfig) -> FrequentCells:
    """Every cell with enough trades, several of one set of trades too.

    Raises
    ------
    ValueError
        If the sum of the outcomes might not fit 64 bits: more than half a million trades, nearly all at the limit.
    """
    items = group_items(group, config)
    rows = _ordered(group, items)
    n_rows, depth = rows.steps.size, config.max_depth
    bits = n_rows.bit_length()
    if (int(np.abs(rows.steps).sum()) << bits) + n_rows >= _MAX_SUM:
        raise ValueError(f"The outcomes of {group.n_trades} trades are too many: their sum might not fit 64 bits")
    cells = _only_root(group, depth)
    if group.n_trades >= config.min_trades and items.n_items:
        rule = Rule(bits, n_rows > group.n_trades, config.min_trades)
        cells = mine(rows.items, items.first, (rows.steps << bits) + 1, rows.first_row, rule, depth)
    _write_root(group, cells)
    return FrequentCells(cells, sort_conditions(cells.conditions, items.bits), items, rows)


def mine_cells(group: TradeGroup, config: MiningConfig) -> MinedCells:
    """Cells of a group, one a set of trades; where they are too many, those with fewest conditions and most trades.

    The cell without conditions is there whenever the group has a trade with a known rr, and all cells of one condition
    are; more than `max_cells` if need be.

    Parameters
    ----------
    group : TradeGroup
        Trades.
    config : MiningConfig
        Bounds.

    Returns
    -------
    MinedCells
        Decided by the facts alone: neither their order nor threads change a bit.

    Raises
    ------
    ValueError
        As `frequent_cells`; or if the results of the trades do not fit 64 bits of millionths of a dollar.
    """
    found = frequent_cells(group, config)
    cells, items, rows = found.cells, found.items, found.rows
    has_repeats = group.row_trade.size > group.n_trades
    is_first = is_first_of_its_trades(cells, found.masks, rows.items, items.n_items, rows.first_row, has_repeats)
    kept = _kept(found, np.flatnonzero(is_first), config.max_cells)
    conditions, counts = cells.conditions[kept], cells.counts[kept].astype(np.int64)
    n_actions, pnl_micro_usd, squares = _sums(group, items, conditions)
    without_rr = _sums_without_rr(group, items, conditions)
    is_used, numbers = conditions != NO_CONDITION, np.where(conditions != NO_CONDITION, conditions, 0)
    bits, codes = np.append(items.bits, 0)[numbers], np.append(items.codes, 0)[numbers]
    return MinedCells(
        group=group,
        masks=found.masks[kept],
        bits=np.where(is_used, bits, NO_BIT).astype(np.int8),
        codes=np.where(is_used, codes, 0).astype(np.uint16),
        n_trades=counts[:, TRADES],
        n_wins=counts[:, WINS],
        n_trades_without_rr=without_rr[:, 1],
        n_actions=n_actions + without_rr[:, 0],
        sum_steps=cells.sums[kept, SUM],
        sum_squares=squares,
        twice_median_steps=counts[:, MIDDLE],
        pnl_micro_usd=pnl_micro_usd,
        median_hold_hours=_medians(group, items, conditions, group.hold_hours),
        median_hours_to_s3=_medians(group, items, conditions, group.hours_to_s3),
        n_found=is_first.size,
        n_closed=int(is_first.sum()),
        n_cut=int(is_first.sum()) - kept.size,
        n_values_left_out=items.n_left_out,
    )


def _ordered(group: TradeGroup, items: GroupItems) -> OrderedRows:
    steps = group.rr_steps[group.row_trade]
    order = np.argsort(steps, kind="stable")
    trade = group.row_trade[order]
    is_first = np.diff(trade, prepend=-1) != 0
    first_row = np.maximum.accumulate(np.where(is_first, np.arange(trade.size), 0))
    return OrderedRows(items.of_rows(group.codes)[order], steps[order], first_row.astype(np.int32))


def _only_root(group: TradeGroup, depth: int) -> Cells:
    """Room for the cell without conditions; for none where there is no trade."""
    n = min(group.n_trades, 1)
    return Cells(np.full((n, depth), NO_CONDITION, np.uint16), np.empty((n, 2), np.int64), np.empty((n, 3), np.int32))


def _write_root(group: TradeGroup, cells: Cells) -> None:
    """Write the numbers of the cell without conditions."""
    n, steps = group.n_trades, np.sort(group.rr_steps)
    if n:
        cells.sums[0, [SUM, SQUARES]] = steps.sum(), np.square(steps).sum()
        cells.counts[0, [TRADES, WINS, MIDDLE]] = n, np.sum(steps > 0), steps[(n - 1) // 2] + steps[n // 2]


def _kept(found: FrequentCells, closed: IntArray, max_cells: int) -> IntArray:
    """Cells that are kept, of those closed, in order."""
    masks, conditions = found.masks[closed], found.cells.conditions[closed]
    depth = np.bitwise_count(masks).astype(np.int64)
    by_name = (*conditions.T[::-1], masks)
    by_trades = np.lexsort((*by_name, -found.cells.counts[closed, TRADES], depth))
    chosen = by_trades[: max(max_cells, int(np.sum(depth <= 1)))]
    return closed[chosen[np.lexsort((*(key[chosen] for key in by_name), depth[chosen]))]]


def _sums(
    group: TradeGroup, items: GroupItems, conditions: CodeArray
) -> tuple[IntArray, IntArray, NDArray[np.int64] | NDArray[np.object_]]:
    """Actions of the trades with a known rr, their results, their squared outcomes."""
    micro_usd = np.rint(np.nan_to_num(group.pnl_usd) * USD_SCALE)
    if np.abs(micro_usd).sum() >= _MAX_SUM:
        raise ValueError(f"The results of {group.n_trades} trades are too large: their sum might not fit 64 bits")
    squares = np.square(group.rr_steps)
    columns = [micro_usd.astype(np.int64), squares & ((1 << _LIMB_BITS) - 1), squares >> _LIMB_BITS]
    of_row = [group.row_actions.astype(np.int64), *(column[group.row_trade] for column in columns)]
    rows = items.of_rows(group.codes)
    sums = sums_of_trades(conditions, rows, items.n_items, group.row_trade, np.stack(of_row, axis=1))
    low, high = sums[:, 2], sums[:, 3]
    if np.sum(squares, dtype=np.float64) < _MAX_SUM:
        return sums[:, 0], sums[:, 1], (high << _LIMB_BITS) + low
    return sums[:, 0], sums[:, 1], (high.astype(object) << _LIMB_BITS) + low


def _sums_without_rr(group: TradeGroup, items: GroupItems, conditions: CodeArray) -> IntArray:
    """Actions and number of the trades whose rr is unknown."""
    rows = group.rows_without_rr
    values = np.stack([rows.actions.astype(np.int64), np.ones(rows.trade.size, np.int64)], axis=1)
    return sums_of_trades(conditions, items.of_rows(rows.codes), items.n_items, rows.trade, values)


def _medians(group: TradeGroup, items: GroupItems, conditions: CodeArray, values: FloatArray) -> FloatArray:
    """Medians of a column of trades that may have NaN."""
    of_row = values[group.row_trade]
    order = np.argsort(of_row, kind="stable")[: np.sum(~np.isnan(of_row))]
    rows = items.of_rows(group.codes)[order]
    return medians_of_trades(conditions, rows, items.n_items, group.row_trade[order], of_row[order])
