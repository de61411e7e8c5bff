"""What people say about a token: five scores from mentions, and what they add to A and E.

A token nobody mentions has no intent, which adds nothing and is said; it is not an intent of zeros.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields

from domain.config.cap_bucket import IntentConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class IntentMetrics:
    """Five scores of one token, each within 0..1."""

    hi_buy: float
    med_buy: float
    profit: float
    sell: float
    mock: float

    def __post_init__(self) -> None:
        for channel in fields(self):
            score = getattr(self, channel.name)
            if not 0 <= score <= 1:
                raise ValueError(f"Intent {channel.name} must be within 0..1, was {score}")


INTENT_CHANNELS: tuple[str, ...] = tuple(channel.name for channel in fields(IntentMetrics))

DELTA_A: dict[str, float] = {"hi_buy": 0.25, "med_buy": 0.15, "profit": -0.15, "sell": -0.25, "mock": -0.30}
DELTA_E: dict[str, float] = {"hi_buy": -0.10, "med_buy": -0.05, "profit": 0.15, "sell": 0.35, "mock": 0.50}
"""What a channel at 1 adds to E. These weights are the formula; the cap is the setting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IntentDeltas:
    """What intent adds to A and E, capped, and before the cap. `is_present` is false when there is no intent."""

    a: float
    e: float
    a_uncapped: float
    e_uncapped: float
    is_present: bool


def intent_deltas(metrics: IntentMetrics | None, config: IntentConfig) -> IntentDeltas:
    """Weighted sums of the five scores, each capped at +-`config.max_abs_delta`.

    Formula: a = .25 hi_buy + .15 med_buy - .15 profit - .25 sell - .30 mock;
    e = -.10 hi_buy - .05 med_buy + .15 profit + .35 sell + .50 mock.

    >>> intent_deltas(IntentMetrics(hi_buy=0, med_buy=0, profit=0, sell=0, mock=1), IntentConfig()).e
    0.4
    """
    if metrics is None:
        return IntentDeltas(a=0.0, e=0.0, a_uncapped=0.0, e_uncapped=0.0, is_present=False)
    a, e = (
        math.fsum(weight * getattr(metrics, channel) for channel, weight in weights.items())
        for weights in (DELTA_A, DELTA_E)
    )
    cap = config.max_abs_delta
    return IntentDeltas(a=min(max(a, -cap), cap), e=min(max(e, -cap), cap), a_uncapped=a, e_uncapped=e, is_present=True)


def mention_score(
    curator_weights: Sequence[float | None], age_hours: Sequence[float], config: IntentConfig
) -> float | None:
    """Score of one intent channel from its mentions.

    Formula: w_i = curator_weight x 2^(-age / half_life); score = min(1, mean(w) x (1 + ln n) / 2) over the n
    mentions whose time factor has not faded away.

    Parameters
    ----------
    curator_weights : sequence of float or None
        Within 0..1; None takes the default weight.
    age_hours : sequence of float
        Hours since each mention, >= 0, as many as there are weights.

    Returns
    -------
    float or None
        Within 0..1; None when no mention is left.

    Raises
    ------
    ValueError
        If the lengths differ, an age is negative or not finite, or a weight outside 0..1.

    >>> mention_score([0.8, 0.8, 0.8], [0, 24, 72], IntentConfig())
    0.6418
    """
    kept = []
    for weight, age in zip(curator_weights, age_hours, strict=True):
        weight = config.default_curator_weight if weight is None else weight
        if not (0 <= age < math.inf and 0 <= weight <= 1):
            raise ValueError(f"Expected an age >= 0 and a weight within 0..1, was {age}, {weight}")
        factor = 0.5 ** (age / config.half_life_hours)
        if factor >= config.min_time_factor:
            kept.append(weight * factor)
    if not kept:
        return None
    return min(1.0, math.fsum(kept) / len(kept) * (1 + math.log(len(kept))) / 2)
