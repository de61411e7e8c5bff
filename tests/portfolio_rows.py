"""Rows of the portfolio for tests; what a test does not name is plausible."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

from domain.portfolio.fill import Fill
from domain.portfolio.lifecycle import PositionStatus
from domain.portfolio.position import NO_POSITION
from domain.portfolio.strand import StrandKind
from domain.portfolio.token_bar import TokenBar
from domain.portfolio.trade_memory import NO_MEMORY
from domain.scores.intent import IntentMetrics
from domain.vocabulary.action import ActionCategory, OrderSide
from domain.vocabulary.driver import CHANNEL_NAMES, DEFAULT_BOOK_ID
from domain.vocabulary.execution_bar import ExecutionBar
from domain.vocabulary.timeframe import Timeframe
from domain.vocabulary.uptrend import StateStatus, UptrendFlag, UptrendState
from pm_runtime.portfolio_row import (
    ChannelStates,
    EpisodeRow,
    FillRow,
    OrderRow,
    OrderStatus,
    PositionRow,
    Provenance,
    StrandRow,
    order_id_of,
)
from sql.position import position_id

START = datetime(2025, 6, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
BAR = ExecutionBar(Timeframe.H1, START)
TOKEN = ("So1anaToken", "solana")
MADE_BY = Provenance(config_version=1, code_version="0.0.0")


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def position_row(token: str = TOKEN[0], *, timeframe: Timeframe = Timeframe.H1, **values: Any) -> PositionRow:
    """A watched position without a trade."""
    given = {
        "position_id": position_id(token, TOKEN[1], timeframe, values.get("book_id", DEFAULT_BOOK_ID)),
        "token_contract": token,
        "chain": TOKEN[1],
        "timeframe": timeframe,
        "book_id": DEFAULT_BOOK_ID,
        "token_ticker": "TOK",
        "status": PositionStatus.WATCHLIST,
        "total_allocation_pct": 10.0,
        "entry_context": {"curator": "ann", "chain": TOKEN[1]},
        "intent": IntentMetrics(hi_buy=0.5, med_buy=0, profit=0, sell=0, mock=0.25),
        "approved_by": "ann",
        "approved_at": START - timedelta(days=3),
        "current_trade_id": None,
        "position": NO_POSITION,
        "trade_memory": NO_MEMORY,
        "last_bar_timestamp": None,
        "revision": 0,
    }
    return PositionRow(**given | values)


def order_row(
    position: PositionRow, bar: ExecutionBar = BAR, category: ActionCategory = ActionCategory.ENTRY, **values: Any
) -> OrderRow:
    """A planned order of a position: a buy for 100 USD, or a sale of 10 tokens."""
    is_buy = category.side is OrderSide.BUY
    given = {
        "order_id": order_id_of(position.position_id, bar, category),
        "position_id": position.position_id,
        "trade_id": "trade-1",
        "timeframe": bar.timeframe,
        "bar_timestamp": bar.timestamp,
        "decided_at": bar.closed_at,
        "action_category": category,
        "side": category.side,
        "pattern_key": "pm.uptrend.S1.buy_flag",
        "order_usd": 100.0 if is_buy else None,
        "order_quantity": None if is_buy else 10.0,
        "decision": {"gates": [{"name": "ts", "value": 0.7}], "a": 0.1},
        "status": OrderStatus.PLANNED,
        "status_reason": None,
        "venue": "paper",
        "settled_at": None,
    }
    return OrderRow(**given | values)


def fill_row(order: OrderRow, **values: Any) -> FillRow:
    """A fill of an order: 50 tokens at 2 USD, an hour after the decision."""
    given = {
        "fill_id": f"{order.order_id}.1",
        "side": order.side,
        "quantity": 50.0,
        "price_usd": 2.0,
        "notional_usd": 100.0,
        "fee_usd": 0.3,
        "at": order.decided_at + HOUR,
    }
    return FillRow(
        fill=Fill(**given | values), order_id=order.order_id, position_id=order.position_id, trade_id=order.trade_id
    )


def strand_row(position: PositionRow, **values: Any) -> StrandRow:
    """An action of a position."""
    given = {
        "strand_id": sha256(repr(sorted(values.items()))),
        "kind": StrandKind.PM_ACTION,
        "schema_version": 1,
        "position_id": position.position_id,
        "trade_id": "trade-1",
        "token_contract": position.token_contract,
        "chain": position.chain,
        "timeframe": position.timeframe,
        "occurred_at": START,
        "content": {"a": 0.1, "text": "é"},
    }
    return StrandRow(**given | values)


def episode_row(position: PositionRow, **values: Any) -> EpisodeRow:
    """A window that is open."""
    given = {
        "episode_id": sha256(repr(sorted(values.items()))),
        "position_id": position.position_id,
        "token_contract": position.token_contract,
        "chain": position.chain,
        "timeframe": position.timeframe,
        "family": "pm.s1_entry",
        "started_at": START,
        "ended_at": None,
        "decision": None,
        "decided_at": None,
        "gates": None,
        "samples": {"bars": []},
        "scope": {"chain": position.chain},
        "trade_id": None,
        "outcome": "pending",
        "outcome_at": None,
    }
    return EpisodeRow(**given | values)


def token_bar(bar: ExecutionBar = BAR, **values: Any) -> TokenBar:
    """A bar in S1 with a buy signal, open 2.0 USD, volume 1,000."""
    given = {
        **{"opened_at": bar.timestamp, "closed_at": bar.closed_at},
        **{"open_usd": 2.0, "high_usd": 2.5, "low_usd": 1.5, "close_usd": 2.25, "volume": 1_000.0},
        **{"status": StateStatus.OK, "state": UptrendState.S1, "prev_state": UptrendState.S0, "transition": "S0->S1"},
        **{"flags": frozenset({UptrendFlag.BUY_SIGNAL}), "bootstrapped": False, "s3_start_at": None},
        **{"ts": 0.7, "ts_with_boost": 0.75, "sr_boost": 0.05, "ox": None, "dx": None, "edx": None},
        **{"ema60": 2.0, "ema144": 1.9, "ema333": 1.8, "ema60_slope": 0.01, "ema144_slope": 0.005},
        **{"ema250_slope": None, "ema333_slope": 0.001, "atr": 0.1, "bars_count": 1_000},
    }
    return TokenBar(**given | values)


def channel_states(bar: ExecutionBar = BAR, **values: Any) -> ChannelStates:
    """Fifteen channels in S1, one of them silent."""
    states: dict[str, UptrendState | None] = dict.fromkeys(CHANNEL_NAMES, UptrendState.S1)
    given = {"timestamp": bar.timestamp, "a_raw": 0.6, "e_raw": -0.1, "states": states | {"usdtd_micro": None}}
    return ChannelStates(**given | values)
