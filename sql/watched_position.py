"""Positions of the watchlist as a person sees and moves them.

Not here: how a token comes onto it (`position`); what the runtime writes (`pm_runtime.portfolio_columns`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

from domain.portfolio.lifecycle import PositionStatus
from domain.vocabulary.driver import DEFAULT_BOOK_ID
from domain.vocabulary.timeframe import Timeframe
from sql.queries import query


class StalePositionError(RuntimeError):
    """The position is no longer as it was read, or there is none: look at it and try again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusChange:
    """What a person did to the status of a position."""

    became: PositionStatus
    author: str
    reason: str
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedPosition:
    """A position in the list of a person. last_change: by hand; None where nobody has touched it since its approval."""

    position_id: str
    token_contract: str
    chain: str
    timeframe: Timeframe
    token_ticker: str
    status: PositionStatus
    total_allocation_pct: float
    approved_by: str
    approved_at: datetime
    quantity: float
    has_trade: bool
    revision: int
    last_change: StatusChange | None


def read_watchlist(
    connection: psycopg.Connection, *, position_ids: Sequence[str] | None = None, book_id: str = DEFAULT_BOOK_ID
) -> list[WatchedPosition]:
    """Positions of a book, or those with some ids, by ticker, token and timeframe."""
    values = {"book_id": book_id, "position_ids": None if position_ids is None else list(position_ids)}
    found = [_watched(*row) for row in connection.execute(query("watched_positions").encode(), values)]
    return sorted(found, key=lambda row: (row.token_ticker, row.token_contract, row.chain, row.timeframe.minutes))


def set_position_status(
    connection: psycopg.Connection, position: WatchedPosition, status: PositionStatus, *, author: str, reason: str
) -> None:
    """Change the status of a position that is as it was read; which change is legal, `domain.portfolio.lifecycle` says.

    Who did it and why stands beside it, in one transaction.

    Raises
    ------
    ValueError
        If author or reason is empty, or the status is what it was.
    StalePositionError
        If somebody, a tick for example, wrote it meanwhile; nothing is written.
    """
    if not author.strip() or not reason.strip():
        raise ValueError("A position is moved by somebody, for a reason: one of the two was empty")
    if status is position.status:
        raise ValueError(f"Position {position.token_ticker} {position.timeframe} is {status} already")
    values = {"position_id": position.position_id, "revision": position.revision, "status": status.value}
    told = {"was": position.status.value, "author": author, "reason": reason}
    with connection.transaction():
        if connection.execute(query("set_position_status").encode(), values).rowcount != 1:
            raise StalePositionError(
                f"Position {position.token_ticker} {position.timeframe} changed since it was read: look at it and try"
                " again"
            )
        connection.execute(query("insert_status_change").encode(), values | told)


def _watched(  # in the order of the query's columns
    position_id: str,
    token_contract: str,
    chain: str,
    timeframe: str,
    token_ticker: str,
    status: str,
    total_allocation_pct: float,
    approved_by: str,
    approved_at: datetime,
    quantity: float,
    has_trade: bool,
    revision: int,
    *change: Any,
) -> WatchedPosition:
    return WatchedPosition(
        position_id=position_id,
        token_contract=token_contract,
        chain=chain,
        timeframe=Timeframe(timeframe),
        token_ticker=token_ticker,
        status=PositionStatus(status),
        total_allocation_pct=total_allocation_pct,
        approved_by=approved_by,
        approved_at=approved_at,
        quantity=quantity,
        has_trade=has_trade,
        revision=revision,
        last_change=_change(*change),
    )


def _change(became: str | None, author: str, reason: str, changed_at: datetime) -> StatusChange | None:
    if became is None:
        return None
    return StatusChange(became=PositionStatus(became), author=author, reason=reason, changed_at=changed_at)
