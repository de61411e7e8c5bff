"""How lessons become overrides, how long those live, and how they are judged on trades they had not seen."""

from typing import Self

from pydantic import BaseModel, Field, model_validator


class GuardrailConfig(BaseModel, frozen=True, extra="forbid"):
    """When the trades after its proposal speak against an override."""

    min_trades: int = Field(
        default=10, ge=2, le=10_000, description="Trades it applied to since its proposal, below which nothing is said."
    )
    confidence_level: float = Field(
        default=0.90,
        gt=0.5,
        lt=1,
        description="Of each one-sided bound of the difference of means. It is asked every day, so a true override is"
        " revoked more often than 1 - level; keeping a wrong one is the dearer mistake.",
    )


class OverrideConfig(BaseModel, frozen=True, extra="forbid"):
    """From a lesson to an override, and through its life."""

    strength_gain: float = Field(
        default=0.5, gt=0, le=5, description="g of the multiplier exp(g x edge after decay), 1 per R."
    )
    min_abs_edge: float = Field(
        default=0.05, ge=0, le=10, description="Edge after decay below which there is no override, R."
    )
    min_half_life_hours: float = Field(
        default=24.0, ge=0, le=8760, description="A lesson that decays faster makes no override, hours."
    )
    max_rows: int = Field(default=500, ge=0, le=500, description="Overrides of a set; the table holds no more.")
    max_rows_per_pattern: int = Field(default=40, ge=0, le=500, description="Overrides of one pattern in a set.")
    shadow_hours: float = Field(
        default=24.0, ge=0, le=8760, description="How long an override is watched before it may act, hours."
    )
    expiry_days: float = Field(
        default=14.0,
        gt=0,
        le=365,
        description="Life of an override from the last time its lesson was reproduced, days: if learning stops, so"
        " does what was learned.",
    )
    revoke_cooldown_days: float = Field(
        default=14.0, ge=0, le=365, description="For how long a revoked override is not proposed again, days."
    )
    guardrail: GuardrailConfig = Field(default_factory=GuardrailConfig)


class WalkForwardConfig(BaseModel, frozen=True, extra="forbid"):
    """How the overrides of a day are scored on the trades after it."""

    interval_level: float = Field(default=0.90, gt=0, lt=1, description="Of every interval, two-sided.")
    n_resamples: int = Field(
        default=2000, ge=100, le=100_000, description="Resamples of the closing days behind an interval."
    )
    seed: int = Field(default=20_250_101, ge=0, description="Of the resampling: the same rows give the same interval.")
    min_days: int = Field(
        default=5,
        ge=2,
        le=1000,
        description="Closing days below which there is no interval: 4 all agree by chance in 12 % of cases.",
    )
    min_trades: int = Field(
        default=10, ge=2, le=10_000, description="Trades below which nothing is said of one override."
    )

    @model_validator(mode="after")
    def _tails_are_resolved(self) -> Self:
        if self.n_resamples * (1 - self.interval_level) < 20:
            raise ValueError(
                f"n_resamples x (1 - interval_level) must be >= 20, was {self.n_resamples}, {self.interval_level}"
            )
        return self
