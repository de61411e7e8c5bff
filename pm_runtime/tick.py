"""One tick: from one instant of the database, read regime and portfolio for a closed bar, decide, write, then order.

Everything that is written, is written in one transaction. Venues hear of the orders after the commit.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from domain.config.pm_config import PmConfig
from domain.scores.score_reading import PublishedScore, ScoreReading, read_score
from domain.vocabulary.cap_bucket import REGIME_BUCKETS, CapBucket
from domain.vocabulary.execution_bar import ExecutionBar
from domain.vocabulary.release import __version__
from pm_runtime.paper_venue import open_paper_venue
from pm_runtime.portfolio_row import OrderRow, Provenance
from pm_runtime.portfolio_tick import tick_portfolio
from pm_runtime.ports import AlreadyTickedError, RuntimeStore, Snapshot, StaleRowError
from pm_runtime.submitting import NOTHING_SUBMITTED, Submission, submit_orders
from pm_runtime.tick_market import read_market
from pm_runtime.tick_row import TickRow, mode_of
from pm_runtime.venue import Venue

CLOCK_TOLERANCE = timedelta(seconds=2)
"""How far the database's clock may be behind the bar's close; beyond it the bar is of the future."""

ATTEMPTS = 3
"""Times a bar is decided anew because somebody, a person who pauses a position, wrote what it was decided on."""


class FutureBarError(ValueError):
    """The bar has not closed by the database's clock: one of two clocks is wrong."""


@dataclass(frozen=True, slots=True)
class TickOutcome:
    """What became of a tick; `tick` is None when the bar had one already, by `holder`. submission: of its orders."""

    bar: ExecutionBar
    holder: str
    tick: TickRow | None
    submission: Submission = NOTHING_SUBMITTED


def run_tick(
    store: RuntimeStore,
    bar: ExecutionBar,
    *,
    open_venue: Callable[[PmConfig], Venue] = open_paper_venue,
    buckets: Sequence[CapBucket] = REGIME_BUCKETS,
    code_version: str = __version__,
) -> TickOutcome:
    """Tick a bar, unless it was ticked before; all reads and writes are one transaction on one instant.

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
    StaleRowError
        If what it was decided on was written by somebody else, ATTEMPTS times in a row; nothing is written.
    psycopg.Error
        If the database fails; nothing is written, or the tick is and its orders are still to be submitted.
    """
    for left in reversed(range(ATTEMPTS)):
        try:
            with store.snapshot() as snapshot:
                earlier = _ticked_before(snapshot, bar)
                if earlier is not None:
                    return TickOutcome(bar, earlier, None)
                tick, venue, orders = _tick(snapshot, bar, open_venue, buckets, code_version, store.holder)
        except AlreadyTickedError:
            return TickOutcome(bar, _holder_of(store, bar) or "unknown", None)
        except StaleRowError:
            holder = _holder_of(store, bar)
            if holder is not None:
                return TickOutcome(bar, holder, None)
            if left == 0:
                raise
        else:
            return TickOutcome(bar, store.holder, tick, submit_orders(store, venue, orders))
    raise AssertionError("Every attempt returns or raises")


def _ticked_before(snapshot: Snapshot, bar: ExecutionBar) -> str | None:
    """Return who ticked the bar; None when it may be ticked now."""
    if bar.closed_at > snapshot.now_at() + CLOCK_TOLERANCE:
        raise FutureBarError(f"Bar {bar} has not closed: the database's time is {snapshot.now_at().isoformat()}")
    return snapshot.ticked_by(bar)


def _holder_of(store: RuntimeStore, bar: ExecutionBar) -> str | None:
    with store.snapshot() as later:
        return later.ticked_by(bar)


def _tick(
    snapshot: Snapshot,
    bar: ExecutionBar,
    open_venue: Callable[[PmConfig], Venue],
    buckets: Sequence[CapBucket],
    code_version: str,
    holder: str,
) -> tuple[TickRow, Venue, list[OrderRow]]:
    """Read, decide and write; returns the row that was written and the orders its venue is to be told."""
    versioned = snapshot.read_config()
    readings = read_scores(snapshot.newest_scores(bar, buckets), buckets=buckets, bar=bar, config=versioned.config)
    positions, book = snapshot.positions(bar.timeframe), snapshot.book(besides=bar.timeframe)
    counts_watched = versioned.config.portfolio.exposure.watchlist_factor > 0
    watched = snapshot.watchlist(besides=bar.timeframe) if counts_watched else []
    market = read_market(
        snapshot,
        bar,
        config=versioned.config,
        made_by=Provenance(config_version=versioned.version, code_version=code_version),
        readings=readings,
        positions=positions,
        elsewhere=[*book, *watched],
    )
    mode, reason = mode_of(readings, market.allowed({}))
    venue = open_venue(versioned.config)
    done, orders = tick_portfolio(snapshot, market, positions, book, venue=venue, tick_mode=mode, watched=watched)
    tick = TickRow(
        bar=bar,
        mode=mode,
        mode_reason=reason,
        scores=readings,
        config_version=versioned.version,
        code_version=code_version,
        holder=holder,
        portfolio=done,
    )
    snapshot.write_tick(tick)
    return tick, venue, orders


def read_scores(
    scores: Sequence[PublishedScore], *, buckets: Sequence[CapBucket], bar: ExecutionBar, config: PmConfig
) -> tuple[ScoreReading, ...]:
    """Return one reading for every bucket asked for, in that order, whether it has a score or not."""
    by_bucket = {score.bucket: score for score in scores}
    return tuple(read_score(bucket, by_bucket.get(bucket), bar=bar, config=config) for bucket in buckets)
