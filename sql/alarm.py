"""Alarms as rows: what a look found is raised once, and cleared once it is over.

Each writer keeps the alarms of its own schema; `pm.alarms` shows all, and `pm.outbox` what is to be told of them. A row
is its own message, so an alarm that was committed is told, and one that was rolled back is not. Not here: what is
wrong (`domain`), and who is told (`sql.outbox`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import psycopg

from domain.vocabulary.alarm import Alarm, AlarmKind, AlarmSeverity, Look
from domain.vocabulary.release import __version__
from sql.json_text import stored_json
from sql.queries import query

AlarmSchema = Literal["regime", "pm", "learning"]
"""Where a writer's alarms stand."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What a look changed: alarms that were raised, and the subjects whose alarm is over, by kind."""

    raised: tuple[Alarm, ...] = ()
    cleared: tuple[tuple[AlarmKind, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAlarm:
    """An alarm as it is stored; `cleared_at` is None while it stands."""

    source: str
    alarm_id: int
    kind: AlarmKind
    subject: str
    severity: AlarmSeverity
    sentence: str
    evidence: Mapping[str, Any]
    raised_at: datetime
    cleared_at: datetime | None
    raised_by: str


@dataclass(frozen=True, slots=True)
class StandingAlarm:
    """What is known of an alarm that is not over."""

    alarm_id: int
    kind: AlarmKind
    subject: str
    severity: AlarmSeverity


def settle_alarms(
    connection: psycopg.Connection,
    schema: AlarmSchema,
    looks: Iterable[Look],
    *,
    at: datetime,
    by: str,
    config_version: int,
) -> Settled:
    """Raise what was found and does not stand, clear what stands and was not found, all or nothing.

    An alarm whose severity changed is over and raised anew. One that stands unchanged is left as it was first told.

    Parameters
    ----------
    connection : psycopg.Connection
        Of the schema's writer; of pm also of the console. In a transaction of the caller's, or one of its own.
    schema : {"regime", "pm", "learning"}
        Whose alarms they are.
    looks : iterable of Look
        At most one a kind.
    at : datetime
        Instant of the look.
    by : str
        Who looked.
    config_version : int
        Whose limits were broken.

    Raises
    ------
    ValueError
        If a kind was looked at twice.
    """
    by_kind = _by_kind(looks)
    with connection.transaction():
        connection.execute(query("lock_alarms").encode(), {"schema": schema})
        over, fresh = changes(_standing(connection, schema, by_kind), by_kind)
        if over:
            ids = {"alarm_ids": [each.alarm_id for each in over], "at": at}
            connection.execute(_query("clear_alarms", schema), ids)
        for alarm in fresh:
            values = {**_row(alarm), "at": at, "by": by, "config_version": config_version, "code_version": __version__}
            connection.execute(_query("raise_alarm", schema), values)
    return Settled(tuple(fresh), tuple((each.kind, each.subject) for each in over))


def read_alarms(
    connection: psycopg.Connection, *, at: datetime, ended: bool = False, most: int = 1000
) -> list[StoredAlarm]:
    """Return the alarms that stood at an instant, errors and the newest first; with `ended` also those before."""
    values = {"at": at, "ended": ended, "most": most}
    rows = connection.execute(query("alarms_told").encode(), values).fetchall()
    return [
        StoredAlarm(
            source=source,
            alarm_id=alarm_id,
            kind=AlarmKind(kind),
            subject=subject,
            severity=AlarmSeverity(severity),
            sentence=sentence,
            evidence=evidence,
            raised_at=raised_at,
            cleared_at=cleared_at,
            raised_by=raised_by,
        )
        for (source, alarm_id, kind, subject, severity, sentence, evidence, raised_at, cleared_at, raised_by) in rows
    ]


def changes(
    standing: Sequence[StandingAlarm], looks: Mapping[AlarmKind, Look]
) -> tuple[list[StandingAlarm], list[Alarm]]:
    """Return what is over, and what is to be raised."""
    found = {(kind, alarm.subject): alarm for kind, look in looks.items() for alarm in look.standing}
    over, kept = [], set()
    for each in standing:
        again = found.get((each.kind, each.subject))
        judged = looks[each.kind].judged
        if again is not None and again.severity is each.severity:
            kept.add((each.kind, each.subject))
        elif again is not None or judged is None or each.subject in judged:
            over.append(each)
    return over, [alarm for key, alarm in found.items() if key not in kept]


def _by_kind(looks: Iterable[Look]) -> dict[AlarmKind, Look]:
    by_kind: dict[AlarmKind, Look] = {}
    for look in looks:
        if look.kind in by_kind:
            raise ValueError(f"Expected one look at {look.kind}, were two")
        by_kind[look.kind] = look
    return by_kind


def _standing(connection: psycopg.Connection, schema: AlarmSchema, kinds: Iterable[AlarmKind]) -> list[StandingAlarm]:
    values = {"kinds": [kind.value for kind in kinds]}
    return [
        StandingAlarm(alarm_id, AlarmKind(kind), subject, AlarmSeverity(severity))
        for alarm_id, kind, subject, severity in connection.execute(_query("standing_alarms", schema), values)
    ]


def _row(alarm: Alarm) -> dict[str, Any]:
    return {
        "kind": alarm.kind.value,
        "subject": alarm.subject,
        "severity": alarm.severity.value,
        "sentence": alarm.sentence,
        "evidence": stored_json(dict(alarm.evidence)),
    }


def _query(name: str, schema: AlarmSchema) -> bytes:
    return query(name).format(schema=schema).encode()
