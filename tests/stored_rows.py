"""Rows of regime tables as a test wants them stored; what a test does not name is plausible."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import psycopg
from psycopg.sql import SQL, Identifier, Placeholder

CHANNELS = 15
PROVENANCE = {"config_version": 1, "run_id": "run-of-a-test", "code_version": "0.0.0"}


def stored_score(
    bucket: str, at: datetime, *, timeframe: str = "1h", coverage: int = 15, **values: Any
) -> dict[str, Any]:
    """A row of regime.ae_score; without channels its levers are NULL."""
    levers = {"a": 0.6, "e": 0.4} if coverage else {"a": None, "e": None}
    row = {"bucket": bucket, "timeframe": timeframe, "timestamp": at, "coverage": coverage, "degraded": coverage < 12}
    channels = {
        "channel_status": ["ok"] * coverage + ["missing"] * (CHANNELS - coverage),
        "channel_a": [0.0] * CHANNELS,
        "channel_e": [0.0] * CHANNELS,
        "channel_signal": ["S1"] * CHANNELS,
        "channel_timestamp": [at] * CHANNELS,
    }
    return row | levers | channels | PROVENANCE | {"computed_at": at} | values


def stored_state(driver: str, timeframe: str, at: datetime, *, state: str = "S1", **values: Any) -> dict[str, Any]:
    """A row of regime.regime_driver_state without any flag."""
    flags = ("buy_signal", "buy_flag", "first_dip_buy_flag", "trim_flag", "emergency_exit", "reclaimed_ema333")
    row = {"driver": driver, "timeframe": timeframe, "timestamp": at, "status": "ok", "state": state}
    rest = {"bootstrapped": False, "price": 100.0, "exit_position": False, "gate_mask": 0, "computed_at": at}
    return row | dict.fromkeys(flags, False) | rest | PROVENANCE | values


def insert_rows(connection: psycopg.Connection, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Store rows of one table, named with its schema; all of them have the same columns."""
    schema, name = table.split(".")
    statement = SQL("INSERT INTO {} ({}) VALUES ({})").format(
        Identifier(schema, name),
        SQL(", ").join(map(Identifier, rows[0])),
        SQL(", ").join(map(Placeholder, rows[0])),
    )
    with connection.cursor() as cursor:
        cursor.executemany(statement, rows)
