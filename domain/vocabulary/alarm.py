"""Words of alarms: what went wrong, how bad it is, what is told outside; and what one look at a kind of them found.

What belongs here: the words and the values that every rule, table and page shares. What does not: any rule.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class AlarmKind(StrEnum):
    """What went wrong."""

    EDGE_HALVED = "edge_halved"
    FPR_DOUBLED = "fpr_doubled"
    COVERAGE_LOW = "coverage_low"
    LABEL_CHURN = "label_churn"
    STALE_TABLE = "stale_table"
    DEAD_DAEMON = "dead_daemon"
    SILENT_RUNTIME = "silent_runtime"
    TICK_OVERRUN = "tick_overrun"
    NO_SCORE = "no_score"
    ORDER_NOT_TAKEN = "order_not_taken"
    RECONCILE_FAILED = "reconcile_failed"


class AlarmSeverity(StrEnum):
    """How bad it is: trading suffers from an error, a warning can wait."""

    WARN = "warn"
    ERROR = "error"


class NoticeKind(StrEnum):
    """What may be told outside."""

    ALARM_RAISED = "alarm_raised"
    ALARM_CLEARED = "alarm_cleared"
    SWITCH = "switch"
    OVERRIDE_SET = "override_set"
    REGIME_EVENT = "regime_event"


class DeliveryStatus(StrEnum):
    """How the delivery of a notification goes."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    GIVEN_UP = "given_up"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One thing that is wrong now.

    subject: with what; of a kind one subject stands once at a time. sentence: for a person, with its figures.
    evidence: JSON, the figures, keys of the rows they come from, and the page that shows them.
    """

    kind: AlarmKind
    subject: str
    severity: AlarmSeverity
    sentence: str
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a look at one kind of alarm found standing.

    judged: subjects the look could say something of; None means all there are. An alarm that stood and is not found
    again is over when its subject was judged, and stays when nobody could tell.

    Raises
    ------
    ValueError
        If an alarm is of another kind, its subject was not judged, or stands twice.
    """

    kind: AlarmKind
    standing: tuple[Alarm, ...] = ()
    judged: frozenset[str] | None = None

    def __post_init__(self) -> None:
        subjects = [alarm.subject for alarm in self.standing]
        if any(alarm.kind is not self.kind for alarm in self.standing):
            raise ValueError(f"A look at {self.kind} finds alarms of this kind, was {[a.kind for a in self.standing]}")
        if len(set(subjects)) != len(subjects):
            raise ValueError(f"A subject stands once at a time, was {sorted(subjects)}")
        if self.judged is not None and not self.judged.issuperset(subjects):
            raise ValueError(f"Subjects that were not judged cannot stand, were {sorted(set(subjects) - self.judged)}")
