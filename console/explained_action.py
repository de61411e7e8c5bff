"""An action from its rows alone: each step from 0.5 to the fill, each gate, each override, and what was seen.

The order holds the decision as it was made; once it is settled, the strand tells the same with what became of it. What
was read in the regime is looked up again, and said where it is not what the decision read.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row

from domain.config.pm_config import ConfigError, PmConfig
from domain.portfolio.learned_part import skew_changes, strength_factors
from domain.vocabulary.driver import CHANNEL_NAMES, DEFAULT_BOOK_ID
from sql.pm_config import UnknownVersionError, read_pm_config
from sql.queries import query

Row = Mapping[str, Any]

TOLD = ("decision_type", "action_category", "pattern_key", "token_contract", "chain", "timeframe", "position_id")
IDS = ("order_id", "trade_id")
VERSIONS = ("config_version", "override_set_id", "code_version", "switch")
ORDER = ("side", "order_usd", "order_quantity", "status", "status_reason", "venue", "settled_at", "holder")
FILL = ("fill_id", "quantity", "price_usd", "notional_usd", "fee_usd", "filled_at")
MEASURED = "measured"
"""Basis of a skew that looked at neighbours. Its enumeration stands beside arrays, which load slowly."""
CROWDING = ("weight", "scope_exposure_usd", "pk_scope_exposure_usd")
MAX_GAP = 1e-9


def explain_action(
    connection: psycopg.Connection,
    decision: Mapping[str, Any],
    *,
    order: Row | None,
    strand_id: str | None,
    fills: Sequence[Row],
) -> dict[str, Any]:
    """Explain a decision with all that can be looked up of it.

    Parameters
    ----------
    connection : psycopg.Connection
        In a transaction; its search path says which portfolio is meant.
    decision : mapping
        The decision of the order, or the content of its strand.
    order : mapping, optional
        The order's row; None where only the strand is known.
    strand_id : str, optional
        None while the order is open.
    fills : sequence of mapping
        What the venue confirmed of the order, oldest first.

    Returns
    -------
    dict
        As JSON has it.
    """
    config = config_of(connection, decision.get("config_version"))
    return {
        "explained": "action",
        **{name: decision.get(name) for name in (*IDS, *TOLD)},
        "strand_id": strand_id,
        "token_ticker": None if order is None else order["token_ticker"],
        "decided_at": decision.get("ts"),
        "levers": _levers(connection, decision, order, config),
        "gates": decision.get("reasons", {}).get("gates", []),
        "thresholds": decision.get("thresholds", []),
        "contradictions": decision.get("contradictions", []),
        "sizing": _sizing(decision, config),
        **_learned(decision.get("learning_multipliers", {}), config),
        "order": None if order is None else {name: as_json(order[name]) for name in ORDER},
        "fills": [{name: as_json(fill[name]) for name in FILL} for fill in fills],
        "execution": _execution(decision, order, fills),
        "scope": decision.get("scope", {}),
        "seen": decision.get("seen", {}),
        **{name: decision.get(name) for name in VERSIONS},
    }


def config_of(connection: psycopg.Connection, version: int | None) -> PmConfig | None:
    """Read a version of the configuration; None where there is none, or this code does not understand it."""
    if version is None:
        return None
    try:
        return read_pm_config(connection, version=version).config
    except (ConfigError, UnknownVersionError):
        return None


def as_json(value: Any) -> Any:
    """Return a value of a row as JSON has it."""
    return value.isoformat() if isinstance(value, datetime) else value


def _levers(
    connection: psycopg.Connection, decision: Row, order: Row | None, config: PmConfig | None
) -> dict[str, Any]:
    steps = [dict(step) for step in decision.get("levers", ())]
    facts: dict[str, Any] = {name: decision.get(name) for name in ("a_value", "e_value", "A_mode", "E_mode")}
    facts |= {name: decision.get(name) for name in ("score_status", "bucket_multiplier", "intent_deltas")}
    facts |= {"base": None, "steps": steps}
    if steps and config is not None:
        base = config.scores.base
        steps[0] |= {"a_change": steps[0]["a"] - base, "e_change": steps[0]["e"] - base}
        facts["base"] = base
    score = _score(connection, decision, order)
    channels = [] if score is None else _channels(score)
    return facts | {"channels": channels, "channels_note": _channels_note(steps, score, decision)}


def _score(connection: psycopg.Connection, decision: Row, order: Row | None) -> Row | None:
    """Score row the levers began with, as it stands now."""
    bucket = decision.get("scope", {}).get("mcap_bucket")
    at = decision.get("seen", {}).get("score_timestamps", {}).get(bucket)
    if bucket is None or at is None:
        return None
    values = {"bucket": bucket, "timeframe": decision["timeframe"], "timestamp": at}
    values["book_id"] = DEFAULT_BOOK_ID if order is None else order["book_id"]
    return connection.cursor(row_factory=dict_row).execute(query("score_behind").encode(), values).fetchone()


def _channels(score: Row) -> list[dict[str, Any]]:
    columns = ("channel_status", "channel_signal", "channel_a", "channel_e")
    return [
        {"name": name, "status": status, "signal": signal, "a": _finite(a), "e": _finite(e)}
        for name, status, signal, a, e in zip(CHANNEL_NAMES, *(score[column] for column in columns), strict=True)
    ]


def _channels_note(steps: Sequence[Row], score: Row | None, decision: Row) -> str | None:
    """Say why the channels do not add up to the first step; None where they do."""
    if not steps:
        return "the tick had no score"
    if decision.get("score_status") == "degraded":
        return "the score was degraded: the neutral lever stands in its place"
    if score is None:
        return "the row of the score is not there any more"
    stored = (score["a_raw"], score["e_raw"])
    read = (steps[0]["a"], steps[0]["e"])
    if all(
        now is not None and math.isclose(now, then, abs_tol=MAX_GAP) for now, then in zip(stored, read, strict=True)
    ):
        return None
    return f"the score was made again since: the decision read A {read[0]:.6g}, E {read[1]:.6g}"


def _learned(told: Mapping[str, Any], config: PmConfig | None) -> dict[str, Any]:
    """Tell strength and skew with the part of each override and mask; a skew's where the configuration can be read."""
    learned = dict(told)
    strength, skew = learned.get("pm_strength"), learned.get("exposure_skew")
    if strength is not None:
        matched = strength["matched"]
        factors = strength_factors(*([each[name] for each in matched] for name in ("multiplier", "weight_share")))
        parts = [{**each, "factor": factor} for each, factor in zip(matched, factors, strict=True)]
        learned["pm_strength"] = {**strength, "matched": parts}
    if skew is not None and config is not None and skew["basis"] == MEASURED:
        rules = config.portfolio.exposure
        columns = ([mask[name] for mask in skew["masks"]] for name in CROWDING)
        changes = skew_changes(*columns, others_usd=skew["others_usd"], config=rules)
        masks = [{**mask, "skew_change": change} for mask, change in zip(skew["masks"], changes, strict=True)]
        learned["exposure_skew"] = {**skew, "highest": rules.exposure_skew_max, "masks": masks}
    return learned


def _sizing(decision: Row, config: PmConfig | None) -> dict[str, Any]:
    steps = list(decision.get("sizing", ()))
    amounts = {step["name"]: step["amount"] for step in steps}
    factors = {step["name"]: step["factor"] for step in steps}
    cap = amounts.get("timeframe_split")
    remaining = amounts.get("remaining")
    return {
        "size_frac": decision.get("size_frac"),
        "size_frac_by": _size_frac_words(decision, config),
        "cap_usd": cap,
        "remaining_usd": remaining,
        "timeframe_split": decision.get("timeframe_split"),
        "is_cut_by_cash": factors.get("cash", 1.0) < 1.0,
        "steps": steps,
        "pm_strength_applied": decision.get("pm_strength_applied"),
        "exposure_skew_applied": decision.get("exposure_skew_applied"),
        "pm_final_multiplier": decision.get("pm_final_multiplier"),
    }


def _size_frac_words(decision: Row, config: PmConfig | None) -> str | None:
    """Say how the size came from A or E; None where the configuration of then cannot be read."""
    category = decision.get("action_category")
    if category == "exit":
        return "an exit sells everything"
    if config is None:
        return None
    sizing = config.portfolio.sizing
    if category == "entry":
        return f"{sizing.entry_base_frac:g} + {sizing.entry_a_frac:g} x A"
    if category == "add":
        return f"an add at A {decision.get('A_mode')}"
    return f"a trim at E {decision.get('E_mode')}"


def _execution(decision: Row, order: Row | None, fills: Sequence[Row]) -> dict[str, Any]:
    """Say what became of the order: all fills together, and how far their price was from the close that was seen."""
    result = decision.get("execution_result") or {}
    quantity = math.fsum(fill["quantity"] for fill in fills)
    notional = math.fsum(fill["notional_usd"] for fill in fills)
    price = notional / quantity if quantity else None
    close = decision.get("seen", {}).get("bar", {}).get("close_usd")
    return {
        "status": order["status"] if order is not None else result.get("status"),
        "reason": order["status_reason"] if order is not None else result.get("reason"),
        "quantity": quantity if fills else None,
        "notional_usd": notional if fills else None,
        "fee_usd": math.fsum(fill["fee_usd"] for fill in fills) if fills else None,
        "average_price_usd": price,
        "price_over_close": None if price is None or not close else price / close - 1,
    }


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
