"""What the doctor looks at of Dagster, in its own tables: whether the daemon lives, and which runs are open."""

from datetime import datetime, timedelta

import psycopg

from console.finding import Finding, trouble, well, worry
from console.printing import age
from sql.queries import query

SCHEMA = "dagster"
"""As dagster.yaml names it."""

DEAD_AFTER = timedelta(minutes=5)
"""A daemon writes every half minute."""

LONGEST_RUN = timedelta(hours=2)
"""After which Dagster ends a run itself (dagster.yaml)."""


def daemons(connection: psycopg.Connection, at: datetime) -> Finding:
    """Whether Dagster's daemon has written lately: without it no schedule starts and no queue moves."""
    if not _is_installed(connection):
        return worry("daemon", "Dagster was never started on this database", "lowcap up")
    rows = connection.execute(_query("doctor_dagster_daemons")).fetchall()
    if not rows:
        return trouble("daemon", "none has ever run", "lowcap up")
    newest = max(beat for _name, beat in rows)
    said = f"{len(rows)} parts, the newest heartbeat {_seconds(at - newest)} ago"
    if at - newest > DEAD_AFTER:
        return trouble("daemon", said, "lowcap up: without it no schedule starts")
    silent = sorted(name for name, beat in rows if newest - beat > DEAD_AFTER)
    if silent:
        return worry("daemon", f"{said}; silent: {', '.join(silent)}", "Deployment page of the UI says why")
    return well("daemon", said)


def open_runs(connection: psycopg.Connection, at: datetime) -> Finding:
    """Whether a run has been open for longer than any may be: it holds the pool, and the chain waits for it."""
    if not _is_installed(connection):
        return well("runs", "none")
    ((count, oldest),) = connection.execute(_query("doctor_dagster_open_runs")).fetchall()
    if not count:
        return well("runs", "none is open")
    said = f"{count} open, the oldest for {age(at - oldest)}"
    if at - oldest > LONGEST_RUN:
        todo = (
            "end it in the UI; of a killed terminal: python -m regime_assets prepare, python -m learning_assets prepare"
        )
        return worry("runs", said, todo)
    return well("runs", said)


def _is_installed(connection: psycopg.Connection) -> bool:
    ((is_there,),) = connection.execute(query("dagster_is_installed").encode(), {"schema": SCHEMA}).fetchall()
    return bool(is_there)


def _query(name: str) -> bytes:
    return query(name).format(schema=SCHEMA).encode()


def _seconds(span: timedelta) -> str:
    return f"{span.total_seconds():.0f} s" if span < timedelta(minutes=2) else age(span)
