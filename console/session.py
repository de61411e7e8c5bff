"""A person's connection to the database, and how its failures are told."""

import contextlib
import sys
from collections.abc import Iterator

import psycopg
import typer

from domain.config.pm_config import ConfigError
from sql.database import DatabaseConnectionError, connect
from sql.database_role import DatabaseRole
from sql.migrated import refuse_unmigrated
from sql.migration_file import MigrationError
from sql.pm_config import ConfigConflictError, UnknownVersionError
from sql.trading_switch import UnreadableSwitchError
from sql.watched_position import StalePositionError

FAILED, REFUSED, REFUSED_IN_PART = 1, 2, 3
"""Exit codes: the database or somebody else was in the way; what was asked for cannot be; a part of it cannot."""


class RefusedError(ValueError):
    """What was asked for cannot be; the message says why, and what could."""


_IN_THE_WAY = (
    *(DatabaseConnectionError, MigrationError, psycopg.Error),
    *(ConfigConflictError, StalePositionError, UnreadableSwitchError),
)


@contextlib.contextmanager
def told() -> Iterator[None]:
    """Turn expected failures into a message on standard error and an exit code."""
    try:
        yield
    except (RefusedError, ConfigError, UnknownVersionError) as error:
        raise _told(error, REFUSED) from None
    except _IN_THE_WAY as error:
        raise _told(error, FAILED) from None


@contextlib.contextmanager
def reading() -> Iterator[psycopg.Connection]:
    """Open one instant of the database, read-only, as the role of the console."""
    with told(), connect(DatabaseRole.CONSOLE, autocommit=True, read_only=True) as connection:
        refuse_unmigrated(connection)
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        with connection.transaction():
            yield connection


@contextlib.contextmanager
def writing() -> Iterator[psycopg.Connection]:
    """Open a session of the console's role, which may add versions, releases and switches, and watch tokens."""
    with told(), connect(DatabaseRole.CONSOLE, autocommit=True) as connection:
        refuse_unmigrated(connection)
        yield connection


def _told(error: Exception, code: int) -> typer.Exit:
    sys.stderr.write(f"{error}\n")
    return typer.Exit(code)
