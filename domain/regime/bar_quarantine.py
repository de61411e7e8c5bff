"""The shape of a refused bar: its values, why it was refused, the row as it came, and an id made of its content.

What belongs here: columns, payload, id. What does not: the rules by which a bar is refused.
"""

import hashlib
import json
import math
from datetime import datetime
from typing import Any

import polars as pl

SERIES_KEY: tuple[str, ...] = ("token_contract", "chain", "timeframe")
BAR_KEY: tuple[str, ...] = (*SERIES_KEY, "timestamp")
PRICE_COLUMNS: tuple[str, ...] = ("open_usd", "high_usd", "low_usd", "close_usd")
VALUE_COLUMNS: tuple[str, ...] = (*PRICE_COLUMNS, "volume")

RAW_SCHEMA: dict[str, pl.DataType] = {
    **{name: pl.String() for name in SERIES_KEY},
    "timestamp": pl.Datetime("us", "UTC"),
    **{name: pl.Float64() for name in VALUE_COLUMNS},
    "source": pl.String(),
}
"""A bar as a source gives it; `timestamp` is the open."""

QUARANTINE_SCHEMA: dict[str, pl.DataType] = {
    **RAW_SCHEMA,
    "reason": pl.String(),
    "detail": pl.String(),
    "payload": pl.String(),
    "quarantine_id": pl.String(),
}

_ORDER = (*BAR_KEY, "reason", "quarantine_id")


def quarantine_frame(refused: pl.DataFrame, received_columns: list[str]) -> pl.DataFrame:
    """Refused rows in the shape they are stored in.

    The payload is the JSON of the row as received, keys sorted, times in ISO 8601, non-finite numbers as text. The id
    is the SHA-256 of reason and payload, so that the same row refused twice for the same reason is one row.

    Parameters
    ----------
    refused : DataFrame
        `received_columns`, and reason and detail. Columns of the shape that are absent become null.
    received_columns : list of str
        Columns that make the payload.

    Returns
    -------
    DataFrame
        Columns of `QUARANTINE_SCHEMA`, one row an id, sorted by bar key, reason, id. NaN stays NaN.
    """
    payloads, ids = payload_and_id(refused, received_columns)
    return (
        refused.with_columns(pl.Series("payload", payloads, pl.String), pl.Series("quarantine_id", ids, pl.String))
        .select(
            (pl.col(name) if name in refused.columns or name in ("payload", "quarantine_id") else pl.lit(None))
            .cast(dtype)
            .alias(name)
            for name, dtype in QUARANTINE_SCHEMA.items()
        )
        .unique("quarantine_id", keep="any", maintain_order=False)
        .sort(_ORDER)
    )


def payload_and_id(refused: pl.DataFrame, received_columns: list[str]) -> tuple[list[str], list[str]]:
    """JSON of each row as received, and the SHA-256 of its reason and that JSON, row by row."""
    payloads = [_payload(row) for row in refused.select(received_columns).iter_rows(named=True)]
    ids = [
        hashlib.sha256(f"{reason}\n{payload}".encode()).hexdigest()
        for reason, payload in zip(refused["reason"], payloads, strict=True)
    ]
    return payloads, ids


def _payload(row: dict[str, Any]) -> str:
    return json.dumps({name: _json_value(value) for name, value in row.items()}, sort_keys=True, separators=(",", ":"))


def _json_value(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    return value
