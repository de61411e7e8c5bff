"""What a bucket's place among the buckets does to A and E of a token in it.

Formula: m = clamp(1 + strength x (adjustment[rank] + weight x clip(slope, +-bound)), min, max) if the phase is
confident enough, else 1. A takes m, E takes its inverse. xl is telemetry: its tokens always get 1.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from domain.config.cap_bucket import BucketOrderMultipliers
from domain.vocabulary.cap_bucket import CapBucket


class MultiplierBasis(StrEnum):
    """Why a multiplier is what it is. Only `ranked` can differ from 1."""

    RANKED = "ranked"
    NO_PHASE = "no_phase"
    LOW_CONFIDENCE = "low_confidence"
    TELEMETRY_ONLY = "telemetry_only"


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketStanding:
    """A bucket's meso row: position among the ranked buckets from 1, slope (z value), confidence 0..1.

    A value that is not known is None; NaN is refused.
    """

    rank_position: int | None
    slope: float | None
    confidence: float | None

    def __post_init__(self) -> None:
        if self.rank_position is not None and self.rank_position < 1:
            raise ValueError(f"rank_position must be >= 1, was {self.rank_position}")
        if self.slope is not None and not math.isfinite(self.slope):
            raise ValueError(f"slope must be finite or None, was {self.slope}")
        if self.confidence is not None and not 0 <= self.confidence <= 1:
            raise ValueError(f"confidence must be within 0..1 or None, was {self.confidence}")


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketMultiplier:
    """A multiplier and its parts: before_clamp = 1 + strength x (rank_adjustment + slope_term).

    rank_adjustment, slope_term: None where rank or slope is not known or does not count.
    """

    multiplier: float
    basis: MultiplierBasis
    before_clamp: float
    rank_adjustment: float | None
    slope_term: float | None


def bucket_multiplier(
    bucket: CapBucket, standing: BucketStanding | None, config: BucketOrderMultipliers
) -> BucketMultiplier:
    """Multiplier of a token in `bucket`.

    Parameters
    ----------
    bucket : CapBucket
        The token's own bucket.
    standing : BucketStanding or None
        The bucket's row of the snapshot; None when it has none.
    config : BucketOrderMultipliers
        Adjustments, weight, clips.

    Returns
    -------
    BucketMultiplier
        Within min..max; 1 with the reason as `basis` when rank and slope may not count.

    >>> standing = BucketStanding(rank_position=1, slope=0.6, confidence=0.5)
    >>> bucket_multiplier(CapBucket.MICRO, standing, BucketOrderMultipliers(strength=1)).multiplier
    1.22
    """
    if bucket is CapBucket.XL:
        return _neutral(MultiplierBasis.TELEMETRY_ONLY)
    if standing is None or standing.confidence is None:
        return _neutral(MultiplierBasis.NO_PHASE)
    if standing.confidence < config.min_confidence:
        return _neutral(MultiplierBasis.LOW_CONFIDENCE)
    adjustment = None if standing.rank_position is None else config.rank_adjustments.get(standing.rank_position, 0.0)
    bound = config.max_abs_slope
    slope_term = None if standing.slope is None else config.slope_weight * min(max(standing.slope, -bound), bound)
    raw = 1.0 + config.strength * ((adjustment or 0.0) + (slope_term or 0.0))
    return BucketMultiplier(
        multiplier=min(max(raw, config.bucket_multiplier_min), config.bucket_multiplier_max),
        basis=MultiplierBasis.RANKED,
        before_clamp=raw,
        rank_adjustment=adjustment,
        slope_term=slope_term,
    )


def scale_levers(a: float, e: float, multiplier: float, config: BucketOrderMultipliers) -> tuple[float, float]:
    """Return A x m, and E / max(m, floor) or E x (2 - m) by `config.exit_variant`; not clamped.

    Raises
    ------
    ValueError
        If a lever is not finite, or the multiplier not finite and > 0.

    >>> scale_levers(0.533, 0.6425, 1.06, BucketOrderMultipliers())
    (0.56498, 0.60613)
    """
    if not (math.isfinite(a) and math.isfinite(e)):
        raise ValueError(f"Levers must be finite, was a={a}, e={e}")
    if not 0 < multiplier < math.inf:
        raise ValueError(f"multiplier must be finite and > 0, was {multiplier}")
    if config.exit_variant == "divide":
        return a * multiplier, e / max(multiplier, config.exit_floor)
    return a * multiplier, e * (2.0 - multiplier)


def global_bias(
    multipliers: Mapping[CapBucket, float], exposure_usd: Mapping[CapBucket, float], config: BucketOrderMultipliers
) -> float | None:
    """Mean multiplier of the buckets held, weighted by exposure.

    Parameters
    ----------
    multipliers : mapping of CapBucket to float
        Multiplier of every bucket held.
    exposure_usd : mapping of CapBucket to float
        What is held in each, >= 0.

    Returns
    -------
    float or None
        A ratio; None when the bias is off or nothing is held.

    Raises
    ------
    ValueError
        If an exposure is negative or not finite, or a bucket held has no multiplier.
    """
    for bucket, usd in exposure_usd.items():
        if not 0 <= usd < math.inf:
            raise ValueError(f"Exposure of {bucket} must be finite and >= 0, was {usd}")
    held = {bucket: usd for bucket, usd in exposure_usd.items() if usd > 0}
    if missing := sorted(set(held) - set(multipliers)):
        raise ValueError(f"Every bucket held needs a multiplier, missing were {missing}")
    if not config.is_global_bias_on or not held:
        return None
    return math.fsum(multipliers[bucket] * usd for bucket, usd in held.items()) / math.fsum(held.values())


def _neutral(basis: MultiplierBasis) -> BucketMultiplier:
    return BucketMultiplier(multiplier=1.0, basis=basis, before_clamp=1.0, rank_adjustment=None, slope_term=None)
