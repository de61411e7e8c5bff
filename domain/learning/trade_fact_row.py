"""Facts as rows of `pattern_trade_events`, and rows as facts again, without a loss.

What belongs here: the columns of the table. What does not: what a fact is (`trade_fact`).
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from domain.learning.trade_fact import TradeFact
from domain.scopes.pattern_key import parse_pattern_key
from domain.scopes.scope import parse_scope, scope_json, scope_mask
from domain.vocabulary.action import parse_action_category
from domain.vocabulary.timeframe import Timeframe

FACT_SCHEMA_VERSION = 1

SAME_NAME = (
    *("action_id", "trade_id", "position_id", "token_contract", "chain", "pattern_key", "action_ts", "opened_at"),
    *("rr", "rr_absent_reason", "roi", "pnl_usd", "hours_to_s3", "hold_hours", "pm_strength_applied", "filled_usd"),
    "closed_strand_id",
)
"""Columns that hold what the field of that name holds."""


def fact_row(fact: TradeFact) -> dict[str, Any]:
    """Row of a fact, by column; what is not known is None.

    `timestamp` is the closure: a fact is known from then on. `scope` is canonical JSON text, `scope_mask` the
    dimensions in it.
    """
    scope = dict(fact.scope)
    return {
        **{name: getattr(fact, name) for name in SAME_NAME},
        "timeframe": fact.timeframe.value,
        "action_category": fact.action_category.value,
        "scope": scope_json(scope),
        "scope_mask": scope_mask(scope),
        "timestamp": fact.closed_at,
        "schema_version": FACT_SCHEMA_VERSION,
    }


def fact_of_row(row: Mapping[str, Any]) -> TradeFact:
    """Fact that a row was made of; `fact_of_row(fact_row(fact)) == fact`.

    Parameters
    ----------
    row : mapping
        By column; further columns (who wrote it, and when) are not read. `scope` is JSON text or an object already
        read; instants have an offset.

    Raises
    ------
    ValueError
        If the row is of another schema version, an instant has no offset, its mask is not that of its scope, or a
        word of it is unknown: what this code would misread it does not read.
    KeyError
        If a column is not there.
    """
    name = f"Fact {row['action_id']}"
    if row["schema_version"] != FACT_SCHEMA_VERSION:
        raise ValueError(f"{name}: schema_version must be {FACT_SCHEMA_VERSION}, was {row['schema_version']}")
    stored = row["scope"]
    scope = parse_scope(json.loads(stored) if isinstance(stored, str) else stored)
    if row["scope_mask"] != scope_mask(scope):
        raise ValueError(f"{name}: scope_mask must be {scope_mask(scope)}, was {row['scope_mask']}")
    same: dict[str, Any] = {column: row[column] for column in SAME_NAME}
    same["pattern_key"] = str(parse_pattern_key(row["pattern_key"]))
    same |= {column: _utc(name, row[column]) for column in ("action_ts", "opened_at")}
    return TradeFact(
        **same,
        timeframe=Timeframe(row["timeframe"]),
        action_category=parse_action_category(row["action_category"]),
        scope=tuple(scope.items()),
        closed_at=_utc(name, row["timestamp"]),
    )


def _utc(name: str, at: datetime) -> datetime:
    if at.utcoffset() is None:
        raise ValueError(f"{name}: an instant must have an offset, was {at.isoformat()}")
    return at.astimezone(UTC)
