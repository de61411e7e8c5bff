"""Which cells of closed trades are looked at, and what of them becomes a lesson."""

from typing import Literal, Self

from pydantic import BaseModel, Field, model_validator

from domain.vocabulary.scope_dimension import ScopeDimension


class MiningConfig(BaseModel, frozen=True, extra="forbid"):
    """Which cells of a group of trades are mined."""

    min_trades: int = Field(
        default=33,
        ge=1,
        le=100_000,
        description="Trades a cell must have; below about this many a median of outcomes says little.",
    )
    max_depth: int = Field(
        default=3, ge=1, le=4, description="Conditions of a cell at most; each more costs about eight times the cells."
    )
    max_cells: int = Field(
        default=20_000,
        ge=1,
        le=1_000_000,
        description="Closed cells of a group that are kept, fewest conditions and most trades first; what is left out"
        " is counted.",
    )
    max_values_per_dimension: int = Field(
        default=24,
        ge=1,
        le=1000,
        description="Values of a dimension that are mined, most trades first; names from outside may be thousands. The"
        " others are in no cell of it, and counted.",
    )
    excluded_dimensions: tuple[ScopeDimension, ...] = Field(
        default=(), description="Dimensions no condition is made of."
    )


class LessonConfig(BaseModel, frozen=True, extra="forbid"):
    """What of the mined cells becomes a lesson, and when a lesson is given up."""

    promotion: Literal["honest", "documents"] = Field(
        default="honest",
        description="honest: tested, confirmed on later trades, not explained by another lesson. documents: enough"
        " trades and a large enough edge, which three quarters of the slices of pure noise have too.",
    )
    min_trades: int = Field(
        default=33, ge=2, le=100_000, description="Trades below which neither a group nor a cell is tested."
    )
    min_abs_edge: float = Field(
        default=0.05, ge=0, le=4, description="Edges nearer to 0 than this change no size: they are no lesson."
    )
    max_lessons_per_pattern: int = Field(
        default=40, ge=1, le=10_000, description="Lessons of a pattern, the largest |edge| x support first."
    )
    discovery_frac: float = Field(
        default=0.7, ge=0.3, le=0.9, description="Earlier share of the trades, which finds; the later share confirms."
    )
    purge_overlap: bool = Field(
        default=True,
        description="Leave trades that opened before the last discovering one closed out of the confirmation: they"
        " saw the same market. They count in everything else.",
    )
    cluster_by: Literal["day", "trade"] = Field(
        default="day",
        description="What counts as one look at the market. day: the UTC day of the closure. trade: every trade by"
        " itself, which takes whatever a day's trades have in common for evidence.",
    )
    min_side_trades: int = Field(
        default=10, ge=2, le=10_000, description="Discovering trades each side of a comparison must have."
    )
    min_side_clusters: int = Field(
        default=6, ge=2, le=10_000, description="Clusters (days) they must come from; fewer tell no spread."
    )
    false_discovery_rate: float = Field(
        default=0.1, gt=0, le=0.5, description="Expected share of false ones among what a family of tests rejects."
    )
    descend_rate: float = Field(
        default=0.3,
        gt=0,
        le=1,
        description="q up to which the cells below a cell are asked about: wider than what is believed, for an effect"
        " that two conditions have only together shows little in each. Of 120 such 108 were found so, 98 with 0.1;"
        " noise taught as little.",
    )
    confirm_rate: float = Field(
        default=0.05,
        gt=0,
        le=0.5,
        description="Expected share of false ones among what the later trades confirm, in the whole run. Of runs over"
        " pure noise a few more than this teach something, for outcomes have heavy tails.",
    )
    min_confirm_trades: int = Field(
        default=10, ge=2, le=10_000, description="Confirming trades each side must have; with fewer it stays open."
    )
    min_confirm_clusters: int = Field(default=3, ge=2, le=10_000, description="Clusters (days) they must come from.")
    redundancy_p: float = Field(
        default=0.05,
        gt=0,
        le=0.5,
        description="Two-sided p at which a cell still differs once the trades of accepted lessons are taken out.",
    )
    shrinkage_trades: float = Field(
        default=33.0, ge=0, le=10_000, description="Trades with the parent's mean that are added to a cell's own."
    )
    interval_level: float = Field(default=0.9, gt=0, lt=1, description="Level of the intervals told.")
    min_half_life_hours: float = Field(
        default=24.0,
        ge=0,
        le=87_600,
        description="A decaying edge that halves faster than this is gone before its use.",
    )
    retire_after: int = Field(default=2, ge=1, le=100, description="Runs in a row without a lesson that retire it.")

    @model_validator(mode="after")
    def _bounds_fit(self) -> Self:
        for trades, clusters in (
            ("min_side_trades", "min_side_clusters"),
            ("min_confirm_trades", "min_confirm_clusters"),
        ):
            n_trades, n_clusters = getattr(self, trades), getattr(self, clusters)
            if n_clusters > n_trades:
                raise ValueError(f"{clusters} must be <= {trades} ({n_trades}), was {n_clusters}")
        if self.descend_rate < self.false_discovery_rate:
            raise ValueError(
                f"descend_rate must be >= false_discovery_rate ({self.false_discovery_rate}), was {self.descend_rate}"
            )
        return self
