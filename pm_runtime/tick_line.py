"""A tick in one line, and many ticks in one, for a person who watches."""

from collections import Counter

from domain.scores.score_reading import ScoreReading, ScoreStatus
from pm_runtime.tick import TickOutcome

ALREADY_TICKED = "already ticked"


def tick_line(outcome: TickOutcome) -> str:
    """Bar, mode, and A/E of each bucket; * marks the neutral lever in place of a degraded score.

    For example `1h 2025-01-01T00:00Z ACTIVE nano 0.53/0.64 micro 0.50/0.50* mid stale big - large -`.
    """
    tick = outcome.tick
    if tick is None:
        return f"{outcome.bar} {ALREADY_TICKED} by {outcome.holder}"
    return " ".join([str(tick.bar), tick.mode.value, *(_short(reading) for reading in tick.scores)])


def outcome_word(outcome: TickOutcome) -> str:
    """Mode of a tick, or that the bar had one."""
    return ALREADY_TICKED if outcome.tick is None else outcome.tick.mode.value


def summary_line(counts: Counter[str]) -> str:
    """How many bars, and what became of them.

    >>> summary_line(Counter({"REDUCE_ONLY": 2, "ACTIVE": 22}))
    '24 bars: 22 ACTIVE, 2 REDUCE_ONLY'
    """
    parts = ", ".join(f"{count} {word}" for word, count in sorted(counts.items()))
    return f"{counts.total()} bars: {parts}" if parts else "0 bars"


def _short(reading: ScoreReading) -> str:
    if reading.status is ScoreStatus.MISSING:
        return f"{reading.bucket} -"
    if reading.a_used is None or reading.e_used is None:
        return f"{reading.bucket} {reading.status}"
    mark = "*" if reading.status is ScoreStatus.DEGRADED else ""
    return f"{reading.bucket} {reading.a_used:.2f}/{reading.e_used:.2f}{mark}"
