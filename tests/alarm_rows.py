"""Alarms as tests raise them."""

from datetime import UTC, datetime, timedelta

import psycopg

from domain.vocabulary.alarm import Alarm, AlarmKind, AlarmSeverity, Look
from sql.alarm import AlarmSchema, Settled, settle_alarms

AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def coverage(subject: str, severity: AlarmSeverity = AlarmSeverity.WARN) -> Alarm:
    return Alarm(
        kind=AlarmKind.COVERAGE_LOW,
        subject=subject,
        severity=severity,
        sentence=f"{subject} heard 9 of 15 channels",
        evidence={"page": "/quality", "coverage": 9},
    )


def found(*alarms: Alarm) -> Look:
    return Look(kind=AlarmKind.COVERAGE_LOW, standing=alarms)


def nothing() -> Look:
    return Look(kind=AlarmKind.COVERAGE_LOW)


def settle(connection: psycopg.Connection, look: Look, *, at: datetime = AT, schema: AlarmSchema = "regime") -> Settled:
    return settle_alarms(connection, schema, [look], at=at, by="test", config_version=1)
