"""The document of a closed position: the trade, how it was entered, every action of it. Learning reads this.

Flat and versioned: an outcome that stood one level too deep was once never read, and nothing was learned from it.
"""

from typing import Any, Self

from pydantic import Field, model_validator

from domain.portfolio.strand_part import (
    Amount,
    Instant,
    Lever,
    Name,
    Part,
    Pattern,
    Ratio,
    RegimeStates,
    SchemaVersion,
    Scoped,
    Sha256,
)
from domain.vocabulary.action import ActionCategory
from domain.vocabulary.cap_bucket import CapBucket
from domain.vocabulary.lever_mode import LeverMode
from domain.vocabulary.timeframe import Timeframe


class EntryContext(Scoped):
    """What was known at the first fill, not when the token was approved: that may be weeks earlier."""

    regime_states: RegimeStates
    A_value: Lever | None
    E_value: Lever | None
    A_mode: LeverMode | None
    E_mode: LeverMode | None
    timeframe: Timeframe
    bucket: CapBucket | None = Field(description="Cap bucket of the token; null where it had no tag.")
    pattern_key: Pattern
    captured_at: Instant = Field(description="Close of the bar the entry was decided on.")


class ClosedAction(Scoped):
    """One action of the trade; all of it stands in its own strand."""

    strand_id: Sha256
    ts: Instant
    decision_type: Name
    action_category: ActionCategory
    pattern_key: Pattern


class CompletedTrade(Part):
    """A trade and its outcome. Null is not known, never 0; `rr_absent_reason` says why there is no R/R."""

    trade_id: Name
    rr: float | None = Field(description="PnL over risk, winsorised for statistics, R.")
    rr_raw: float | None = Field(description="The same, as it came out.")
    rr_absent_reason: str | None
    roi: float | None = Field(description="PnL over what was invested, a ratio.")
    pnl_usd: float = Field(description="Total, after fees.")
    max_adverse_usd: Amount = Field(description="Deepest total loss the trade was ever in.")
    entry_timestamp: Instant = Field(description="First fill.")
    exit_timestamp: Instant = Field(description="Last fill.")
    entry_price_usd: Ratio = Field(description="Average over all buys, USD per token.")
    exit_price_usd: Ratio | None = Field(description="Average over all sales; null where nothing was sold.")
    hold_hours: Amount
    hours_to_s3: Amount | None = Field(description="From the first fill; null where S3 was not reached.")
    actions: tuple[ClosedAction, ...] = Field(description="By time.")

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        known = [value for value in (self.rr, self.rr_raw, self.roi, self.pnl_usd) if value is not None]
        facts = {
            "rr and rr_raw are both there or both null": (self.rr is None) == (self.rr_raw is None),
            "an R/R that is null says why": (self.rr is None) == bool(self.rr_absent_reason),
            "rr is rr_raw or nearer to 0": abs(self.rr or 0.0) <= abs(self.rr_raw or 0.0),
            "rr, roi and pnl_usd have one sign": len({(value > 0) - (value < 0) for value in known}) == 1,
            "the exit is not before the entry": self.entry_timestamp <= self.exit_timestamp,
            "each action is told once": len({action.strand_id for action in self.actions}) == len(self.actions),
            "actions stand by time": list(self.actions) == sorted(self.actions, key=lambda action: action.ts),
        }
        for fact, holds in facts.items():
            if not holds:
                raise ValueError(f"in a completed trade {fact}; here it was not so")
        return self


class PositionClosed(Part):
    """A position that was closed: its last trade, and those before it where they are told too."""

    schema_version: SchemaVersion
    position_id: Name
    token_contract: Name
    chain: Name
    timeframe: Timeframe
    trade_id: Name
    ts: Instant = Field(description="Close of the bar it was closed on.")
    entry_context: EntryContext
    completed_trades: tuple[CompletedTrade, ...] = Field(
        min_length=1, description="Oldest first; the last is this one."
    )
    exit_reason: Name
    regime_context: dict[str, Any] | None = Field(description="The regime at the closure; null where there was none.")
    config_version: int
    code_version: Name

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        last = self.completed_trades[-1]
        facts = {
            "the last completed trade is the trade": last.trade_id == self.trade_id,
            "each trade is told once": len({each.trade_id for each in self.completed_trades})
            == len(self.completed_trades),
            "the entry was on its own timeframe": self.entry_context.timeframe is self.timeframe,
            "nothing is later than the closure": all(
                at <= self.ts
                for at in (
                    self.entry_context.captured_at,
                    last.exit_timestamp,
                    *(action.ts for action in last.actions),
                )
            ),
        }
        for fact, holds in facts.items():
            if not holds:
                raise ValueError(f"in a closed position {fact}; here it was not so")
        return self
