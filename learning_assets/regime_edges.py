"""Edges of lessons weighted for the regime of a day: what overrides are made of where the configuration serves them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from domain.learning.edge import EdgeScore
from domain.learning.override import LessonEvidence
from domain.learning.regime_feature import cell_features
from domain.learning.regime_signature import RegimeSignature, regime_signature
from domain.learning.regime_trade import RegimeTrades
from domain.learning.scope_cell import cell_scope
from domain.learning.served_lesson import served_lesson
from domain.learning.trade_fact import TradeFact
from domain.scopes.scope import parse_scope
from domain.vocabulary.scope_dimension import ScopeDimension
from learning_assets.learning_regime_weights import day_weights, known_regime_trades
from learning_assets.learning_table import Day, Study


@dataclass(frozen=True)
class RegimeEdges:
    """Trades of a range by regime, and what they make of the edges of any of its days."""

    study: Study
    facts: Sequence[TradeFact]
    trades: RegimeTrades

    @classmethod
    def of(cls, study: Study, facts: Sequence[TradeFact]) -> "RegimeEdges":
        """Know the trades of a range and before it."""
        return cls(study, facts, known_regime_trades(study, facts))

    def served(
        self, day: Day, lessons: Sequence[LessonEvidence], rows: Mapping[str, Mapping[str, Any]]
    ) -> list[LessonEvidence]:
        """Lessons of a day as its regime has them; the weights are fitted and the trades walked once for all of them.

        rows: stored row of each lesson, by its id.
        """
        if not lessons:
            return []
        config = self.study.config.learning
        weights = day_weights(self.study, self.trades, day)
        features = cell_features(
            self.facts,
            sorted({lesson.cell.mask for lesson in lessons}),
            as_of_at=day.as_of,
            max_abs_rr=self.study.max_abs_rr,
            edge=config.edge,
            config=config.regime_weight,
        )
        bucket_of = {lesson.lesson_id: cell_scope(lesson.cell).get(ScopeDimension.MCAP_BUCKET) for lesson in lessons}
        signatures = {bucket: self._signature(day, bucket) for bucket in set(bucket_of.values())}
        return [
            served_lesson(
                lesson,
                EdgeScore(*(rows[lesson.lesson_id][name] for name in EdgeScore._fields)),
                features.get(lesson.cell),
                weights,
                signatures[bucket_of[lesson.lesson_id]],
                config.regime_weight,
            )
            for lesson in lessons
        ]

    def _signature(self, day: Day, bucket: str | None) -> RegimeSignature | None:
        """Regime of a bucket at the end of the day; None where a lesson is about all of them."""
        states = self.study.tables.query("channel_states_at", (bucket or "", day.as_of))
        return regime_signature(parse_scope(states.row(0, named=True))) if states.height else None
