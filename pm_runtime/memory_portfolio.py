"""The portfolio in memory: the twin of `pm_runtime.postgres_portfolio`, row by row as strict.

A write is tried on what the snapshot sees, and again on the shared rows when the snapshot ends; the second time is when
a race shows. JSON goes through its text, so a row comes back as a database would give it.
"""

import json
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal, localcontext
from typing import Any, Protocol, TypeVar

from domain.portfolio.strand import DeadLetter, StrandKind
from domain.portfolio.strict_json import canonical_json
from domain.portfolio.trade_memory import memory_from_json
from domain.vocabulary.action import OrderSide
from domain.vocabulary.timeframe import Timeframe
from pm_runtime.memory_market import MemoryMarket, MemoryMarketSnapshot
from pm_runtime.portfolio_columns import JSON_FIELDS
from pm_runtime.portfolio_row import (
    EpisodeRow,
    FillRow,
    OrderRow,
    OrderStatus,
    PositionRow,
    Provenance,
    StrandRow,
)
from pm_runtime.ports import AlreadyOrderedError, FillConflictError, StaleRowError
from sql.trading_switch import SwitchRow, UnreadableSwitchError

DOUBLE_DIGITS = 15
"""Decimal digits a database keeps of a double that becomes a decimal."""
EXACT_DIGITS = 700
"""More than any sum of doubles needs."""

JsonRow = TypeVar("JsonRow", OrderRow, StrandRow, EpisodeRow)


class _OfPosition(Protocol):
    @property
    def position_id(self) -> str: ...


Owned = TypeVar("Owned", bound=_OfPosition)


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


Change = Callable[[MemoryPortfolio], None]


class MemoryPortfolioSnapshot(MemoryMarketSnapshot):
    """The shared rows as they were at one instant, and what this transaction changes."""

    def __init__(self, portfolio: MemoryPortfolio, market: MemoryMarket, *, book_id: str) -> None:
        super().__init__(market)
        self._shared = portfolio
        self._book_id = book_id
        self._seen = portfolio.copied()
        self._changes: list[Change] = []

    def read_switch(self) -> list[SwitchRow]:
        """Return what is set in each scope."""
        if not self._seen.is_switch_readable:
            raise UnreadableSwitchError("The switch cannot be read")
        return _newest_settings(self._seen.switches)

    def positions(self, timeframe: Timeframe) -> list[PositionRow]:
        """Return all positions of a timeframe."""
        return [row for row in self._of_book() if row.timeframe is timeframe]

    def book(self, *, besides: Timeframe | None = None) -> list[PositionRow]:
        """Return the positions that hold something."""
        return [row for row in self._of_book() if row.position.quantity > 0 and row.timeframe is not besides]

    def open_orders(self, timeframe: Timeframe) -> list[OrderRow]:
        """Return the orders that are planned or submitted."""
        found = [row for row in self._owned(self._seen.orders.values()) if row.status.is_open]
        found.sort(key=lambda row: (row.bar_timestamp, row.order_id))
        return [row for row in found if row.timeframe is timeframe]

    def trade_fills(self, trade_ids: Collection[str]) -> list[FillRow]:
        """Return the fills of some trades."""
        found = [row for row in self._seen.fills.values() if row.trade_id in set(trade_ids)]
        return sorted(found, key=lambda row: (row.fill.at, row.fill.fill_id))

    def trade_strands(self, trade_ids: Collection[str]) -> list[StrandRow]:
        """Return the actions of some trades."""
        found = [row for row in self._seen.strands.values() if row.trade_id in set(trade_ids)]
        return [row for row in found if row.kind is StrandKind.PM_ACTION]

    def pending_episodes(self, timeframe: Timeframe) -> list[EpisodeRow]:
        """Return the episodes whose outcome is not known."""
        found = [row for row in self._owned(self._seen.episodes.values()) if row.outcome == "pending"]
        found.sort(key=lambda row: (row.started_at, row.episode_id))
        return [row for row in found if row.timeframe is timeframe]

    def cash_flow_usd(self) -> float:
        """Return what all fills brought less what they took."""
        with localcontext(prec=EXACT_DIGITS):
            return float(sum((_brought(row) for row in self._owned(self._seen.fills.values())), Decimal(0)))

    def promised_usd(self) -> float:
        """Return what open buys may still spend."""
        waiting = [row.order_usd or 0.0 for row in self._owned(self._seen.orders.values()) if row.status.is_open]
        with localcontext(prec=EXACT_DIGITS):
            return float(sum((_stored_decimal(usd) for usd in waiting), Decimal(0)))

    def write_positions(self, rows: Sequence[PositionRow], made_by: Provenance) -> None:
        """Store where positions stand."""
        self._change(lambda tables: _update_positions(tables, rows))

    def write_orders(self, rows: Sequence[OrderRow], made_by: Provenance) -> None:
        """Store new orders."""
        stored = [_as_stored(row) for row in rows]
        self._change(lambda tables: _insert_orders(tables, stored))

    def mark_submitted(self, order_ids: Collection[str]) -> None:
        """Note that venues took planned orders."""
        self._change(lambda tables: _mark_submitted(tables, order_ids))

    def settle_orders(self, rows: Sequence[OrderRow]) -> None:
        """Store status, reason and end of orders."""
        self._change(lambda tables: _settle_orders(tables, rows))

    def write_fills(self, rows: Sequence[FillRow]) -> None:
        """Store fills; known ones are compared."""
        self._change(lambda tables: _insert_fills(tables, rows))

    def write_strands(self, rows: Sequence[StrandRow]) -> None:
        """Append strands."""
        stored = {row.strand_id: _as_stored(row) for row in rows}
        self._change(lambda tables: _keep_first(tables.strands, stored))

    def write_episodes(self, rows: Sequence[EpisodeRow], made_by: Provenance) -> None:
        """Store episodes as they stand now."""
        stored = [_as_stored(row) for row in rows]
        self._change(lambda tables: _upsert_episodes(tables, stored))

    def write_dead_letters(self, rows: Sequence[DeadLetter]) -> None:
        """Keep strands that break their schema."""
        stored = {row.dead_letter_id: row for row in rows}
        self._change(lambda tables: _keep_first(tables.dead_letters, stored))

    def changed(self) -> MemoryPortfolio:
        """Return the shared rows with the changes of this transaction; raises what a race brings about."""
        tables = self._shared.copied()
        for change in self._changes:
            change(tables)
        return tables

    def _change(self, change: Change) -> None:
        change(self._seen)
        self._changes.append(change)

    def _of_book(self) -> list[PositionRow]:
        rows = sorted(self._seen.positions.values(), key=lambda row: row.position_id)
        return [row for row in rows if row.book_id == self._book_id]

    def _owned(self, rows: Iterable[Owned]) -> list[Owned]:
        """Rows whose position is of the book."""
        return [row for row in rows if self._seen.positions[row.position_id].book_id == self._book_id]


def _newest_settings(switches: Sequence[SwitchRow]) -> list[SwitchRow]:
    newest: dict[tuple[str, str], int] = {}
    for place, row in enumerate(switches):
        for setting in ("mode", "overrides_on"):
            if getattr(row, setting) is not None:
                newest[row.scope, setting] = place
    return [switches[place] for place in sorted(set(newest.values()))]


def _update_positions(tables: MemoryPortfolio, rows: Sequence[PositionRow]) -> None:
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


def _insert_orders(tables: MemoryPortfolio, rows: Sequence[OrderRow]) -> None:
    taken = {(row.position_id, row.bar_timestamp) for row in tables.orders.values()}
    for row in rows:
        place = (row.position_id, row.bar_timestamp)
        if row.order_id in tables.orders or place in taken:
            raise AlreadyOrderedError(f"An order stands already: {place}")
        _refuse_orphan(row.position_id, tables.positions)
        tables.orders[row.order_id] = row
        taken.add(place)


def _mark_submitted(tables: MemoryPortfolio, order_ids: Collection[str]) -> None:
    for order_id in order_ids:
        order = tables.orders.get(order_id)
        if order is not None and order.status is OrderStatus.PLANNED:
            tables.orders[order_id] = replace(order, status=OrderStatus.SUBMITTED)


def _settle_orders(tables: MemoryPortfolio, rows: Sequence[OrderRow]) -> None:
    for row in rows:
        known = tables.orders.get(row.order_id)
        if known is None or not known.status.is_open:
            raise StaleRowError(f"Not open any more: order {row.order_id}")
        tables.orders[row.order_id] = replace(
            known, status=row.status, status_reason=row.status_reason, settled_at=row.settled_at
        )


def _insert_fills(tables: MemoryPortfolio, rows: Sequence[FillRow]) -> None:
    for row in rows:
        _refuse_orphan(row.order_id, tables.orders)
        if tables.fills.setdefault(row.fill.fill_id, row) != row:
            raise FillConflictError(f"Known with other values: fill {row.fill.fill_id}")


def _upsert_episodes(tables: MemoryPortfolio, rows: Sequence[EpisodeRow]) -> None:
    for row in rows:
        _refuse_orphan(row.position_id, tables.positions)
        known = tables.episodes.get(row.episode_id)
        if known is not None and known.outcome != "pending":
            raise StaleRowError(f"The outcome was known: episode {row.episode_id}")
        tables.episodes[row.episode_id] = row


Key = TypeVar("Key")
Kept = TypeVar("Kept")


def _keep_first(table: dict[Key, Kept], rows: dict[Key, Kept]) -> None:
    for key, row in rows.items():
        table.setdefault(key, row)


def _refuse_orphan(key: str, known: Collection[str]) -> None:
    """Refuse a row that names another one which is not there, as a foreign key does."""
    if key not in known:
        raise LookupError(f"No row {key} to belong to")


def _as_stored(row: JsonRow) -> JsonRow:
    texts = {name: _through_text(getattr(row, name)) for name in JSON_FIELDS if hasattr(row, name)}
    return replace(row, **texts)


def _through_text(value: object) -> Any:
    return json.loads(canonical_json(value))


def _brought(row: FillRow) -> Decimal:
    """Money a fill brought, to the digits a database keeps."""
    notional, fee = (_stored_decimal(usd) for usd in (row.fill.notional_usd, row.fill.fee_usd))
    return (notional if row.fill.side is OrderSide.SELL else -notional) - fee


def _stored_decimal(usd: float) -> Decimal:
    return Decimal(f"{usd:.{DOUBLE_DIGITS}g}")
