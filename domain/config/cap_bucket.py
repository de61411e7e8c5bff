"""How tokens are tagged by market cap, how their buckets' returns are made, and what both do to a token's levers."""

import math
from typing import Literal, Self

from pydantic import BaseModel, Field, model_validator

from domain.vocabulary.cap_bucket import REGIME_BUCKETS, CapBucket

Weighting = Literal["equal", "liquidity"]
ExitVariant = Literal["divide", "reflect"]


def _rank_adjustments() -> dict[int, float]:
    return {1: 0.12, 2: 0.06, 3: 0.02, 4: -0.02, 5: -0.06, 6: -0.12}


def _composite_bucket_weights() -> dict[CapBucket, float]:
    return dict(zip(REGIME_BUCKETS, (0.15, 0.30, 0.25, 0.20, 0.10), strict=True))


class BucketOrderMultipliers(BaseModel, frozen=True, extra="forbid"):
    """How the order of the buckets moves the levers of a token."""

    strength: float = Field(
        default=0.25,
        ge=0,
        le=1,
        description="Share of rank and slope that counts; 0 turns the multiplier off, 1 is the document's. Near neutral"
        " until it has been watched for a while.",
    )
    rank_adjustments: dict[int, float] = Field(
        default_factory=_rank_adjustments, description="Added to 1 by rank position, from 1; a rank not named adds 0."
    )
    slope_weight: float = Field(default=0.4, ge=0, le=1, description="Weight of the bucket's meso slope, a z value.")
    max_abs_slope: float = Field(
        default=0.25,
        ge=0,
        le=4,
        description="Clip of that slope; 0.25 keeps the slope term (0.10) below rank 1's 0.12.",
    )
    min_confidence: float = Field(
        default=0.4, ge=0, le=1, description="Confidence of the meso phase below which the multiplier stays 1."
    )
    bucket_multiplier_min: float = Field(default=0.7, gt=0, le=1, description="Lower clamp of the multiplier, a ratio.")
    bucket_multiplier_max: float = Field(default=1.3, ge=1, le=3, description="Upper clamp of the multiplier, a ratio.")
    exit_variant: ExitVariant = Field(
        default="divide", description="divide: E / max(m, exit_floor); reflect: E x (2 - m), smoother."
    )
    exit_floor: float = Field(default=0.2, gt=0, le=1, description="Least divisor of E, a ratio.")
    is_global_bias_on: bool = Field(
        default=False, description="Whether the exposure-weighted mean multiplier moves the base of A and E."
    )

    @model_validator(mode="after")
    def _ranks_are_positions(self) -> Self:
        for rank, adjustment in self.rank_adjustments.items():
            if rank < 1 or not -1 < adjustment < 1:
                raise ValueError(
                    f"rank_adjustments go from position (>= 1) to a change within -1..1, was {rank}: {adjustment}"
                )
        return self


class IntentConfig(BaseModel, frozen=True, extra="forbid"):
    """How what people say about a token becomes five scores, and the scores two deltas."""

    half_life_hours: float = Field(default=72.0, gt=0, le=8760, description="Hours until a mention counts half.")
    min_time_factor: float = Field(
        default=0.01, ge=0, lt=1, description="A mention that has faded below this is dropped; 478 h at 72 h."
    )
    default_curator_weight: float = Field(default=0.5, ge=0, le=1, description="Weight of a curator without one.")
    max_abs_delta: float = Field(default=0.4, ge=0, le=1, description="Cap of intent's change to A and to E, each.")


class CapBucketConfig(BaseModel, frozen=True, extra="forbid"):
    """Cap buckets, from tag to multiplier."""

    min_market_cap_usd: float = Field(
        default=10_000.0, ge=0, lt=100_000, description="Caps below this are not tagged: too small to trade."
    )
    edge_hysteresis_frac: float = Field(
        default=0.10, ge=0, lt=0.5, description="Share of an edge by which a cap must pass it to leave its bucket."
    )
    tag_ttl_hours: float = Field(default=48.0, gt=0, le=720, description="Age of a cap at which its tag expires.")
    bucket_min_members: int = Field(default=8, ge=1, description="Tagged tokens below which a group is not scored.")
    min_median_volume_24h_usd: float = Field(
        default=0.0, ge=0, description="Median 24 h volume in USD below which a group is not scored; 0 is off."
    )
    bucket_phase_min_population: int = Field(
        default=8, ge=1, description="Members with a return below which an hour of a group has no row."
    )
    weighting: Weighting = Field(default="equal", description="Whether members count alike or by liquidity in USD.")
    max_missing_bars: int = Field(
        default=1, ge=0, le=24, description="Bars a member may miss before its last close is no longer fresh."
    )
    max_abs_log_return: float = Field(
        default=math.log(3.0),
        gt=0,
        le=5,
        description="Clip of one member's log return in one bar; natural log, ln 3 = x3. 5 (x148) is no clip any more.",
    )
    index_base: float = Field(default=100.0, gt=0, description="Level at which a new index starts.")
    composite_bucket_weights: dict[CapBucket, float] = Field(
        default_factory=_composite_bucket_weights,
        description="Share of each bucket in the low-cap composite, over those that have a return in the hour.",
    )
    bucket_order_multipliers: BucketOrderMultipliers = Field(default_factory=BucketOrderMultipliers)
    intent: IntentConfig = Field(default_factory=IntentConfig)

    @model_validator(mode="after")
    def _composite_has_weights(self) -> Self:
        weights = self.composite_bucket_weights
        if CapBucket.XL in weights:
            raise ValueError("composite_bucket_weights must not name xl: it is telemetry only")
        if not weights or any(not 0 < weight <= 1 for weight in weights.values()):
            raise ValueError(f"composite_bucket_weights must each lie within 0..1 and be > 0, was {weights}")
        if abs(sum(weights.values()) - 1) > 1e-9:
            raise ValueError(f"composite_bucket_weights must sum to 1, was {sum(weights.values())}")
        return self
