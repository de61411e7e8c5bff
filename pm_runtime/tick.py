"""One tick: from one instant of the database, read the regime's A/E for a closed bar, decide, write one row."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from domain.config.pm_config import PmConfig
from domain.scores.score_reading import PublishedScore, ScoreReading, read_score
from domain.vocabulary.cap_bucket import REGIME_BUCKETS, CapBucket
from domain.vocabulary.execution_bar import ExecutionBar
from domain.vocabulary.release import __version__
from pm_runtime.ports import AlreadyTickedError, RuntimeStore
from pm_runtime.tick_row import TickRow, mode_of

CLOCK_TOLERANCE = timedelta(seconds=2)
"""How far the database's clock may be behind the bar's close; beyond it the bar is of the future."""


class FutureBarError(ValueError):
    """The bar has not closed by the database's clock: one of two clocks is wrong."""


@dataclass(frozen=True, slots=True)
class TickOutcome:
    """What became of a tick; `tick` is None when the bar had one already, by `holder`."""

    bar: ExecutionBar
    holder: str
    tick: TickRow | None


def run_tick(
    store: RuntimeStore,
    bar: ExecutionBar,
    *,
    buckets: Sequence[CapBucket] = REGIME_BUCKETS,
    code_version: str = __version__,
) -> TickOutcome:
    """Tick a bar, unless it was ticked before; all reads and the write are one transaction on one instant.

    Returns
    -------
    TickOutcome
        The stored row, or who ticked the bar before. Of callers that race for a bar exactly one gets the row.

    Raises
    ------
    FutureBarError
        If the bar has not closed by the database's time.
    ConfigError, CorruptScoreError
        If what is stored cannot be right; nothing is written.
    psycopg.Error
        If the database fails; nothing is written.
    """
    try:
        with store.snapshot() as snapshot:
            if bar.closed_at > snapshot.now_at() + CLOCK_TOLERANCE:
                raise FutureBarError(
                    f"Bar {bar} has not closed: the database's time is {snapshot.now_at().isoformat()}"
                )
            earlier = snapshot.ticked_by(bar)
            if earlier is not None:
                return TickOutcome(bar, earlier, None)
            versioned = snapshot.read_config()
            readings = read_scores(
                snapshot.newest_scores(bar, buckets), buckets=buckets, bar=bar, config=versioned.config
            )
            mode, reason = mode_of(readings)
            tick = TickRow(
                bar=bar,
                mode=mode,
                mode_reason=reason,
                scores=readings,
                config_version=versioned.version,
                code_version=code_version,
                holder=store.holder,
            )
            snapshot.write_tick(tick)
    except AlreadyTickedError:
        with store.snapshot() as later:
            return TickOutcome(bar, later.ticked_by(bar) or "unknown", None)
    return TickOutcome(bar, store.holder, tick)


def read_scores(
    scores: Sequence[PublishedScore], *, buckets: Sequence[CapBucket], bar: ExecutionBar, config: PmConfig
) -> tuple[ScoreReading, ...]:
    """Return one reading for every bucket asked for, in that order, whether it has a score or not."""
    by_bucket = {score.bucket: score for score in scores}
    return tuple(read_score(bucket, by_bucket.get(bucket), bar=bar, config=config) for bucket in buckets)
