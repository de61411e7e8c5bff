"""A and E of one token: regime, intent and the place of its bucket, one step after the other.

Formula: lever = clamp(clamp(regime + bias + intent) x m), E with the inverse of m, clamps to 0..1. The bias is off
unless configured. Each step is kept, so the sum of the steps is the lever and any of them can be shown.
"""

import math
from dataclasses import dataclass

from domain.config.cap_bucket import CapBucketConfig
from domain.scores.bucket_multiplier import BucketMultiplier, BucketStanding, bucket_multiplier, scale_levers
from domain.scores.intent import IntentDeltas, IntentMetrics, intent_deltas
from domain.vocabulary.cap_bucket import CapBucket

STEPS: tuple[str, ...] = ("regime", "global_bias", "intent", "clamp", "bucket_multiplier", "final_clamp")
"""The steps of every waterfall, in order, whether they change anything or not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeverStep:
    """One step of a waterfall: what it changed, and where it left A and E."""

    name: str
    a_change: float
    e_change: float
    a: float
    e: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenLevers:
    """Levers of a token, within 0..1, and how they came about: the steps named by STEPS."""

    a: float
    e: float
    waterfall: tuple[LeverStep, ...]
    intent: IntentDeltas
    bucket: BucketMultiplier


def compute_levers(
    a_regime: float,
    e_regime: float,
    *,
    bucket: CapBucket,
    standing: BucketStanding | None,
    intent: IntentMetrics | None,
    config: CapBucketConfig,
    base: float = 0.5,
    bias: float | None = None,
) -> TokenLevers:
    """Levers of one token.

    Parameters
    ----------
    a_regime, e_regime : float
        Regime score before its clamp, finite: what is beyond the rails still counts against intent.
    bucket : CapBucket
        The token's own.
    standing : BucketStanding or None
        Rank, slope and confidence of that bucket; None when it has no row.
    intent : IntentMetrics or None
        None when nothing is known.
    config : CapBucketConfig
        Gives the multiplier's and the intent's settings.
    base : float
        Lever before any channel speaks; the bias acts on it alone.
    bias : float or None
        Exposure-weighted mean multiplier of the book; None when off.

    Raises
    ------
    ValueError
        If a regime lever is not finite: a token without a score has no levers.
    """
    order = config.bucket_order_multipliers
    if not (math.isfinite(a_regime) and math.isfinite(e_regime)):
        raise ValueError(f"Regime levers must be finite, was a={a_regime}, e={e_regime}")
    deltas = intent_deltas(intent, config.intent)
    multiplier = bucket_multiplier(bucket, standing, order)
    a_base, e_base = scale_levers(base, base, 1.0 if bias is None else bias, order)
    biased = a_regime + (a_base - base), e_regime + (e_base - base)
    said = biased[0] + deltas.a, biased[1] + deltas.e
    clamped = _clamped(said)
    scaled = scale_levers(*clamped, multiplier.multiplier, order)
    levels = ((a_regime, e_regime), biased, said, clamped, scaled, _clamped(scaled))
    a, e = levels[-1]
    return TokenLevers(a=a, e=e, waterfall=_waterfall(levels), intent=deltas, bucket=multiplier)


def _clamped(levers: tuple[float, float]) -> tuple[float, float]:
    a, e = (min(max(lever, 0.0), 1.0) for lever in levers)
    return a, e


def _waterfall(levels: tuple[tuple[float, float], ...]) -> tuple[LeverStep, ...]:
    """Name the step from each pair of levers to the next, the first one from nothing."""
    before = ((0.0, 0.0), *levels[:-1])
    return tuple(
        LeverStep(name=name, a_change=a - a_old, e_change=e - e_old, a=a, e=e)
        for name, (a_old, e_old), (a, e) in zip(STEPS, before, levels, strict=True)
    )
