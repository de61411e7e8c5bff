"""The portfolio in memory: the twin of `pm_runtime.postgres_portfolio`, row by row as strict.

A write is tried on what the snapshot sees, and again on the shared rows when the snapshot ends; the second time is when
a race shows.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Protocol, TypeVar

from domain.portfolio.strand import DeadLetter, StrandKind
from domain.vocabulary.timeframe import Timeframe
from pm_runtime import memory_tables
from pm_runtime.cash_flow import brought, exact_sum, stored_decimal
from pm_runtime.memory_market import MemoryMarket, MemoryMarketSnapshot
from pm_runtime.memory_tables import MemoryPortfolio, as_stored
from pm_runtime.neighbours import is_watched
from pm_runtime.portfolio_row import EpisodeRow, FillRow, OrderRow, PositionRow, Provenance, StrandRow
from sql.trading_switch import SwitchRow, UnreadableSwitchError


class _OfPosition(Protocol):
    @property
    def position_id(self) -> str: ...


Owned = TypeVar("Owned", bound=_OfPosition)
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

    def watchlist(self, *, besides: Timeframe | None = None) -> list[PositionRow]:
        """Return the positions that may be entered and hold nothing."""
        return [row for row in self._of_book() if is_watched(row) and row.timeframe is not besides]

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
        return float(exact_sum(brought(row.fill) for row in self._owned(self._seen.fills.values())))

    def promised_usd(self) -> float:
        """Return what open buys may still spend."""
        waiting = [row.order_usd or 0.0 for row in self._owned(self._seen.orders.values()) if row.status.is_open]
        return float(exact_sum(stored_decimal(usd) for usd in waiting))

    def write_positions(self, rows: Sequence[PositionRow], made_by: Provenance) -> None:
        """Store where positions stand."""
        self._change(lambda tables: memory_tables.update_positions(tables, rows))

    def write_orders(self, rows: Sequence[OrderRow], made_by: Provenance) -> None:
        """Store new orders."""
        stored = [as_stored(row) for row in rows]
        self._change(lambda tables: memory_tables.insert_orders(tables, stored))

    def mark_submitted(self, order_ids: Collection[str]) -> None:
        """Note that venues took planned orders."""
        self._change(lambda tables: memory_tables.mark_submitted(tables, order_ids))

    def settle_orders(self, rows: Sequence[OrderRow]) -> None:
        """Store status, reason and end of orders."""
        self._change(lambda tables: memory_tables.settle_orders(tables, rows))

    def write_fills(self, rows: Sequence[FillRow]) -> None:
        """Store fills; known ones are compared."""
        self._change(lambda tables: memory_tables.insert_fills(tables, rows))

    def write_strands(self, rows: Sequence[StrandRow]) -> None:
        """Append strands."""
        stored = {row.strand_id: as_stored(row) for row in rows}
        self._change(lambda tables: memory_tables.keep_first(tables.strands, stored))

    def write_episodes(self, rows: Sequence[EpisodeRow], made_by: Provenance) -> None:
        """Store episodes as they stand now."""
        stored = [as_stored(row) for row in rows]
        self._change(lambda tables: memory_tables.upsert_episodes(tables, stored))

    def write_dead_letters(self, rows: Sequence[DeadLetter]) -> None:
        """Keep strands that break their schema."""
        stored = {row.dead_letter_id: row for row in rows}
        self._change(lambda tables: memory_tables.keep_first(tables.dead_letters, stored))

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
