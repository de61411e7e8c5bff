"""A decision as the order keeps it and the event log tells it: what it saw, every gate, every step, every override.

It is the `pm_action` document without what became of the order, which is not known yet.
"""

import functools
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from operator import attrgetter
from typing import Any

from domain.portfolio.buy_check import GATE_LEVER
from domain.portfolio.lever_mode import lever_mode
from domain.portfolio.override_contradiction import contradictions
from domain.portfolio.override_row import OverrideLever
from domain.portfolio.plan import RuleReading
from domain.portfolio.pm_strength import Strength, StrengthBasis
from domain.portfolio.sizing import BuySize
from domain.portfolio.timeframe_split import split_of
from domain.scopes.scope import Scope, scope_mask
from domain.vocabulary.action import OrderSide
from domain.vocabulary.driver import CHANNEL_NAMES
from pm_runtime.learned import Learned
from pm_runtime.planning import Planned
from pm_runtime.tick_market import TickMarket

UNLEARNED = {
    "lever": OverrideLever.PM_STRENGTH.value,
    "multiplier": 1.0,
    "basis": StrengthBasis.SELLS.value,
    "matched": [],
}
"""Strength of a sale: nothing learned touches it."""


def decision_document(planned: Planned, market: TickMarket, *, trade_id: str, order_id: str) -> dict[str, Any]:
    """Document of a decision that is ordered.

    Raises
    ------
    ValueError
        If nothing was decided, or it has no size.
    """
    action, size = planned.decision.action, planned.size
    if action is None or size is None:
        raise ValueError(f"Nothing is ordered for {planned.row.token_contract} on {market.bar}")
    row, tuned = planned.row, _tuned(planned, action)
    return {
        "schema_version": 1,
        "position_id": row.position_id,
        "token_contract": row.token_contract,
        "chain": row.chain,
        "timeframe": row.timeframe.value,
        "trade_id": trade_id,
        "order_id": order_id,
        "ts": market.at.isoformat(),
        "decision_type": planned.decision.decision_type.value,
        "action_category": action.category.value,
        "pattern_key": str(action.pattern_key),
        "size_frac": size.size_frac,
        **_levers(planned, market),
        "reasons": _reasons(action),
        "sizing": [_flat(step) for step in planned.sizing],
        **_learning(planned),
        "thresholds": _thresholds(action, {lever: tuned[lever] for lever in planned.tuning.levers if lever in tuned}),
        "contradictions": _contradictions(planned.learned, tuned),
        "timeframe_split": _split(planned, market),
        "scope": scope_words(planned.scope),
        "scope_mask": scope_mask(planned.scope),
        "regime_states": {name: planned.states.get(name) for name in CHANNEL_NAMES},
        "score_status": planned.score_status.value,
        "switch": planned.switch.said,
        "override_set_id": market.overrides.set_id,
        "seen": _seen(planned, market),
        "config_version": market.made_by.config_version,
        "code_version": market.made_by.code_version,
    }


def _flat(part: Any) -> dict[str, Any]:
    """Fields of a dataclass that holds no other; `asdict` copies deeply, which took a third of the document's time."""
    kind: type = type(part)
    names, values = _fields(kind)
    return dict(zip(names, values(part), strict=True))


@functools.cache
def _fields(kind: type) -> tuple[tuple[str, ...], Callable[[Any], tuple[Any, ...]]]:
    names = tuple(each.name for each in fields(kind))
    return names, attrgetter(*names)


def scope_words(scope: Scope) -> dict[str, str]:
    """Return a scope as JSON has it."""
    return {str(dimension): value for dimension, value in scope.items()}


def _levers(planned: Planned, market: TickMarket) -> dict[str, Any]:
    levers, config = planned.levers, market.config.portfolio.lever_mode
    if levers is None:
        return {"a_value": None, "e_value": None, "A_mode": None, "E_mode": None, "levers": []}
    return {
        "a_value": levers.a,
        "e_value": levers.e,
        "A_mode": lever_mode(levers.a, config).value,
        "E_mode": lever_mode(levers.e, config).value,
        "levers": [_flat(step) for step in levers.waterfall],
        "bucket_multiplier": asdict(levers.bucket),
        "intent_deltas": asdict(levers.intent),
    }


def _reasons(action: RuleReading) -> dict[str, Any]:
    return {
        "state": action.pattern_key.state.value,
        "flag": action.pattern_key.flag.value,
        "gates": [gate.to_json() for gate in action.gates],
    }


def _learning(planned: Planned) -> dict[str, Any]:
    """Strength and skew as they were applied, each with what stands behind it; exactly 1 for a sale."""
    action, size, learned = planned.decision.action, planned.size, planned.learned
    is_buy = action is not None and action.category.side is OrderSide.BUY
    if not is_buy or learned is None or not isinstance(size, BuySize):
        applied = (1.0, 1.0)
        multipliers: dict[str, Any] = {"pm_strength": UNLEARNED, "exposure_skew": None}
    else:
        applied = (size.pm_strength_applied, size.exposure_skew_applied)
        multipliers = {"pm_strength": strength_json(learned.strength), "exposure_skew": _skew(learned)}
    return {
        "learning_multipliers": multipliers,
        "pm_strength_applied": applied[0],
        "exposure_skew_applied": applied[1],
        "pm_final_multiplier": applied[0] * applied[1],
    }


def strength_json(strength: Strength) -> dict[str, Any]:
    """Strength of a lever with every override behind it, as JSON has it."""
    return {
        "lever": strength.lever.value,
        "multiplier": strength.multiplier,
        "basis": strength.basis.value,
        "matched": [_flat(each) | {"values": scope_words(each.values)} for each in strength.matched],
    }


def _skew(learned: Learned) -> dict[str, Any]:
    return {
        "skew": learned.skew,
        "basis": learned.skew_basis.value,
        "conc_norm": learned.conc_norm,
        "others_usd": learned.others_usd,
        "masks": [_flat(mask) for mask in learned.crowding],
    }


def _thresholds(action: RuleReading, tuning: Mapping[OverrideLever, Strength]) -> list[dict[str, Any]]:
    """Thresholds that learning moved, as configured and as they decided."""
    moved = []
    for gate in action.gates:
        strength = tuning.get(GATE_LEVER[gate.name]) if gate.name in GATE_LEVER else None
        if strength is not None and gate.threshold is not None and gate.threshold_base is not None:
            moved.append(
                {
                    "name": gate.name.value,
                    "base": gate.threshold_base,
                    "tuned": gate.threshold,
                    "strength": strength_json(strength),
                }
            )
    return moved


def _tuned(planned: Planned, action: RuleReading) -> dict[OverrideLever, Strength]:
    """Look up what was learned about the thresholds of the gates that were asked."""
    return planned.tuning.strengths({GATE_LEVER[gate.name] for gate in action.gates if gate.name in GATE_LEVER})


def _contradictions(learned: Learned | None, tuned: Mapping[OverrideLever, Strength]) -> list[dict[str, Any]]:
    """Tell the overrides that disagree about a buy, both sides, and how both were obeyed; a sale has none."""
    if learned is None:
        return []
    return [
        {
            "more": each.more.value,
            "less": each.less.value,
            "more_ids": list(each.more_ids),
            "less_ids": list(each.less_ids),
            "precedence": each.precedence.value,
        }
        for each in contradictions({OverrideLever.PM_STRENGTH: learned.strength, **tuned})
    ]


def _split(planned: Planned, market: TickMarket) -> dict[str, Any] | None:
    """Share of the token's allocation the buy was sized by, and where it comes from; None of what is sold."""
    if not isinstance(planned.size, BuySize):
        return None
    row = planned.row
    return split_of(row.entry_context, row.timeframe, market.config.portfolio.sizing).to_json()


def _seen(planned: Planned, market: TickMarket) -> dict[str, Any]:
    bar = planned.bar
    scores = {
        bucket.value: None if reading.score is None else reading.score.timestamp.isoformat()
        for bucket, reading in market.readings.items()
    }
    prices = {name: getattr(bar, name) for name in ("open_usd", "high_usd", "low_usd", "close_usd", "volume")}
    return {
        "score_timestamps": scores,
        "context_evaluated_at": None if market.context is None else market.context["evaluated_at"],
        "bar": {"opened_at": bar.opened_at.isoformat(), "closed_at": bar.closed_at.isoformat(), **prices},
    }
