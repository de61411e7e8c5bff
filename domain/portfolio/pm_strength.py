"""What was learned, as one multiplier a lever: the overrides that apply to a buy, blended.

Formula, over the overrides m that apply, in log space, so that a half and a double cancel:

    ln multiplier = sum_m w_m ln multiplier_m / sum_m w_m        w_m = mask weight x confidence

The mask weight is the one exposure uses. 1 where nothing applies. The size of a buy (`pm_strength`) and each threshold
of its check blend alone, under the same rule.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from domain.config.portfolio import MaskWeightConfig
from domain.portfolio.override_row import MULTIPLIER_MAX, MULTIPLIER_MIN, OverrideLever
from domain.portfolio.override_set import LEVERS, OverrideSet, match_overrides
from domain.scopes.mask_weight import mask_weights
from domain.scopes.pattern_key import PatternKey, parse_pattern_key
from domain.scopes.scope import Scope
from domain.vocabulary.action import ActionCategory, OrderSide

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


class StrengthBasis(StrEnum):
    """Why a multiplier is what it is. Only `blended` can differ from 1."""

    BLENDED = "blended"
    NO_MATCH = "no_match"
    NO_WEIGHT = "no_weight"
    SWITCHED_OFF = "switched_off"
    SELLS = "sells"


@dataclass(frozen=True, slots=True, kw_only=True)
class StrengthRequest:
    """A buy that is considered: its pattern, whether it is an entry or an add, and its scope."""

    pattern_key: str
    category: ActionCategory
    scope: Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchedOverride:
    """An override that applies, and its part: multiplier = product over all of multiplier^weight_share, then clamped.

    weight_share: mask weight x confidence, as a share of the sum over all that apply; None where that sum is 0.
    """

    override_id: int
    lesson_id: str
    mask: int
    values: Scope
    multiplier: float
    confidence: float
    mask_weight: float
    weight_share: float | None
    n_trades: int
    edge_raw: float | None
    decay_mult: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Strength:
    """What overrides make of one lever of one buy: a ratio, why, and every override that applies."""

    lever: OverrideLever
    multiplier: float
    basis: StrengthBasis
    matched: tuple[MatchedOverride, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StrengthPanel:
    """Multipliers of n buys; arrays of shape (n,) by lever.

    rows, buys, mask_weight: pairs of an override that applies and a buy, with the weight of its mask; by buy, and of
    each in the order of the overrides.
    """

    overrides: OverrideSet
    is_on: bool
    requests: tuple[StrengthRequest, ...]
    multiplier: Mapping[OverrideLever, FloatArray]
    rows: IntArray
    buys: IntArray
    mask_weight: FloatArray

    def strength(self, index: int, lever: OverrideLever = OverrideLever.PM_STRENGTH) -> Strength:
        """Tell what overrides make of one lever of one buy."""
        arrays = self.overrides.arrays
        start, end = np.searchsorted(self.buys, (index, index + 1))
        here = start + np.flatnonzero(arrays.lever[self.rows[start:end]] == LEVERS.index(lever))
        weights = self.mask_weight[here] * arrays.confidence[self.rows[here]]
        total = float(weights.sum())
        matched = []
        for pair, weight in zip(here.tolist(), weights.tolist(), strict=True):
            override = self.overrides.overrides[int(self.rows[pair])]
            matched.append(
                MatchedOverride(
                    override_id=override.override_id,
                    lesson_id=override.lesson_id,
                    mask=override.mask,
                    values=override.values,
                    multiplier=override.multiplier,
                    confidence=override.confidence,
                    mask_weight=float(self.mask_weight[pair]),
                    weight_share=weight / total if total > 0 else None,
                    n_trades=override.n_trades,
                    edge_raw=override.edge_raw,
                    decay_mult=override.decay_mult,
                )
            )
        return Strength(
            lever=lever,
            multiplier=float(self.multiplier[lever][index]),
            basis=self._basis(index, total, bool(matched)),
            matched=tuple(matched),
        )

    def _basis(self, index: int, total: float, is_matched: bool) -> StrengthBasis:
        if not self.is_on:
            return StrengthBasis.SWITCHED_OFF
        if self.requests[index].category.side is not OrderSide.BUY:
            return StrengthBasis.SELLS
        if not is_matched:
            return StrengthBasis.NO_MATCH
        return StrengthBasis.BLENDED if total > 0 else StrengthBasis.NO_WEIGHT


def pm_strengths(
    overrides: OverrideSet,
    requests: Sequence[StrengthRequest],
    *,
    as_of: datetime,
    weights: MaskWeightConfig,
    is_on: bool = True,
) -> StrengthPanel:
    """Multipliers of many actions at once, every lever; each is what it would be alone, bit for bit.

    Parameters
    ----------
    overrides : OverrideSet
        The live version.
    requests : sequence of StrengthRequest
        Trims and exits may be among them: they are always 1.
    as_of : datetime
        Of the tick; what has expired by then does not apply. Not before the compilation of the set.
    weights : MaskWeightConfig
        The mask weights, those of exposure.
    is_on : bool
        False where overrides are switched off: everything is 1.

    Raises
    ------
    ValueError
        If a pattern is unknown, or `as_of` is before the compilation.
    """
    asked = [((str(parse_pattern_key(each.pattern_key)), each.category), each.scope) for each in requests]
    found = match_overrides(overrides, asked if is_on else [], as_of)
    arrays = overrides.arrays
    by_buy = np.argsort(found.buys, kind="stable")
    pair_rows, pair_buys = found.rows[by_buy], found.buys[by_buy]
    mask_weight = mask_weights(arrays.masks, weights)[arrays.mask_row[pair_rows]]
    weight = mask_weight * arrays.confidence[pair_rows]
    lever = arrays.lever[pair_rows]
    multiplier = {}
    for place, each in enumerate(LEVERS):
        of_lever = np.flatnonzero(lever == place)
        rows, buys = pair_rows[of_lever], pair_buys[of_lever]
        multiplier[each] = _blended(arrays.multiplier[rows], weight[of_lever], buys, len(requests))
    return StrengthPanel(
        overrides=overrides,
        is_on=is_on,
        requests=tuple(requests),
        multiplier=multiplier,
        rows=pair_rows,
        buys=pair_buys,
        mask_weight=mask_weight,
    )


def apply_pattern_strength_overrides(
    overrides: OverrideSet,
    pattern_key: str | PatternKey,
    category: ActionCategory,
    scope: Scope,
    *,
    as_of: datetime,
    weights: MaskWeightConfig,
    lever: OverrideLever = OverrideLever.PM_STRENGTH,
    is_on: bool = True,
) -> Strength:
    """Learned multiplier of one action, with every override behind it; see `pm_strengths`.

    Returns
    -------
    Strength
        Within 0.3..3.0; exactly 1.0 where nothing applies, overrides are off, or the action sells.
    """
    request = StrengthRequest(pattern_key=str(pattern_key), category=category, scope=scope)
    return pm_strengths(overrides, [request], as_of=as_of, weights=weights, is_on=is_on).strength(0, lever)


def log_blend(multipliers: Sequence[float], weights: Sequence[float]) -> float:
    """Weighted mean in log space, within 0.3..3.0; 1.0 of nothing, or where no weight is above 0.

    Parameters
    ----------
    multipliers : sequence of float
        Ratios > 0.
    weights : sequence of float
        As many, >= 0; their scale does not count.

    >>> log_blend([1.05, 1.20, 0.90], [0.7 * 1, 0.6 * 2**1.5, 0.4 * 3**1.5])
    1.0282
    """
    given = np.array(multipliers, dtype=np.float64)
    one = np.zeros(len(given), dtype=np.int64)
    return float(_blended(given, np.array(weights, dtype=np.float64), one, 1)[0])


def _blended(multiplier: FloatArray, weight: FloatArray, buys: IntArray, n: int) -> FloatArray:
    """Blend of the pairs of each buy, shape (n,); never beyond the least and the largest of what is blended."""
    total = np.bincount(buys, weight, n)
    mean = np.bincount(buys, weight * np.log(multiplier), n)
    weighted = weight > 0
    lowest, highest = np.full(n, np.inf), np.full(n, -np.inf)
    np.minimum.at(lowest, buys[weighted], multiplier[weighted])
    np.maximum.at(highest, buys[weighted], multiplier[weighted])
    speaks = total > 0
    blend = np.ones(n)
    exact = np.exp(mean[speaks] / total[speaks])
    blend[speaks] = np.clip(
        exact, np.maximum(lowest[speaks], MULTIPLIER_MIN), np.minimum(highest[speaks], MULTIPLIER_MAX)
    )
    return blend
