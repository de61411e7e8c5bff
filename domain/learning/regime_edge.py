"""Edge of a cell in a state of the market: the plain edge, each component as strong as it was learned to be there.

    edge = delta_rr x reliability^w_v x (support + magnitude + w_t x time + stability)
           x (1 + c)^(w_c - 1) x (1 + f)^(w_f - 1)

w: weights of variance, time efficiency, field coherence and recurrence; c, f: coherence and recurrence of the cell.
With all weights 1 it is the plain edge, to the bit. Coherence and recurrence are no part of the plain edge: a weight of
1 leaves them out. They come in as powers and not as further terms of the sum, for there a weight below 1 could turn the
sum, and with it every edge of a cell, to the other sign.

Weights make an edge larger or smaller and so hardly change the order of cells. What a state adds to the expected
outcome of a cell (`RegimeWeights.shift_r`) does; where it is asked for it is added to delta_rr first.

The sign is that of delta_rr (with what is added) whatever the weights. |edge| rises with support, magnitude, time,
stability and reliability; with coherence or recurrence it rises where their weight is above 1 and falls where it is
below.

What belongs here: the weighted edge. What does not: the weights (`regime_weight`).
"""

import math
from typing import NamedTuple

from domain.learning.edge import EdgeScore
from domain.learning.regime_feature import CellFeatures
from domain.learning.regime_weight import ComponentWeights


class RegimeEdgeScore(NamedTuple):
    """Edge of a cell in a state, beside the plain one; NaN throughout where there is no plain one.

    Attributes
    ----------
    reliability_score, time_score : float
        As they count: reliability^w, and w x time.
    coherence_factor, recurrence_factor : float
        Ratios, 1 where the feature is not known.
    edge_plain, edge_regime : float
        R: without the weights, and with them.
    """

    reliability_score: float
    time_score: float
    coherence_factor: float
    recurrence_factor: float
    edge_plain: float
    edge_regime: float


def regime_edge_score(
    score: EdgeScore, features: CellFeatures, weights: ComponentWeights, *, shift_r: float = 0.0
) -> RegimeEdgeScore:
    """Weight an edge.

    Parameters
    ----------
    score : EdgeScore
        Of the cell, over all its trades; NaN where it has none.
    features : CellFeatures
        Of the same cell at the same instant. The weight of one that is not known (NaN) acts as 1: it was learned from
        cells whose feature was known, and says nothing of this one.
    weights : ComponentWeights
        Of the state the market is in, for the category of the cell.
    shift_r : float
        Added to delta_rr, R, finite.

    Raises
    ------
    ValueError
        If a weight is not a number above 0, a feature lies outside 0..1, or the shift is not finite.

    >>> from domain.learning.edge import edge_score
    >>> plain = edge_score(avg_rr=1.85, baseline_rr=1.05, variance_rr=0.42, n_trades=45, median_rr=1.6,
    ...                    duration_hours=36, edge_volatility=0.25, support_trades=12)
    >>> features = CellFeatures(time_efficiency=0.4, field_coherence=0.5625, recurrence=0.8337, variance=0.7042)
    >>> round(regime_edge_score(plain, features, ComponentWeights(1, 1, 1, 1)).edge_regime, 4)
    1.5918
    >>> round(regime_edge_score(plain, features, ComponentWeights(1.5, 1, 1, 1)).edge_regime, 4)
    1.6529
    """
    for name, weight in weights._asdict().items():
        if not 0 < weight < math.inf:
            raise ValueError(f"The weight of {name} must be finite and > 0, was {weight}")
    for name, value in features._asdict().items():
        if value < 0 or value > 1:
            raise ValueError(f"{name} must be within 0..1, was {value}")
    if not math.isfinite(shift_r):
        raise ValueError(f"shift_r must be finite, was {shift_r}")
    if math.isnan(score.edge_raw):
        return RegimeEdgeScore(*[math.nan] * len(RegimeEdgeScore._fields))
    acting = ComponentWeights(
        *(1.0 if math.isnan(value) else weight for value, weight in zip(features, weights, strict=True))
    )
    reliability = score.reliability_score**acting.variance
    time = acting.time_efficiency * score.time_score
    coherence = _factor(features.field_coherence, acting.field_coherence)
    recurrence = _factor(features.recurrence, acting.recurrence)
    total = score.support_score + score.magnitude_score + time + score.stability_score
    return RegimeEdgeScore(
        reliability_score=reliability,
        time_score=time,
        coherence_factor=coherence,
        recurrence_factor=recurrence,
        edge_plain=score.edge_raw,
        edge_regime=(score.delta_rr + shift_r) * reliability * total * coherence * recurrence,
    )


def _factor(value: float, weight: float) -> float:
    return 1.0 if math.isnan(value) else (1.0 + value) ** (weight - 1.0)
