"""The database as a page sees it: one instant, read-only, as the role of the console, and few at a time."""

import contextlib
import threading
from collections.abc import Iterator

import psycopg

from sql.database import connect
from sql.database_role import DatabaseRole
from sql.migrated import refuse_unmigrated

SEATS = 4
"""Requests with a connection at a time: the role has 12 connections, and people at terminals want some of them."""
PATIENCE_S = 5.0


class BusyError(RuntimeError):
    """All seats are taken, and none became free in time."""


_seats = threading.BoundedSemaphore(SEATS)


@contextlib.contextmanager
def reading_page() -> Iterator[psycopg.Connection]:
    """Open one instant of the database; the server refuses every write of this session.

    Raises
    ------
    BusyError
        If too many requests read already.
    DatabaseConnectionError, MigrationError, psycopg.Error
        As a command has it.
    """
    with _seat(), connect(DatabaseRole.CONSOLE, autocommit=True, read_only=True) as connection:
        refuse_unmigrated(connection)
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        with connection.transaction():
            yield connection


@contextlib.contextmanager
def writing_page() -> Iterator[psycopg.Connection]:
    """Open a session that may set the switch, as a command has it. Raises as `reading_page`."""
    with _seat(), connect(DatabaseRole.CONSOLE, autocommit=True) as connection:
        refuse_unmigrated(connection)
        yield connection


@contextlib.contextmanager
def _seat() -> Iterator[None]:
    if not _seats.acquire(timeout=PATIENCE_S):
        raise BusyError("Too many requests read the database at once; try again")
    try:
        yield
    finally:
        _seats.release()
