"""Tables of the database as Polars frames: read a window, replace a window.

A read goes by ADBC straight into Polars. A replacement deletes the window, ingests the frame by binary COPY and runs
the blocking checks, all in one transaction: readers see the old window or the new one, never a mixture, and never one
that failed its checks. Writing the same frame twice leaves the same rows.
"""

import dataclasses
import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import dagster as dg
import polars as pl
import psycopg
from pydantic import Field

from domain.vocabulary.window import Window
from resources.arrow_connection import arrow_connection
from resources.inline_check import BlockedByCheckError, InlineCheck, failed_checks
from resources.row_change import first_change
from resources.stamp import STAMPS, Stamp, stamped
from resources.table_statement import qualified, quoted, read_last_statement, read_window_statement, time_column
from sql.database import connect, database_url
from sql.database_role import SEARCH_PATH, DatabaseRole
from sql.queries import query
from sql.schema import TableSchema, table_schema


@dataclass(frozen=True)
class Replacement:
    """What a committed replacement did. `unchanged` rows stood as they were wanted and were not written."""

    rows: int
    unchanged: int
    deleted: int
    appended: Mapping[str, int]
    newest: datetime | None
    content_hash: str


class Tables(dg.ConfigurableResource):
    """The database as one writer sees it.

    `schemas`: schemas that stand in for others, `{"learning": "learned_spring", "pm": "replay_spring"}`: a table is
    then read and written there, under the name it always has here.
    """

    role: str = DatabaseRole.REGIME.value
    schemas: dict[str, str] = Field(default_factory=dict)

    def read(
        self,
        name: str,
        window: Window,
        lookback: timedelta = timedelta(0),
        *,
        columns: Sequence[str] = (),
        is_ordered: bool = True,
    ) -> pl.DataFrame:
        """Rows whose time lies in `window` or up to `lookback` before it, ordered by primary key.

        Parameters
        ----------
        name : str
            Table with its schema, such as "regime.ae_score".
        columns : sequence of str
            Columns to read; all by default.
        is_ordered : bool
            Whether the order matters; of many rows the server sorts on disk, which takes longer than to read them.
        """
        statement = read_window_statement(
            self.table(name), window.with_lookback(lookback), columns, is_ordered=is_ordered
        )
        with self._connection() as connection:
            return _fetched(connection, statement)

    def read_last(
        self,
        name: str,
        before: datetime,
        *,
        rows: int = 1,
        columns: Sequence[str] = (),
        series: pl.DataFrame | None = None,
    ) -> pl.DataFrame:
        """For each key, its last `rows` rows before an instant, ordered by primary key.

        The key is the primary key without the time. `columns` always includes both.

        Parameters
        ----------
        series : DataFrame, optional
            The keys to read, text columns; every key by default. A column `since` leaves out the rows before that
            instant, a column `before` stands in the place of the argument. The rows come in no order.

        Raises
        ------
        ValueError
            If an instant is naive, or `series` lacks a column of the key.
        """
        statement = read_last_statement(self.table(name), before, rows, columns, series)
        with self._connection() as connection:
            return _fetched(connection, statement)

    def query(self, name: str, parameters: tuple[Any, ...]) -> pl.DataFrame:
        """Rows of a named query with positional parameters."""
        with self._connection() as connection:
            return _fetched(connection, query(name), parameters)

    def replace(
        self,
        name: str,
        window: Window,
        frame: pl.DataFrame,
        *,
        stamp: Stamp,
        checks: Sequence[InlineCheck] = (),
        append: Mapping[str, pl.DataFrame] | None = None,
        forget: str = "delete_window",
        prune: str | None = None,
        values: Mapping[str, Sequence[Any]] | None = None,
        only_changes: bool = False,
    ) -> Replacement:
        """Replace the rows of a window, and append to other tables, in one transaction.

        Parameters
        ----------
        frame : DataFrame
            Every column of the table but the stamps, no other; its time inside the window.
        checks : sequence of InlineCheck
            Run on what was written, before the commit.
        append : mapping of table to frame
            Rows of append-only tables whose primary key is one content hash; those stored already are left alone.
        forget : str
            Query that deletes what the frame replaces; takes the start and the end.
        prune : str, optional
            Query that deletes what has grown too old, in whatever window; run before the checks.
        values : mapping of query to values
            What a check, `forget` or `prune` takes besides, in order.
        only_changes : bool
            Leave the rows before the first that differs as they are, with the stamps of their making. A window that
            is made again every minute then costs a read, not a rewrite of an hour.

        Raises
        ------
        ValueError
            If a column is missing or foreign, or a row lies outside the window.
        BlockedByCheckError
            If a check counts any row; nothing was written.
        """
        table = self.table(name)
        at, given = time_column(table), values or {}
        _require_inside(name, frame[at], window)
        key = [column for column in table.primary_key if column in frame.columns]
        ordered = frame.sort(key, maintain_order=True)  # stable: three times faster than not
        rows = stamped(table, ordered, stamp)
        with ThreadPoolExecutor(1) as beside, self._connection() as connection, connection.cursor() as cursor:
            hashing = beside.submit(content_hash, ordered)  # while the server works
            cursor.execute(query("lock_table_writers"), (name,))
            cursor.fetch_polars()
            start = _first_change(connection, table, window, rows) if only_changes else window.start
            changed = rows.filter(pl.col(at) >= start) if start > window.start else rows
            deleted = _count(cursor, forget, table, (start, window.end, *given.get(forget, ())))
            _ingest(cursor, table, changed)
            if prune is not None:
                _count(cursor, prune, table, tuple(given.get(prune, ())))
            appended = {
                other: _append_new(cursor, self.table(other), extra, stamp) for other, extra in (append or {}).items()
            }
            failed = failed_checks(connection, checks, window, given)
            if failed:
                raise BlockedByCheckError(name, window, failed)
            digest = hashing.result()
            connection.commit()
        newest = frame[at].max() if frame.height else None
        return Replacement(changed.height, rows.height - changed.height, deleted, appended, newest, digest)

    def append(self, name: str, frame: pl.DataFrame, *, stamp: Stamp) -> int:
        """Append to a table whose primary key is one content hash; rows stored already are left alone.

        Returns
        -------
        int
            Rows that were new.
        """
        with self._connection() as connection, connection.cursor() as cursor:
            cursor.execute(query("lock_table_writers"), (name,))
            cursor.fetch_polars()
            appended = _append_new(cursor, self.table(name), frame, stamp)
            connection.commit()
        return appended

    def table(self, name: str) -> TableSchema:
        """Look up a table by the name it always has; its schema is the one that stands in."""
        table = table_schema(name)
        return dataclasses.replace(table, schema=self.schemas.get(table.schema, table.schema))

    @contextmanager
    def session(self) -> Iterator[psycopg.Connection]:
        """Open a session in a transaction of its own, for what is not a window; it commits when nothing was raised."""
        with connect(DatabaseRole(self.role)) as connection:
            if self.schemas:
                connection.execute(query("search_schemas").encode(), (self._search_path,))
            yield connection

    @contextmanager
    def alone(self, chain: str, *, wait: bool = True) -> Iterator[bool]:
        """Hold the right to make a chain's tables; yields whether it was had.

        A run and a micro-batch may want the same table at once: what one read must not be overwritten by the other
        before it writes. The server frees the right when the holder dies.
        """
        with connect(DatabaseRole(self.role), autocommit=True) as connection:
            name = ":".join([chain, *self.schemas.values()])
            connection.execute(query("wait_without_limit"))
            row = connection.execute(query("lock_chain" if wait else "try_lock_chain"), (name,)).fetchone()
            yield bool(row and row[0])

    @contextmanager
    def _connection(self) -> Iterator[Any]:
        url = database_url(DatabaseRole(self.role))
        if self.schemas:
            url = url.with_settings(search_path=self._search_path)
        with arrow_connection(url.libpq()) as connection:
            yield connection

    @property
    def _search_path(self) -> str:
        return ",".join([*self.schemas.values(), *SEARCH_PATH])


def content_hash(frame: pl.DataFrame) -> str:
    """SHA-256 of a frame's columns and values in the order given."""
    buffer = io.BytesIO()
    compact = pl.CompatLevel.oldest()  # text in one buffer: the newer layout depends on how the frame was made
    frame.select(sorted(frame.columns)).rechunk().write_ipc(buffer, compression="uncompressed", compat_level=compact)
    return hashlib.sha256(buffer.getvalue()).hexdigest()


def _fetched(connection: Any, statement: str, parameters: tuple[Any, ...] = ()) -> pl.DataFrame:
    with connection.cursor() as cursor:
        cursor.execute(statement.rstrip().removesuffix(";"), parameters)  # the driver wraps it in a COPY
        frame: pl.DataFrame = cursor.fetch_polars()
        return frame


def _ingest(cursor: Any, table: TableSchema, rows: pl.DataFrame) -> None:
    if rows.height:
        cursor.adbc_ingest(table.name, rows, mode="append", db_schema_name=table.schema)


def _append_new(cursor: Any, table: TableSchema, frame: pl.DataFrame, stamp: Stamp) -> int:
    (identity,) = table.primary_key
    if frame.is_empty():
        return 0
    statement = query("known_ids").format(id=quoted(identity), table=qualified(table))
    cursor.execute(statement, (",".join(frame[identity].to_list()),))
    known = cursor.fetch_polars()[identity]
    fresh = frame.unique(identity, keep="first", maintain_order=True).filter(~pl.col(identity).is_in(known.implode()))
    _ingest(cursor, table, stamped(table, fresh, stamp))
    return fresh.height


def _first_change(connection: Any, table: TableSchema, window: Window, rows: pl.DataFrame) -> datetime:
    """Time of the first row of a window that does not stand as it is wanted; the window's end when all do."""
    columns = [column.name for column in table.columns if column.name not in STAMPS[:2]]
    stored = _fetched(connection, read_window_statement(table, window, columns, is_ordered=False))
    return first_change(stored, rows, key=table.primary_key, time=time_column(table)) or window.end


def _count(cursor: Any, name: str, table: TableSchema, values: tuple[Any, ...]) -> int:
    """Rows a query on any table counts."""
    statement = query(name).format(table=qualified(table), time=quoted(time_column(table)))
    cursor.execute(statement, values)
    return int(cursor.fetch_polars().item())


def _require_inside(name: str, times: pl.Series, window: Window) -> None:
    outside = times.filter(~times.is_between(window.start, window.end, closed="left"))
    if outside.len():
        raise ValueError(f"{name}: {outside.len()} rows lie outside {window}, the first at {outside.min()}")
