"""When one timeframe ticks: each bar once it has closed, a bar that was missed never, a failure after a pause."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.vocabulary.execution_bar import ExecutionBar, newest_closed_bar
from domain.vocabulary.timeframe import Timeframe


@dataclass(frozen=True, slots=True)
class BackOff:
    """Pauses between attempts: doubled with every failure in a row, up to a limit."""

    first_s: float
    longest_s: float

    def pause(self, failures: int) -> timedelta:
        """Pause after that many failures in a row, at least one.

        >>> [BackOff(1, 60).pause(n).total_seconds() for n in (1, 2, 3, 100)]
        [1.0, 2.0, 4.0, 60.0]
        """
        return timedelta(seconds=min(self.first_s * 2 ** min(failures - 1, 60), self.longest_s))


class BarSchedule:
    """What has been ticked of one timeframe, and when to look again.

    Parameters
    ----------
    timeframe : Timeframe
        Whose bars.
    grace : timedelta
        Time after a bar's close that its scores have to be published.
    back_off : BackOff
        Pauses after failures.
    """

    def __init__(self, timeframe: Timeframe, *, grace: timedelta, back_off: BackOff) -> None:
        self.timeframe = timeframe
        self.failures = 0
        self.overruns = 0
        self._grace = grace
        self._back_off = back_off
        self._done: ExecutionBar | None = None
        self._retry_at: datetime | None = None
        self._is_interrupted = False

    def due(self, now: datetime) -> ExecutionBar | None:
        """Newest closed bar that has not been ticked, unless a failure's pause lasts."""
        if self._retry_at is not None and now < self._retry_at:
            return None
        newest = newest_closed_bar(self.timeframe, now - self._grace)
        return newest if self._done is None or newest.timestamp > self._done.timestamp else None

    def bars_passed_over(self, bar: ExecutionBar) -> int:
        """Bars between the last one done and `bar`: they are skipped, never queued."""
        return 0 if self._done is None else bar.bars_since(self._done.timestamp) - 1

    def done(self, bar: ExecutionBar) -> None:
        """Note that a bar has its tick. `overruns` counts ticks in a row that passed over bars without a failure."""
        has_overrun = self.bars_passed_over(bar) > 0 and not self._is_interrupted
        self.overruns = self.overruns + 1 if has_overrun else 0
        self._done, self._retry_at, self.failures, self._is_interrupted = bar, None, 0, False

    def failed(self, now: datetime) -> None:
        """Note that a tick failed; it is tried again after a pause, for the bar that is newest then."""
        self.failures += 1
        self._is_interrupted = True
        self._retry_at = now + self._back_off.pause(self.failures)

    def interrupted(self) -> None:
        """Note that the store was lost: bars passed over until it is back are no overrun."""
        self._is_interrupted = True

    def next_at(self) -> datetime | None:
        """When to look again; None means now."""
        if self._done is None:
            return self._retry_at
        closes_at = self._done.following().closed_at + self._grace
        return max(closes_at, self._retry_at) if self._retry_at is not None else closes_at
