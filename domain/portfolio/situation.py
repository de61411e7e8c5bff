"""Everything one decision looks at, and the planner's own gates on it.

The engine's gates stand in `buy_check`; what follows from a gate, in `plan`. Anything unknown shuts its gate.
"""

import math
from dataclasses import dataclass

from domain.config.plan import PlanConfig
from domain.config.portfolio import SizingConfig
from domain.config.uptrend import UptrendConfig
from domain.portfolio.buy_check import UNTUNED, GateTuning
from domain.portfolio.gate import Gate, GateReading, at_least, fact, measured, missing
from domain.portfolio.lifecycle import PositionStatus
from domain.portfolio.token_bar import TokenBar
from domain.portfolio.trade_memory import TradeMemory
from domain.portfolio.trading_switch import TradingMode
from domain.scores.score_reading import ScoreStatus
from domain.vocabulary.action import ActionCategory
from domain.vocabulary.cap_bucket import CapBucket
from domain.vocabulary.uptrend import UptrendState

USABLE_SCORES = frozenset({ScoreStatus.FRESH, ScoreStatus.DEGRADED})
"""Scores that carry levers, a degraded one neutral ones; a stale or missing one has none to act with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """One position at one closed bar.

    memory: of the open trade, `NO_MEMORY` without one. quantity: tokens held, >= 0. mode: the most restrictive one
    that holds for the position. a, e: levers of the token, None when it has none. bucket: None when it is not known.
    tuning: learned multipliers of the thresholds of this state's buy rule. open_order: category of an order that is
    not settled yet.

    Raises
    ------
    ValueError
        If the quantity is not finite and >= 0.
    """

    bar: TokenBar
    memory: TradeMemory
    status: PositionStatus
    mode: TradingMode
    quantity: float
    a: float | None
    e: float | None
    score_status: ScoreStatus
    bucket: CapBucket | None
    tuning: GateTuning = UNTUNED
    open_order: ActionCategory | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.quantity < math.inf:
            raise ValueError(f"quantity must be finite and >= 0, was {self.quantity}")

    @property
    def is_held(self) -> bool:
        """Whether there is anything to sell."""
        return self.quantity > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRules:
    """Configuration of the planner, from three places: its own gates, the engine's thresholds, the least A."""

    plan: PlanConfig
    uptrend: UptrendConfig
    sizing: SizingConfig


def exit_gates(situation: Situation) -> tuple[GateReading, ...]:
    """Gates of every exit: something is held, and no exit is on its way. No mode, no lever, no lifecycle is asked."""
    order = situation.open_order
    is_exiting = order is ActionCategory.EXIT
    return (
        fact(Gate.HELD, situation.is_held),
        fact(Gate.NO_OPEN_ORDER, not is_exiting, f"open: {order}" if is_exiting else None),
    )


def trim_gates(situation: Situation, rules: PlanRules) -> tuple[GateReading, ...]:
    """Gates of a trim."""
    return (
        _mode(situation, ActionCategory.TRIM),
        fact(Gate.HELD, situation.is_held),
        _no_open_order(situation),
        _cooled_down(situation, rules.plan),
        _lever(Gate.LEVER_E, situation.e, situation.score_status, least=None),
    )


def buy_gates(situation: Situation, rules: PlanRules) -> tuple[GateReading, ...]:
    """Gates that every buy stands behind, whatever the pattern."""
    category = situation.memory.buy_category
    is_entry = category is ActionCategory.ENTRY
    allowed = PositionStatus.WATCHLIST if is_entry else PositionStatus.ACTIVE
    bucket = (
        fact(Gate.CAP_BUCKET, True, situation.bucket.value)
        if situation.bucket
        else missing(Gate.CAP_BUCKET, "the token's cap bucket is unknown")
    )
    return (
        _mode(situation, category),
        fact(Gate.LIFECYCLE, situation.status is allowed, situation.status.value),
        _no_open_order(situation),
        bucket,
        _lever(
            Gate.LEVER_A,
            situation.a,
            situation.score_status,
            least=rules.sizing.min_entry_a if is_entry else None,
        ),
    )


def new_reason_to_buy(situation: Situation) -> GateReading:
    """Read the gate against repeats: S1 is bought once a trade; S2 and S3 again only after something happened.

    That is: never bought in this state in this trade, or another state was seen since the last execution, or a trim
    came after the last buy.
    """
    memory, state = situation.memory, situation.bar.state
    if state is UptrendState.S1:
        is_first = state not in memory.bought_in
        return fact(Gate.S1_ONCE, is_first, None if is_first else "bought in S1 in this trade")
    reasons = {
        f"not bought in {state} in this trade": state not in memory.bought_in,
        "another state since the last execution": _has_state_changed(memory, state),
        "a trim since the last buy": memory.trims_since_buy > 0,
    }
    holding = [reason for reason, holds in reasons.items() if holds]
    return fact(Gate.NEW_REASON_TO_BUY, bool(holding), ", ".join(holding) or "nothing happened since the last buy")


def _has_state_changed(memory: TradeMemory, state: UptrendState) -> bool:
    last = memory.last_execution_state
    return memory.has_state_changed or (last is not None and last is not state)


def _mode(situation: Situation, category: ActionCategory) -> GateReading:
    return fact(Gate.MODE, situation.mode.allows(category), situation.mode.value)


def _no_open_order(situation: Situation) -> GateReading:
    order = situation.open_order
    return fact(Gate.NO_OPEN_ORDER, order is None, None if order is None else f"open: {order}")


def _lever(name: Gate, lever: float | None, status: ScoreStatus, *, least: float | None) -> GateReading:
    if status not in USABLE_SCORES or lever is None or not 0 <= lever <= 1:
        return missing(name, f"the score is {status}", threshold_base=least, threshold=least)
    if least is not None:
        return at_least(name, lever, base=least, threshold=least, scale=1.0)
    return measured(name, value=lever, threshold_base=None, threshold=None, passed=True, margin=None)


def _cooled_down(situation: Situation, plan: PlanConfig) -> GateReading:
    last = situation.memory.last_trim_at
    if last is None:
        return fact(Gate.TRIM_COOLDOWN, True, "no trim in this trade")
    bars, wanted = (situation.bar.opened_at - last) / situation.bar.length, float(plan.trim_cooldown_bars)
    return at_least(Gate.TRIM_COOLDOWN, bars, base=wanted, threshold=wanted, scale=1.0)
