"""The market a tick decides on, and the overrides it applies: what others publish, read in the same transaction."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import psycopg

from domain.portfolio.token_bar import TokenBar
from domain.vocabulary.cap_bucket import CapBucket
from domain.vocabulary.driver import CHANNEL_NAMES
from domain.vocabulary.execution_bar import ExecutionBar
from domain.vocabulary.uptrend import StateStatus, UptrendFlag, UptrendState
from pm_runtime.portfolio_row import ChannelStates, RawOverrideSet, Token
from sql.queries import query

BAR_COLUMNS = ("open_usd", "high_usd", "low_usd", "close_usd", "volume")
STATE_COLUMNS = ("status", "state", "prev_state", "transition", "bootstrapped", "s3_start_at")
SCORE_COLUMNS = ("ts", "ts_with_boost", "sr_boost", "ox", "dx", "edx")
TA_COLUMNS = (
    *("ema60", "ema144", "ema333", "ema60_slope", "ema144_slope", "ema250_slope", "ema333_slope"),
    *("atr", "bars_count"),
)
TOKEN_BAR_COLUMNS = (*BAR_COLUMNS, *STATE_COLUMNS, *SCORE_COLUMNS, *TA_COLUMNS)
"""Of `token_bars_at`, behind the token and before one column a flag."""

OVERRIDE_COLUMNS = (
    *("override_id", "pattern_key", "action_category", "scope_mask", "scope_values", "lever", "multiplier"),
    *("confidence", "n_trades", "edge_raw", "decay_mult", "lesson_id", "expires_at"),
)
"""Of `live_overrides`, behind the number of the set."""


class PostgresMarket:
    """Reads of what the assets published, in an open transaction.

    Parameters
    ----------
    connection : psycopg.Connection
        In a REPEATABLE READ transaction.
    book_id : str
        Asset class.
    """

    def __init__(self, connection: psycopg.Connection, *, book_id: str) -> None:
        self._connection = connection
        self._book_id = book_id

    def token_bars(self, bar: ExecutionBar, tokens: Collection[Token]) -> dict[Token, TokenBar]:
        """Return the bar of each token, where there are bar and state."""
        rows = self._rows("token_bars_at", **token_columns(tokens), **_key(bar))
        return {(row[0], row[1]): token_bar(bar, row[2:]) for row in rows}

    def cap_buckets(self, at: datetime, tokens: Collection[Token]) -> dict[Token, CapBucket]:
        """Return the tags that hold at an instant."""
        rows = self._rows("cap_buckets_at", **token_columns(tokens), at=at)
        return {(contract, chain): CapBucket(bucket) for contract, chain, bucket in rows}

    def regime_context(self, at: datetime) -> dict[str, Any] | None:
        """Return the regime as it was known at an instant."""
        ((context,),) = self._rows("regime_context_at", at=at)
        return None if context is None else dict(context)

    def channel_states(self, bar: ExecutionBar, buckets: Collection[CapBucket]) -> dict[CapBucket, ChannelStates]:
        """Return what stands behind each bucket's newest score at or before the bar."""
        rows = self._rows("newest_channel_states", buckets=[bucket.value for bucket in buckets], **_key(bar))
        return {CapBucket(row[0]): _channel_states(row) for row in rows}

    def live_overrides(self) -> RawOverrideSet:
        """Return the live set as it is stored."""
        return override_set(self._rows("live_overrides"))

    def _rows(self, name: str, **values: object) -> list[tuple[Any, ...]]:
        parameters = {"book_id": self._book_id} | values
        return self._connection.execute(query(name).encode(), parameters, binary=True).fetchall()


def override_set(rows: Sequence[Sequence[Any]]) -> RawOverrideSet:
    """Set of `live_overrides`: the number of the set, then the columns of an override or NULLs."""
    found = tuple(dict(zip(OVERRIDE_COLUMNS, row[1:], strict=True)) for row in rows if row[1] is not None)
    return RawOverrideSet(set_id=rows[0][0] if rows else None, rows=found)


def _key(bar: ExecutionBar) -> dict[str, object]:
    return {"timeframe": bar.timeframe.value, "bar_timestamp": bar.timestamp}


def token_columns(tokens: Collection[Token]) -> dict[str, object]:
    """Return tokens as two parallel lists, for a query."""
    distinct = sorted(set(tokens))
    return {
        "token_contracts": [contract for contract, _ in distinct],
        "chains": [chain for _, chain in distinct],
    }


def token_bar(bar: ExecutionBar, columns: Sequence[Any]) -> TokenBar:
    """Bar of `token_bars_at`, from its columns behind the token."""
    values = dict(zip(TOKEN_BAR_COLUMNS, columns, strict=False))
    is_set = columns[len(TOKEN_BAR_COLUMNS) :]
    prev_state = values["prev_state"]
    values |= {
        "status": StateStatus(values["status"]),
        "state": UptrendState(values["state"]),
        "prev_state": None if prev_state is None else UptrendState(prev_state),
    }
    flags = frozenset(flag for flag, set_ in zip(UptrendFlag, is_set, strict=True) if set_)
    return TokenBar(opened_at=bar.timestamp, closed_at=bar.closed_at, flags=flags, **values)


def _channel_states(row: tuple[Any, ...]) -> ChannelStates:
    _, timestamp, a_raw, e_raw, *words = row
    states = {
        name: None if word is None else UptrendState(word) for name, word in zip(CHANNEL_NAMES, words, strict=True)
    }
    return ChannelStates(timestamp=timestamp, a_raw=a_raw, e_raw=e_raw, states=states)
