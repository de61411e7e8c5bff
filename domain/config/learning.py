"""How closed trades become edges, and how the history of an edge is judged. Defaults are the documented constants."""

from typing import Self

from pydantic import BaseModel, Field, model_validator

from domain.config.latent_factor import LatentFactorConfig
from domain.config.lesson import LessonConfig, MiningConfig
from domain.config.override import OverrideConfig, WalkForwardConfig
from domain.config.regime_weight import RegimeWeightConfig
from domain.config.research import ResearchConfig
from domain.config.timeframe_weight import TimeframeWeightConfig
from domain.config.tuning import TuningConfig


class EdgeConfig(BaseModel, frozen=True, extra="forbid"):
    """From the outcomes of the trades of a cell to its edge."""

    support_trades: float = Field(
        default=12.0, gt=0, le=1000, description="k of the support 1 - exp(-n / k): trades at which it reaches 0.63."
    )
    prior_variance: float = Field(
        default=0.25,
        ge=0,
        le=100,
        description="Added to the variance as prior / n, R squared: two alike outcomes are not certainty. 0 = none.",
    )
    stability_snapshots: int = Field(
        default=12, ge=2, le=1000, description="Latest edges of the same cell whose spread is its volatility."
    )
    min_stability_snapshots: int = Field(
        default=3, ge=2, le=1000, description="Fewer edges than this have no spread; the stability is then 1."
    )
    baseline_days: int = Field(
        default=180, ge=1, le=3650, description="Past whose closed trades make the global baseline, days."
    )

    @model_validator(mode="after")
    def _windows_fit(self) -> Self:
        if self.min_stability_snapshots > self.stability_snapshots:
            raise ValueError(
                f"min_stability_snapshots must be <= stability_snapshots ({self.stability_snapshots}),"
                f" was {self.min_stability_snapshots}"
            )
        return self


class EdgeDecayConfig(BaseModel, frozen=True, extra="forbid"):
    """From the history of an edge to its decay multiplier; every decay in the system is fitted under these rules."""

    min_snapshots: int = Field(
        default=18, ge=3, le=10_000, description="Snapshots below which nothing is fitted; the multiplier is then 1."
    )
    min_exponential_r2: float = Field(
        default=0.3, ge=0, le=1, description="R squared from which the exponential is believed; below it the line is."
    )
    min_abs_edge: float = Field(
        default=0.01,
        ge=0,
        le=1,
        description="Snapshots of one sign and larger than this are exponential by R squared alone, R; others only if"
        " the exponential also fits no worse than the line, for an edge that crosses zero has no half-life.",
    )
    min_rate_t: float = Field(
        default=2.0,
        ge=0,
        le=100,
        description="Standard errors a rate must be away from 0. Snapshots of one history resemble each other, so this"
        " refuses too little rather than too much.",
    )
    stable_half_life_hours: float = Field(
        default=2160.0, gt=0, le=87_600, description="Slower than this (90 days) an edge is stable, hours."
    )
    reference_hours: float = Field(
        default=168.0, gt=0, le=8760, description="Half-life at which 63 % of the decaying range is kept, hours."
    )
    decay_mult_min: float = Field(default=0.33, gt=0, le=1, description="Multiplier of an edge that dies at once.")
    decay_mult_max: float = Field(default=1.33, ge=1, le=3, description="Multiplier of an edge that grows at once.")
    outlier_t: float = Field(
        default=5.0,
        ge=3,
        le=100,
        description="Deletion t from which a lone snapshot is left out of the fit (counted, whatever its sign).",
    )
    max_outlier_frac: float = Field(
        default=0.05, ge=0, le=0.2, description="Share of snapshots that may be left out, at least one; 0 = none."
    )


class LearningConfig(BaseModel, frozen=True, extra="forbid"):
    """From closed trades to what is learned of them."""

    park_hours: float = Field(
        default=72.0,
        gt=0,
        le=8760,
        description="A closed trade whose actions have not all come by then is given up, visibly; it is still taken if"
        " they do come. Hours.",
    )
    edge: EdgeConfig = Field(default_factory=EdgeConfig)
    edge_decay: EdgeDecayConfig = Field(default_factory=EdgeDecayConfig)
    mining: MiningConfig = Field(default_factory=MiningConfig)
    lesson: LessonConfig = Field(default_factory=LessonConfig)
    override: OverrideConfig = Field(default_factory=OverrideConfig)
    walk_forward: WalkForwardConfig = Field(default_factory=WalkForwardConfig)
    timeframe_weight: TimeframeWeightConfig = Field(default_factory=TimeframeWeightConfig)
    regime_weight: RegimeWeightConfig = Field(default_factory=RegimeWeightConfig)
    latent_factor: LatentFactorConfig = Field(default_factory=LatentFactorConfig)
    tuning: TuningConfig = Field(default_factory=TuningConfig)
    research: ResearchConfig = Field(default_factory=ResearchConfig)
