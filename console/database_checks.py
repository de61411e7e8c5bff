"""What the doctor looks at of the database itself: its server, roles, migrations, clock and configuration."""

from collections.abc import Callable
from datetime import UTC, datetime

import psycopg

from console.finding import Finding, trouble, well, worry
from domain.config.pm_config import ConfigError, PmConfig
from sql.database_role import ROLE_LIMITS, RoleLimits
from sql.migration_file import MigrationError, list_migrations, pending_migrations
from sql.pm_config import read_pm_config
from sql.queries import query

Check = Callable[[psycopg.Connection, datetime], Finding]
"""Looks at a database as of an instant."""

LARGEST_SKEW_S = 2.0
"""Leases go by the server's clock, bars by the host's: beyond this a bar looks closed that is not."""


def server(connection: psycopg.Connection, _at: datetime) -> Finding:
    """Whether the database answers, and which it is; too old a server is refused before."""
    ((_now, version, name),) = connection.execute(query("doctor_server_now").encode()).fetchall()
    return well("database", f"{name} on Postgres {version}")


def migrations(connection: psycopg.Connection, _at: datetime) -> Finding:
    """Whether the tables are those of this code: none missing, none edited, none newer."""
    try:
        missing = pending_migrations(connection)
    except MigrationError as error:
        return trouble("migrations", str(error), "run the code that made this database, or name the right one")
    if missing:
        return trouble("migrations", f"missing: {', '.join(each.revision for each in missing)}", "make migrate")
    return well("migrations", f"{len(list_migrations())} applied, none edited")


def roles(connection: psycopg.Connection, _at: datetime) -> Finding:
    """Whether every role is there with the limits that the code counts on."""
    names = [limits.postgres_role for limits in ROLE_LIMITS.values()]
    rows = connection.execute(query("doctor_roles_found").encode(), {"roles": names}).fetchall()
    found = {name: (connections, set(settings)) for name, connections, settings in rows}
    wrong = [said for limits in ROLE_LIMITS.values() if (said := _role_difference(limits, found))]
    if not wrong:
        return well("roles", f"{len(names)} with their limits")
    return trouble("roles", "; ".join(wrong), "restore them as sql/migrations/0001 makes them, or make migrate")


def clock(
    connection: psycopg.Connection, _at: datetime, *, host_now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> Finding:
    """Whether the clocks of host and server agree; the middle of the question stands for its instant."""
    before = host_now()
    ((now, *_),) = connection.execute(query("doctor_server_now").encode()).fetchall()
    after = host_now()
    ahead_s = (before + (after - before) / 2 - now).total_seconds()
    said = f"the host is {abs(ahead_s):.2f} s {'ahead of' if ahead_s > 0 else 'behind'} the server"
    if abs(ahead_s) > LARGEST_SKEW_S + (after - before).total_seconds() / 2:
        return trouble("clock", said, "set both by NTP: until then bars are closed too early or too late")
    return well("clock", said)


def configuration(connection: psycopg.Connection, _at: datetime) -> Finding:
    """Whether the configuration in force is valid under this code."""
    try:
        stored = read_pm_config(connection)
    except ConfigError as error:
        return trouble("configuration", str(error), "lowcap config history, then lowcap config unset KEY")
    except LookupError as error:
        return trouble("configuration", str(error), "make migrate on an empty database, or restore a backup")
    return well("configuration", f"version {stored.version}, valid")


def config_in_force(connection: psycopg.Connection) -> PmConfig:
    """Return the configuration that other checks measure by: the defaults where the one in force is not valid."""
    try:
        return read_pm_config(connection).config
    except (ConfigError, LookupError):
        return PmConfig()


def not_asked(check: str, error: psycopg.Error) -> Finding:
    """Return what is said where the server refused the question."""
    return worry(
        check, f"could not be asked: {str(error).strip().splitlines()[0]}", "look with a login that may read it"
    )


def _role_difference(limits: RoleLimits, found: dict[str, tuple[int, set[str]]]) -> str:
    name = limits.postgres_role
    if name not in found:
        return f"{name} is missing"
    connections, settings = found[name]
    wanted = {
        "statement_timeout": limits.statement_timeout_ms,
        "lock_timeout": limits.lock_timeout_ms,
        "idle_in_transaction_session_timeout": limits.idle_in_transaction_session_timeout_ms,
    }
    wrong = [key for key, ms in wanted.items() if not settings & {f"{key}={ms}", f"{key}={ms // 1000}s"}]
    wrong += [] if connections == limits.connection_limit else [f"{connections} connections"]
    return f"{name} differs: {', '.join(wrong)}" if wrong else ""
