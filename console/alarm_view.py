"""`lowcap alarms`: what is wrong now, what was, and whether anybody was told; the facts of the board and the API."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import psycopg
import typer

from console.printing import print_json, print_table, printable
from console.session import reading
from console.stored_rows import rows_of
from domain.config.alarm import NotifyConfig
from domain.vocabulary.alarm import DeliveryStatus
from sql.alarm import StoredAlarm, read_alarms
from sql.outbox import StatusCount, status_counts, uncollected
from sql.pm_config import read_pm_config

NOTIFIER_VARIABLES = ("LOWCAP_WEBHOOK_URL", "LOWCAP_APPRISE_URL", "LOWCAP_NOTIFIER")
MOST_NOTIFICATIONS = 20
COUNTED = timedelta(days=7)
"""How far back deliveries are counted: what was lost a month ago is no news."""


def alarms(
    is_all: Annotated[bool, typer.Option("--all", help="Those that are over too, and every delivery.")] = False,
    most: Annotated[int, typer.Option(min=1, max=10_000, help="How many alarms at most.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what is wrong now, errors first, and whether anybody was told."""
    with reading() as connection:
        facts = alarm_facts(connection, ended=is_all, most=most)
    if as_json:
        print_json(facts)
        return
    standing = sum(alarm["cleared_at"] is None for alarm in facts["alarms"])
    columns = ("", "kind", "subject", "raised", "over", "what", "see")
    print_table(f"{standing} alarms stand", columns, [_cells(alarm) for alarm in facts["alarms"]])
    for line in _told_lines(facts["notifications"]):
        typer.echo(printable(line))
    if is_all:
        rows = [_delivery(row) for row in facts["notifications"]["rows"]]
        print_table("Notifications", ("status", "attempts", "last", "next", "message", "sentence"), rows)


def alarm_facts(
    connection: psycopg.Connection,
    *,
    at: datetime | None = None,
    ended: bool = False,
    most: int = 50,
    environment: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Facts of the board: alarms, and how their telling goes.

    Parameters
    ----------
    connection : psycopg.Connection
        Of any role; nothing is written.
    at : datetime, optional
        Instant at which alarms stand; by default now.
    ended : bool
        Also those that were over by then.
    most : int
        Alarms at most.
    environment : mapping of str to str, optional
        Whether a notifier is named; by default that of this process. No value of it is shown.

    Returns
    -------
    dict
        as_of: text. alarms: each with source, alarm_id, kind, subject, severity, sentence, evidence (with `page` or
        `command` where there is one), raised_at, cleared_at (None while it stands), raised_by. notifications:
        is_notifier_named, not_taken_up, counts by status over counted_days, troubled (what was given up or expired, a
        sentence or None), rows.
    """
    at = at or datetime.now(UTC)
    config = read_pm_config(connection).config.alarms.notify
    told = read_alarms(connection, at=at, ended=ended, most=most)
    named = os.environ if environment is None else environment
    return {
        "as_of": at.isoformat(),
        "alarms": [_facts(alarm) for alarm in told],
        "notifications": _notifications(connection, config, named, at),
    }


def _notifications(
    connection: psycopg.Connection, config: NotifyConfig, environment: Mapping[str, str], at: datetime
) -> dict[str, Any]:
    counts = status_counts(connection, since=at - COUNTED)
    rows = rows_of(connection, "notifications_told", most=MOST_NOTIFICATIONS)
    return {
        "is_notifier_named": any(environment.get(name, "").strip() for name in NOTIFIER_VARIABLES),
        "not_taken_up": uncollected(connection, config, at=at),
        "counts": {status.value: counts[status].count if status in counts else 0 for status in DeliveryStatus},
        "counted_days": COUNTED.days,
        "troubled": _lost_words(counts),
        "rows": [
            {name: value.isoformat() if isinstance(value, datetime) else value for name, value in row.items()}
            for row in rows
        ],
    }


def _lost_words(counts: Mapping[DeliveryStatus, StatusCount]) -> str | None:
    said = {DeliveryStatus.GIVEN_UP: "given up", DeliveryStatus.EXPIRED: "too old before they could be told"}
    lost = [f"{counts[status].count} {words}" for status, words in said.items() if status in counts]
    return f"Nobody was told of {' and '.join(lost)}" if lost else None


def _facts(alarm: StoredAlarm) -> dict[str, Any]:
    return {
        "source": alarm.source,
        "alarm_id": alarm.alarm_id,
        "kind": alarm.kind.value,
        "subject": alarm.subject,
        "severity": alarm.severity.value,
        "sentence": alarm.sentence,
        "evidence": dict(alarm.evidence),
        "raised_at": alarm.raised_at.isoformat(),
        "cleared_at": None if alarm.cleared_at is None else alarm.cleared_at.isoformat(),
        "raised_by": alarm.raised_by,
    }


def _told_lines(facts: Mapping[str, Any]) -> list[str]:
    counts = facts["counts"]
    said = ", ".join(f"{count} {status}" for status, count in counts.items())
    lines = [f"notifications of {facts['counted_days']} days: {said}"]
    if facts["not_taken_up"]:
        lines.append(f"{facts['not_taken_up']} that no sender has taken up: lowcap up, or lowcap notify --once")
    if facts["troubled"]:
        lines.append(facts["troubled"])
    return lines


def _cells(alarm: Mapping[str, Any]) -> tuple[str, ...]:
    evidence = alarm["evidence"]
    over = "" if alarm["cleared_at"] is None else _minute(alarm["cleared_at"])
    see = evidence.get("command") or evidence.get("page") or ""
    return (
        *(alarm["severity"], alarm["kind"], alarm["subject"]),
        *(_minute(alarm["raised_at"]), over, alarm["sentence"], str(see)),
    )


def _delivery(row: Mapping[str, Any]) -> tuple[str, ...]:
    next_at = "" if row["next_at"] is None else _minute(row["next_at"])
    return (
        *(row["status"], str(row["attempts"]), row["last_status"] or ""),
        *(next_at, row["message_id"], row["sentence"]),
    )


def _minute(text: str) -> str:
    return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%MZ}"
