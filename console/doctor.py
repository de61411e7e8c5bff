"""Every check of the doctor in order, and one look at all of them. It reads only; what is printed stands elsewhere."""

import contextlib
from collections.abc import Iterable, Iterator
from datetime import datetime

import psycopg

from console.dagster_checks import daemons, open_runs
from console.database_checks import Check, clock, configuration, migrations, not_asked, roles, server
from console.disk_check import disk
from console.finding import Finding, Level, trouble, worry
from console.freshness_checks import coverage, quarantine, stale_tables, ticks
from console.host_checks import Host, HostCheck, locked_packages, python_version, unknown_variables
from console.trading_checks import dead_letters, live_overrides, pending_episodes, trading_switch, waiting_trades
from sql.database import DatabaseConnectionError, connect
from sql.database_role import DatabaseRole

HOST_CHECKS: tuple[HostCheck, ...] = (python_version, locked_packages, unknown_variables)
"""Need no database."""

SERVER_CHECKS: tuple[Check, ...] = (server, migrations, roles, clock)
"""Need a server, migrated or not."""

TABLE_CHECKS: tuple[Check, ...] = (
    *(configuration, stale_tables, coverage, quarantine, ticks),
    *(trading_switch, live_overrides, waiting_trades, dead_letters, pending_episodes),
)
"""Need the product's tables, as the role of the console reads them."""

OWNER_CHECKS: tuple[Check, ...] = (daemons, open_runs, disk)
"""Need the owner: Dagster's tables and the server's folder are not shown to the role of the console."""


def examine(host: Host, at: datetime) -> list[Finding]:
    """Make every check as of an instant; one that cannot be made is a finding too.

    Parameters
    ----------
    host : Host
        This machine.
    at : datetime
        Instant that freshness and age are measured at, aware. The clocks of host and server are compared as they are.
    """
    findings = [check(host) for check in HOST_CHECKS]
    try:
        with _look(DatabaseRole.CONSOLE) as connection:
            findings += _made(SERVER_CHECKS, connection, at)
            if any(each.check == "migrations" and each.level is Level.FAIL for each in findings):
                return [*findings, worry("tables", "not looked at", "first: the migrations")]
            findings += _made(TABLE_CHECKS, connection, at)
    except DatabaseConnectionError as error:
        said, _, todo = str(error).partition("\n")
        return [*findings, trouble("database", said, todo or "start it, or name it by DATABASE_URL")]
    try:
        with _look(DatabaseRole.OWNER) as connection:
            findings += _made(OWNER_CHECKS, connection, at)
    except DatabaseConnectionError as error:
        said = str(error).partition("\n")[0]
        findings.append(worry("daemon, runs, disk", f"not looked at: {said}", "give the owner's address: DATABASE_URL"))
    return findings


@contextlib.contextmanager
def _look(role: DatabaseRole) -> Iterator[psycopg.Connection]:
    with connect(role, autocommit=True, read_only=True) as connection:
        yield connection


def _made(checks: Iterable[Check], connection: psycopg.Connection, at: datetime) -> list[Finding]:
    return [_finding(check, connection, at) for check in checks]


def _finding(check: Check, connection: psycopg.Connection, at: datetime) -> Finding:
    try:
        return check(connection, at)
    except psycopg.OperationalError as error:
        return trouble(check.__name__, f"could not be asked: {str(error).strip().splitlines()[0]}", "ask again")
    except psycopg.Error as error:
        return not_asked(check.__name__, error)
