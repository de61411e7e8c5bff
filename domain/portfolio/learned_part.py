"""What each override and each mask made of a strength and a skew, one after the other, from what a decision keeps.

    strength = product over the overrides of multiplier^share        then held within its bounds
    skew     = highest - sum over the masks of (highest - lowest) x w (a near + b on it) / ((a + b) sum w x all)

Both restate `pm_strength` and `exposure_skew` override by override and mask by mask; what they
give together is the same.
"""

import math
from collections.abc import Sequence

from domain.config.portfolio import ExposureConfig


def strength_factors(multipliers: Sequence[float], shares: Sequence[float | None]) -> tuple[float, ...]:
    """Factor each override brought into a strength; their product is the strength before its bounds.

    Parameters
    ----------
    multipliers : sequence of float
        Ratios > 0.
    shares : sequence of float or None
        Of the weight, 0..1; None where nothing that applied had a weight, which is a factor of 1.

    >>> strength_factors([4.0, 0.5, 2.0], [0.5, 0.5, None])
    (2.0, 0.7071, 1.0)
    """
    return tuple(
        math.pow(multiplier, share) if share is not None else 1.0
        for multiplier, share in zip(multipliers, shares, strict=True)
    )


def skew_changes(
    weights: Sequence[float],
    scope_exposure_usd: Sequence[float],
    pk_scope_exposure_usd: Sequence[float],
    *,
    others_usd: float,
    config: ExposureConfig,
) -> tuple[float, ...]:
    """Change each mask brought to a skew, from the highest one down; all <= 0.

    Parameters
    ----------
    weights, scope_exposure_usd, pk_scope_exposure_usd : sequence of float
        Of every mask the candidate knew: its weight, USD near in the same scope, and USD on the same pattern too.
    others_usd : float
        What the book held beside the candidate, USD.
    config : ExposureConfig
        Of the version it was measured with.

    Returns
    -------
    tuple of float
        One for each mask; empty where nothing was measured: no mask has a weight, or nothing else was held.

    >>> skew_changes([0.5], [100.0], [0.0], others_usd=200.0, config=ExposureConfig())
    (-0.3333,)
    """
    a, b = config.scope_weight, config.pattern_weight
    most = (a + b) * math.fsum(weights) * others_usd
    if not most > 0:
        return ()
    span = config.exposure_skew_max - config.exposure_skew_min
    crowds = zip(weights, scope_exposure_usd, pk_scope_exposure_usd, strict=True)
    return tuple(0.0 - span * weight * (a * near + b * on_it) / most for weight, near, on_it in crowds)
