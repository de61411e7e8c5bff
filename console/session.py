"""A person's connection to the database, and how its failures are told."""

import contextlib
import getpass
import sys
from collections.abc import Iterator

import psycopg
import typer

from console.printing import printable
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


class UnreadableError(RuntimeError):
    """What is stored is not what its writer may have stored; the message says which row."""


def signed(author: str, reason: str) -> dict[str, str]:
    """Return author, the login where none is named, and reason; raises `RefusedError` where one is blank."""
    signature = {"author": author or getpass.getuser(), "reason": reason}
    if not all(text.strip() for text in signature.values()):
        raise RefusedError("A change needs an author and a reason")
    return signature


_IN_THE_WAY = (
    *(DatabaseConnectionError, MigrationError, psycopg.Error),
    *(ConfigConflictError, StalePositionError, UnreadableSwitchError, UnreadableError),
)
_NOT_STORABLE = (UnicodeEncodeError, psycopg.DataError)
"""What was typed is nothing the database can hold: a byte that is no text, a number larger than any column's."""


@contextlib.contextmanager
def told() -> Iterator[None]:
    """Turn expected failures into a message on standard error and an exit code."""
    try:
        yield
    except (RefusedError, ConfigError, UnknownVersionError, *_NOT_STORABLE) as error:
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
    sys.stderr.write("".join(f"{printable(line.expandtabs(4))}\n" for line in str(error).splitlines()))
    return typer.Exit(code)
