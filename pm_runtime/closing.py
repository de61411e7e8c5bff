"""The end of a trade: the token fell to S0 and nothing is held any more."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from domain.portfolio.lifecycle import status_after_close
from domain.portfolio.position import NO_POSITION
from domain.portfolio.strand import StrandKind
from domain.portfolio.token_bar import TokenBar
from domain.portfolio.trade_memory import NO_MEMORY
from domain.portfolio.trade_outcome import trade_outcome
from domain.vocabulary.action import ActionCategory
from domain.vocabulary.uptrend import UptrendState
from pm_runtime.portfolio_row import PositionRow, StrandRow
from pm_runtime.strand_row import strand_row
from pm_runtime.tick_market import TickMarket

ENTRY_KEYS = ("regime_states", "A_mode", "E_mode", "timeframe", "pattern_key", "scope", "scope_mask")
"""What the entry's decision and the entry context of its closure both hold."""
REMEMBERED_KEYS = (*ENTRY_KEYS, "a_value", "e_value", "ts")
"""What a trade keeps of its entry's decision. All of it stands in the order; it is read and written at every bar."""
ACTION_KEYS = ("decision_type", "action_category", "pattern_key", "scope", "scope_mask")


def is_over(row: PositionRow, bar: TokenBar | None, open_order: ActionCategory | None) -> bool:
    """Whether the trade of a position has ended on this bar: it fell to S0, now or when all of it was sold.

    A holding in S0 is sold first, and an order settled. An S0 may last one bar only: when its sale is filled on the
    next one, the token may stand in a new S1 already, and that is no part of the old trade.
    """
    is_in_trade = row.current_trade_id is not None and row.position.is_flat and open_order is None
    if not is_in_trade or bar is None:
        return False
    return UptrendState.S0 in (bar.state, row.trade_memory.last_execution_state)


def closed(row: PositionRow, actions: Sequence[StrandRow], market: TickMarket) -> tuple[PositionRow, StrandRow]:
    """Position without its trade, and the document that tells of it.

    Parameters
    ----------
    actions : sequence of StrandRow
        Every action of the trade, those settled in this tick included. What was rejected or expired was not done: the
        document does not tell of it, and nothing is learned from it.
    """
    trade_id = row.current_trade_id
    if trade_id is None or row.trade_memory.entry is None:
        raise ValueError(f"Position {row.position_id} has no trade to close")
    filled = [each for each in actions if each.content["execution_result"]["fills"]]
    last = max(filled, key=lambda each: (each.occurred_at, each.strand_id))
    content = {
        "schema_version": 1,
        "position_id": row.position_id,
        "token_contract": row.token_contract,
        "chain": row.chain,
        "timeframe": row.timeframe.value,
        "trade_id": trade_id,
        "ts": market.at.isoformat(),
        "entry_context": _entry_context(row.trade_memory.entry),
        "completed_trades": [_completed(row, filled, trade_id, market)],
        "exit_reason": last.content["pattern_key"],
        "regime_context": dict(market.context) if market.context is not None else None,
        "config_version": market.made_by.config_version,
        "code_version": market.made_by.code_version,
    }
    strand = strand_row(StrandKind.POSITION_CLOSED, content, row=row, trade_id=trade_id, occurred_at=market.at)
    ended = replace(
        row,
        position=NO_POSITION,
        trade_memory=NO_MEMORY,
        current_trade_id=None,
        status=status_after_close(row.status),
    )
    return ended, strand


def _entry_context(entry: dict[str, Any]) -> dict[str, Any]:
    """Return what the entry saw, as it stands in the decision of the first fill."""
    return {key: entry[key] for key in ENTRY_KEYS} | {
        "A_value": entry["a_value"],
        "E_value": entry["e_value"],
        "bucket": entry["scope"].get("mcap_bucket"),
        "captured_at": entry["ts"],
    }


def _completed(row: PositionRow, actions: Sequence[StrandRow], trade_id: str, market: TickMarket) -> dict[str, Any]:
    position, memory = row.position, row.trade_memory
    outcome = trade_outcome(position, market.config.portfolio.trade_outcome)
    ordered = sorted(actions, key=lambda each: (each.occurred_at, each.strand_id))
    return {
        "trade_id": trade_id,
        "rr": outcome.rr,
        "rr_raw": outcome.rr_raw,
        "rr_absent_reason": "nothing was bought" if outcome.rr is None else None,
        "roi": outcome.roi_frac,
        "pnl_usd": outcome.pnl_usd,
        "max_adverse_usd": position.max_adverse_usd,
        "entry_timestamp": _text(position.first_fill_at),
        "exit_timestamp": _text(position.last_fill_at),
        "entry_price_usd": position.avg_entry_price_usd,
        "exit_price_usd": position.avg_exit_price_usd,
        "hold_hours": outcome.held_hours,
        "hours_to_s3": _hours(memory.entered_at, memory.first_s3_at),
        "actions": [
            {"strand_id": each.strand_id, "ts": each.content["ts"]} | {key: each.content[key] for key in ACTION_KEYS}
            for each in ordered
        ],
    }


def _hours(start: datetime | None, end: datetime | None) -> float | None:
    return None if start is None or end is None else (end - start).total_seconds() / 3600


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
