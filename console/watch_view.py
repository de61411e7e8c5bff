"""A watched position as a person sees it: a row of a table, or facts in JSON."""

from typing import Any

from console.watch_request import Watched
from domain.portfolio.lifecycle import PositionStatus
from sql.watched_position import StatusChange, WatchedPosition

DAY = "%Y-%m-%d"

POSITION_COLUMNS = (
    "ticker",
    "token",
    "chain",
    "timeframe",
    "status",
    "allocation",
    "holds",
    "approved by",
    "on",
    "moved by hand",
)


def cells(row: WatchedPosition) -> tuple[str, ...]:
    """Row of a table, by POSITION_COLUMNS."""
    named = (row.token_ticker, row.token_contract, row.chain, row.timeframe.value)
    holds = f"{row.quantity:g}" if row.quantity else "in a trade" if row.has_trade else ""
    return (
        *named,
        row.status.value,
        f"{row.total_allocation_pct:g} %",
        holds,
        row.approved_by,
        f"{row.approved_at:{DAY}}",
        _moved_by(row),
    )


def _moved_by(row: WatchedPosition) -> str:
    change = row.last_change
    return "" if change is None else f"{change.became} {change.changed_at:{DAY}} by {change.author}: {change.reason}"


def facts(row: WatchedPosition, watched: Watched | None = None) -> dict[str, Any]:
    """Position as JSON has it; with what was asked for, whether it is new."""
    facts = {
        "position_id": row.position_id,
        "token_contract": row.token_contract,
        "chain": row.chain,
        "timeframe": row.timeframe.value,
        "token_ticker": row.token_ticker,
        "status": row.status.value,
        "total_allocation_pct": row.total_allocation_pct,
        "quantity": row.quantity,
        "has_trade": row.has_trade,
        "approved_by": row.approved_by,
        "approved_at": row.approved_at.isoformat(),
        "last_change": _change_facts(row.last_change),
    }
    return facts if watched is None else facts | {"is_new": not was_there(row, watched)}


def _change_facts(change: StatusChange | None) -> dict[str, str] | None:
    if change is None:
        return None
    by = {"author": change.author, "reason": change.reason, "changed_at": change.changed_at.isoformat()}
    return {"became": change.became.value, **by}


def moved_facts(row: WatchedPosition, now: PositionStatus, problem: str) -> dict[str, Any]:
    """Position that was to be moved, as JSON has it."""
    return facts(row) | {"was": row.status.value, "status": now.value, "refused": problem or None}


def was_there(row: WatchedPosition, watched: Watched) -> bool:
    """Whether a position of a request stood there before."""
    return row.position_id in watched.were_there
