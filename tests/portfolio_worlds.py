"""The two worlds with a portfolio: what a person, the assets and learning wrote, put there by the same calls."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any

from domain.portfolio.token_bar import TokenBar
from domain.vocabulary.cap_bucket import CapBucket
from domain.vocabulary.driver import DEFAULT_BOOK_ID
from domain.vocabulary.execution_bar import ExecutionBar
from domain.vocabulary.uptrend import UptrendFlag
from pm_runtime.memory_store import MemoryStore
from pm_runtime.portfolio_columns import (
    EPISODE_FIELDS,
    ORDER_FIELDS,
    OWN_FIELDS,
    STRAND_FIELDS,
    SUM_COLUMNS,
    episode_of,
    fill_of,
    order_of,
    position_of,
    position_values,
    strand_of,
)
from pm_runtime.portfolio_row import (
    ChannelStates,
    EpisodeRow,
    FillRow,
    OrderRow,
    PositionRow,
    RawOverrideSet,
    StrandRow,
    Token,
)
from pm_runtime.ports import RuntimeStore
from pm_runtime.postgres_store import PostgresStore, open_postgres_store
from sql.database import connect
from sql.database_role import DatabaseRole
from sql.json_text import stored_json
from sql.trading_switch import SwitchRow
from tests.portfolio_rows import channel_states
from tests.runtime_worlds import LEVERS, MemoryWorld, PostgresWorld, published
from tests.stored_rows import insert_rows, stored_score

MADE = {"config_version": 1, "run_id": "run-of-a-test", "code_version": "0.0.0"}
DAY = timedelta(days=1)
TA = ("ema60", "ema144", "ema333", "ema60_slope", "ema144_slope", "ema250_slope", "ema333_slope", "atr", "bars_count")
STATE = ("status", "state", "prev_state", "transition", "bootstrapped", "s3_start_at")
POSITION_COLUMNS = (*OWN_FIELDS, *SUM_COLUMNS)
FILL_COLUMNS = (
    *("fill_id", "side", "quantity", "price_usd", "notional_usd", "fee_usd", "filled_at"),
    *("order_id", "position_id", "trade_id"),
)
SCORES = ("ts", "ts_with_boost", "sr_boost", "ox", "dx", "edx")


class MemoryPortfolioWorld(MemoryWorld):
    """Everything in this process."""

    def store(self, holder: str = "a:1:start", book_id: str = DEFAULT_BOOK_ID) -> RuntimeStore:
        return MemoryStore(self.database, holder=holder, book_id=book_id)

    def empty(self) -> None:
        """Begin without a switch, as the other world does."""
        self.database.portfolio.switches.clear()

    def add(self, *rows: PositionRow) -> None:
        self.database.portfolio.positions |= {row.position_id: row for row in rows}

    def change(self, row: PositionRow) -> None:
        """Let a person set the status of a position."""
        known = self.database.portfolio.positions
        known[row.position_id] = replace(known[row.position_id], status=row.status, revision=row.revision + 1)

    def switch(self, *, set_at: datetime, scope: str = "{}", mode: str | None = None, on: bool | None = None) -> None:
        row = SwitchRow(scope=scope, mode=mode, overrides_on=on, author="ann", reason="a test", set_at=set_at)
        self.database.portfolio.switches.append(row)

    def break_switch(self) -> None:
        self.database.portfolio.is_switch_readable = False

    def publish_bar(self, token: Token, bar: ExecutionBar, seen: TokenBar) -> None:
        self.database.market.bars[token, bar] = seen

    def tag(self, token: Token, day: datetime, bucket: CapBucket, *, expires_at: datetime | None = None) -> None:
        self.database.market.tags[token, day] = (bucket, expires_at or day + DAY)

    def publish_context(self, hour: datetime, context: Mapping[str, Any]) -> None:
        self.database.market.contexts[hour] = context

    def publish_channels(self, bucket: CapBucket, bar: ExecutionBar, states: ChannelStates) -> None:
        self.database.market.channels[bucket, bar.timeframe, bar.timestamp] = states

    def make_live(self, set_id: int | None, rows: Sequence[Mapping[str, Any]]) -> None:
        self.database.market.overrides = RawOverrideSet(set_id=set_id, rows=tuple(rows))

    def publish_score(self, bucket: CapBucket, bar: ExecutionBar, **values: Any) -> None:
        """Publish a score with the states behind it."""
        score = published(bucket, bar.timestamp, **values)
        self.publish(score, timeframe=bar.timeframe)
        self.publish_channels(bucket, bar, channel_states(bar, a_raw=score.a, e_raw=score.e))

    def positions(self) -> list[PositionRow]:
        return sorted(self.database.portfolio.positions.values(), key=lambda row: row.position_id)

    def orders(self) -> list[OrderRow]:
        """Return all orders by the bar they were decided on."""
        return sorted(self.database.portfolio.orders.values(), key=lambda row: (row.bar_timestamp, row.order_id))

    def fills(self) -> list[FillRow]:
        return sorted(self.database.portfolio.fills.values(), key=lambda row: (row.fill.at, row.fill.fill_id))

    def strands(self) -> list[StrandRow]:
        """Return all strands as they were stored."""
        return list(self.database.portfolio.strands.values())

    def episodes(self) -> list[EpisodeRow]:
        return sorted(self.database.portfolio.episodes.values(), key=lambda row: (row.started_at, row.episode_id))

    def strand_ids(self) -> list[str]:
        return list(self.database.portfolio.strands)

    def dead_letters(self) -> list[dict[str, Any]]:
        return [asdict(letter) for letter in self.database.portfolio.dead_letters.values()]


class PostgresPortfolioWorld(PostgresWorld):
    """A migrated database; each row is written by the role it belongs to."""

    def store(self, holder: str = "a:1:start", book_id: str = DEFAULT_BOOK_ID) -> RuntimeStore:
        if book_id == DEFAULT_BOOK_ID:
            return open_postgres_store(holder)
        connection = connect(DatabaseRole.PM, autocommit=True)
        return PostgresStore(connection, holder=holder, book_id=book_id)

    def add(self, *rows: PositionRow) -> None:
        with connect(DatabaseRole.PM) as connection:
            insert_rows(connection, "pm.lowcap_positions", [_stored_position(row) for row in rows])

    def change(self, row: PositionRow) -> None:
        """Let a person set the status of a position."""
        values = {"status": row.status.value, "position_id": row.position_id, "revision": row.revision + 1}
        with connect(DatabaseRole.CONSOLE) as connection:
            connection.execute(CHANGE_STATUS, values)

    def switch(self, *, set_at: datetime, scope: str = "{}", mode: str | None = None, on: bool | None = None) -> None:
        row = {"scope": scope, "mode": mode, "overrides_on": on, "author": "ann", "reason": "a test", "set_at": set_at}
        with connect(DatabaseRole.CONSOLE) as connection:
            insert_rows(connection, "pm.trading_switch", [row])

    def empty(self) -> None:
        """Forget what another test wrote."""
        with connect(DatabaseRole.OWNER) as connection:
            connection.execute(f"TRUNCATE {', '.join(WRITTEN)} CASCADE".encode())
            connection.execute("GRANT SELECT ON pm.trading_switch TO lowcap_pm")
            connection.execute("DELETE FROM pm.pm_config WHERE version > 1")

    def break_switch(self) -> None:
        with connect(DatabaseRole.OWNER) as connection:
            connection.execute("REVOKE SELECT ON pm.trading_switch FROM lowcap_pm")

    def publish_bar(self, token: Token, bar: ExecutionBar, seen: TokenBar) -> None:
        key = {"token_contract": token[0], "chain": token[1], "timeframe": bar.timeframe, "timestamp": bar.timestamp}
        with connect(DatabaseRole.REGIME) as connection:
            for table, row in _stored_bar(seen).items():
                insert_rows(connection, f"regime.{table}", [key | row | MADE_NOW | _made(table)])

    def tag(self, token: Token, day: datetime, bucket: CapBucket, *, expires_at: datetime | None = None) -> None:
        row = {
            **{"token_contract": token[0], "chain": token[1], "timestamp": day, "bucket": bucket.value},
            **{"market_cap_usd": 1e6, "updated_at": day, "bucket_since": day, "valid_from": day},
            **{"valid_to": expires_at or day + DAY, "computed_at": day},
        }
        with connect(DatabaseRole.REGIME) as connection:
            insert_rows(connection, "regime.token_cap_bucket", [row | MADE])

    def publish_context(self, hour: datetime, context: Mapping[str, Any]) -> None:
        row = {"timestamp": hour, "regime_label": "", "context": stored_json(context), "computed_at": hour}
        with connect(DatabaseRole.REGIME) as connection:
            insert_rows(connection, "regime.regime_context", [row | MADE])

    def publish_channels(self, bucket: CapBucket, bar: ExecutionBar, states: ChannelStates) -> None:
        row = stored_score(
            bucket.value,
            bar.timestamp,
            timeframe=bar.timeframe.value,
            a_raw=states.a_raw,
            e_raw=states.e_raw,
            **states.states,
        )
        with connect(DatabaseRole.REGIME) as connection:
            insert_rows(connection, "regime.ae_score", [row])

    def make_live(self, set_id: int | None, rows: Sequence[Mapping[str, Any]]) -> None:
        with connect(DatabaseRole.OWNER) as connection:
            if set_id is not None:
                connection.execute(MAKE_SET, {"set_id": set_id, "count": len(rows)})
            for row in rows:
                named = ", ".join(row)
                places = ", ".join(f"%({name})s" for name in row)
                statement = (
                    f"INSERT INTO learning.pm_overrides (set_id, {named})"
                    f" OVERRIDING SYSTEM VALUE VALUES (%(set_id)s, {places})"
                )
                connection.execute(statement.encode(), {"set_id": set_id} | dict(row))
            connection.execute(
                "INSERT INTO learning.live_override_set (set_id, author, reason) VALUES (%s, 'ann', 'a test')", [set_id]
            )

    def publish_score(self, bucket: CapBucket, bar: ExecutionBar, **values: Any) -> None:
        """Publish a score with the states behind it."""
        score = LEVERS | values
        states = channel_states(bar).states
        row = stored_score(
            bucket.value,
            bar.timestamp,
            timeframe=bar.timeframe.value,
            a_raw=score["a"],
            e_raw=score["e"],
            **score,
            **states,
        )
        with connect(DatabaseRole.REGIME) as connection:
            insert_rows(connection, "regime.ae_score", [row])

    def positions(self) -> list[PositionRow]:
        return [position_of(row) for row in _all("lowcap_positions", POSITION_COLUMNS, "position_id")]

    def orders(self) -> list[OrderRow]:
        """Return all orders by the bar they were decided on."""
        return [order_of(row) for row in _all("pm_order", ORDER_FIELDS, "bar_timestamp, order_id")]

    def fills(self) -> list[FillRow]:
        return [fill_of(row) for row in _all("pm_fill", FILL_COLUMNS, "filled_at, fill_id")]

    def strands(self) -> list[StrandRow]:
        """Return all strands as they were stored."""
        return [strand_of(row) for row in _all("ad_strands", STRAND_FIELDS, "sequence")]

    def episodes(self) -> list[EpisodeRow]:
        return [episode_of(row) for row in _all("pattern_episode_events", EPISODE_FIELDS, "started_at, episode_id")]

    def strand_ids(self) -> list[str]:
        with connect(DatabaseRole.CONSOLE) as connection:
            rows = connection.execute("SELECT strand_id FROM pm.ad_strands ORDER BY sequence").fetchall()
        return [strand_id for (strand_id,) in rows]

    def dead_letters(self) -> list[dict[str, Any]]:
        columns = ("dead_letter_id", "kind", "pointer", "reason", "payload")
        with connect(DatabaseRole.CONSOLE) as connection:
            rows = connection.execute(
                "SELECT dead_letter_id, kind, pointer, reason, payload FROM pm.strand_dead_letter"
            ).fetchall()
        return [dict(zip(columns, row, strict=True)) for row in rows]


WRITTEN = (
    *("pm.lowcap_positions", "pm.ad_strands", "pm.strand_dead_letter", "pm.trading_switch", "learning.override_set"),
    *("regime.lowcap_price_data_ohlc", "regime.token_ta", "regime.token_uptrend_state", "regime.token_cap_bucket"),
    *("regime.regime_context", "regime.ae_score", "pm.pm_tick"),
)
"""Tables the tests of the portfolio write, and with them those that refer to them."""

PortfolioWorld = MemoryPortfolioWorld | PostgresPortfolioWorld

MADE_NOW = {"run_id": "run-of-a-test", "code_version": "0.0.0", "computed_at": datetime.fromisoformat("2025-06-01T00Z")}
CHANGE_STATUS = """
UPDATE pm.lowcap_positions SET status = %(status)s, revision = %(revision)s WHERE position_id = %(position_id)s
"""
MAKE_SET = """
INSERT INTO learning.override_set
    (set_id, made_at, as_of, input_hash, row_count, run_id, code_version, config_version)
OVERRIDING SYSTEM VALUE VALUES (%(set_id)s, now(), now(), '', %(count)s, 'run', '0.0.0', 1)
"""


def _all(table: str, columns: Sequence[str], order: str) -> list[tuple[Any, ...]]:
    statement = f"SELECT {', '.join(columns)} FROM pm.{table} ORDER BY {order}"
    with connect(DatabaseRole.CONSOLE, read_only=True) as connection:
        return connection.execute(statement.encode()).fetchall()


def _made(table: str) -> dict[str, Any]:
    return {} if table == "lowcap_price_data_ohlc" else {"config_version": 1}


def _stored_position(row: PositionRow) -> dict[str, Any]:
    approved = ("token_contract", "chain", "book_id", "token_ticker", "total_allocation_pct", "approved_by")
    return {
        **{name: getattr(row, name) for name in approved},
        **position_values(row),
        "timeframe": row.timeframe.value,
        "entry_context": stored_json(row.entry_context),
        "intent": None if row.intent is None else stored_json(asdict(row.intent)),
        "approved_at": row.approved_at,
        "updated_at": row.approved_at,
        "config_version": 1,
        "code_version": "0.0.0",
    }


def _stored_bar(seen: TokenBar) -> dict[str, dict[str, Any]]:
    """Rows of the three tables a bar is read from."""
    prices = {name: getattr(seen, name) for name in ("open_usd", "high_usd", "low_usd", "close_usd", "volume")}
    raw = prices | {"source": "t", "coverage": 1.0, "partial": False, "known_at": seen.closed_at}
    ta = {name: getattr(seen, name) for name in TA} | {"warm": True, "latest_price": seen.close_usd, "carry": [0.0]}
    ta |= dict.fromkeys(("ema20", "ema30", "ema50", "ema250", "sep_fast", "sep_mid"), 1.0)
    state = {name: getattr(seen, name) for name in (*STATE, *SCORES)} | {"price": seen.close_usd, "gate_mask": 0}
    state |= {flag.value: flag in seen.flags for flag in UptrendFlag}
    state |= {"exit_reason": "s1_to_s0_bearish_order" if UptrendFlag.EXIT_POSITION in seen.flags else None}
    return {"lowcap_price_data_ohlc": raw, "token_ta": ta, "token_uptrend_state": state}
