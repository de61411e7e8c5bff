"""How much each component of the edge counts in a state of the market: one weight a component, signature and category.

    z      = (feature - mean) / standard deviation, over all decisions of the category
    global = argmin sum (rr - a_s - z b)^2 + l |b|^2             over all decisions, s the signature of each
    state  = argmin sum (rr - a_s - z b)^2 + k |b - global|^2    over the decisions of one signature
    weight = clamp(1 + gain x b / standard deviation of rr, 0.3, 1.7)

b over the deviation of rr is a ratio, as a correlation: no effect is exactly 1, and so is no data. An earlier system
had 0.5 + correlation: to learn that a feature does not matter halved the edges of a state beside one never seen.

Each state has its own level a: that all cells do well in a state says nothing of their features, though these change
with the state too. A state of few trades is pulled to the fit of all (k trades strong), that to no effect (l). With
fewer than `min_trades` a state takes the fit of all; with fewer of these, 1. The unit is the trade.

What belongs here: the weights and what they are made of. What does not: the rows they read (`regime_trade`) and how
effects are fitted to them (`regime_sample`), the edge they make (`regime_edge`).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from domain.config.regime_weight import RegimeWeightConfig
from domain.learning.regime_feature import CellFeatures
from domain.learning.regime_sample import (
    N_FEATURES,
    BoolArray,
    FeatureScale,
    FloatArray,
    RegimeSample,
    regime_sample,
)
from domain.learning.regime_signature import RegimeSignature
from domain.learning.regime_trade import RegimeTrades
from domain.vocabulary.action import ActionCategory, OrderSide

ALL_STATES = "all"
"""Signature of the fit to all decisions of a category, in tables."""

BUYS = tuple(category for category in ActionCategory if category.side is OrderSide.BUY)


class ComponentWeights(NamedTuple):
    """Weight of each component, a ratio; 1 is the plain edge."""

    time_efficiency: float
    field_coherence: float
    recurrence: float
    variance: float


NEUTRAL = ComponentWeights(*[1.0] * N_FEATURES)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegimeWeight:
    """Weights of one signature and category, and what stands behind them.

    Attributes
    ----------
    signature : RegimeSignature or None
        None of the fit to all.
    n_trades : int
        Trades of the signature with a known rr and at least one known feature.
    n_fit_trades : int
        Trades behind the weights: its own, or those of the fit it takes; 0 of none.
    confidence : float
        n_fit_trades / (n_fit_trades + prior_trades), 0..1.
    weights : ComponentWeights
    effects : CellFeatures
        b of each feature, R for one standard deviation of it; NaN where it was not fitted.
    parent : str or None
        `ALL_STATES` where the weights are those of all; None where they are its own, or there are none.
    is_default : bool
        Whether nothing was fitted, so that every weight is 1.
    """

    signature: RegimeSignature | None
    action_category: ActionCategory
    n_trades: int
    n_fit_trades: int
    confidence: float
    weights: ComponentWeights
    effects: CellFeatures
    parent: str | None
    is_default: bool

    @property
    def is_own(self) -> bool:
        """Whether the signature was fitted itself."""
        return self.signature is not None and self.parent is None and not self.is_default

    def row(self) -> dict[str, Any]:
        """Columns of `learning_regime_weights`, without the day; NaN is not known."""
        return {
            "regime_signature": ALL_STATES if self.signature is None else str(self.signature),
            "action_category": self.action_category.value,
            "n_trades": self.n_trades,
            "n_fit_trades": self.n_fit_trades,
            "confidence": self.confidence,
            **{f"w_{name}": weight for name, weight in self.weights._asdict().items()},
            **{f"effect_{name}_r": effect for name, effect in self.effects._asdict().items()},
            "parent": self.parent,
            "is_default": self.is_default,
        }


class WeightSpread(NamedTuple):
    """How far the weights of the n fitted signatures of a category lie apart.

    largest_minus_least: by component, NaN with fewer than two. clamped_frac: share at a clamp; NaN without any.
    """

    n_fitted: int
    largest_minus_least: CellFeatures
    clamped_frac: float


@dataclass(frozen=True, slots=True)
class RegimeWeights:
    """Weights as of an instant.

    of_all, scales: by category of buys. of_state: by category and signature with at least one trade.
    """

    of_all: Mapping[ActionCategory, RegimeWeight]
    of_state: Mapping[tuple[ActionCategory, RegimeSignature], RegimeWeight]
    scales: Mapping[ActionCategory, FeatureScale]

    def weights(self, signature: RegimeSignature | None, category: ActionCategory) -> ComponentWeights:
        """Weights of a state; of all where it is unknown or was never traded in; 1 of what is not bought."""
        found = None if signature is None else self.of_state.get((category, signature))
        found = found or self.of_all.get(category)
        return NEUTRAL if found is None else found.weights

    def shift_r(self, signature: RegimeSignature | None, category: ActionCategory, features: CellFeatures) -> float:
        """By how much more a cell of such features is expected to make in a state than over all states, R.

        Sum of (effect in the state - effect over all) x z of each feature that is known. 0 where the state has no fit
        of its own: it is as all are, and the mean of the cell has their effect in it already.
        """
        state = None if signature is None else self.of_state.get((category, signature))
        if state is None:
            return 0.0
        numbers = zip(features, *self.scales[category], state.effects, self.of_all[category].effects, strict=True)
        parts = [(own - of_all) * (value - mean) / deviation for value, mean, deviation, own, of_all in numbers]
        return math.fsum(part for part in parts if not math.isnan(part))

    def told(self) -> tuple[RegimeWeight, ...]:
        """All of them, by category and signature, that of all states first."""
        return *self.of_all.values(), *(self.of_state[key] for key in sorted(self.of_state))

    def spread(self, category: ActionCategory, config: RegimeWeightConfig) -> WeightSpread:
        """Tell whether the learner separates states at all: 0 everywhere is one that learns nothing of them."""
        fitted = [each.weights for (of, _), each in self.of_state.items() if of is category and each.is_own]
        array = np.array(fitted, np.float64).reshape(-1, N_FEATURES)
        apart = np.ptp(array, axis=0) if len(fitted) > 1 else np.full(N_FEATURES, np.nan)
        at_clamp = (array <= config.weight_min) | (array >= config.weight_max)
        clamped = float(at_clamp.mean()) if fitted else math.nan
        return WeightSpread(len(fitted), CellFeatures(*apart.tolist()), clamped)


def regime_weights(trades: RegimeTrades, config: RegimeWeightConfig) -> RegimeWeights:
    """Fit the weights of every category of buys and signature.

    Parameters
    ----------
    trades : RegimeTrades
        Known at the instant the weights are as of. Rows without rr, or without a feature, take no part; a feature that
        a row does not know says nothing of that feature; rows without a signature count in the fit of all only.
    config : RegimeWeightConfig
        Gates, strengths, clamps.

    Returns
    -------
    RegimeWeights
        The same bits for the same rows. A component whose feature fewer than `min_trades` rows know, or all know
        alike, has weight 1; one that fewer rows of a state know has the weight of all there.
    """
    usable = ~np.isnan(trades.rr) & ~np.isnan(trades.features).all(axis=1)
    of_all: dict[ActionCategory, RegimeWeight] = {}
    of_state: dict[tuple[ActionCategory, RegimeSignature], RegimeWeight] = {}
    scales: dict[ActionCategory, FeatureScale] = {}
    for category in BUYS:
        rows = usable & np.array([each is category for each in trades.categories], np.bool_)
        signatures = [trades.signatures[row] for row in np.flatnonzero(rows)]
        sample = regime_sample(trades.rr[rows], trades.features[rows], signatures, config)
        of_all[category] = _weight_of_all(sample, category, config)
        scales[category] = sample.scale
        for signature in sorted({each for each in signatures if each is not None}):
            here = np.array([each == signature for each in signatures], np.bool_)
            of_state[category, signature] = _weight_of_state(sample, here, signature, of_all[category], config)
    return RegimeWeights(of_all, of_state, scales)


def _weight_of_all(sample: RegimeSample, category: ActionCategory, config: RegimeWeightConfig) -> RegimeWeight:
    n = sample.rr.size
    effects = np.full(N_FEATURES, np.nan)
    if n >= config.min_trades:
        everyone = np.ones(n, np.bool_)
        fitted = sample.effects(everyone, np.zeros(N_FEATURES), config.global_prior_trades)
        effects[sample.can_fit] = fitted[sample.can_fit]
    is_default = bool(np.isnan(effects).all())
    return RegimeWeight(
        signature=None,
        action_category=category,
        n_trades=n,
        n_fit_trades=0 if is_default else n,
        confidence=0.0 if is_default else n / (n + config.prior_trades),
        weights=_weights(effects, sample, config),
        effects=CellFeatures(*effects.tolist()),
        parent=None,
        is_default=is_default,
    )


def _weight_of_state(
    sample: RegimeSample, here: BoolArray, signature: RegimeSignature, of_all: RegimeWeight, config: RegimeWeightConfig
) -> RegimeWeight:
    n = int(here.sum())
    effects = np.array(of_all.effects)
    is_own = n >= config.min_trades and not of_all.is_default
    if is_own:
        fitted = sample.effects(here, np.nan_to_num(effects), config.prior_trades)
        enough = sample.can_fit & (sample.is_known[here].sum(axis=0) >= config.min_trades)
        effects[enough] = fitted[enough]
    n_fit = n if is_own else of_all.n_fit_trades
    return RegimeWeight(
        signature=signature,
        action_category=of_all.action_category,
        n_trades=n,
        n_fit_trades=n_fit,
        confidence=n_fit / (n_fit + config.prior_trades),
        weights=_weights(effects, sample, config),
        effects=CellFeatures(*effects.tolist()),
        parent=None if is_own or of_all.is_default else ALL_STATES,
        is_default=of_all.is_default,
    )


def _weights(effects: FloatArray, sample: RegimeSample, config: RegimeWeightConfig) -> ComponentWeights:
    """Weights of effects; 1 where there is none to tell, or all outcomes are alike."""
    if not sample.rr_deviation:
        return NEUTRAL
    ratio = 1.0 + config.gain * np.nan_to_num(effects) / sample.rr_deviation
    return ComponentWeights(*np.clip(ratio, config.weight_min, config.weight_max).tolist())
