"""A lesson as it is served in the regime of a day: the edge its components have there.

What belongs here: from the weights of a regime to what an override is made of. What does not: the weights
(`regime_weight`), the weighted edge (`regime_edge`).
"""

from dataclasses import replace

from domain.config.regime_weight import RegimeWeightConfig
from domain.learning.edge import EdgeScore
from domain.learning.override import LessonEvidence
from domain.learning.regime_edge import regime_edge_score
from domain.learning.regime_feature import CellFeatures
from domain.learning.regime_signature import RegimeSignature
from domain.learning.regime_weight import RegimeWeights


def served_lesson(
    lesson: LessonEvidence,
    plain: EdgeScore,
    features: CellFeatures | None,
    weights: RegimeWeights,
    signature: RegimeSignature | None,
    config: RegimeWeightConfig,
) -> LessonEvidence:
    """Lesson with the edge its components have in a regime: what is believed of it, by weighted over plain edge.

    Parameters
    ----------
    lesson : LessonEvidence
    plain : EdgeScore
        Edge of its cell, the one it was measured with.
    features : CellFeatures or None
        Of its cell; None where it has no closed trade, and then the lesson stays as it is, as does one without an edge.
    weights : RegimeWeights
        As of the day.
    signature : RegimeSignature or None
        Regime the lesson would act in; None where it is not known, or the lesson is about all of them.
    config : RegimeWeightConfig
        `shift_by_state`: whether what the state adds to the expected outcome is added first.
    """
    if features is None or not lesson.edge_raw:
        return lesson
    category = lesson.cell.action_category
    shift = weights.shift_r(signature, category, features) if config.shift_by_state else 0.0
    score = regime_edge_score(plain, features, weights.weights(signature, category), shift_r=shift)
    # The ratio first: of weights that are all 1 it is exactly 1, and the edge the plain one to the bit.
    return replace(lesson, edge_used=lesson.edge_used * (score.edge_regime / score.edge_plain))
