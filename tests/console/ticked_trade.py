"""A trade on a real database, from the first tick to the closure, written by the runtime itself."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from domain.portfolio.lifecycle import PositionStatus
from domain.portfolio.position import Position
from domain.portfolio.token_bar import TokenBar
from domain.portfolio.trade_memory import TradeMemory
from domain.scopes.bitmask import mask_of
from domain.vocabulary.cap_bucket import CapBucket
from domain.vocabulary.driver import CHANNEL_NAMES
from domain.vocabulary.execution_bar import ExecutionBar
from domain.vocabulary.scope_dimension import ScopeDimension
from domain.vocabulary.timeframe import Timeframe
from domain.vocabulary.uptrend import UptrendFlag, UptrendState
from pm_runtime.portfolio_row import OrderRow
from pm_runtime.tick import run_tick
from sql.database import connect
from sql.database_role import DatabaseRole
from sql.json_text import stored_json
from tests.portfolio_rows import BAR, HOUR, START, TOKEN, position_row, sha256, token_bar
from tests.portfolio_worlds import MADE, PostgresPortfolioWorld
from tests.regime_hours import context_of, store_contexts
from tests.stored_rows import insert_rows, stored_score

CHANNEL_A = [0.06, 0.04, *[0.0] * 13]
CHANNEL_E = [-0.02, *[0.0] * 14]
A_RAW, E_RAW = 0.6, 0.48
"""0.5 and the channels."""

NANO = {ScopeDimension.MCAP_BUCKET: "nano"}
LADDER = {"nano": 0.9, "micro": 0.3, "mid": 0.1, "big": -0.4, "large": -1.0}
NEIGHBOUR_SCOPE = {"mcap_bucket": "nano", "timeframe": "4h", "chain": "solana"}

BARS: tuple[dict[str, Any], ...] = (
    {"close_usd": 2.05},
    {"open_usd": 2.06, "close_usd": 2.3, "low_usd": 1.8},
    {
        **{"open_usd": 2.4, "high_usd": 3.2, "close_usd": 3.0, "low_usd": 2.3, "state": UptrendState.S2},
        **{"flags": frozenset({UptrendFlag.TRIM_FLAG})},
    },
    {
        **{"open_usd": 3.1, "high_usd": 3.2, "close_usd": 2.6, "low_usd": 2.5, "state": UptrendState.S0},
        **{"prev_state": UptrendState.S2, "flags": frozenset({UptrendFlag.EXIT_POSITION})},
    },
    {"open_usd": 2.55, "high_usd": 2.6, "close_usd": 2.4, "low_usd": 2.3, "state": UptrendState.S0},
)
"""A buy in S1, a trim in S2, the fall to S0, and the bar on which the exit is filled."""


def bar_at(hour: int) -> ExecutionBar:
    return ExecutionBar(Timeframe.H1, START + hour * HOUR)


def seen_at(hour: int) -> TokenBar:
    quiet = {"prev_state": UptrendState.S1, "transition": None, "open_usd": 2.0, "flags": frozenset()}
    return token_bar(bar_at(hour), **quiet | BARS[hour])


def watch_and_learn(world: PostgresPortfolioWorld) -> None:
    """A watched token, one held beside it, what was learned, and the regime of the first day."""
    world.add(position_row(), _neighbour())
    world.tag(TOKEN, START, CapBucket.NANO)
    world.make_live(7, [_override(1, NANO, 1.5), _override(2, {}, 0.9), _override(3, NANO, 0.9, lever="ts_min_mult")])
    store_contexts(*(context_of(START + hour * HOUR, LADDER) for hour in range(-1, len(BARS))))
    for hour in range(len(BARS)):
        score = {"a_raw": A_RAW, "e_raw": E_RAW, "a": A_RAW, "e": E_RAW, **dict.fromkeys(CHANNEL_NAMES, "S1")}
        row = stored_score("nano", START + hour * HOUR, channel_a=CHANNEL_A, channel_e=CHANNEL_E, **score)
        with connect(DatabaseRole.REGIME) as connection:
            insert_rows(connection, "regime.ae_score", [row])
        world.publish_bar(TOKEN, bar_at(hour), seen_at(hour))


def tick(world: PostgresPortfolioWorld, *hours: int) -> None:
    store = world.store()
    try:
        for hour in hours:
            run_tick(store, bar_at(hour), code_version="0.0.0")
    finally:
        store.close()


def _neighbour() -> Any:
    entry = {"pattern_key": "pm.uptrend.S1.buy_flag", "scope": NEIGHBOUR_SCOPE}
    held = Position(quantity=100.0, bought_quantity=100.0, invested_usd=90.0, last_price_usd=1.0, first_fill_at=START)
    return position_row(
        "Neighbour",
        timeframe=Timeframe.H4,
        status=PositionStatus.ACTIVE,
        current_trade_id="ab" * 32,
        token_ticker="NEI",
        position=held,
        trade_memory=TradeMemory(bought_in=frozenset({UptrendState.S1}), entered_at=START, entry=entry),
    )


def _override(number: int, scope: dict[ScopeDimension, str], multiplier: float, **values: Any) -> dict[str, Any]:
    is_size = "lever" not in values
    return {
        "override_id": number,
        "pattern_key": "pm.uptrend.S1.buy_flag",
        "action_category": "entry",
        "scope_mask": mask_of(scope),
        "scope_values": stored_json({dimension.value: value for dimension, value in scope.items()}),
        "lever": "pm_strength",
        "multiplier": multiplier,
        "confidence": 0.5,
        "n_trades": 40,
        "edge_raw": 0.4 if is_size else None,
        "decay_mult": 0.9 if is_size else None,
        "lesson_id": f"lesson-{number}",
        "expires_at": BAR.closed_at + timedelta(days=14),
    } | values


def ids_of(table: str, column: str, where: str = "true") -> list[str]:
    with connect(DatabaseRole.CONSOLE) as connection:
        statement = f"SELECT {column} FROM pm.{table} WHERE {where} ORDER BY {column}"
        return [found for (found,) in connection.execute(statement.encode())]


def order_of(category: str) -> str:
    (order_id,) = ids_of("pm_order", "order_id", f"action_category = '{category}'")
    return order_id


def trade_of() -> str:
    (trade_id,) = set(ids_of("pm_order", "trade_id"))
    return trade_id


def store_strand(kind: str, content: Mapping[str, Any], *, trade_id: str) -> None:
    position = position_row()
    row = {
        **{"strand_id": sha256(kind), "kind": kind, "schema_version": 1, "trade_id": trade_id},
        **{"position_id": position.position_id, "token_contract": "So1anaToken", "chain": "solana"},
        **{"timeframe": "1h", "occurred_at": START, "content": json.dumps(content)},
    }
    with connect(DatabaseRole.PM) as connection:
        insert_rows(connection, "pm.ad_strands", [row])


def store_order(row: OrderRow) -> None:
    made = {"holder": "t", "config_version": MADE["config_version"], "code_version": "0.0.0"}
    names = (
        *("order_id", "position_id", "trade_id", "bar_timestamp", "decided_at", "pattern_key", "order_usd"),
        *("order_quantity", "status_reason", "venue", "settled_at"),
    )
    words = {name: getattr(row, name).value for name in ("timeframe", "action_category", "side", "status")}
    with connect(DatabaseRole.PM) as connection:
        values = {name: getattr(row, name) for name in names} | words | made | {"decision": "{}"}
        insert_rows(connection, "pm.pm_order", [values])


def change(statement: str) -> None:
    with connect(DatabaseRole.OWNER) as connection:
        connection.execute(statement.encode())
