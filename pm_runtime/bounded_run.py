"""Tick a known list of bars and end: the newest ones, or all of a past window in the order they closed."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta

from domain.config.pm_config import PmConfig
from domain.vocabulary.execution_bar import ExecutionBar, bars_closed_between, newest_closed_bar
from domain.vocabulary.timeframe import Timeframe
from pm_runtime.paper_venue import open_paper_venue
from pm_runtime.ports import Clock, RuntimeStore, StopRequest
from pm_runtime.settings import RuntimeSettings
from pm_runtime.submitting import Submission, reconcile
from pm_runtime.tick import TickOutcome, run_tick
from pm_runtime.tick_line import outcome_word, summary_line, tick_line
from pm_runtime.venue import Venue


def run_bounded(
    store: RuntimeStore,
    *,
    settings: RuntimeSettings,
    clock: Clock,
    stop: StopRequest,
    say: Callable[[str], object],
    open_venue: Callable[[PmConfig], Venue] = open_paper_venue,
) -> Counter[str]:
    """Tick the bars that the settings ask for, under the lease; before them, submit what an earlier process planned.

    Parameters
    ----------
    store : RuntimeStore
        An open session; closed by the caller.
    settings : RuntimeSettings
        With `once`, or `from_at` and `to_at`.
    clock : Clock
        Says what is newest for `once` without `as_of`, and waits as a standby.
    stop : StopRequest
        Looked at between ticks.
    say : callable
        Takes one line of text at a time.
    open_venue : callable
        Makes the venue of a tick, of the configuration in force.

    Returns
    -------
    Counter of str
        Ticks by mode, and bars ticked before; empty when another process holds the lease.

    Raises
    ------
    FutureBarError, ConfigError, CorruptScoreError, StaleRowError, psycopg.Error
        As `run_tick`; the ticks before stay. An order that a venue does not take raises nothing and is said.
    """
    counts: Counter[str] = Counter()
    if not _take_lease(store, settings=settings, clock=clock, stop=stop, say=say):
        return counts
    late = reconcile(store, open_venue=open_venue)
    if late.taken:
        say(f"{late.taken} orders of an earlier process submitted")
    _say_left(late, say)
    for outcome in _outcomes(store, _bars(store, settings, clock), stop, open_venue):
        counts[outcome_word(outcome)] += 1
        if not settings.quiet:
            say(tick_line(outcome))
        _say_left(outcome.submission, say)
    if settings.quiet or settings.from_at is not None:
        say(summary_line(counts))
    return counts


def _say_left(submission: Submission, say: Callable[[str], object]) -> None:
    if submission.left:
        say(f"{submission.left} orders the venue did not take: they stay planned and are told again")


def _take_lease(
    store: RuntimeStore, *, settings: RuntimeSettings, clock: Clock, stop: StopRequest, say: Callable[[str], object]
) -> bool:
    lease = store.take_lease()
    if lease.is_held:
        return True
    say(f"The lease is held by {lease.holder}" + ("; waiting for it" if settings.standby else ": nothing ticked here"))
    while settings.standby and not stop.is_set():
        clock.wait_until(clock.now_at() + timedelta(seconds=settings.standby_poll_s))
        if store.take_lease().is_held:
            return True
    return False


def _bars(store: RuntimeStore, settings: RuntimeSettings, clock: Clock) -> Iterable[ExecutionBar]:
    timeframes = settings.timeframes or _configured_timeframes(store)
    if settings.from_at is not None and settings.to_at is not None:
        return bars_closed_between(timeframes, settings.from_at, settings.to_at)
    at = settings.as_of or clock.now_at()
    shortest_first = sorted(set(timeframes), key=lambda timeframe: timeframe.minutes)
    return [newest_closed_bar(timeframe, at) for timeframe in shortest_first]


def _configured_timeframes(store: RuntimeStore) -> tuple[Timeframe, ...]:
    with store.snapshot() as snapshot:
        return snapshot.read_config().config.scores.execution_timeframes


def _outcomes(
    store: RuntimeStore,
    bars: Iterable[ExecutionBar],
    stop: StopRequest,
    open_venue: Callable[[PmConfig], Venue],
) -> Iterator[TickOutcome]:
    for bar in bars:
        if stop.is_set():
            return
        yield run_tick(store, bar, open_venue=open_venue)
