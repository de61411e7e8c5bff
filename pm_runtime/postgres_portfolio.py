"""The portfolio in Postgres: each read one statement, each write one batch, all in the snapshot's transaction.

The server refuses to change a row that another transaction wrote after this one began. That is a `StaleRowError` here,
as is a revision that differs from the one that was read.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from decimal import Decimal

import psycopg

from domain.portfolio.strand import DeadLetter, StrandKind
from domain.portfolio.trade_memory import TradeMemory
from domain.vocabulary.timeframe import Timeframe
from pm_runtime.cash_memo import TICKS_KNOWN, CashCount, Ticks
from pm_runtime.portfolio_columns import (
    episode_of,
    fill_of,
    fill_values,
    named_values,
    order_of,
    position_of,
    position_values,
    provenance_values,
    strand_of,
    strand_values,
)
from pm_runtime.portfolio_row import (
    EpisodeRow,
    FillRow,
    OrderRow,
    PositionRow,
    Provenance,
    StrandRow,
)
from pm_runtime.ports import AlreadyOrderedError, FillConflictError, StaleRowError
from pm_runtime.postgres_market import PostgresMarket
from sql.queries import query
from sql.trading_switch import SwitchRow, read_switch


class PostgresPortfolio(PostgresMarket):
    """Reads and writes of the portfolio in an open transaction, and reads of the market.

    Parameters
    ----------
    connection : psycopg.Connection
        In a REPEATABLE READ transaction.
    book_id : str
        Asset class.
    holder : str
        Name of this process.
    cash : CashCount
        What is known of the cash of this session's earlier transactions.
    """

    def __init__(self, connection: psycopg.Connection, *, book_id: str, holder: str, cash: CashCount) -> None:
        super().__init__(connection, book_id=book_id)
        self._holder = holder
        self._cash = cash
        self._memories: dict[str, TradeMemory] = {}

    def read_switch(self) -> list[SwitchRow]:
        """Return what is set in each scope; in a savepoint, for a tick goes on when it cannot be read."""
        return read_switch(self._connection)

    def positions(self, timeframe: Timeframe) -> list[PositionRow]:
        """Return all positions of a timeframe."""
        found = [position_of(row) for row in self._rows("positions_of_timeframe", timeframe=timeframe.value)]
        self._memories |= {row.position_id: row.trade_memory for row in found}
        return found

    def book(self, *, besides: Timeframe | None = None) -> list[PositionRow]:
        """Return the positions that hold something."""
        return [position_of(row) for row in self._rows("held_positions", besides=besides and besides.value)]

    def watchlist(self, *, besides: Timeframe | None = None) -> list[PositionRow]:
        """Return the positions that may be entered and hold nothing."""
        return [position_of(row) for row in self._rows("positions_on_watchlist", besides=besides and besides.value)]

    def open_orders(self, timeframe: Timeframe) -> list[OrderRow]:
        """Return the orders that are planned or submitted."""
        return [order_of(row) for row in self._rows("open_orders", timeframe=timeframe.value)]

    def trade_fills(self, trade_ids: Collection[str]) -> list[FillRow]:
        """Return the fills of some trades."""
        return [fill_of(row) for row in self._rows("fills_of_trades", trade_ids=list(trade_ids))]

    def trade_strands(self, trade_ids: Collection[str]) -> list[StrandRow]:
        """Return the actions of some trades."""
        kind = StrandKind.PM_ACTION.value
        return [strand_of(row) for row in self._rows("strands_of_trades", trade_ids=list(trade_ids), kind=kind)]

    def pending_episodes(self, timeframe: Timeframe) -> list[EpisodeRow]:
        """Return the episodes whose outcome is not known."""
        return [episode_of(row) for row in self._rows("pending_episodes", timeframe=timeframe.value)]

    def cash_flow_usd(self) -> float:
        """Return what all fills brought less what they took."""
        return float(self._cash.total(self._newest_ticks, self._count_cash))

    def promised_usd(self) -> float:
        """Return what open buys may still spend."""
        ((usd,),) = self._rows("promised")
        return float(usd)

    def write_positions(self, rows: Sequence[PositionRow], made_by: Provenance) -> None:
        """Store where positions stand."""
        stamp, before = provenance_values(made_by), self._memories
        values = [position_values(row, memory_before=before.get(row.position_id)) | stamp for row in rows]
        if self._write("update_position", values) == len(rows):
            return
        found = dict(self._rows("position_revisions", position_ids=[row.position_id for row in rows]))
        stale = [row.position_id for row in rows if found.get(row.position_id) != row.revision + 1]
        raise StaleRowError(f"Written by somebody else since they were read, or gone: positions {stale}")

    def write_orders(self, rows: Sequence[OrderRow], made_by: Provenance) -> None:
        """Store new orders; the constraint on position and bar decides between processes that race."""
        stamp = provenance_values(made_by) | {"holder": self._holder}
        try:
            self._write("insert_order", [named_values(row) | stamp for row in rows])
        except psycopg.errors.UniqueViolation as error:
            raise AlreadyOrderedError(f"An order stands already: {error.diag.message_detail}") from error

    def mark_submitted(self, order_ids: Collection[str]) -> None:
        """Note that venues took planned orders."""
        if order_ids:
            self._write("mark_orders_submitted", [{"order_ids": list(order_ids)}])

    def settle_orders(self, rows: Sequence[OrderRow]) -> None:
        """Store status, reason and end of orders."""
        if self._write("settle_order", [named_values(row) for row in rows]) != len(rows):
            raise StaleRowError(f"One of these orders was not open any more: {[row.order_id for row in rows]}")

    def write_fills(self, rows: Sequence[FillRow]) -> None:
        """Store fills; known ones are compared."""
        are_new = self._write("insert_fill", [fill_values(row) for row in rows]) == len(rows)
        self._cash.add([row.fill for row in rows], are_new=are_new)
        if are_new:
            return
        known = (fill_of(row) for row in self._rows("fills_by_id", fill_ids=[row.fill.fill_id for row in rows]))
        stored = {row.fill.fill_id: row for row in known}
        wrong = [row.fill.fill_id for row in rows if stored[row.fill.fill_id] != row]
        if wrong:
            raise FillConflictError(f"Known with other values: fills {wrong}")

    def write_strands(self, rows: Sequence[StrandRow]) -> None:
        """Append strands."""
        self._write("insert_strand", [strand_values(row) for row in rows])

    def write_episodes(self, rows: Sequence[EpisodeRow], made_by: Provenance) -> None:
        """Store episodes as they stand now."""
        values = [named_values(row) | provenance_values(made_by) for row in rows]
        if self._write("upsert_episode", values) != len(rows):
            raise StaleRowError(f"The outcome of one of these was known: {[row.episode_id for row in rows]}")

    def write_dead_letters(self, rows: Sequence[DeadLetter]) -> None:
        """Keep strands that break their schema."""
        self._write("insert_dead_letter", [asdict(row) for row in rows])

    def _newest_ticks(self) -> Ticks:
        return tuple(tick_id for (tick_id,) in self._rows("newest_ticks", most=TICKS_KNOWN))

    def _count_cash(self) -> Decimal:
        ((usd,),) = self._rows("cash_flow")
        return Decimal(usd)

    def _write(self, name: str, rows: Sequence[Mapping[str, object]]) -> int:
        """Send a batch without waiting for each row; returns how many rows were written."""
        if not rows:
            return 0
        with self._connection.cursor() as cursor:
            try:
                cursor.executemany(query(name).encode(), rows)
            except psycopg.errors.SerializationFailure as error:
                raise StaleRowError(f"{name}: somebody else wrote such a row meanwhile") from error
            return cursor.rowcount
