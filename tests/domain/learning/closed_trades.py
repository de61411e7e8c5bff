"""Closed trades for tests, as facts."""

from datetime import UTC, datetime, timedelta

from domain.learning.trade_fact import TradeAction, TradeFact, TradeRecord, trade_facts
from domain.vocabulary.timeframe import Timeframe

OPENED_AT = datetime(2025, 3, 1, tzinfo=UTC)
PATTERN = "pm.uptrend.S1.buy_flag"
SCOPE = {"timeframe": "1h", "mcap_bucket": "micro"}


def outcome(trade_id: str = "t1", rr: float | None = 1.5, **changed) -> TradeRecord:
    """A trade of 48 hours that won 15 % (or lost it); any field may be changed."""
    pnl = None if rr is None else 10.0 * rr
    fields = {
        "position_id": "p1",
        "token_contract": "So1ana",
        "chain": "solana",
        "timeframe": Timeframe.H1,
        "closed_strand_id": "c1",
        "opened_at": OPENED_AT,
        "closed_at": OPENED_AT + timedelta(hours=48),
        "s3_at": None,
        "rr": rr,
        "rr_absent_reason": "nothing was bought" if rr is None else None,
        "roi": None if rr is None else 0.1 * rr,
        "pnl_usd": pnl,
    }
    return TradeRecord(trade_id=trade_id, **{**fields, **changed})


def action(action_id: str = "a1", category: str = "entry", scope: dict | None = None, hours: float = 0.0, **changed):
    """An action so many hours after the first fill."""
    fields = {
        "pattern_key": PATTERN,
        "action_ts": OPENED_AT + timedelta(hours=hours),
        "pm_strength_applied": None,
        "filled_usd": None,
    }
    return TradeAction(action_id=action_id, action_category=category, scope=scope or SCOPE, **{**fields, **changed})


def facts(trade_id: str = "t1", rr: float | None = 1.5, scopes: tuple = (SCOPE,), **changed) -> tuple[TradeFact, ...]:
    """Facts of a trade with one entry action a scope."""
    actions = [action(f"{trade_id}-{i}", scope=scope) for i, scope in enumerate(scopes)]
    return trade_facts(outcome(trade_id, rr, **changed), actions)
