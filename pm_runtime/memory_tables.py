"""The tables of the portfolio in memory, and what a statement does to them; as strict as the database's, row by row.

JSON goes through its text, so a row comes back as a database would give it.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, TypeVar

from domain.portfolio.strand import DeadLetter
from domain.portfolio.strict_json import canonical_json
from domain.portfolio.trade_memory import memory_from_json
from pm_runtime.portfolio_columns import JSON_FIELDS
from pm_runtime.portfolio_row import EpisodeRow, FillRow, OrderRow, OrderStatus, PositionRow, StrandRow
from pm_runtime.ports import AlreadyOrderedError, FillConflictError, StaleRowError
from sql.trading_switch import SwitchRow

JsonRow = TypeVar("JsonRow", OrderRow, StrandRow, EpisodeRow)


@dataclass
class MemoryPortfolio:
    """Rows that several sessions share, each table by its key."""

    positions: dict[str, PositionRow] = field(default_factory=dict)
    orders: dict[str, OrderRow] = field(default_factory=dict)
    fills: dict[str, FillRow] = field(default_factory=dict)
    strands: dict[str, StrandRow] = field(default_factory=dict)
    episodes: dict[str, EpisodeRow] = field(default_factory=dict)
    dead_letters: dict[str, DeadLetter] = field(default_factory=dict)
    switches: list[SwitchRow] = field(default_factory=list)
    """As they were set, the oldest first."""
    is_switch_readable: bool = True

    def copied(self) -> "MemoryPortfolio":
        """Return the same rows in tables of their own."""
        return MemoryPortfolio(
            positions=dict(self.positions),
            orders=dict(self.orders),
            fills=dict(self.fills),
            strands=dict(self.strands),
            episodes=dict(self.episodes),
            dead_letters=dict(self.dead_letters),
            switches=list(self.switches),
            is_switch_readable=self.is_switch_readable,
        )

    def take_over(self, other: "MemoryPortfolio") -> None:
        """Replace every table by another portfolio's."""
        for each in fields(self):
            setattr(self, each.name, getattr(other, each.name))


def update_positions(tables: MemoryPortfolio, rows: Sequence[PositionRow]) -> None:
    """Store where positions stand, each with its revision + 1; all of them or none."""
    known = tables.positions
    stale = [
        row.position_id
        for row in rows
        if row.position_id not in known or known[row.position_id].revision != row.revision
    ]
    if stale:
        raise StaleRowError(f"Written by somebody else since they were read, or gone: positions {stale}")
    for row in rows:
        known[row.position_id] = replace(
            known[row.position_id],
            status=row.status,
            current_trade_id=row.current_trade_id,
            position=row.position,
            trade_memory=memory_from_json(_through_text(row.trade_memory.to_json())),
            last_bar_timestamp=row.last_bar_timestamp,
            revision=row.revision + 1,
        )


def insert_orders(tables: MemoryPortfolio, rows: Sequence[OrderRow]) -> None:
    """Store new orders, one a position and bar."""
    taken = {(row.position_id, row.bar_timestamp) for row in tables.orders.values()}
    for row in rows:
        place = (row.position_id, row.bar_timestamp)
        if row.order_id in tables.orders or place in taken:
            raise AlreadyOrderedError(f"An order stands already: {place}")
        _refuse_orphan(row.position_id, tables.positions)
        tables.orders[row.order_id] = row
        taken.add(place)


def mark_submitted(tables: MemoryPortfolio, order_ids: Collection[str]) -> None:
    """Note that venues took orders that are still planned."""
    for order_id in order_ids:
        order = tables.orders.get(order_id)
        if order is not None and order.status is OrderStatus.PLANNED:
            tables.orders[order_id] = replace(order, status=OrderStatus.SUBMITTED)


def settle_orders(tables: MemoryPortfolio, rows: Sequence[OrderRow]) -> None:
    """Store the end of open orders."""
    for row in rows:
        known = tables.orders.get(row.order_id)
        if known is None or not known.status.is_open:
            raise StaleRowError(f"Not open any more: order {row.order_id}")
        tables.orders[row.order_id] = replace(
            known, status=row.status, status_reason=row.status_reason, settled_at=row.settled_at
        )


def insert_fills(tables: MemoryPortfolio, rows: Sequence[FillRow]) -> None:
    """Store fills; a known one must be the same."""
    for row in rows:
        _refuse_orphan(row.order_id, tables.orders)
        if tables.fills.setdefault(row.fill.fill_id, row) != row:
            raise FillConflictError(f"Known with other values: fill {row.fill.fill_id}")


def upsert_episodes(tables: MemoryPortfolio, rows: Sequence[EpisodeRow]) -> None:
    """Store episodes as they stand, until their outcome is known."""
    for row in rows:
        _refuse_orphan(row.position_id, tables.positions)
        known = tables.episodes.get(row.episode_id)
        if known is not None and known.outcome != "pending":
            raise StaleRowError(f"The outcome was known: episode {row.episode_id}")
        tables.episodes[row.episode_id] = row


Key = TypeVar("Key")
Kept = TypeVar("Kept")


def keep_first(table: dict[Key, Kept], rows: dict[Key, Kept]) -> None:
    """Store the rows whose key is new."""
    for key, row in rows.items():
        table.setdefault(key, row)


def _refuse_orphan(key: str, known: Collection[str]) -> None:
    """Refuse a row that names another one which is not there, as a foreign key does."""
    if key not in known:
        raise LookupError(f"No row {key} to belong to")


def as_stored(row: JsonRow) -> JsonRow:
    """Return a row with its documents as a database would give them back."""
    texts = {name: _through_text(getattr(row, name)) for name in JSON_FIELDS if hasattr(row, name)}
    return replace(row, **texts)


def _through_text(value: object) -> Any:
    return json.loads(canonical_json(value))
