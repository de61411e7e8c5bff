"""The way to the database: which server, as whom, and a connection to it.

DATABASE_URL unset or empty: the project's embedded Postgres, started when it does not run; each role logs in as
itself, so the server enforces its connection limit and timeouts. DATABASE_URL set: that server, 15 or newer; each
role keeps the URL's login and takes up its own Postgres role and timeouts by startup options. DATABASE_URL_REGIME,
_LEARNING, _PM and _CONSOLE replace it for one role, as they are: for logins of their own, and behind a pooler that
carries no startup options. This module and `sql.embedded_postgres` are the only readers of these variables.
"""

import os

import psycopg
from psycopg.conninfo import make_conninfo

from sql.database_role import ROLE_LIMITS, SEARCH_PATH, DatabaseRole
from sql.database_url import DatabaseUrl
from sql.embedded_postgres import EmbeddedPostgres, EmbeddedPostgresError, default_root

OLDEST_SERVER = 150_000
"""Postgres 15, as the server numbers itself."""
CONNECT_TIMEOUT_S = 10


class DatabaseConnectionError(RuntimeError):
    """The database cannot be reached or used; the message says which, without its password, and what to do."""


def database_url(role: DatabaseRole | None = None) -> DatabaseUrl:
    """Address of the database for a role (default: the owner, who migrates it); starts the embedded server if unset.

    Raises
    ------
    DatabaseConnectionError
        If a variable holds something else than the URL of a Postgres database, or the embedded server does not start.
    """
    role = role or DatabaseRole.OWNER
    named = _named_url(role)
    if named is not None:
        return named
    server = EmbeddedPostgres(default_root())
    _start(server)
    return _embedded_url(server, role)


def connect(role: DatabaseRole, *, autocommit: bool = False, read_only: bool = False) -> psycopg.Connection:
    """Connect as a role. Sessions speak UTC and search the schemas regime, pm, learning, public.

    Parameters
    ----------
    role : DatabaseRole
        The owner may do anything; the others write their own schema only.
    autocommit : bool
        Commit each statement by itself.
    read_only : bool
        Let the server refuse every write of this session.

    Raises
    ------
    DatabaseConnectionError
        If the server cannot be reached, is older than 15, or refuses the login.
    """
    named = _named_url(role)
    if named is not None:
        return open_connection(named, role, autocommit=autocommit, read_only=read_only)
    server = EmbeddedPostgres(default_root())
    url = _embedded_url(server, role)
    try:  # it nearly always runs: the handshake is the connection itself
        return open_connection(url, role, autocommit=autocommit, read_only=read_only)
    except DatabaseConnectionError:
        _start(server)
        return open_connection(url, role, autocommit=autocommit, read_only=read_only)


def open_connection(
    url: DatabaseUrl, role: DatabaseRole, *, autocommit: bool = False, read_only: bool = False
) -> psycopg.Connection:
    """Connect to an address, whatever the variables say; `connect` is the way for everybody but the migrator.

    Raises
    ------
    DatabaseConnectionError
        If the server cannot be reached, is older than 15, or refuses the login.
    """
    if read_only:
        url = url.with_settings(default_transaction_read_only="on")
    timeout = {} if url.has_parameter("connect_timeout") else {"connect_timeout": CONNECT_TIMEOUT_S}
    try:
        conninfo = make_conninfo(url.libpq(), fallback_application_name=f"lowcap {role}", **timeout)
        connection = psycopg.connect(conninfo, autocommit=autocommit)
    except psycopg.Error as error:
        raise DatabaseConnectionError(
            f"Cannot connect to {url} as {role}: {str(error).strip()}\n"
            "Check that the server runs and that DATABASE_URL is right (unset it to use the embedded Postgres). "
            "A missing role or database is made by: python -m sql.migrate"
        ) from error
    version = connection.info.server_version
    if version < OLDEST_SERVER:
        connection.close()
        raise DatabaseConnectionError(
            f"Expected Postgres {OLDEST_SERVER // 10_000} or newer at {url}, was {version // 10_000}"
        )
    return connection


def session_settings(role: DatabaseRole) -> dict[str, str | int]:
    """Server settings a role's session starts with where it does not log in as itself."""
    settings: dict[str, str | int] = {"search_path": ",".join(SEARCH_PATH), "timezone": "UTC"}
    limits = ROLE_LIMITS.get(role)
    if limits is None:
        return settings
    return settings | {
        "role": limits.postgres_role,
        "statement_timeout": limits.statement_timeout_ms,
        "lock_timeout": limits.lock_timeout_ms,
        "idle_in_transaction_session_timeout": limits.idle_in_transaction_session_timeout_ms,
    }


def _named_url(role: DatabaseRole) -> DatabaseUrl | None:
    own = _parse(f"DATABASE_URL_{role.name}") if role in ROLE_LIMITS else None
    if own is not None:
        return own
    shared = _parse("DATABASE_URL")
    return None if shared is None else shared.with_settings(**session_settings(role))


def _parse(variable: str) -> DatabaseUrl | None:
    text = os.environ.get(variable, "").strip()
    try:
        return DatabaseUrl.parse(text) if text else None
    except ValueError as error:
        raise DatabaseConnectionError(f"{variable}: {error}") from None


def _start(server: EmbeddedPostgres) -> None:
    try:
        server.start()
    except EmbeddedPostgresError as error:
        raise DatabaseConnectionError(f"{error}\nDATABASE_URL is unset, so the embedded Postgres is used") from error


def _embedded_url(server: EmbeddedPostgres, role: DatabaseRole) -> DatabaseUrl:
    limits = ROLE_LIMITS.get(role)
    try:
        if limits is None:
            return DatabaseUrl.parse(server.url()).with_settings(**session_settings(role))
        return DatabaseUrl.parse(server.url(user=limits.postgres_role))
    except EmbeddedPostgresError as error:
        raise DatabaseConnectionError(str(error)) from error
