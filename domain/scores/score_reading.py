"""One published A/E score as a tick may use it.

A score that is too old is refused. A score on too few channels is replaced by the neutral lever. A bucket without a
score is listed without values. Each of these is said in the tick's row: nothing is replaced in silence.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from domain.config.pm_config import PmConfig
from domain.vocabulary.cap_bucket import CapBucket
from domain.vocabulary.execution_bar import ExecutionBar


class ScoreStatus(StrEnum):
    """What a tick does with a bucket's score."""

    FRESH = "fresh"
    DEGRADED = "degraded"
    STALE = "stale"
    MISSING = "missing"


class CorruptScoreError(ValueError):
    """A stored score cannot be right: the tick refuses rather than guesses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedScore:
    """A row of `regime.ae_score`; `a` and `e` are None when no channel was present."""

    bucket: CapBucket
    timestamp: datetime
    a: float | None
    e: float | None
    coverage: int
    degraded: bool
    config_version: int
    code_version: str
    run_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreReading:
    """A bucket's score, what the tick makes of it, and the levers it uses.

    `a_used`, `e_used`: the score's when fresh, the neutral lever when degraded, None when stale or missing.
    """

    bucket: CapBucket
    status: ScoreStatus
    a_used: float | None
    e_used: float | None
    score: PublishedScore | None

    def to_json(self) -> dict[str, Any]:
        """Return an entry of `pm.pm_tick.scores`; what is not there is null."""
        score = self.score
        return {
            "bucket": self.bucket.value,
            "status": self.status.value,
            "a": score.a if score else None,
            "e": score.e if score else None,
            "a_used": self.a_used,
            "e_used": self.e_used,
            "coverage": score.coverage if score else None,
            "degraded": score.degraded if score else None,
            "stale": self.status is ScoreStatus.STALE,
            "timestamp": score.timestamp.isoformat() if score else None,
            "config_version": score.config_version if score else None,
            "code_version": score.code_version if score else None,
            "run_id": score.run_id if score else None,
        }


def read_score(bucket: CapBucket, score: PublishedScore | None, *, bar: ExecutionBar, config: PmConfig) -> ScoreReading:
    """Decide what a tick does with a bucket's newest score.

    Parameters
    ----------
    bucket : CapBucket
        The bucket asked for.
    score : PublishedScore or None
        Its newest score at or before the bar; None when there is none.
    bar : ExecutionBar
        The tick's bar: age is counted in its timeframe, up to its open.
    config : PmConfig
        Gives the age limit, the coverage wanted and the neutral lever.

    Returns
    -------
    ScoreReading
        Stale beyond `runtime.score_ttl_bars`. Degraded when it was published so, or covers fewer channels than
        `scores.min_coverage` now wants: a stricter limit counts at once, a looser one with the next published score.

    Raises
    ------
    CorruptScoreError
        If the score is of a later bar, or a lever lies outside 0..1.
    """
    if score is None:
        return ScoreReading(bucket=bucket, status=ScoreStatus.MISSING, a_used=None, e_used=None, score=None)
    _refuse_corrupt(score, bar)
    if bar.bars_since(score.timestamp) > config.runtime.score_ttl_bars:
        return ScoreReading(bucket=bucket, status=ScoreStatus.STALE, a_used=None, e_used=None, score=score)
    is_thin = score.degraded or score.coverage < config.scores.min_coverage
    if is_thin or score.a is None or score.e is None:
        neutral = config.runtime.neutral_lever
        return ScoreReading(bucket=bucket, status=ScoreStatus.DEGRADED, a_used=neutral, e_used=neutral, score=score)
    return ScoreReading(bucket=bucket, status=ScoreStatus.FRESH, a_used=score.a, e_used=score.e, score=score)


def _refuse_corrupt(score: PublishedScore, bar: ExecutionBar) -> None:
    if score.timestamp > bar.timestamp:
        raise CorruptScoreError(f"Score of {score.bucket} is of {score.timestamp.isoformat()}, later than bar {bar}")
    for name, lever in (("a", score.a), ("e", score.e)):
        if lever is not None and not 0 <= lever <= 1:
            raise CorruptScoreError(f"Expected {name} of {score.bucket} within 0..1 at bar {bar}, was {lever}")
