"""Documents of strands for tests: whole and right, as JSON has them."""

import copy
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.portfolio.strand import StrandKind, strand_schema
from domain.vocabulary.driver import CHANNEL_NAMES
from tests import json_schema

AT = datetime(2025, 3, 4, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
SCOPE = {"chain": "solana", "mcap_bucket": "nano", "timeframe": "1h"}
SCOPE_MASK = 0b100000110
STATES: dict[str, str | None] = dict.fromkeys(CHANNEL_NAMES, "S1") | {"usdtd_micro": None}


def iso(hours: float = 0) -> str:
    return (AT + hours * HOUR).isoformat().replace("+00:00", "Z")


def strength(lever: str = "pm_strength", multiplier: float = 1.15) -> dict[str, Any]:
    matched = {
        "override_id": 42,
        "lesson_id": "lesson-42",
        "mask": 4,
        "values": {"mcap_bucket": "nano"},
        "multiplier": multiplier,
        "confidence": 0.6,
        "mask_weight": 0.246,
        "weight_share": 1.0,
        "n_trades": 45,
        "edge_raw": 0.85,
        "decay_mult": 0.9,
    }
    return {"lever": lever, "multiplier": multiplier, "basis": "blended", "matched": [matched]}


def gate(name: str, value: float, threshold: float) -> dict[str, Any]:
    return {
        "name": name,
        "value": value,
        "threshold_base": threshold,
        "threshold": threshold,
        "margin": 0.5,
        "passed": True,
        "detail": None,
    }


def pm_action() -> dict[str, Any]:
    """An S1 entry that was filled."""
    bar = {"opened_at": iso(-1), "closed_at": iso(), "volume": 1200.0}
    prices = {"open_usd": 1.0, "high_usd": 1.2, "low_usd": 0.9, "close_usd": 1.1}
    mask = {"mask": 4, "weight": 0.246, "scope_exposure_usd": 100.0, "pk_scope_exposure_usd": 40.0}
    fill = {"fill_id": "f1", "quantity": 450.0, "price_usd": 1.1, "notional_usd": 495.0, "fee_usd": 1.5}
    return {
        "schema_version": 1,
        "position_id": "p" * 64,
        "token_contract": "So1ana",
        "chain": "solana",
        "timeframe": "1h",
        "trade_id": "t" * 64,
        "order_id": "o" * 64,
        "ts": iso(),
        "decision_type": "entry",
        "action_category": "entry",
        "pattern_key": "pm.uptrend.S1.buy_flag",
        "size_frac": 0.3,
        "a_value": 0.55,
        "e_value": 0.25,
        "A_mode": "normal",
        "E_mode": "patient",
        "scope": dict(SCOPE),
        "scope_mask": SCOPE_MASK,
        "reasons": {"state": "S1", "flag": "buy_signal", "gates": [gate("trend_strength", 0.7, 0.6)]},
        "levers": [{"name": "regime", "a_change": 0.55, "e_change": 0.25, "a": 0.55, "e": 0.25}],
        "sizing": [{"name": "wallet", "factor": 20000.0, "amount": 20000.0}],
        "learning_multipliers": {
            "pm_strength": strength(),
            "exposure_skew": {
                "skew": 1.2,
                "basis": "measured",
                "conc_norm": 0.13,
                "others_usd": 900.0,
                "masks": [mask],
            },
        },
        "thresholds": [{"name": "ts_min", "base": 0.6, "tuned": 0.54, "strength": strength("ts_min_mult", 0.9)}],
        "pm_strength_applied": 1.15,
        "exposure_skew_applied": 1.2,
        "pm_final_multiplier": 1.15 * 1.2,
        "regime_states": dict(STATES),
        "execution_result": {"status": "filled", "fills": [fill | {"filled_at": iso()}], "reason": None},
        "override_set_id": 7,
        "seen": {"score_timestamps": {"nano": iso(-1)}, "context_evaluated_at": iso(-1), "bar": bar | prices},
        "config_version": 3,
        "code_version": "0.4.0",
    }


def completed_trade() -> dict[str, Any]:
    """A trade that won 2.3 times its risk, told with both of its actions."""
    entry = {"decision_type": "entry", "action_category": "entry", "pattern_key": "pm.uptrend.S1.buy_flag"}
    leave = {"decision_type": "emergency_exit", "action_category": "exit", "pattern_key": "pm.uptrend.S0.exit_position"}
    scoped = {"scope": dict(SCOPE), "scope_mask": SCOPE_MASK}
    return {
        "trade_id": "t" * 64,
        "rr": 2.3,
        "rr_raw": 2.3,
        "rr_absent_reason": None,
        "roi": 0.12,
        "pnl_usd": 1250.5,
        "max_adverse_usd": 543.7,
        "entry_timestamp": iso(),
        "exit_timestamp": iso(30),
        "entry_price_usd": 1.1,
        "exit_price_usd": 1.3,
        "hold_hours": 30.0,
        "hours_to_s3": None,
        "actions": [
            entry | scoped | {"strand_id": "a" * 64, "ts": iso()},
            copy.deepcopy(leave | scoped | {"strand_id": "b" * 64, "ts": iso(30)}),
        ],
    }


def position_closed() -> dict[str, Any]:
    """A position that was closed with that trade."""
    return {
        "schema_version": 1,
        "position_id": "p" * 64,
        "token_contract": "So1ana",
        "chain": "solana",
        "timeframe": "1h",
        "trade_id": "t" * 64,
        "ts": iso(31),
        "entry_context": {
            "regime_states": dict(STATES),
            "A_value": 0.65,
            "E_value": 0.45,
            "A_mode": "normal",
            "E_mode": "normal",
            "timeframe": "1h",
            "bucket": "nano",
            "pattern_key": "pm.uptrend.S1.buy_flag",
            "captured_at": iso(),
            "scope": dict(SCOPE),
            "scope_mask": SCOPE_MASK,
        },
        "completed_trades": [completed_trade()],
        "exit_reason": "exit_position",
        "regime_context": {"schema_version": 1, "macro": None},
        "config_version": 3,
        "code_version": "0.4.0",
    }


DOCUMENTS = {StrandKind.PM_ACTION: pm_action, StrandKind.POSITION_CLOSED: position_closed}


def changed(document: dict[str, Any], pointer: str, value: Any) -> dict[str, Any]:
    """A copy with one place set to a value; `...` takes the place out."""
    copied = copy.deepcopy(document)
    *path, last = [int(part) if part.isdigit() else part for part in pointer.split("/")[1:]]
    place: Any = copied
    for part in path:
        place = place[part]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return copied


FREE = ("/regime_context/", "/seen/score_timestamps/", "/values/", "/scope/")
"""Places whose keys no schema names."""


def places(value: Any, pointer: str = "") -> Iterator[tuple[str, Any]]:
    """Every place of a document below the whole, with its value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in items:
        yield f"{pointer}/{key}", part
        yield from places(part, f"{pointer}/{key}")


NAMED = [
    (kind, pointer)
    for kind, document in DOCUMENTS.items()
    for pointer, _ in places(document())
    if not pointer.rpartition("/")[2].isdigit() and not any(free in pointer for free in FREE)
]


OF_TYPE = json_schema.FACTS["type"]
FURTHER_FACTS = {
    "type": lambda value, rule: isinstance(value, bool) if rule == "boolean" else OF_TYPE(value, rule),
    "minLength": lambda value, rule: len(value) >= rule,
    "maxLength": lambda value, rule: len(value) <= rule,
    "minItems": lambda value, rule: len(value) >= rule,
    "pattern": lambda value, rule: re.search(rule, value) is not None,
}


def problems(content: dict[str, Any], kind: StrandKind) -> Iterator[str]:
    """What of a document the printed schema of its kind does not allow."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_schema, "FACTS", json_schema.FACTS | FURTHER_FACTS)
        yield from json_schema.problems(content, strand_schema(kind))
