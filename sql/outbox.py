"""The outbox: messages that are taken up, tried, and delivered, given up or expired; a row each in `pm.notification`.

A message is a row of `pm.outbox`, which shows what was committed. It is claimed for a while, sent with no transaction
open, and what came of it is written afterwards. A sender that dies in between leaves the claim to run out, and the
message is sent again under the same key: delivered at least once. Not here: how it is sent (`resources`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg

from domain.config.alarm import NotifyConfig
from domain.vocabulary.alarm import DeliveryStatus, NoticeKind
from sql.queries import query

LEASE_S = 120.0
"""How long an attempt may take before another sender believes that it died."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """An attempt that has begun. notification_id: the idempotency key. attempts: with this one. body: JSON text."""

    notification_id: str
    message_id: str
    kind: NoticeKind
    body: str
    attempts: int


@dataclass(frozen=True, slots=True)
class StatusCount:
    """Notifications of a status, and when the oldest of them happened."""

    count: int
    oldest: datetime


def collect(connection: psycopg.Connection, config: NotifyConfig, *, at: datetime) -> int:
    """Take new messages up, and let go of those that have waited too long; returns how many are new.

    Parameters
    ----------
    connection : psycopg.Connection
        Of the console or the owner.
    """
    values = _selection(config, at)
    with connection.transaction():
        connection.execute(query("expire_notifications").encode(), values)
        ((taken,),) = connection.execute(query("collect_messages").encode(), values).fetchall()
    return int(taken)


def claim(connection: psycopg.Connection, *, at: datetime, notifier: str, lease_s: float = LEASE_S) -> Claim | None:
    """Begin an attempt at the oldest notification that is due; None when none is. Two senders never get the same."""
    values = {"at": at, "notifier": notifier, "lease_s": lease_s}
    row = connection.execute(query("claim_notification").encode(), values).fetchone()
    if row is None:
        return None
    notification_id, message_id, kind, body, attempts = row
    return Claim(
        notification_id=notification_id, message_id=message_id, kind=NoticeKind(kind), body=body, attempts=attempts
    )


def mark_delivered(connection: psycopg.Connection, claimed: Claim, *, at: datetime, status: str) -> None:
    """Say that an attempt went well."""
    _end(connection, claimed, DeliveryStatus.DELIVERED, status, next_at=at, ended_at=at)


def mark_failed(
    connection: psycopg.Connection,
    claimed: Claim,
    config: NotifyConfig,
    *,
    at: datetime,
    status: str,
    is_permanent: bool,
    retry_after_s: float = 0.0,
) -> DeliveryStatus:
    """Say that an attempt failed; it is given up when it was the last, or no other can help.

    Parameters
    ----------
    status : str
        What came of it, without any secret.
    retry_after_s : float
        What the other side asked for; the schedule's wait, where that is longer.
    """
    if is_permanent or claimed.attempts >= config.max_attempts:
        _end(connection, claimed, DeliveryStatus.GIVEN_UP, status, next_at=at, ended_at=at)
        return DeliveryStatus.GIVEN_UP
    wait = timedelta(seconds=max(config.wait_s(claimed.attempts), retry_after_s))
    _end(connection, claimed, DeliveryStatus.WAITING, status, next_at=at + wait, ended_at=None)
    return DeliveryStatus.WAITING


def status_counts(connection: psycopg.Connection, *, since: datetime) -> dict[DeliveryStatus, StatusCount]:
    """Return how many notifications of what happened since have each status; one that none has is not in it."""
    rows = connection.execute(query("notification_counts").encode(), {"since": since}).fetchall()
    return {DeliveryStatus(status): StatusCount(count, oldest) for status, count, oldest in rows}


def uncollected(connection: psycopg.Connection, config: NotifyConfig, *, at: datetime) -> int:
    """Return how many messages no sender has taken up."""
    ((count,),) = connection.execute(query("uncollected_messages").encode(), _selection(config, at)).fetchall()
    return int(count)


def _selection(config: NotifyConfig, at: datetime) -> Mapping[str, Any]:
    return {"kinds": [kind.value for kind in config.kinds], "max_age_hours": config.max_age_hours, "at": at}


def _end(
    connection: psycopg.Connection,
    claimed: Claim,
    status: DeliveryStatus,
    last_status: str,
    *,
    next_at: datetime,
    ended_at: datetime | None,
) -> None:
    values = {
        "notification_id": claimed.notification_id,
        "attempts": claimed.attempts,
        "status": status.value,
        "last_status": last_status,
        "next_at": next_at,
        "ended_at": ended_at,
    }
    connection.execute(query("end_attempt").encode(), values)
