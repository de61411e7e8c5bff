"""A trade from its rows alone: its actions, what its closure told, and the result folded again from fills and bars."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

import psycopg
from psycopg.rows import dict_row

from console.explained_action import as_json, config_of
from console.stored_fill import fill_of
from console.stored_strand import UnreadableStrandError, read_content
from domain.config.portfolio import TradeOutcomeConfig
from domain.portfolio.mark import Mark
from domain.portfolio.position import Position, fold_position
from domain.portfolio.trade_outcome import trade_outcome
from domain.vocabulary.timeframe import Timeframe
from sql.pm_config import read_pm_config
from sql.queries import query

Row = Mapping[str, Any]

MAX_GAP = 1e-9
COMPARED = ("pnl_usd", "rr_raw", "max_adverse_usd")


def explain_trade(
    connection: psycopg.Connection,
    trade_id: str,
    *,
    orders: Sequence[Row],
    strands: Sequence[Row],
    fills: Sequence[Row],
) -> dict[str, Any]:
    """Explain a trade.

    Parameters
    ----------
    connection : psycopg.Connection
        In a transaction; its search path says which portfolio is meant.
    orders, strands, fills : sequence of mapping
        Rows of the trade, each in its order.

    Returns
    -------
    dict
        As JSON has it. `from_fills` is the result folded again, `told` that of the closure, None while it is open.
    """
    closure, problem = _closure(strands)
    position = _one(connection, "position_of_trade", trade_id=trade_id)
    token = _token(closure, position, orders)
    entry = _entry(closure, position)
    told = None if closure is None else closure["completed_trades"][-1]
    return {
        "explained": "trade",
        "trade_id": trade_id,
        **token,
        "stands": "open" if position is not None else "closed" if closure is not None else "without a fill",
        "entry": entry,
        "actions": [_action(order, strands, fills) for order in orders],
        "exit_reason": None if closure is None else closure["exit_reason"],
        "told": None if told is None else {name: told[name] for name in told if name != "actions"},
        "from_fills": _from_fills(connection, token, fills, told, position, closure),
        "problem": problem,
    }


def _closure(strands: Sequence[Row]) -> tuple[dict[str, Any] | None, str | None]:
    """Document of the closure, or what it breaks."""
    for strand in strands:
        if strand["kind"] == "position_closed":
            try:
                return read_content(strand["kind"], strand["content"]), None
            except UnreadableStrandError as error:
                return None, f"its closure cannot be read: {error}"
    return None, None


def _token(closure: Row | None, position: Row | None, orders: Sequence[Row]) -> dict[str, Any]:
    sources = [each for each in (position, orders[0] if orders else None, closure) if each is not None]
    names = ("position_id", "token_contract", "chain", "timeframe", "token_ticker")
    return {name: next((each[name] for each in sources if name in each), None) for name in names}


def _entry(closure: Row | None, position: Row | None) -> dict[str, Any] | None:
    """Say what was known at the first fill: the closure tells it, before that the trade's memory holds it."""
    if closure is not None:
        entry = closure["entry_context"]
        named = {"a": entry["A_value"], "e": entry["E_value"], "captured_at": entry["captured_at"]}
    else:
        entry = position["trade_memory"].get("entry") if position is not None else None
        if entry is None:
            return None
        named = {"a": entry["a_value"], "e": entry["e_value"], "captured_at": entry["ts"]}
    return named | {"pattern_key": entry["pattern_key"], "scope": entry["scope"]}


def _action(order: Row, strands: Sequence[Row], fills: Sequence[Row]) -> dict[str, Any]:
    own = [fill for fill in fills if fill["order_id"] == order["order_id"]]
    quantity = math.fsum(fill["quantity"] for fill in own)
    notional = math.fsum(fill["notional_usd"] for fill in own)
    told = (each["strand_id"] for each in strands if each["content"].get("order_id") == order["order_id"])
    return {
        "order_id": order["order_id"],
        "strand_id": next(told, None),
        "decided_at": as_json(order["decided_at"]),
        "action_category": order["action_category"],
        "pattern_key": order["pattern_key"],
        "status": order["status"],
        "status_reason": order["status_reason"],
        "quantity": quantity,
        "notional_usd": notional,
        "fee_usd": math.fsum(fill["fee_usd"] for fill in own),
        "average_price_usd": notional / quantity if quantity else None,
    }


def _from_fills(
    connection: psycopg.Connection,
    token: Row,
    fills: Sequence[Row],
    told: Row | None,
    position: Row | None,
    closure: Row | None,
) -> dict[str, Any] | None:
    """Fold the result of the trade from its fills and the bars it was held through; None before the first fill."""
    if not fills:
        return None
    source = closure or position or {}
    config = config_of(connection, source.get("config_version")) or read_pm_config(connection).config
    rules = config.portfolio.trade_outcome
    end: datetime = fills[-1]["filled_at"]
    if position is not None and position["last_event_at"] is not None:
        end = max(end, position["last_event_at"])
    marks = _marks(connection, token, fills[0]["filled_at"], end)
    try:
        folded = fold_position([*map(fill_of, fills), *marks], fill_grace=_grace(rules))
    except ValueError as error:
        return {"problem": str(error), "fills": len(fills), "bars": len(marks)}
    return _result(folded, rules) | {"fills": len(fills), "bars": len(marks)} | _agreement(folded, rules, told)


def _result(folded: Position, rules: TradeOutcomeConfig) -> dict[str, Any]:
    return asdict(trade_outcome(folded, rules)) | {
        "invested_usd": folded.invested_usd,
        "extracted_usd": folded.extracted_usd,
        "fees_usd": folded.fees_usd,
        "max_adverse_usd": folded.max_adverse_usd,
        "still_held": folded.quantity,
    }


def _agreement(folded: Position, rules: TradeOutcomeConfig, told: Row | None) -> dict[str, Any]:
    """Whether the closure told the same; it was told by bars that may have been made again since."""
    if told is None:
        return {"agrees_with_told": None, "differs_in": []}
    result = _result(folded, rules)
    differs = [name for name in COMPARED if not _is_close(result[name], told[name])]
    return {"agrees_with_told": not differs, "differs_in": differs}


def _is_close(value: float | None, other: float | None) -> bool:
    if value is None or other is None:
        return value is other
    return math.isclose(value, other, rel_tol=MAX_GAP, abs_tol=MAX_GAP)


def _marks(connection: psycopg.Connection, token: Row, first_fill_at: datetime, end: datetime) -> list[Mark]:
    timeframe = Timeframe(token["timeframe"])
    values = {name: token[name] for name in ("token_contract", "chain", "timeframe")}
    values |= {"after": first_fill_at - timeframe.duration, "until": end - timeframe.duration}
    rows = connection.execute(query("bars_held_through").encode(), values)
    return [
        Mark(opened_at=at, closed_at=at + timeframe.duration, low_usd=low, close_usd=close) for at, low, close in rows
    ]


def _grace(rules: TradeOutcomeConfig) -> timedelta:
    return timedelta(seconds=rules.fill_grace_seconds)


def _one(connection: psycopg.Connection, name: str, **values: object) -> Row | None:
    return connection.cursor(row_factory=dict_row).execute(query(name).encode(), values).fetchone()
