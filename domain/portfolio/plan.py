"""What to do with one position at one closed bar: at most one action, and every gate that was asked.

Rules in order, the first that claims the bar has it:

    1  exit_position, or something is still held in S0      sell everything
    2  emergency_exit                                        sell everything, once an emergency
    3  trim_flag                                             sell a part
    4  buy rule of S1, S2 or S3                              buy; after a trim it is a rebuy
    5  first dip in S3                                       buy, once a trade
    6  EMA333 reclaimed in S3                                buy, once a reclaim

A sale claims the bar when its flag is up and something is held, even where one of its gates is shut: what is stretched
is not bought. A buy claims it when all of its gates are open. How much is bought or sold is not decided here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from domain.portfolio.buy_check import above_ema333, check_buy
from domain.portfolio.gate import Gate, GateReading, blocking_gates, fact, is_open
from domain.portfolio.situation import PlanRules, Situation, buy_gates, exit_gates, new_reason_to_buy, trim_gates
from domain.scopes.pattern_key import LEGAL_FLAGS, PatternFlag, PatternKey
from domain.vocabulary.action import ActionCategory
from domain.vocabulary.uptrend import UptrendFlag, UptrendState


class DecisionType(StrEnum):
    """What the planner decided; `hold` is never stored as an action."""

    ENTRY = "entry"
    ADD = "add"
    TRIM = "trim"
    EMERGENCY_EXIT = "emergency_exit"
    HOLD = "hold"


_TYPE = {
    ActionCategory.ENTRY: DecisionType.ENTRY,
    ActionCategory.ADD: DecisionType.ADD,
    ActionCategory.TRIM: DecisionType.TRIM,
    ActionCategory.EXIT: DecisionType.EMERGENCY_EXIT,
}

BUY_RULE_FLAGS = frozenset({PatternFlag.BUY_FLAG, PatternFlag.REBUY_FLAG})
"""Patterns of the buy rule of a state, before and after a trim."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleReading:
    """One rule at one bar: the pattern it would act on, and its gates. `claims`: no later rule may act."""

    pattern_key: PatternKey
    category: ActionCategory
    gates: tuple[GateReading, ...]
    claims: bool

    @property
    def passed(self) -> bool:
        """Whether every gate is open."""
        return is_open(self.gates)

    def to_json(self) -> dict[str, Any]:
        """Return the rule as JSON stores it."""
        return {
            "pattern_key": str(self.pattern_key),
            "action_category": self.category.value,
            "passed": self.passed,
            "gates": [gate.to_json() for gate in self.gates],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One action, or none and why.

    rules: every rule whose occasion was there, in order, acted on or not. reason: why nothing is done; None if
    something is.
    """

    action: RuleReading | None
    rules: tuple[RuleReading, ...]
    reason: str | None

    @property
    def decision_type(self) -> DecisionType:
        """What was decided."""
        return DecisionType.HOLD if self.action is None else _TYPE[self.action.category]

    @property
    def category(self) -> ActionCategory | None:
        """Kind of the action; None when nothing is done."""
        return None if self.action is None else self.action.category

    @property
    def pattern_key(self) -> PatternKey | None:
        """Pattern acted on; None when nothing is done."""
        return None if self.action is None else self.action.pattern_key

    @property
    def gates(self) -> tuple[GateReading, ...]:
        """Gates of the action, or of the rule that came first and did not pass."""
        read = self.action or next(iter(self.rules), None)
        return () if read is None else read.gates

    @property
    def buy_rule(self) -> RuleReading | None:
        """The buy rule of the bar's state, acted on or not; None in a state that has none."""
        return next((rule for rule in self.rules if rule.pattern_key.flag in BUY_RULE_FLAGS), None)

    def to_json(self) -> dict[str, Any]:
        """Return the decision as JSON stores it."""
        return {
            "decision_type": self.decision_type.value,
            "action_category": None if self.action is None else self.action.category.value,
            "pattern_key": None if self.action is None else str(self.action.pattern_key),
            "reason": self.reason,
            "rules": [rule.to_json() for rule in self.rules],
        }


def plan_actions(situation: Situation, rules: PlanRules) -> Decision:
    """Decide on one position at one closed bar.

    Parameters
    ----------
    situation : Situation
        The position, its bar, its levers and what it may do. Its memory must have seen the bar (`remember_bar`).
    rules : PlanRules
        Configuration.

    Returns
    -------
    Decision
        At most one action. What is not known never leads to a buy: its gate is shut and says what is missing.
    """
    readings: list[RuleReading] = []
    claimed: RuleReading | None = None
    for rule in _RULES:
        reading = rule(situation, rules, claimed)
        if reading is None:
            continue
        readings.append(reading)
        if claimed is None and reading.claims:
            claimed = reading
    action = claimed if claimed is not None and claimed.passed else None
    reason = None if action else _why_nothing(situation, claimed, readings)
    return Decision(action=action, rules=tuple(readings), reason=reason)


def buy_check_pattern(state: UptrendState) -> PatternKey | None:
    """Pattern under which the thresholds of a state's buy rule are tuned; None in a state without one.

    >>> str(buy_check_pattern(UptrendState.S3))
    'pm.uptrend.S3.buy_flag'
    """
    return PatternKey(state, PatternFlag.BUY_FLAG) if state in _BUYING else None


_BUYING = frozenset({UptrendState.S1, UptrendState.S2, UptrendState.S3})
_TRIMMING = frozenset({UptrendState.S2, UptrendState.S3})


def _exit(situation: Situation, rules: PlanRules, claimed: RuleReading | None) -> RuleReading | None:
    """Leave on the engine's word; a holding in S0 too, whose exit was missed, refused or filled in part.

    What an exit in S0 left is sold as well once S0 is over, still as what fell to S0.
    """
    state = situation.memory.last_execution_state
    state = UptrendState.S0 if state is UptrendState.S0 and situation.is_held else situation.bar.state
    is_left_over = state is UptrendState.S0 and situation.is_held
    if UptrendFlag.EXIT_POSITION not in situation.bar.flags and not is_left_over:
        return None
    pattern_key = _exit_pattern(state, PatternFlag.EXIT_POSITION)
    return _sale(situation, pattern_key, ActionCategory.EXIT, exit_gates(situation))


def _emergency(situation: Situation, rules: PlanRules, claimed: RuleReading | None) -> RuleReading | None:
    if UptrendFlag.EMERGENCY_EXIT not in situation.bar.flags:
        return None
    sold_at = situation.memory.emergency_exit_at
    detail = None if sold_at is None else f"sold everything at {sold_at.isoformat()}"
    once = fact(Gate.EMERGENCY_ONCE, sold_at is None, detail)
    gates = (_first(claimed), *exit_gates(situation), once)
    pattern_key = _exit_pattern(situation.bar.state, PatternFlag.EMERGENCY_EXIT)
    return _sale(situation, pattern_key, ActionCategory.EXIT, gates)


def _trim(situation: Situation, rules: PlanRules, claimed: RuleReading | None) -> RuleReading | None:
    state = situation.bar.state
    if UptrendFlag.TRIM_FLAG not in situation.bar.flags or state not in _TRIMMING:
        return None
    gates = (_first(claimed), *trim_gates(situation, rules))
    return _sale(situation, PatternKey(state, PatternFlag.TRIM_FLAG), ActionCategory.TRIM, gates)


def _buy(situation: Situation, rules: PlanRules, claimed: RuleReading | None) -> RuleReading | None:
    state = situation.bar.state
    checked = check_buy(situation.bar, uptrend=rules.uptrend, config=rules.plan, tuning=situation.tuning)
    if not checked:
        return None
    is_rebuy = state is not UptrendState.S1 and situation.memory.trims_since_buy > 0
    flag = PatternFlag.REBUY_FLAG if is_rebuy else PatternFlag.BUY_FLAG
    return _purchase(situation, rules, claimed, flag, (*checked, new_reason_to_buy(situation)))


def _first_dip(situation: Situation, rules: PlanRules, claimed: RuleReading | None) -> RuleReading | None:
    memory = situation.memory
    if not _is_in_s3_with(UptrendFlag.FIRST_DIP_BUY_FLAG, situation):
        return None
    own = (
        *_s3_gates(situation, rules),
        new_reason_to_buy(situation),
        fact(Gate.FIRST_DIP_ONCE, not memory.first_dip_bought),
    )
    return _purchase(situation, rules, claimed, PatternFlag.FIRST_DIP_BUY_FLAG, own)


def _reclaim(situation: Situation, rules: PlanRules, claimed: RuleReading | None) -> RuleReading | None:
    if not _is_in_s3_with(UptrendFlag.RECLAIMED_EMA333, situation):
        return None
    is_new = situation.bar.opened_at not in situation.memory.reclaims
    own = (*_s3_gates(situation, rules), fact(Gate.RECLAIM_ONCE, is_new))
    return _purchase(situation, rules, claimed, PatternFlag.RECLAIMED_EMA333, own)


_Rule = Callable[[Situation, PlanRules, RuleReading | None], RuleReading | None]
_RULES: tuple[_Rule, ...] = (_exit, _emergency, _trim, _buy, _first_dip, _reclaim)


def _is_in_s3_with(flag: UptrendFlag, situation: Situation) -> bool:
    return situation.bar.state is UptrendState.S3 and flag in situation.bar.flags


def _exit_pattern(state: UptrendState, flag: PatternFlag) -> PatternKey:
    """Name an exit; one from a state that names no pattern is a fall to S0, rather than no exit at all."""
    return PatternKey(state if state in LEGAL_FLAGS else UptrendState.S0, flag)


def _s3_gates(situation: Situation, rules: PlanRules) -> tuple[GateReading, ...]:
    """Read what holds for every buy in S3: the engine reports a reclaim of a bootstrapped S3, too."""
    bar = situation.bar
    return above_ema333(bar, rules.plan.gate_scale), fact(Gate.NOT_BOOTSTRAPPED, not bar.bootstrapped)


def _sale(
    situation: Situation, pattern_key: PatternKey, category: ActionCategory, gates: tuple[GateReading, ...]
) -> RuleReading:
    return RuleReading(pattern_key=pattern_key, category=category, gates=gates, claims=situation.is_held)


def _purchase(
    situation: Situation,
    rules: PlanRules,
    claimed: RuleReading | None,
    flag: PatternFlag,
    own: tuple[GateReading, ...],
) -> RuleReading:
    gates = (_first(claimed), *own, *buy_gates(situation, rules))
    return RuleReading(
        pattern_key=PatternKey(situation.bar.state, flag),
        category=situation.memory.buy_category,
        gates=gates,
        claims=is_open(gates),
    )


def _first(claimed: RuleReading | None) -> GateReading:
    return fact(Gate.FIRST_MATCH, claimed is None, None if claimed is None else f"taken by {claimed.pattern_key}")


def _why_nothing(situation: Situation, claimed: RuleReading | None, readings: list[RuleReading]) -> str:
    shut = [claimed] if claimed else readings
    if not shut:
        return f"{situation.bar.state} ({situation.bar.status}) gives no occasion"
    return "; ".join(f"{rule.pattern_key}: {', '.join(blocking_gates(rule.gates))}" for rule in shut)
