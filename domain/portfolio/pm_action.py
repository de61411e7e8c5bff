"""The document of one action: what was decided, on what grounds, and what became of the order."""

import math
from typing import Literal, Self

from pydantic import Field, model_validator

from domain.portfolio.exposure_skew import SkewBasis
from domain.portfolio.override_contradiction import Precedence
from domain.portfolio.override_row import OverrideLever
from domain.portfolio.pm_strength import StrengthBasis
from domain.portfolio.strand_part import (
    Amount,
    Instant,
    Lever,
    Levers,
    Mask,
    Name,
    Part,
    Pattern,
    Ratio,
    RegimeStates,
    SchemaVersion,
    Scoped,
    ScopeValues,
)
from domain.portfolio.timeframe_split import SplitBasis
from domain.vocabulary.action import ActionCategory, OrderSide
from domain.vocabulary.timeframe import Timeframe
from domain.vocabulary.uptrend import UptrendState

MAX_PRODUCT_GAP = 1e-9


class GatePart(Part):
    """One gate: what was measured, the threshold as configured and as it decided, and by how much it passed."""

    name: Name
    value: float | None
    threshold_base: float | None
    threshold: float | None
    margin: float | None
    passed: bool
    detail: str | None


class Reasons(Part):
    """Why it was done: the state, the flag that was acted on, every gate that was asked."""

    state: UptrendState
    flag: Name
    gates: tuple[GatePart, ...]


class LeverStepPart(Part):
    """One step from 0.5 to A and E: what it changed, and where it left them."""

    name: Name
    a_change: float
    e_change: float
    a: float
    e: float


class SizeStepPart(Part):
    """One factor of the size, and the amount it left; USD of a buy, tokens of a sale."""

    name: Name
    factor: float
    amount: float


class MatchedOverridePart(Part):
    """A learned override that applied, and its share of the blend."""

    override_id: int
    lesson_id: Name
    mask: Mask
    values: ScopeValues
    multiplier: Ratio
    confidence: float = Field(gt=0, le=1)
    mask_weight: float = Field(ge=0, le=1)
    weight_share: float | None = Field(description="Of all that applied; null where none of them has a weight.")
    n_trades: int = Field(gt=0)
    edge_raw: float | None
    decay_mult: float | None


class StrengthPart(Part):
    """What was learned about one lever: the multiplier, why, and every override behind it."""

    lever: OverrideLever
    multiplier: Ratio
    basis: StrengthBasis
    matched: tuple[MatchedOverridePart, ...]


class MaskCrowdingPart(Part):
    """What stood near in one mask, in the same scope and on the same pattern too; USD."""

    mask: Mask
    weight: float = Field(ge=0, le=1)
    scope_exposure_usd: Amount
    pk_scope_exposure_usd: Amount


class ExposurePart(Part):
    """How crowded the neighbourhood was, mask by mask."""

    skew: Ratio
    basis: SkewBasis
    conc_norm: Lever | None
    others_usd: Amount
    masks: tuple[MaskCrowdingPart, ...]


class LearningMultipliers(Part):
    """What multiplied the size. A sale has no exposure: crowding is asked of buys."""

    pm_strength: StrengthPart
    exposure_skew: ExposurePart | None


class ThresholdPart(Part):
    """A threshold as configured and as it decided, with what moved it."""

    name: Name
    base: float
    tuned: float
    strength: StrengthPart


class ContradictionPart(Part):
    """Overrides that pull in opposite directions: those that buy more, those that buy less, and how both are obeyed."""

    more: OverrideLever
    less: OverrideLever
    more_ids: tuple[int, ...] = Field(min_length=1)
    less_ids: tuple[int, ...] = Field(min_length=1)
    precedence: Precedence


class TimeframeSplitPart(Part):
    """Share of the token's allocation that the timeframe may take, and where it comes from."""

    share: Lever
    basis: SplitBasis
    learned_at: Instant | None


class FillPart(Part):
    """An execution as the venue confirmed it."""

    fill_id: Name
    quantity: Ratio
    price_usd: Ratio
    notional_usd: Ratio
    fee_usd: Amount
    filled_at: Instant


class ExecutionResult(Part):
    """What became of the order: filled (wholly or in part), rejected or expired, and why."""

    status: Literal["filled", "rejected", "expired"]
    fills: tuple[FillPart, ...]
    reason: str | None

    @model_validator(mode="after")
    def _fills_make_it_filled(self) -> Self:
        if (self.status == "filled") != bool(self.fills):
            raise ValueError(f"an order is filled if and only if it has fills, was {self.status}, {len(self.fills)}")
        if not self.fills and not self.reason:
            raise ValueError(f"an order that was {self.status} must say why")
        return self


class SeenBar(Part):
    """The bar it was decided on."""

    opened_at: Instant
    closed_at: Instant
    open_usd: Ratio
    high_usd: Ratio
    low_usd: Ratio
    close_usd: Ratio
    volume: Amount


class Seen(Part):
    """What the tick had read: open of each score's bar, hour of the regime context, the bar. Nothing is later."""

    score_timestamps: dict[str, Instant | None] = Field(description="By bucket; null where there was no score.")
    context_evaluated_at: Instant | None
    bar: SeenBar


class PmAction(Scoped, Levers):
    """One action of the portfolio manager. `ts`: when it was decided, the close of the bar."""

    schema_version: SchemaVersion
    position_id: Name
    token_contract: Name
    chain: Name
    timeframe: Timeframe
    trade_id: Name
    order_id: Name
    ts: Instant
    decision_type: Literal["entry", "add", "trim", "emergency_exit"]
    action_category: ActionCategory
    pattern_key: Pattern
    size_frac: Lever = Field(description="Share of the remaining cap (buy) or of the holding (sale), before learning.")
    reasons: Reasons
    levers: tuple[LeverStepPart, ...] = Field(description="From 0.5 to A and E; empty where the tick had no score.")
    sizing: tuple[SizeStepPart, ...] = Field(description="From the wallet or the holding to the order.")
    learning_multipliers: LearningMultipliers
    thresholds: tuple[ThresholdPart, ...]
    contradictions: tuple[ContradictionPart, ...] = Field(
        default=(), description="Overrides that disagree about a buy; documents before them have no such key."
    )
    timeframe_split: TimeframeSplitPart | None = Field(
        default=None, description="Null for a sale; documents before it have no such key."
    )
    pm_strength_applied: Ratio
    exposure_skew_applied: Ratio
    pm_final_multiplier: Ratio = Field(
        description="Strength times skew, before the size is clamped to all that is left."
    )
    regime_states: RegimeStates
    execution_result: ExecutionResult
    override_set_id: int | None = Field(description="Live version; null while none is.")
    seen: Seen
    config_version: int
    code_version: Name

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        product = self.pm_strength_applied * self.exposure_skew_applied
        buys = self.action_category.side is OrderSide.BUY
        read = [*self.seen.score_timestamps.values(), self.seen.context_evaluated_at, self.seen.bar.closed_at]
        facts = {
            "pm_final_multiplier is strength times skew": math.isclose(
                self.pm_final_multiplier, product, rel_tol=MAX_PRODUCT_GAP
            ),
            "what is sold depends on nothing learned": buys or product == self.pm_final_multiplier == 1,
            "a buy knows its exposure": not buys or self.learning_multipliers.exposure_skew is not None,
            "what is sold has nothing to contradict": buys or not self.contradictions,
            "nothing was read that is later than the decision": all(at is None or at <= self.ts for at in read),
        }
        for fact, holds in facts.items():
            if not holds:
                raise ValueError(f"in an action {fact}; here it was not so")
        return self
