"""Statistics of the trades of a cell, kept up as trades close, equal bit for bit to a recompute from all facts.

What belongs here: counts, sums and order statistics. What does not: the edge made of them (`edge`).

Outcomes are rounded to whole multiples of `RR_STEP` (1 / 2^20 R, about a millionth) and summed as integers. Integer
sums have no order, so any order of arrival, any split and any recompute give the same bits; and the variance,
n Σq² - (Σq)² over n², is exact before its one rounding, so it neither cancels nor turns negative.
"""

import math
from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from domain.learning.trade_fact import ScopeCell, TradeFact, actions_by_cell

RR_SCALE = 1 << 20
RR_STEP = 1.0 / RR_SCALE
USD_SCALE = 1_000_000


@dataclass(frozen=True, slots=True)
class PatternScopeStat:
    """Statistics of one cell. NaN where no trade has the value.

    Attributes
    ----------
    n_trades : int
        Distinct closed trades with a known rr; every gate reads this.
    n_trades_without_rr : int
        Trades whose rr is unknown; in no other number but `n_actions`.
    n_actions : int
        Actions of all these trades; evidence of nothing.
    n_wins : int
        Trades with rr > 0.
    sum_rr, sum_rr2 : float
        Sum of winsorised rr (R) and of its square.
    avg_rr, median_rr : float
        R. The median of an even number is the mean of the middle two.
    variance_rr : float
        Population variance, R squared.
    win_rate_frac : float
        n_wins / n_trades.
    pnl_usd : float
        Sum over the trades that count, to a millionth of a dollar.
    median_hours_to_s3, median_hold_hours : float
        Hours; the first over the trades that reached S3.
    """

    n_trades: int
    n_trades_without_rr: int
    n_actions: int
    n_wins: int
    sum_rr: float
    sum_rr2: float
    avg_rr: float
    median_rr: float
    variance_rr: float
    win_rate_frac: float
    pnl_usd: float
    median_hours_to_s3: float
    median_hold_hours: float


def rr_steps(rr: float, max_abs_rr: float) -> int:
    """Outcome clipped to ±max_abs_rr, in whole multiples of `RR_STEP`; a win never rounds to no win.

    >>> rr_steps(12.8, 10.0) == 10 * RR_SCALE, rr_steps(-1e-9, 10.0)
    (True, -1)

    Raises
    ------
    ValueError
        If `rr` is not finite.
    """
    if not math.isfinite(rr):
        raise ValueError(f"rr must be finite, was {rr}")
    steps = round(min(max(rr, -max_abs_rr), max_abs_rr) * RR_SCALE)
    return steps if steps or not rr else int(math.copysign(1, rr))


def micro_usd(fact: TradeFact) -> int:
    """PnL of a trade in millionths of a dollar; an unknown one adds nothing to a sum."""
    return round((fact.pnl_usd or 0.0) * USD_SCALE)


@dataclass(slots=True)
class CellTrades:
    """What is kept of a cell: integers, and the sorted values of its trades.

    Outcomes are in steps of `RR_STEP`, money in millionths of a dollar; `total` and `squares` are sums over `steps`.
    """

    steps: list[int] = field(default_factory=list)
    hours_to_s3: list[float] = field(default_factory=list)
    hold_hours: list[float] = field(default_factory=list)
    total: int = 0
    squares: int = 0
    micro_usd: int = 0
    n_actions: int = 0
    without_rr: int = 0

    def add(self, fact: TradeFact, n_actions: int, max_abs_rr: float) -> None:
        """Take a trade, told by any of its facts, with the number of its actions in the cell."""
        self.n_actions += n_actions
        if fact.rr is None:
            self.without_rr += 1
            return
        steps = rr_steps(fact.rr, max_abs_rr)
        insort(self.steps, steps)
        insort(self.hold_hours, fact.hold_hours)
        if fact.hours_to_s3 is not None:
            insort(self.hours_to_s3, fact.hours_to_s3)
        self.total += steps
        self.squares += steps * steps
        self.micro_usd += micro_usd(fact)

    def summary(self) -> PatternScopeStat:
        """Statistics of what is kept."""
        n = len(self.steps)
        spread = n * self.squares - self.total * self.total
        wins = n - bisect_right(self.steps, 0)
        return PatternScopeStat(
            n_trades=n,
            n_trades_without_rr=self.without_rr,
            n_actions=self.n_actions,
            n_wins=wins,
            sum_rr=self.total / RR_SCALE,
            sum_rr2=self.squares / RR_SCALE**2,
            avg_rr=self.total / (n * RR_SCALE) if n else math.nan,
            median_rr=_median(self.steps) / RR_SCALE,
            variance_rr=spread / (n * RR_SCALE) ** 2 if n else math.nan,
            win_rate_frac=wins / n if n else math.nan,
            pnl_usd=self.micro_usd / USD_SCALE,
            median_hours_to_s3=_median(self.hours_to_s3),
            median_hold_hours=_median(self.hold_hours),
        )


class PatternScopeStats:
    """Statistics of every cell, trade by trade.

    Adding a trade costs its cells, each O(log n) to find a place and a move of memory to take it.

    Parameters
    ----------
    masks : iterable of int
        Scope masks; 0 is the whole pattern.
    max_abs_rr : float
        Winsor limit of an outcome, R.
    """

    def __init__(self, masks: Iterable[int], *, max_abs_rr: float) -> None:
        self._masks = tuple(masks)
        self._max_abs_rr = max_abs_rr
        self._cells: defaultdict[ScopeCell, CellTrades] = defaultdict(CellTrades)
        self._trades: dict[str, frozenset[TradeFact]] = {}

    def add_trade(self, facts: Sequence[TradeFact]) -> bool:
        """Take all facts of one closed trade; return False, changing nothing, when it was taken already.

        Raises
        ------
        ValueError
            If the facts are not those of one trade, or differ from those taken for it before.
        """
        if not facts:
            return False
        by_cell = actions_by_cell(facts, self._masks)
        trade_id, taken = facts[0].trade_id, frozenset(facts)
        known = self._trades.setdefault(trade_id, taken)
        if known is not taken:
            if known != taken:
                raise ValueError(f"Trade {trade_id} was taken with other facts: facts are never changed")
            return False
        for cell, n_actions in by_cell.items():
            self._cells[cell].add(facts[0], n_actions, self._max_abs_rr)
        return True

    def stats(self) -> dict[ScopeCell, PatternScopeStat]:
        """Statistics of every cell with a trade, by cell."""
        return {cell: self._cells[cell].summary() for cell in sorted(self._cells)}


def pattern_scope_stats(
    facts: Iterable[TradeFact], masks: Iterable[int], *, max_abs_rr: float
) -> dict[ScopeCell, PatternScopeStat]:
    """Statistics of every cell from all facts at once; the same bits as `PatternScopeStats` gives, whatever the order.

    Parameters
    ----------
    facts : iterable of TradeFact
        Facts of closed trades, in any order; those of one trade need not stand together.
    masks : iterable of int
        Scope masks.
    max_abs_rr : float
        Winsor limit of an outcome, R.

    Raises
    ------
    ValueError
        If a fact comes twice, or facts of one trade bear different outcomes.
    """
    by_trade: defaultdict[str, list[TradeFact]] = defaultdict(list)
    for fact in facts:
        by_trade[fact.trade_id].append(fact)
    named = tuple(masks)
    members: defaultdict[ScopeCell, list[tuple[TradeFact, int]]] = defaultdict(list)
    for trade in by_trade.values():
        for cell, n_actions in actions_by_cell(trade, named).items():
            members[cell].append((trade[0], n_actions))
    return {cell: _batch(members[cell], max_abs_rr) for cell in sorted(members)}


def _batch(members: Sequence[tuple[TradeFact, int]], max_abs_rr: float) -> PatternScopeStat:
    counted = [(fact, fact.rr) for fact, _ in members if fact.rr is not None]
    steps = sorted(rr_steps(rr, max_abs_rr) for _, rr in counted)
    cell = CellTrades(
        steps=steps,
        hours_to_s3=sorted(fact.hours_to_s3 for fact, _ in counted if fact.hours_to_s3 is not None),
        hold_hours=sorted(fact.hold_hours for fact, _ in counted),
        total=sum(steps),
        squares=sum(step * step for step in steps),
        micro_usd=sum(micro_usd(fact) for fact, _ in counted),
        n_actions=sum(n_actions for _, n_actions in members),
        without_rr=len(members) - len(counted),
    )
    return cell.summary()


def _median(ordered: Sequence[float]) -> float:
    if not ordered:
        return math.nan
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
