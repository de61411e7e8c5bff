"""What was known at an instant: groups of closed trades, their cells, and the edge of every cell.

What belongs here: facts of any time to the cells and edges as of one. What does not: what is claimed of them
(`lesson`).
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from domain.config.learning import LearningConfig
from domain.learning.edge import EdgeScore, compute_edge_score, get_rr_baseline
from domain.learning.lattice import MinedCells, mine_cells
from domain.learning.pattern_scope_stat import PatternScopeStat
from domain.learning.trade_fact import ScopeCell, TradeFact
from domain.learning.trade_group import TradeGroup, trade_groups

REMEMBERED = timedelta(days=60)
"""Age of an edge that still counts for the stability of a cell."""


class CellEdge(NamedTuple):
    """A cell with the statistics of its trades and its edge."""

    cell: ScopeCell
    stat: PatternScopeStat
    score: EdgeScore


@dataclass(frozen=True, slots=True, eq=False)
class MinedDay:
    """Trades closed before an instant, and the cells they make.

    groups, mined: one a pattern and category, in the same order. baseline_rr: R; NaN where no trade is known.
    n_trades: distinct trades; n_trades_without_rr: of those, the ones in no group's columns.
    """

    as_of_at: datetime
    groups: tuple[TradeGroup, ...]
    mined: tuple[MinedCells, ...]
    baseline_rr: float
    n_facts: int
    n_trades: int
    n_trades_without_rr: int

    def edges(self, recent: "RecentEdges", config: LearningConfig) -> Iterator[CellEdge]:
        """Edge of every mined cell, by group and cell; the stability reads the edges of the days before."""
        for cells in self.mined:
            for cell, stat in cells.all_stats().items():
                score = compute_edge_score(
                    stat, baseline_rr=self.baseline_rr, recent_edges=recent.of(cell), config=config.edge
                )
                yield CellEdge(cell, stat, score)


def mine_day(facts: Iterable[TradeFact], *, as_of_at: datetime, config: LearningConfig, max_abs_rr: float) -> MinedDay:
    """Mine what was known at an instant.

    Parameters
    ----------
    facts : iterable of TradeFact
        Any order; trades closed at `as_of_at` or later are left out.
    as_of_at : datetime
        With an offset.
    config : LearningConfig
        What is mined, and the window of the baseline.
    max_abs_rr : float
        Winsor limit of an outcome, R.
    """
    known = [fact for fact in facts if fact.closed_at < as_of_at]
    groups = trade_groups(known, as_of_at=as_of_at, max_abs_rr=max_abs_rr)
    return MinedDay(
        as_of_at=as_of_at,
        groups=groups,
        mined=tuple(mine_cells(group, config.mining) for group in groups),
        baseline_rr=get_rr_baseline(known, as_of_at=as_of_at, max_abs_rr=max_abs_rr, config=config.edge),
        n_facts=len(known),
        n_trades=len({fact.trade_id for fact in known}),
        n_trades_without_rr=len({fact.trade_id for fact in known if fact.rr is None}),
    )


@dataclass(slots=True)
class RecentEdges:
    """Latest edges of every cell, oldest first: one a day, as many as the stability looks at, none of long ago."""

    length: int
    _edges: dict[ScopeCell, deque[tuple[datetime, float]]] = field(default_factory=dict)

    def of(self, cell: ScopeCell) -> Sequence[float]:
        """Edges of a cell; none where it was not mined before."""
        return tuple(edge for _, edge in self._edges.get(cell, ()))

    def by_cell(self) -> dict[ScopeCell, Sequence[float]]:
        """Edges of every cell that has any."""
        return {cell: self.of(cell) for cell in self._edges}

    def add(self, edges: Mapping[ScopeCell, float], on: datetime) -> None:
        """Take the edges of one more day; a NaN is no edge."""
        for cell, edge in edges.items():
            if edge == edge:
                self._edges.setdefault(cell, deque(maxlen=self.length)).append((on, edge))

    def begin_day(self, on: datetime) -> None:
        """Forget what is too old for a day: a run of many days knows what a run of that day alone would read."""
        for cell, edges in list(self._edges.items()):
            while edges and edges[0][0] < on - REMEMBERED:
                edges.popleft()
            if not edges:
                del self._edges[cell]
