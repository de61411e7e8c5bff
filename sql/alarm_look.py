"""What the rules of alarms look at: rows of the tables, read and judged as of an instant.

Every function reads on the connection it is given, of any role, and changes nothing. Dagster's own tables are shown to
the owner only.
"""

from datetime import datetime, timedelta

import psycopg

from domain.config.alarm import AlarmConfig
from domain.config.pm_config import PmConfig
from domain.learning.alarm import CellRates, LiveEdge, WindowRate, edge_look, false_positive_look
from domain.regime.label_churn import churn_look
from domain.scores.alarm import ScoreCoverage, coverage_look, daemon_look, silence_look, staleness_look
from domain.vocabulary.alarm import Look
from domain.vocabulary.cadence import CADENCE, LEARNED
from domain.vocabulary.timeframe import Timeframe
from sql.queries import query

DAGSTER_SCHEMA = "dagster"
"""As dagster.yaml names it."""


def look_at_edges(connection: psycopg.Connection, config: PmConfig, *, at: datetime) -> Look:
    """Look at the edges of live overrides."""
    rows = connection.execute(query("live_edges").encode(), {"at": at}).fetchall()
    edges = (
        LiveEdge(override_id=number, lesson_id=lesson, said=said, edge_at_birth=birth, edge_current=now)
        for number, lesson, said, birth, now in rows
    )
    return edge_look(edges, config.alarms)


def look_at_false_positives(connection: psycopg.Connection, config: PmConfig, *, at: datetime) -> Look:
    """Look at the false positive rates of the newest window and of the one before it."""
    values = {"at": at, "lookback_days": config.learning.tuning.lookback_days}
    rows = connection.execute(query("false_positive_windows").encode(), values).fetchall()
    cells = (CellRates(cell=cell, now=_window(row[:5]), earlier=_known(row[5:])) for cell, *row in rows)
    return false_positive_look(cells, config.alarms)


def look_at_coverage(connection: psycopg.Connection, config: PmConfig, *, at: datetime) -> Look | None:
    """Look at the newest scores; None where there is none."""
    rows = connection.execute(query("doctor_newest_coverage").encode(), {"at": at}).fetchall()
    scores = (
        ScoreCoverage(bucket=bucket, timeframe=timeframe, coverage=coverage, timestamp=opened)
        for bucket, timeframe, coverage, opened in rows
    )
    return coverage_look(scores, min_coverage=config.scores.min_coverage)


def look_at_labels(connection: psycopg.Connection, config: PmConfig, *, at: datetime) -> Look | None:
    """Look at the phases of the buckets; None where there is no label."""
    days = config.alarms.churn_days
    rows = connection.execute(query("label_changes").encode(), {"at": at, "days": days}).fetchall()
    if not rows:
        return None
    changes: dict[str, list[int | None]] = {subject: [None] * (days + 1) for subject, *_ in rows}
    for subject, day, _newest, count in rows:
        changes[subject][day] = count
    return churn_look(changes, config.alarms, newest_at=rows[0][2])


def look_at_tables(connection: psycopg.Connection, config: PmConfig, *, at: datetime, learned: bool = False) -> Look:
    """Look at the newest rows of the tables of the regime, or of those that are learned."""
    newest: dict[str, datetime | None] = dict(
        connection.execute(query("doctor_newest_rows").encode(), {"at": at}).fetchall()
    )
    mine = {name: start for name, start in newest.items() if (name in LEARNED) is learned}
    return staleness_look(mine, CADENCE, config.alarms, at=at)


def look_at_ticks(connection: psycopg.Connection, config: PmConfig, *, at: datetime) -> Look:
    """Look at the newest ticks of the runtime."""
    timeframes = [each.value for each in config.scores.execution_timeframes]
    rows = connection.execute(query("doctor_newest_ticks").encode(), {"timeframes": timeframes}).fetchall()
    newest = {Timeframe(name): opened for name, opened in rows if opened is not None}
    return silence_look(newest, at=at)


def look_at_daemon(connection: psycopg.Connection, config: AlarmConfig, *, at: datetime) -> Look | None:
    """Look at the heartbeats of Dagster's daemon; None where Dagster was never started on this database.

    The connection is the owner's. A part whose last heartbeat is older than a day was switched off, not lost.
    """
    values = {"schema": DAGSTER_SCHEMA}
    ((is_installed,),) = connection.execute(query("dagster_is_installed").encode(), values).fetchall()
    if not is_installed:
        return None
    rows = connection.execute(query("doctor_dagster_daemons").format(schema=DAGSTER_SCHEMA).encode()).fetchall()
    newest = max((beat for _name, beat in rows), default=at)
    return daemon_look({name: beat for name, beat in rows if newest - beat < timedelta(days=1)}, config, at=at)


def _window(row: list[object]) -> WindowRate:
    as_of, n, rate, low, high = row
    return WindowRate(as_of=as_of, n=n, rate=rate, low=low, high=high)  # type: ignore[arg-type]


def _known(row: list[object]) -> WindowRate | None:
    return None if row[0] is None else _window(row)
