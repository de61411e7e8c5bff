"""A look from outside: whether Dagster's daemon and the runtime live. Raised as alarms of `pm`, by whoever looks.

It needs neither of them: a sensor of Dagster looks at the runtime, and `lowcap notify --once` looks at both.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import psycopg

from domain.vocabulary.alarm import Look
from sql.alarm import Settled, settle_alarms
from sql.alarm_look import look_at_daemon, look_at_ticks
from sql.database import DatabaseConnectionError, connect
from sql.database_role import DatabaseRole
from sql.pm_config import read_pm_config


def look_from_outside(connection: psycopg.Connection, *, at: datetime, by: str) -> Settled:
    """Raise and clear the alarms of the daemon and the runtime, on a connection of the console."""
    stored = read_pm_config(connection)
    looks = [look_at_ticks(connection, stored.config, at=at)]
    with _owner() as owner:
        daemon: Look | None = None if owner is None else look_at_daemon(owner, stored.config.alarms, at=at)
    if daemon is not None:
        looks.append(daemon)
    return settle_alarms(connection, "pm", looks, at=at, by=by, config_version=stored.version)


@contextmanager
def _owner() -> Iterator[psycopg.Connection | None]:
    """Connect as the owner, who alone sees Dagster's tables; None where this process may not."""
    try:
        connection = connect(DatabaseRole.OWNER, autocommit=True, read_only=True)
    except DatabaseConnectionError:
        yield None
        return
    with connection:
        yield connection
