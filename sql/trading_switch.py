"""The switch of the runtime in `trading_switch`: who set what, everywhere or in a scope.

Append-only; the newest row of a scope counts. Read by the runtime at each tick, set and shown by the console. Not here:
what the rows together allow (`domain.portfolio.trading_switch`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import psycopg

from domain.portfolio.trading_switch import TradingMode
from domain.scopes.scope import parse_scope, scope_json
from sql.queries import query

LONGEST_HISTORY = 1000


class UnreadableSwitchError(RuntimeError):
    """The switch cannot be read, so nobody knows what is allowed: only exits are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchRow:
    """A change of the switch as it is stored; `scope` is JSON text, None leaves a setting as it was."""

    scope: str
    mode: str | None
    overrides_on: bool | None
    author: str
    reason: str
    set_at: datetime


def read_switch(connection: psycopg.Connection) -> list[SwitchRow]:
    """Of each scope, the newest row that sets the mode and the newest that sets the overrides, oldest first.

    Raises
    ------
    UnreadableSwitchError
        If the server refuses. Inside a transaction the read stands in a savepoint, so the transaction goes on.
    """
    try:
        with connection.transaction():
            return _rows(connection, "trading_switch")
    except psycopg.Error as error:
        raise UnreadableSwitchError(f"The switch cannot be read: {error}") from error


def switch_history(connection: psycopg.Connection, *, limit: int = LONGEST_HISTORY) -> list[SwitchRow]:
    """Return the changes as they were set, newest first, at most `limit`."""
    return _rows(connection, "trading_switch_history", limit=limit)


def set_switch(
    connection: psycopg.Connection,
    *,
    author: str,
    reason: str,
    mode: TradingMode | None = None,
    overrides_on: bool | None = None,
    scope: Mapping[str, object] | None = None,
) -> SwitchRow:
    """Set the mode, or whether overrides apply, or both; the next tick obeys.

    Parameters
    ----------
    connection : psycopg.Connection
        Of a role that may write the table: pm, console, owner.
    author, reason : str
        Who, and why; not empty.
    mode : TradingMode, optional
        By default it stays as it was in this scope.
    overrides_on : bool, optional
        By default it stays as it was in this scope.
    scope : mapping, optional
        Dimensions and their values; by default everywhere.

    Raises
    ------
    ValueError
        If nothing is set, author or reason is empty, a key is no dimension, or a value is none of its dimension or
        says that nothing is known.
    """
    if mode is None and overrides_on is None:
        raise ValueError("A change of the switch sets the mode, or whether overrides apply, or both")
    if not author.strip() or not reason.strip():
        raise ValueError("A change of the switch needs an author and a reason")
    given = scope or {}
    known = parse_scope(given)
    if len(known) != len(given):
        missing = sorted(set(given) - {dimension.value for dimension in known})
        raise ValueError(f"A scope fixes dimensions to values; nothing is known of {missing}")
    values = {"scope": scope_json(known), "mode": mode and mode.value, "overrides_on": overrides_on}
    values |= {"author": author, "reason": reason}
    (row,) = _rows(connection, "insert_trading_switch", **values)
    return row


def _rows(connection: psycopg.Connection, name: str, **values: object) -> list[SwitchRow]:
    return [
        SwitchRow(scope=scope, mode=mode, overrides_on=overrides_on, author=author, reason=reason, set_at=set_at)
        for scope, mode, overrides_on, author, reason, set_at in connection.execute(query(name).encode(), values)
    ]
