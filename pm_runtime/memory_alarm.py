"""Alarms in memory: raised once and cleared once, by the rules of the database's."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from domain.vocabulary.alarm import Look
from sql.alarm import Settled, StandingAlarm, StoredAlarm, changes


@dataclass
class MemoryAlarms:
    """The alarms of the runtime, in the order they were raised."""

    rows: list[StoredAlarm] = field(default_factory=list)

    def settle(self, looks: Sequence[Look], *, at: datetime, by: str) -> Settled:
        """Raise what was found and does not stand, clear what stands and was not found."""
        by_kind = {look.kind: look for look in looks}
        standing = [
            StandingAlarm(row.alarm_id, row.kind, row.subject, row.severity)
            for row in self.rows
            if row.cleared_at is None and row.kind in by_kind
        ]
        over, fresh = changes(standing, by_kind)
        ended = {each.alarm_id for each in over}
        self.rows = [
            replace(row, cleared_at=max(row.raised_at, at)) if row.alarm_id in ended else row for row in self.rows
        ]
        self.rows += [
            StoredAlarm(
                source="pm",
                alarm_id=len(self.rows) + number,
                kind=alarm.kind,
                subject=alarm.subject,
                severity=alarm.severity,
                sentence=alarm.sentence,
                evidence=alarm.evidence,
                raised_at=at,
                cleared_at=None,
                raised_by=by,
            )
            for number, alarm in enumerate(fresh, start=1)
        ]
        return Settled(tuple(fresh), tuple((each.kind, each.subject) for each in over))
