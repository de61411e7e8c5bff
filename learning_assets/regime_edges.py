"""Edges of lessons weighted for the regime of a day: what overrides are made of where the configuration serves them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from domain.learning.edge import EdgeScore
from domain.learning.override import LessonEvidence
from domain.learning.regime_edge import regime_edge_score
from domain.learning.regime_feature import CellFeatures, cell_features
from domain.learning.regime_signature import RegimeSignature, regime_signature
from domain.learning.regime_trade import RegimeTrades
from domain.learning.regime_weight import RegimeWeights, regime_weights
from domain.learning.scope_cell import cell_scope
from domain.learning.trade_fact import TradeFact
from domain.scopes.scope import parse_scope
from domain.vocabulary.scope_dimension import ScopeDimension
from learning_assets.learning_regime_weights import read_regime_trades
from learning_assets.learning_table import Day, Study


@dataclass(frozen=True)
class RegimeEdges:
    """Weights of each regime as of any day of a range, and what they make of an edge."""

    study: Study
    facts: Sequence[TradeFact]
    trades: RegimeTrades

    @classmethod
    def of(cls, study: Study, facts: Sequence[TradeFact]) -> "RegimeEdges":
        """Read a range."""
        return cls(study, facts, read_regime_trades(study))

    def served(self, day: Day, lesson: LessonEvidence, row: Mapping[str, Any]) -> LessonEvidence:
        """Lesson with the edge its components have in the regime of the day; as it is where that is not known."""
        config, category = self.study.config.learning, lesson.cell.action_category
        features = self._features(day, lesson)
        if features is None or not lesson.edge_raw:
            return lesson
        weights, signature = self._weights(day), self._signature(day, lesson)
        shift = weights.shift_r(signature, category, features) if config.regime_weight.shift_by_state else 0.0
        plain = EdgeScore(*(row[name] for name in EdgeScore._fields))
        score = regime_edge_score(plain, features, weights.weights(signature, category), shift_r=shift)
        # The ratio first: of weights that are all 1 it is exactly 1, and the edge the plain one to the bit.
        return replace(lesson, edge_used=lesson.edge_used * (score.edge_regime / score.edge_plain))

    def _weights(self, day: Day) -> RegimeWeights:
        return regime_weights(self.trades.closed_before(day.as_of), self.study.config.learning.regime_weight)

    def _features(self, day: Day, lesson: LessonEvidence) -> CellFeatures | None:
        config = self.study.config
        found = cell_features(
            [fact for fact in self.facts if fact.closed_at < day.as_of],
            [lesson.cell.mask],
            as_of_at=day.as_of,
            max_abs_rr=config.portfolio.trade_outcome.max_abs_rr,
            edge=config.learning.edge,
            config=config.learning.regime_weight,
        )
        return found.get(lesson.cell)

    def _signature(self, day: Day, lesson: LessonEvidence) -> RegimeSignature | None:
        """Regime at the end of the day, of the bucket the lesson is about; None where it is about all of them."""
        bucket = cell_scope(lesson.cell).get(ScopeDimension.MCAP_BUCKET)
        states = self.study.tables.query("channel_states_at", (bucket or "", day.as_of))
        return regime_signature(parse_scope(states.row(0, named=True))) if states.height else None
