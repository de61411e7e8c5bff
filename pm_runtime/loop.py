"""The process: hold the lease, tick every bar that closes, survive whatever a tick raises.

Starting, recovering from a crash and reconnecting are one path: open a store, take the lease, submit what was planned
and never told, tick the newest closed bar of each timeframe. A missed bar is skipped and counted, never queued.
"""

import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from domain.config.pm_config import PmConfig
from domain.scores.score_reading import ScoreStatus
from domain.vocabulary.alarm import AlarmKind
from domain.vocabulary.execution_bar import ExecutionBar
from domain.vocabulary.timeframe import Timeframe
from pm_runtime.log_line import fields
from pm_runtime.paper_venue import open_paper_venue
from pm_runtime.ports import Clock, RuntimeStore, StopRequest
from pm_runtime.runtime_alarm import (
    ORDERS,
    RuntimeAlarms,
    no_score,
    orders_not_taken,
    overrun,
    reconcile_failed,
)
from pm_runtime.schedule import BackOff, BarSchedule
from pm_runtime.settings import RuntimeSettings
from pm_runtime.submitting import Submission, reconcile
from pm_runtime.tick import TickOutcome, run_tick
from pm_runtime.venue import Venue
from sql.migration_file import MigrationError

logger = logging.getLogger(__name__)

OVERRUNS_BEFORE_ALARM = 3
"""Ticks in a row that came too late for at least one bar; a slow tick now and then is no alarm."""


@dataclass(slots=True)
class LoopReport:
    """What a loop did; `held_by` names the process because of which it ended, if that was why.

    submitted_late: orders a session before had planned. unsubmitted: times a venue did not take an order, or could not
    be asked at a start; such orders are told again. unsettled_alarms: times the store could not be told what is wrong.
    """

    ticked: int = 0
    already_ticked: int = 0
    skipped_bars: int = 0
    failed: int = 0
    store_failures: int = 0
    submitted_late: int = 0
    unsubmitted: int = 0
    unsettled_alarms: int = 0
    held_by: str | None = None


class RuntimeLoop:
    """Tick until asked to stop, or until another process holds the lease.

    Parameters
    ----------
    open_store : callable
        Opens a session; called again when a session is lost. `MigrationError` ends the loop, other errors are retried.
    clock : Clock
        Says when bars are due, and waits.
    stop : StopRequest
        Looked at between ticks.
    settings : RuntimeSettings
        Timeframes, grace, pauses, and whether to stand by.
    open_venue : callable
        Makes the venue of a tick, of the configuration in force.
    """

    def __init__(
        self,
        open_store: Callable[[], RuntimeStore],
        *,
        clock: Clock,
        stop: StopRequest,
        settings: RuntimeSettings,
        open_venue: Callable[[PmConfig], Venue] = open_paper_venue,
    ) -> None:
        self._open_store = open_store
        self._open_venue = open_venue
        self._alarms = RuntimeAlarms()
        self._clock = clock
        self._stop = stop
        self._settings = settings
        self._standby_poll = timedelta(seconds=settings.standby_poll_s)
        self._back_off = BackOff(settings.back_off_first_s, settings.back_off_longest_s)
        self._schedules: dict[Timeframe, BarSchedule] = {}
        self._store: RuntimeStore | None = None
        self._reconciled: RuntimeStore | None = None
        self._failures_in_a_row = 0
        self._told_of: str | None = None
        self.report = LoopReport()

    def run(self) -> LoopReport:
        """Run to the end. Raises `MigrationError` when the database and the code do not fit."""
        try:
            while not self._stop.is_set():
                wake_at = self._round()
                if wake_at is None:
                    break
                self._clock.wait_until(wake_at)
        finally:
            self._drop_store()
            logger.info("loop_ended", extra=fields(**asdict(self.report)))
        return self.report

    def _round(self) -> datetime | None:
        """Tick what is due; returns when to look again, None to end."""
        try:
            store = self._leased_store()
            timeframes = [] if store is None else self._timeframes(store)
        except MigrationError:
            raise
        except Exception:
            wake_at = self._after_store_failure()
            logger.exception("store_failed", extra=fields(in_a_row=self._failures_in_a_row, retry_at=wake_at))
            return wake_at
        self._failures_in_a_row = 0
        if store is None:
            return self._clock.now_at() + self._standby_poll if self._waits() else None
        self._reconcile(store)
        schedules = [self._schedule(timeframe) for timeframe in timeframes]
        for schedule in schedules:
            bar = schedule.due(self._clock.now_at())
            if bar is not None and not self._stop.is_set():
                self._try_tick(store, schedule, bar)
                self._settle_alarms(store)
            if not store.is_usable():
                return self._clock.now_at() + self._back_off.pause(1)
        now = self._clock.now_at()
        return min(schedule.next_at() or now for schedule in schedules)

    def _leased_store(self) -> RuntimeStore | None:
        """Return a usable store that holds the lease; None while somebody else holds it."""
        if self._store is not None and not self._store.is_usable():
            self._drop_store()
        if self._store is None:
            self._store = self._open_store()
        lease = self._store.take_lease()
        if lease.is_held:
            if self._told_of != lease.holder:
                logger.info("lease_taken", extra=fields(holder=lease.holder))
            self._told_of, self.report.held_by = lease.holder, None
            return self._store
        if self._told_of != lease.holder:
            logger.info("lease_held_elsewhere", extra=fields(holder=lease.holder, standby=self._settings.standby))
        self._told_of = self.report.held_by = lease.holder
        return None

    def _waits(self) -> bool:
        """Whether to try for the lease again: as a standby, or when an old session of this process is yet to end."""
        return self._settings.standby or (self._store is not None and self.report.held_by == self._store.holder)

    def _timeframes(self, store: RuntimeStore) -> list[Timeframe]:
        """Timeframes to tick now, the shortest first: it has the least time."""
        wanted = self._settings.timeframes
        if wanted is None:
            with store.snapshot() as snapshot:
                wanted = snapshot.read_config().config.scores.execution_timeframes
        return sorted(set(wanted), key=lambda timeframe: timeframe.minutes)

    def _schedule(self, timeframe: Timeframe) -> BarSchedule:
        if timeframe not in self._schedules:
            grace = timedelta(seconds=self._settings.grace_s)
            self._schedules[timeframe] = BarSchedule(timeframe, grace=grace, back_off=self._back_off)
        return self._schedules[timeframe]

    def _reconcile(self, store: RuntimeStore) -> None:
        """Submit what earlier sessions planned, once a session; whatever it raises, the ticks go on."""
        if self._reconciled is store:
            return
        self._reconciled = store
        try:
            late = reconcile(store, open_venue=self._open_venue)
        except Exception as error:
            self.report.unsubmitted += 1
            self._alarms.note(AlarmKind.RECONCILE_FAILED, ORDERS, reconcile_failed(error))
            logger.exception("reconcile_failed")
            return
        self._alarms.note(AlarmKind.RECONCILE_FAILED, ORDERS, None)
        self.report.submitted_late += late.taken
        if late.taken:
            logger.warning("orders_submitted_late", extra=fields(orders=late.taken))
        self._note_submission(late)

    def _try_tick(self, store: RuntimeStore, schedule: BarSchedule, bar: ExecutionBar) -> None:
        try:
            outcome = run_tick(store, bar, open_venue=self._open_venue)
        except Exception:
            self.report.failed += 1
            schedule.failed(self._clock.now_at())
            logger.exception(
                "tick_failed", extra=fields(bar=bar, in_a_row=schedule.failures, failed=self.report.failed)
            )
            return
        self._note_skipped(schedule, bar)
        self._note_outcome(outcome)

    def _note_skipped(self, schedule: BarSchedule, bar: ExecutionBar) -> None:
        skipped = schedule.bars_passed_over(bar)
        schedule.done(bar)
        is_alarm = schedule.overruns >= OVERRUNS_BEFORE_ALARM
        slow = overrun(bar, skipped=skipped, in_a_row=schedule.overruns) if is_alarm else None
        self._alarms.note(AlarmKind.TICK_OVERRUN, bar.timeframe.value, slow)
        if skipped == 0:
            return
        self.report.skipped_bars += skipped
        if schedule.overruns == 0:
            logger.warning("bars_skipped", extra=fields(before=bar, skipped=skipped))
            return
        level = logging.ERROR if is_alarm else logging.WARNING
        logger.log(level, "tick_overrun", extra=fields(before=bar, skipped=skipped, in_a_row=schedule.overruns))

    def _note_outcome(self, outcome: TickOutcome) -> None:
        self._note_submission(outcome.submission)
        tick = outcome.tick
        if tick is None:
            self.report.already_ticked += 1
            logger.info("already_ticked", extra=fields(bar=outcome.bar, holder=outcome.holder))
            return
        self.report.ticked += 1
        self._alarms.note(AlarmKind.NO_SCORE, tick.bar.timeframe.value, no_score(tick))
        left = orders_not_taken(tick.bar, outcome.submission.left) if outcome.submission.left else None
        self._alarms.note(AlarmKind.ORDER_NOT_TAKEN, tick.bar.timeframe.value, left)
        counts = {status.value: tick.count(status) for status in ScoreStatus}
        reason = {} if tick.mode_reason is None else {"reason": tick.mode_reason}
        logger.info("ticked", extra=fields(bar=tick.bar, mode=tick.mode, **reason, **counts))

    def _note_submission(self, submission: Submission) -> None:
        if submission.left:
            self.report.unsubmitted += submission.left
            logger.error("orders_not_submitted", extra=fields(orders=submission.left))

    def _settle_alarms(self, store: RuntimeStore) -> None:
        """Tell the store what is wrong, after the tick and apart from it; what it could not be told waits."""
        looks = self._alarms.untold()
        if not looks or not store.is_usable():
            return
        try:
            settled = store.settle_alarms(looks)
        except Exception:
            self.report.unsettled_alarms += 1
            logger.exception("alarms_not_settled", extra=fields(looks=len(looks)))
            return
        self._alarms.told(looks)
        for alarm in settled.raised:
            logger.error("alarm_raised", extra=fields(kind=alarm.kind, subject=alarm.subject))

    def _after_store_failure(self) -> datetime:
        self._failures_in_a_row += 1
        self.report.store_failures += 1
        pause = self._back_off.pause(self._failures_in_a_row)
        self._drop_store()
        return self._clock.now_at() + pause

    def _drop_store(self) -> None:
        if self._store is not None:
            self._store.close()
            self._store = self._reconciled = None
        self._told_of = None
        for schedule in self._schedules.values():
            schedule.interrupted()
