"""The record of one cell from its comparisons, its statistics and its parent, with the verdict of these alone.

What belongs here: gates a cell passes or fails by itself. What does not: what other cells do to it (`lesson`).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from domain.config.learning import EdgeConfig
from domain.config.lesson import LessonConfig
from domain.learning.contrast import NO_DIFFERENCE, Difference, interval
from domain.learning.edge import compute_edge_score
from domain.learning.edge_decay import DecayState
from domain.learning.false_discovery import benjamini_hochberg, wilson_interval
from domain.learning.lesson_evidence import Judged
from domain.learning.lesson_hypothesis import LessonHypothesis, Verdict
from domain.learning.pattern_scope_stat import PatternScopeStat
from domain.learning.trade_fact import ScopeCell


class DecayFit(NamedTuple):
    """Decay of the edge of a cell, as `edge_decay` fitted it; half_life_hours is NaN where it has none."""

    half_life_hours: float
    state: DecayState


class Comparison(NamedTuple):
    """One cell against its rest: over the earlier trades, the later ones, and all.

    q: of the discovery, in its family. confirmation_q: of the confirmation, in the run; NaN where it was not asked for.
    """

    discovery: Difference
    confirmation: Difference
    overall: Difference
    q: float
    confirmation_q: float = math.nan


NOT_COMPARED = Comparison(NO_DIFFERENCE, NO_DIFFERENCE, NO_DIFFERENCE, math.nan)


def comparison_of(judged: Judged, cell: int, q: float) -> Comparison:
    """Row of one cell."""
    return Comparison(judged.discovery.of(cell), judged.confirmation.of(cell), judged.overall.of(cell), q)


def confirm(compared: Mapping[ScopeCell, Comparison], config: LessonConfig) -> dict[ScopeCell, Comparison]:
    """Ask the later trades about everything that was discovered in a run, as one family of one-sided tests.

    They took no part in the discovery, so whatever was tried before, among chance discoveries alone a confirmation
    comes in one run of ten at a rate of 0.1: not in one of ten for each of a dozen patterns.

    Parameters
    ----------
    compared : mapping of ScopeCell to Comparison
        All cells of the run.
    config : LessonConfig
        Rates, and the trades and clusters each side needs.
    """

    def is_asked(found: Comparison) -> bool:
        late = found.confirmation
        return (
            found.q <= config.false_discovery_rate
            and min(late.n_in, late.n_rest) >= config.min_confirm_trades
            and min(late.clusters_in, late.clusters_rest) >= config.min_confirm_clusters
        )

    p = [found.confirmation.p if is_asked(found) else math.nan for found in compared.values()]
    q = benjamini_hochberg(np.array(p, np.float64)).tolist()
    return {cell: found._replace(confirmation_q=each) for (cell, found), each in zip(compared.items(), q, strict=True)}


@dataclass(frozen=True, slots=True, kw_only=True)
class LessonRules:
    """What a cell is measured against.

    Attributes
    ----------
    baseline_rr : float
        Mean of all trades, R; NaN when there is none.
    recent_edges : mapping of ScopeCell to sequence of float
        Earlier edges, oldest first; a cell may have none.
    fits : mapping of ScopeCell to DecayFit
        A cell without a fit is not held to a half-life.
    config : LessonConfig
    edge : EdgeConfig
    """

    baseline_rr: float
    recent_edges: Mapping[ScopeCell, Sequence[float]]
    fits: Mapping[ScopeCell, DecayFit]
    config: LessonConfig
    edge: EdgeConfig

    def shrunk_mean(self, stat: PatternScopeStat, parent_mean: float) -> float:
        """Mean as if `shrinkage_trades` trades with the parent's mean stood in the cell, R."""
        added = self.config.shrinkage_trades
        return (stat.n_trades * stat.avg_rr + added * parent_mean) / (stat.n_trades + added)

    def hypothesis(
        self, cell: ScopeCell, parent: ScopeCell | None, stat: PatternScopeStat, parent_mean: float, found: Comparison
    ) -> LessonHypothesis:
        """Record of a cell; promoted when nothing but other cells can speak against it.

        Parameters
        ----------
        cell, parent : ScopeCell
            As in `LessonHypothesis`.
        stat : PatternScopeStat
            Of all trades of the cell, at least one.
        parent_mean : float
            Shrunk mean of the parent, R; the baseline for a group.
        found : Comparison
            With its rest.
        """
        level = self.config.interval_level
        recent = self.recent_edges.get(cell, ())
        shrunk = self.shrunk_mean(stat, parent_mean)
        score, shrunk_score = (
            compute_edge_score(each, baseline_rr=self.baseline_rr, recent_edges=recent, config=self.edge)
            for each in (stat, replace(stat, avg_rr=shrunk))
        )
        win_rate_low, win_rate_high = wilson_interval(stat.n_wins, stat.n_trades, level)
        effect_low, effect_high = interval(found.overall, level)
        fit = self.fits.get(cell)
        edge_shrunk = shrunk_score.edge_raw
        return LessonHypothesis(
            cell=cell,
            parent=parent,
            n_trades=stat.n_trades,
            n_actions=stat.n_actions,
            n_wins=stat.n_wins,
            avg_rr=stat.avg_rr,
            median_rr=stat.median_rr,
            variance_rr=stat.variance_rr,
            win_rate_frac=stat.win_rate_frac,
            win_rate_low=win_rate_low,
            win_rate_high=win_rate_high,
            avg_rr_shrunk=shrunk,
            edge=score,
            edge_shrunk=edge_shrunk,
            discovery=found.discovery,
            confirmation=found.confirmation,
            overall=found.overall,
            effect_low=effect_low,
            effect_high=effect_high,
            q=found.q,
            confirmation_q=found.confirmation_q,
            half_life_hours=math.nan if fit is None else fit.half_life_hours,
            verdict=self._documented(stat, score.edge_raw)
            if self.config.promotion == "documents"
            else self._tested(stat, found) or self._measured(edge_shrunk),
        )

    def is_short_lived(self, cell: ScopeCell) -> bool:
        """Whether its edge decays, and halves too soon to be of use."""
        fit = self.fits.get(cell)
        return (
            fit is not None
            and fit.state is DecayState.DECAYING
            and fit.half_life_hours < self.config.min_half_life_hours
        )

    def _documented(self, stat: PatternScopeStat, edge_raw: float) -> Verdict:
        return Verdict.TOO_FEW_TRADES if stat.n_trades < self.config.min_trades else self._measured(edge_raw)

    def _measured(self, edge: float) -> Verdict:
        if math.isnan(self.baseline_rr):
            return Verdict.NO_BASELINE
        return Verdict.PROMOTED if abs(edge) >= self.config.min_abs_edge else Verdict.EDGE_TOO_SMALL

    def _tested(self, stat: PatternScopeStat, found: Comparison) -> Verdict | None:
        """Verdict of the comparisons; None when they are passed."""
        config, early = self.config, found.discovery
        if stat.n_trades < config.min_trades or min(early.n_in, early.n_rest) < config.min_side_trades:
            return Verdict.TOO_FEW_TRADES
        if min(early.clusters_in, early.clusters_rest) < config.min_side_clusters:
            return Verdict.TOO_FEW_CLUSTERS
        if math.isnan(early.p):
            return Verdict.NO_SPREAD
        if found.q > config.false_discovery_rate:
            return Verdict.NOT_SIGNIFICANT
        return None if found.confirmation_q <= config.confirm_rate else Verdict.NOT_CONFIRMED
