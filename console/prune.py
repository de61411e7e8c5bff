"""Rows past their retention: counted, and deleted in batches. Interrupted or run twice, it does nothing wrong."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg

from console.pruned_part import PARTS, Part, Retained
from console.session import RefusedError
from domain.config.retention import RetentionConfig
from sql.queries import query

BATCH_ROWS = 20_000
"""Rows of one transaction: short enough that nobody waits for its locks."""


@dataclass(frozen=True, slots=True)
class Alive:
    """What was open when the oldest thing that is still open began; nothing older than it is touched by its age."""

    what: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Pruned:
    """What may go of a part, or is gone; sizes in bytes, of the whole table with its indexes."""

    part: Part
    before: datetime
    """Rows older than this."""
    rows: int
    size_before: int
    size_after: int


def oldest_alive(connection: psycopg.Connection) -> Alive | None:
    """Return the oldest open trade, order, episode or closure that is not learned from; None where none is."""
    rows = connection.execute(query("oldest_alive").encode()).fetchall()
    found = [Alive(what, since) for what, since in rows if since is not None]
    return min(found, key=lambda each: each.since, default=None)


def cutoffs(policy: RetentionConfig, at: datetime, alive: Alive | None) -> dict[Retained, datetime]:
    """Instant before which rows of each kind are too old.

    Parameters
    ----------
    policy : RetentionConfig
        Ages in days.
    at : datetime
        Now, aware.
    alive : Alive, optional
        Ages count back from it where it is older than now: what is open keeps all that its like would keep.
    """
    days = {
        Retained.DAGSTER: policy.dagster_days,
        Retained.MINUTE: policy.minute_days,
        Retained.TICK: policy.tick_days,
        Retained.CELL: policy.cell_days,
        Retained.STRAND: policy.strand_days,
    }
    living = at if alive is None else min(at, alive.since)
    return {kind: (at if kind is Retained.DAGSTER else living) - timedelta(days=age) for kind, age in days.items()}


def doomed(connection: psycopg.Connection, before: Mapping[Retained, datetime]) -> Iterator[Pruned]:
    """Count what may go, part by part; changes nothing. Tables that are not there are left out."""
    for part in PARTS:
        size = _size(connection, part)
        if size is not None:
            windows = _windows(connection, part, before[part.kind])
            rows = sum(_count(connection, part, window) for window in windows)
            yield Pruned(part, before[part.kind], rows, size, size)


def delete_doomed(
    connection: psycopg.Connection, before: Mapping[Retained, datetime], *, with_strands: bool
) -> Iterator[Pruned]:
    """Delete what may go, part by part, a transaction a batch, and let the server use the room again.

    Parameters
    ----------
    connection : psycopg.Connection
        Of the owner, autocommit.
    before : mapping
        By `cutoffs`.
    with_strands : bool
        Events too. The log is append-only for everybody; only its owner can take that back for a moment.

    Raises
    ------
    RefusedError
        If another process deletes at this moment, or events are wanted by somebody who does not own them.
    """
    ((is_alone,),) = connection.execute(query("prune_lock").encode()).fetchall()
    if not is_alone:
        raise RefusedError("Another prune is at work: wait for its end")
    if with_strands:
        _refuse_strangers(connection)
    for part in PARTS:
        size = _size(connection, part)
        if size is None or (part.kind is Retained.STRAND and not with_strands):
            continue
        windows = list(_windows(connection, part, before[part.kind]))
        rows = sum(_delete(connection, part, window) for window in windows)
        if rows and part.doomed_by == "doomed_dagster_event":
            connection.execute(part.statement("forget_event_tags"))
        if rows:
            connection.execute(part.statement("vacuum_part"))
        yield Pruned(part, before[part.kind], rows, size, _size(connection, part) or 0)


def _refuse_strangers(connection: psycopg.Connection) -> None:
    ((is_owner,),) = connection.execute(query("owns_event_log").encode()).fetchall()
    if not is_owner:
        raise RefusedError(
            "pm.ad_strands is append-only, and only its owner may prune it: name the owner's login by DATABASE_URL"
        )


def _size(connection: psycopg.Connection, part: Part) -> int | None:
    ((size,),) = connection.execute(query("size_of_table").encode(), {"table": part.table}).fetchall()
    return None if size is None else int(size)


def _windows(
    connection: psycopg.Connection, part: Part, before: datetime
) -> Iterator[tuple[datetime | None, datetime]]:
    """Days of a part from its oldest row on, the last one cut; of a part that does not go by day, all at once."""
    if part.first_by is None:
        yield None, before
        return
    ((first,),) = connection.execute(part.statement(part.first_by)).fetchall()
    start = None if first is None else first.replace(hour=0, minute=0, second=0, microsecond=0)
    while start is not None and start < before:
        end = min(start + timedelta(days=1), before)
        yield start, end
        start = start + timedelta(days=1)


def _count(connection: psycopg.Connection, part: Part, window: tuple[datetime | None, datetime]) -> int:
    values = {"from_at": window[0], "to_at": window[1]}
    ((rows,),) = connection.execute(part.statement("count_doomed"), values).fetchall()
    return int(rows)


def _delete(connection: psycopg.Connection, part: Part, window: tuple[datetime | None, datetime]) -> int:
    total = 0
    while True:
        with connection.transaction():
            if part.kind is Retained.STRAND:
                connection.execute(query("open_event_log").encode())
            values = {"from_at": window[0], "to_at": window[1], "most": BATCH_ROWS}
            gone = connection.execute(part.statement("delete_doomed"), values).rowcount
            if part.kind is Retained.STRAND:
                connection.execute(query("close_event_log").encode())
        total += gone
        if gone < BATCH_ROWS:
            return total
