"""What the doctor looks at of the market: how old the newest rows are, what they cover, what was refused."""

from datetime import datetime, timedelta

import psycopg

from console.database_checks import config_in_force
from console.finding import Finding, trouble, well, worry
from console.printing import age
from domain.vocabulary.cadence import CADENCE
from domain.vocabulary.timeframe import Timeframe
from sql.queries import query

WARN_LATE, FAIL_LATE = timedelta(hours=2), timedelta(hours=3)
"""As the assets' own freshness: the chain runs hourly, so two hours miss one run and three miss two."""

NEVER_LEARNED = "learning_run"
CHANNELS = 15


def stale_tables(connection: psycopg.Connection, at: datetime) -> Finding:
    """Whether the newest row of every main table is as new as its cadence asks."""
    newest: dict[str, datetime | None] = dict(
        connection.execute(query("doctor_newest_rows").encode(), {"at": at}).fetchall()
    )
    ((is_learning_due,),) = connection.execute(query("doctor_has_closed_trades").encode()).fetchall()
    if not is_learning_due:
        del newest[NEVER_LEARNED]
    if not any(newest.values()):
        return trouble("tables", "all of them are empty", "make demo, or python -m regime_assets backfill --from DAY")
    late = {name: _lateness(name, start, at) for name, start in newest.items()}
    worst = [name for name, span in late.items() if span is None or span > WARN_LATE]
    if not worst:
        return well("tables", f"{len(late)} are as new as they should be")
    said = ", ".join(_late_words(name, late[name]) for name in worst)
    todo = "lowcap up, then look at failed runs; days that are missing: python -m regime_assets backfill --from DAY"
    spans = [span for name in worst if (span := late[name]) is not None]
    is_bad = any(span > FAIL_LATE for span in spans)
    return trouble("tables", said, todo) if is_bad else worry("tables", said, todo)


def ticks(connection: psycopg.Connection, at: datetime) -> Finding:
    """Whether the runtime ticked the newest closed bars; two bars or 10 minutes late, whatever is more, is too late."""
    timeframes = [each.value for each in config_in_force(connection).scores.execution_timeframes]
    rows = connection.execute(query("doctor_newest_ticks").encode(), {"timeframes": timeframes}).fetchall()
    newest = {Timeframe(name): opened for name, opened in rows if opened is not None}
    if not newest:
        return worry("runtime", "no bar was ever ticked", "lowcap up, or python -m pm_runtime")
    silent = [
        f"{each} for {age(at - opened - each.duration)}"
        for each, opened in newest.items()
        if at - opened - each.duration > max(2 * each.duration, timedelta(minutes=10))
    ]
    if silent:
        return trouble("runtime", f"no tick of {', '.join(silent)}", "lowcap up; its log: .lowcap/run/pm_runtime.log")
    return well("runtime", f"ticks {', '.join(newest)}")


def coverage(connection: psycopg.Connection, at: datetime) -> Finding:
    """Whether the newest score of every bucket hears enough channels for the runtime to act on it."""
    least = config_in_force(connection).scores.min_coverage
    rows = connection.execute(query("doctor_newest_coverage").encode(), {"at": at}).fetchall()
    if not rows:
        return worry("coverage", "no score in ten days", "lowcap up, or python -m regime_assets backfill --from DAY")
    thin = [f"{bucket} {timeframe} {heard}" for bucket, timeframe, heard, _at in rows if heard < least]
    if not thin:
        return well("coverage", f"{len(rows)} newest scores hear {min(row[2] for row in rows)} or more of {CHANNELS}")
    more = f" and {len(thin) - 4} more" if len(thin) > 4 else ""
    said = f"below {least} of {CHANNELS}: {', '.join(thin[:4])}{more}"
    return worry("coverage", said, "lowcap ae and lowcap states say which channels are silent")


def quarantine(connection: psycopg.Connection, at: datetime) -> Finding:
    """Whether bars were refused in the last day; those a person released, or that were superseded, do not count."""
    rows = connection.execute(query("doctor_quarantined_since").encode(), {"at": at}).fetchall()
    if not rows:
        return well("quarantine", "nothing was refused in the last day")
    said = ", ".join(f"{count} {reason} in {table}" for table, reason, count in rows[:4])
    total = sum(count for *_names, count in rows)
    return worry("quarantine", f"{total} bars in the last day: {said}", "lowcap quarantine list")


def _lateness(name: str, newest: datetime | None, at: datetime) -> timedelta | None:
    """Since when the next row is due; None where there is no row at all."""
    return None if newest is None else at - newest - CADENCE[name]


def _late_words(name: str, span: timedelta | None) -> str:
    return f"{name} is empty" if span is None else f"{name} {age(span)} late"
