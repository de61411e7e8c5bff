"""Connections that carry Arrow columns to and from Postgres.

The driver asks a server for its types before it connects, which takes ten times as long as the connection. They are
asked for once in a process here, not once a connection.
"""

import functools

import adbc_driver_postgresql
from adbc_driver_manager import AdbcConnection, AdbcDatabase
from adbc_driver_postgresql import dbapi


class _KnownDatabase:
    """What a connection believes to own, and closes when it is closed itself."""

    def close(self) -> None:
        """Keep the database for the next connection; it holds no session of its own."""


def arrow_connection(uri: str) -> dbapi.Connection:
    """Open a session of its own, in a transaction; closing it rolls back what was not committed.

    Parameters
    ----------
    uri : str
        Libpq URI, password included.
    """
    return dbapi.Connection(_KnownDatabase(), AdbcConnection(_database(uri)))


@functools.lru_cache(maxsize=16)
def _database(uri: str) -> AdbcDatabase:
    return adbc_driver_postgresql.connect(uri)
