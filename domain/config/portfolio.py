"""How levers, learned strength and crowding become the size of an order, and how a trade is judged."""

from typing import Any, Self

from pydantic import BaseModel, Field, model_validator

from domain.vocabulary.lever_mode import LeverMode
from domain.vocabulary.scope_dimension import ScopeDimension
from domain.vocabulary.timeframe import Timeframe


def _dimension_weights() -> dict[ScopeDimension, float]:
    return dict.fromkeys(ScopeDimension, 1.0)


def _timeframe_splits() -> dict[Timeframe, float]:
    return {Timeframe.M1: 0.05, Timeframe.M15: 0.125, Timeframe.H1: 0.70, Timeframe.H4: 0.125}


def _add_fracs() -> dict[LeverMode, float]:
    return {LeverMode.PATIENT: 0.05, LeverMode.NORMAL: 0.15, LeverMode.AGGRESSIVE: 0.25}


def _trim_fracs() -> dict[LeverMode, float]:
    return {LeverMode.PATIENT: 0.03, LeverMode.NORMAL: 0.05, LeverMode.AGGRESSIVE: 0.10}


class LeverModeConfig(BaseModel, frozen=True, extra="forbid"):
    """The one grid that turns A and E into a word."""

    normal_from: float = Field(default=0.30, gt=0, lt=1, description="Lever from which the mode is normal.")
    aggressive_from: float = Field(default=0.70, gt=0, lt=1, description="Lever from which the mode is aggressive.")

    @model_validator(mode="after")
    def _modes_ascend(self) -> Self:
        if self.normal_from >= self.aggressive_from:
            raise ValueError(f"normal_from must be < aggressive_from, was {self.normal_from}, {self.aggressive_from}")
        return self


class MaskWeightConfig(BaseModel, frozen=True, extra="forbid"):
    """How much a scope mask weighs. Strength and exposure read the same weights."""

    power: float = Field(
        default=0.5, gt=0, le=1, description="Exponent of the weight; below 1, each further dimension adds less."
    )
    root_weight: float = Field(
        default=1.0,
        ge=0,
        le=10,
        description="Added to the dimensions of the mask and of all; 0 gives the mask without dimensions no weight, so"
        " that what is known of a pattern everywhere would never count.",
    )
    dimension_weights: dict[ScopeDimension, float] = Field(
        default_factory=_dimension_weights, description="Weight of each dimension, within 0..10."
    )

    @model_validator(mode="after")
    def _dimensions_are_complete(self) -> Self:
        weights = self.dimension_weights
        if set(weights) != set(ScopeDimension):
            raise ValueError("dimension_weights must name every dimension of the registry and no other")
        if any(not 0 <= weight <= 10 for weight in weights.values()) or sum(weights.values()) <= 0:
            raise ValueError(f"dimension_weights must each lie within 0..10, not all 0, was {weights}")
        return self


class SizingConfig(BaseModel, frozen=True, extra="forbid"):
    """From the wallet to an order: base allocation, timeframe split, size fraction, strength."""

    default_allocation_pct: float = Field(
        default=10.0, gt=0, le=100, description="Share of the wallet one token may take, over all timeframes; percent."
    )
    timeframe_splits: dict[Timeframe, float] = Field(
        default_factory=_timeframe_splits,
        description="Share of that allocation each timeframe's position may take, until one is learned; they sum to 1.",
    )
    min_order_usd: float = Field(
        default=1.0, ge=0, description="Buys below this are not sent: fees would eat them. USD."
    )
    min_entry_a: float = Field(default=0.05, ge=0, le=1, description="A below which nothing is entered.")
    entry_base_frac: float = Field(
        default=0.10, ge=0, le=1, description="Share of the remaining cap an entry takes at A = 0, a fraction."
    )
    entry_a_frac: float = Field(default=0.50, ge=0, le=1, description="Share an entry takes in addition at A = 1.")
    add_fracs: dict[LeverMode, float] = Field(
        default_factory=_add_fracs, description="Share of the remaining cap an add takes, by the mode of A."
    )
    trim_fracs: dict[LeverMode, float] = Field(
        default_factory=_trim_fracs,
        description="Share of the holding a trim sells, by the mode of E. They ascend: 0.50 for 0.05 in the middle row"
        " once sold half a position at each trim.",
    )
    pm_strength_min: float = Field(default=0.3, gt=0, le=1, description="Lower clamp of the learned strength, a ratio.")
    pm_strength_max: float = Field(default=3.0, ge=1, le=10, description="Upper clamp of the learned strength.")

    @model_validator(mode="after")
    def _tables_are_sound(self) -> Self:
        splits = self.timeframe_splits
        if not splits or any(not 0 <= split <= 1 for split in splits.values()) or abs(sum(splits.values()) - 1) > 1e-9:
            raise ValueError(f"timeframe_splits must each lie within 0..1 and sum to 1, was {splits}")
        if self.entry_base_frac + self.entry_a_frac > 1:
            raise ValueError("entry_base_frac + entry_a_frac must be <= 1")
        tables: dict[str, dict[LeverMode, Any]] = {"add_fracs": self.add_fracs, "trim_fracs": self.trim_fracs}
        for name, table in tables.items():
            if set(table) != set(LeverMode):
                raise ValueError(f"{name} must have exactly the rows {[mode.value for mode in LeverMode]}")
            ladder = [table[mode] for mode in LeverMode]
            if not 0 <= ladder[0] <= ladder[1] <= ladder[2] <= 1:
                raise ValueError(f"{name} must ascend within 0..1 with the mode, was {table}")
        return self


class ExposureConfig(BaseModel, frozen=True, extra="forbid"):
    """How crowded a neighbourhood is, and what that does to a buy."""

    mask_defs: tuple[tuple[ScopeDimension, ...], ...] = Field(
        default=(
            (ScopeDimension.MCAP_BUCKET,),
            (ScopeDimension.MCAP_BUCKET, ScopeDimension.TIMEFRAME),
            (ScopeDimension.MCAP_BUCKET, ScopeDimension.TIMEFRAME, ScopeDimension.CHAIN),
        ),
        min_length=1,
        description="Groups of dimensions; two positions are neighbours in each group whose values they share.",
    )
    scope_weight: float = Field(default=1.0, gt=0, le=10, description="Weight of what stands in the same scope.")
    pattern_weight: float = Field(
        default=0.5, ge=0, le=10, description="Added for what was bought on the same pattern too; below scope_weight."
    )
    exposure_skew_min: float = Field(default=0.33, gt=0, le=1, description="Skew where all exposure is near, a ratio.")
    exposure_skew_max: float = Field(default=1.33, ge=1, le=3, description="Skew where nothing is near, a ratio.")
    empty_book_skew: float = Field(
        default=1.0,
        gt=0,
        le=3,
        description="Skew where nothing else is held: there is nothing to spread away from. 1.33 is the other reading.",
    )
    watchlist_factor: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="Share of a watched token's intended exposure that counts; at 1, hundreds of them would swamp the"
        " few holdings.",
    )

    @model_validator(mode="after")
    def _masks_say_something(self) -> Self:
        if any(not dimensions or len(set(dimensions)) != len(dimensions) for dimensions in self.mask_defs):
            raise ValueError("mask_defs must each name at least one dimension, and none twice")
        if self.pattern_weight >= self.scope_weight:
            raise ValueError(f"pattern_weight must be < scope_weight, was {self.pattern_weight}, {self.scope_weight}")
        if not self.exposure_skew_min <= self.empty_book_skew <= self.exposure_skew_max:
            raise ValueError(f"empty_book_skew must lie between the clamps of the skew, was {self.empty_book_skew}")
        return self


class TradeOutcomeConfig(BaseModel, frozen=True, extra="forbid"):
    """How the result of a trade is put in relation to its risk."""

    risk_floor_frac: float = Field(
        default=0.02,
        gt=0,
        le=1,
        description="Least risk, as a share of what was invested: a drawdown of 0.91 % once made 6.9 % look like 12.79"
        " times the risk.",
    )
    max_abs_rr: float = Field(
        default=10.0, gt=0, le=100, description="Winsorising bound of R/R in statistics; the raw value is kept."
    )
    fill_grace_seconds: float = Field(
        default=60.0,
        ge=0,
        le=3600,
        description="A bar that opened at most so long before the last fill counts with its low: orders are filled"
        " seconds after the bar they were decided on. Of an earlier one only the close counts.",
    )


class PortfolioConfig(BaseModel, frozen=True, extra="forbid"):
    """Sizes, crowding, outcomes."""

    lever_mode: LeverModeConfig = Field(default_factory=LeverModeConfig)
    mask_weight: MaskWeightConfig = Field(default_factory=MaskWeightConfig)
    sizing: SizingConfig = Field(default_factory=SizingConfig)
    exposure: ExposureConfig = Field(default_factory=ExposureConfig)
    trade_outcome: TradeOutcomeConfig = Field(default_factory=TradeOutcomeConfig)
