"""What the runtime itself finds wrong, and when the store is told: at the first look of a process, and at changes.

An alarm that stood when an earlier process ended is over once this one has looked and found nothing.
"""

from collections.abc import Sequence

from domain.scores.score_reading import ScoreStatus
from domain.vocabulary.alarm import Alarm, AlarmKind, AlarmSeverity, Look
from domain.vocabulary.execution_bar import ExecutionBar
from pm_runtime.tick_row import TickRow

ORDERS = "orders"
"""Subject of an alarm about the orders of every timeframe."""


class RuntimeAlarms:
    """What was found of each subject, and of which of it the store was told."""

    def __init__(self) -> None:
        self._found: dict[tuple[AlarmKind, str], Alarm | None] = {}
        self._untold: set[tuple[AlarmKind, str]] = set()

    def note(self, kind: AlarmKind, subject: str, alarm: Alarm | None) -> None:
        """Note that something is wrong with a subject, or nothing. A standing alarm is kept as it was first found."""
        key = (kind, subject)
        if key in self._found and (self._found[key] is None) == (alarm is None):
            return
        self._found[key] = alarm
        self._untold.add(key)

    def untold(self) -> list[Look]:
        """Return what the store was not told: a look a kind, which judges only what changed."""
        looks = []
        for kind in sorted({kind for kind, _subject in self._untold}):
            subjects = {subject for each, subject in self._untold if each is kind}
            standing = (self._found[kind, subject] for subject in sorted(subjects))
            looks.append(
                Look(
                    kind=kind,
                    standing=tuple(alarm for alarm in standing if alarm is not None),
                    judged=frozenset(subjects),
                )
            )
        return looks

    def told(self, looks: Sequence[Look]) -> None:
        """Note that the store was told; what it was told meanwhile besides is still untold."""
        self._untold -= {(look.kind, subject) for look in looks for subject in look.judged or ()}


def no_score(tick: TickRow) -> Alarm | None:
    """Return the alarm of a tick that had no score to act on; None where it had one.

    A halt by a person is none: the switch says so itself.
    """
    if tick.count(ScoreStatus.FRESH) or tick.count(ScoreStatus.DEGRADED):
        return None
    timeframe = tick.bar.timeframe.value
    by_status = {status.value: tick.count(status) for status in ScoreStatus if tick.count(status)}
    said = ", ".join(f"{count} {status}" for status, count in by_status.items()) or "no bucket was asked for"
    return Alarm(
        kind=AlarmKind.NO_SCORE,
        subject=timeframe,
        severity=AlarmSeverity.ERROR,
        sentence=f"The runtime only sells on {timeframe}: at {tick.bar} it had no A/E to act on ({said}).",
        evidence={
            "scores": by_status,
            "rows": {"pm.pm_tick": [timeframe, tick.bar.timestamp.isoformat()]},
            "page": "/quality",
            "command": "lowcap doctor",
        },
    )


def overrun(bar: ExecutionBar, *, skipped: int, in_a_row: int) -> Alarm:
    """Return the alarm of ticks that take longer than their bars."""
    return Alarm(
        kind=AlarmKind.TICK_OVERRUN,
        subject=bar.timeframe.value,
        severity=AlarmSeverity.ERROR,
        sentence=f"Ticks of {bar.timeframe.value} are too slow: {in_a_row} in a row passed over bars, the last over"
        f" {skipped}.",
        evidence={
            "in_a_row": in_a_row,
            "skipped": skipped,
            "rows": {"pm.pm_tick": [bar.timeframe.value, bar.timestamp.isoformat()]},
        },
    )


def orders_not_taken(bar: ExecutionBar, count: int) -> Alarm:
    """Return the alarm of orders that a venue did not take; they are told again at every tick of their timeframe."""
    return Alarm(
        kind=AlarmKind.ORDER_NOT_TAKEN,
        subject=bar.timeframe.value,
        severity=AlarmSeverity.ERROR,
        sentence=f"The venue did not take {count} orders of {bar.timeframe.value}: they are told again at each tick.",
        evidence={
            "orders": count,
            "rows": {"pm.pm_tick": [bar.timeframe.value, bar.timestamp.isoformat()]},
            "command": "lowcap trades --open",
        },
    )


def reconcile_failed(error: Exception) -> Alarm:
    """Return the alarm of a start that could not say what an earlier process had ordered."""
    return Alarm(
        kind=AlarmKind.RECONCILE_FAILED,
        subject=ORDERS,
        severity=AlarmSeverity.ERROR,
        sentence="Orders that an earlier process had planned could not be told to the venue.",
        evidence={"error": type(error).__name__, "command": "lowcap trades --open"},
    )
