"""What a planner asks before it acts, how far learning may move what it asks, and how opportunities are recorded."""

from typing import Self

from pydantic import BaseModel, Field, model_validator


class TuningBoundsConfig(BaseModel, frozen=True, extra="forbid"):
    """Ends of the ways tuned thresholds may go, however many steps were taken.

    A configured threshold that lies outside of them widens them to itself, so that a neutral tuning changes nothing.
    """

    ts_min_low: float = Field(default=0.45, ge=0, le=1.25, description="Lowest tuned trend strength of a buy, 0..1.")
    ts_min_high: float = Field(default=0.75, ge=0, le=1.25, description="Highest tuned trend strength of a buy, 0..1.")
    halo_low_atr: float = Field(default=0.5, gt=0, le=10, description="Least tuned distance to the EMA, in ATR.")
    halo_high_atr: float = Field(default=2.0, gt=0, le=10, description="Largest tuned distance to the EMA, in ATR.")
    dx_min_low: float = Field(default=0.45, ge=0, le=1, description="Lowest tuned discount of an S3 buy, 0..1.")
    dx_min_high: float = Field(default=0.75, ge=0, le=1, description="Highest tuned discount of an S3 buy, 0..1.")

    @model_validator(mode="after")
    def _bounds_ascend(self) -> Self:
        pairs = {
            "ts_min": (self.ts_min_low, self.ts_min_high),
            "halo": (self.halo_low_atr, self.halo_high_atr),
            "dx_min": (self.dx_min_low, self.dx_min_high),
        }
        for name, (low, high) in pairs.items():
            if low > high:
                raise ValueError(f"The bounds of {name} must ascend, was {low}, {high}")
        return self


class GateScaleConfig(BaseModel, frozen=True, extra="forbid"):
    """What counts as one unit of margin at each kind of gate, so that shortfalls can be compared and added."""

    ts: float = Field(default=0.10, gt=0, le=1, description="Trend strength.")
    halo_atr: float = Field(default=0.20, gt=0, le=10, description="Distance of the price to an EMA, in ATR.")
    dx: float = Field(default=0.10, gt=0, le=1, description="Discount.")
    slope: float = Field(default=0.0005, gt=0, le=1, description="Slope of an EMA, a fraction per bar.")


class EpisodeConfig(BaseModel, frozen=True, extra="forbid"):
    """How long a window of opportunity is followed, and how much of it is kept."""

    max_age_days: int = Field(
        default=60,
        ge=1,
        le=3650,
        description="Age from which an episode without an outcome is expired: neither success nor failure.",
    )
    max_samples: int = Field(
        default=12, ge=2, le=500, description="Bars kept of a window: the first, and the latest of the others."
    )


class PlanConfig(BaseModel, frozen=True, extra="forbid"):
    """Gates of the planner."""

    trim_cooldown_bars: int = Field(
        default=3, ge=1, le=1000, description="Bars of the position's timeframe from one trim to the next."
    )
    tuning_bounds: TuningBoundsConfig = Field(default_factory=TuningBoundsConfig)
    gate_scale: GateScaleConfig = Field(default_factory=GateScaleConfig)
    episode: EpisodeConfig = Field(default_factory=EpisodeConfig)
