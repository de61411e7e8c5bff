"""A database that exists for as long as it is needed."""

import contextlib
import os
import secrets
import time
from collections.abc import Iterator

import psycopg
from psycopg.sql import SQL, Identifier

from sql.database_url import DatabaseUrl

DROP_PATIENCE_S = 60.0


@contextlib.contextmanager
def scratch_database(server: DatabaseUrl, *, template: str | None = None) -> Iterator[str]:
    """Create a database under a name of its own and drop it at the end, whoever is still connected.

    Parameters
    ----------
    server : DatabaseUrl
        Any database of the server, with a login that may create databases.
    template : str, optional
        Database to copy, to which nobody may be connected; by default Postgres's own empty one.

    Yields
    ------
    str
        Name of the database.
    """
    name = f"lowcap_scratch_{os.getpid()}_{secrets.token_hex(4)}"
    _execute(
        server,
        SQL("CREATE DATABASE {} TEMPLATE {} ENCODING 'UTF8'").format(
            Identifier(name), Identifier(template or "template0")
        ),
    )
    try:
        yield name
    finally:
        _drop(server, name)


def _drop(server: DatabaseUrl, name: str) -> None:
    """Drop a database; where an autovacuum worker is in it, which only a superuser may end, wait until it is done."""
    statement = SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(Identifier(name))
    deadline = time.monotonic() + DROP_PATIENCE_S
    while True:
        try:
            _execute(server, statement)
        except (psycopg.errors.InsufficientPrivilege, psycopg.errors.ObjectInUse):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            return


def _execute(server: DatabaseUrl, statement: "psycopg.sql.Composed") -> None:
    with psycopg.connect(server.libpq(), autocommit=True) as connection:
        connection.execute(statement)
