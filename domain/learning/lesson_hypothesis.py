"""What was claimed of a cell, the numbers for and against it, and the verdict.

What belongs here: the record. What does not: how it is reached (`lesson`).
"""

import math
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

from domain.learning.contrast import Difference
from domain.learning.edge import EdgeScore
from domain.learning.trade_fact import ScopeCell


class Verdict(StrEnum):
    """What became of a hypothesis: the first that applies, in this order.

    not_significant_alone: significant only while shadows of other lessons count as discoveries of its family.
    """

    TOO_FEW_TRADES = "too_few_trades"
    TOO_FEW_CLUSTERS = "too_few_clusters"
    NO_SPREAD = "no_spread"
    NOT_SIGNIFICANT = "not_significant"
    NOT_CONFIRMED = "not_confirmed"
    NO_BASELINE = "no_baseline"
    EDGE_TOO_SMALL = "edge_too_small"
    EXPLAINED_BY = "explained_by"
    NOT_SIGNIFICANT_ALONE = "not_significant_alone"
    SHORT_LIVED = "short_lived"
    TOO_MANY = "too_many"
    PROMOTED = "promoted"


@dataclass(frozen=True, slots=True, kw_only=True)
class LessonHypothesis:
    """That the trades of a cell end otherwise than its rest; with verdict `promoted`, a lesson. NaN: not to be said.

    Attributes
    ----------
    cell : ScopeCell
        What is claimed of; mask 0 is a whole group.
    parent : ScopeCell or None
        Cell whose other trades are the rest; None for a whole group, whose rest is the other groups of its
        category: trades that were added to are those that went well, and are no measure of entries.
    n_trades, n_actions, n_wins : int
        As in `PatternScopeStat`, over all trades.
    avg_rr, median_rr, variance_rr : float
        R, R, R squared; as there.
    win_rate_frac, win_rate_low, win_rate_high : float
        Share of wins and its Wilson interval.
    avg_rr_shrunk : float
        Mean after `shrinkage_trades` trades of the parent's shrunk mean were added (of the baseline, to a group), R.
    edge : EdgeScore
        Six components of the cell as it is.
    edge_shrunk : float
        Edge with the shrunk mean in the place of the mean: what a lesson acts with.
    discovery, confirmation : Difference
        Over the earlier trades, p two-sided; over the later ones, p one-sided in the direction discovered.
    overall : Difference
        Over all trades, p two-sided. It was chosen for being large, so it tells too much; `confirmation` does not.
    effect_low, effect_high : float
        Interval of the overall effect, R.
    q : float
        p of the discovery after the whole family it was tested in; NaN where it was not tested.
    confirmation_q : float
        p of the confirmation after all discoveries of the run; NaN where it was not significant, or too few later
        trades are there to ask.
    half_life_hours : float
        Of its decay fit; NaN where there is none.
    verdict : Verdict
    explained_by : ScopeCell or None
        Accepted cell it is a shadow of.
    """

    cell: ScopeCell
    parent: ScopeCell | None
    n_trades: int
    n_actions: int
    n_wins: int
    avg_rr: float
    median_rr: float
    variance_rr: float
    win_rate_frac: float
    win_rate_low: float
    win_rate_high: float
    avg_rr_shrunk: float
    edge: EdgeScore
    edge_shrunk: float
    discovery: Difference
    confirmation: Difference
    overall: Difference
    effect_low: float
    effect_high: float
    q: float
    confirmation_q: float
    half_life_hours: float
    verdict: Verdict
    explained_by: ScopeCell | None = None

    @property
    def depth(self) -> int:
        """Conditions of the cell."""
        return self.cell.mask.bit_count()

    @property
    def is_tested(self) -> bool:
        """Whether it counts in a family of tests: its sides were large enough to tell a p."""
        return not math.isnan(self.q)


@dataclass(frozen=True, slots=True, kw_only=True)
class LessonRun:
    """Everything that was asked of the mined cells, and what is believed.

    Attributes
    ----------
    hypotheses : tuple of LessonHypothesis
        Each cell that was asked about, once, by cell.
    n_groups, n_groups_too_small : int
        Groups with a trade; those of them with too few to ask anything.
    n_cells, n_cells_cut : int
        Cells mined in all groups; those the miner found and left out for their number.
    n_cells_not_reached : int
        Cells nothing was asked of, because none of their parents differed enough from its own rest.
    n_trades_purged : int
        Later trades that were open while the earlier ones were, summed over groups: they confirm nothing.
    """

    hypotheses: tuple[LessonHypothesis, ...]
    n_groups: int
    n_groups_too_small: int
    n_cells: int
    n_cells_cut: int
    n_cells_not_reached: int
    n_trades_purged: int

    @property
    def lessons(self) -> tuple[LessonHypothesis, ...]:
        """Hypotheses that were promoted, by cell."""
        return tuple(each for each in self.hypotheses if each.verdict is Verdict.PROMOTED)

    @property
    def n_tested(self) -> int:
        """Hypotheses that count in a family of tests."""
        return sum(each.is_tested for each in self.hypotheses)

    def verdict_counts(self) -> dict[Verdict, int]:
        """Hypotheses by verdict, all verdicts named."""
        counted = Counter(each.verdict for each in self.hypotheses)
        return {verdict: counted[verdict] for verdict in Verdict}
