"""What a tick leaves behind: one row of `pm.pm_tick`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from domain.scores.score_reading import ScoreReading, ScoreStatus
from domain.vocabulary.execution_bar import ExecutionBar


class TickMode(StrEnum):
    """What the portfolio may do until the next tick."""

    ACTIVE = "ACTIVE"
    REDUCE_ONLY = "REDUCE_ONLY"


@dataclass(frozen=True, slots=True, kw_only=True)
class TickRow:
    """One tick as it is stored. When it started and ended is the database's to say."""

    bar: ExecutionBar
    mode: TickMode
    mode_reason: str | None
    scores: tuple[ScoreReading, ...]
    config_version: int
    code_version: str
    holder: str

    def count(self, status: ScoreStatus) -> int:
        """Buckets whose score has this status."""
        return sum(reading.status is status for reading in self.scores)


def mode_of(readings: Sequence[ScoreReading]) -> tuple[TickMode, str | None]:
    """Mode a tick's scores allow, with the reason when no score is fresh.

    One score within its time to live is enough to be active: buckets are independent, and a stale or missing one
    carries no levers to add with. A degraded score counts, with neutral levers, and the reason says so.
    """
    by_status: dict[ScoreStatus, list[str]] = {}
    for reading in readings:
        by_status.setdefault(reading.status, []).append(reading.bucket.value)
    if ScoreStatus.FRESH in by_status:
        return TickMode.ACTIVE, None
    if ScoreStatus.DEGRADED in by_status:
        return TickMode.ACTIVE, f"neutral levers only: {_listed(by_status)}"
    return TickMode.REDUCE_ONLY, f"no score to act on: {_listed(by_status) or 'no bucket was asked for'}"


def _listed(by_status: Mapping[ScoreStatus, Sequence[str]]) -> str:
    return "; ".join(f"{len(buckets)} {status} ({', '.join(buckets)})" for status, buckets in sorted(by_status.items()))
