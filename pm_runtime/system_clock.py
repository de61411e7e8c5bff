"""The machine's clock, and signals that ask the process to stop."""

import gc
import os
import select
import signal
from datetime import UTC, datetime
from types import FrameType
from typing import Any

LONGEST_SLEEP_S = 30.0
"""Then the clock is read again: a machine that slept, or whose clock was set, is noticed."""


class StopSignal:
    """Set by SIGTERM or SIGINT. Waiting ends at once; a tick at hand is finished.

    A pipe rather than `threading.Event`, whose lock a signal handler may find taken by the thread it interrupts.
    """

    def __init__(self) -> None:
        self._read_end, self._write_end = os.pipe()
        self._is_set = False
        self._before: dict[int, Any] = {}

    def install(self) -> None:
        """Take over SIGTERM and SIGINT; only the main thread may."""
        for number in (signal.SIGTERM, signal.SIGINT):
            self._before[number] = signal.signal(number, self._on_signal)

    def set(self) -> None:
        """Ask to stop."""
        if not self._is_set:
            self._is_set = True
            os.write(self._write_end, b"x")

    def is_set(self) -> bool:
        """Whether to stop."""
        return self._is_set

    def wait(self, seconds: float) -> None:
        """Return after that time, or when asked to stop."""
        select.select([self._read_end], [], [], max(0.0, seconds))

    def close(self) -> None:
        """Give signals and pipe back."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        os.close(self._read_end)
        os.close(self._write_end)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.set()


class SystemClock:
    """The machine's time; its waits end when a stop is asked for."""

    def __init__(self, stop: StopSignal) -> None:
        self._stop = stop

    def now_at(self) -> datetime:
        """Return the present instant, UTC."""
        return datetime.now(UTC)

    def wait_until(self, at: datetime) -> None:
        """Return at that instant, or as soon as a stop is asked for; garbage is collected here if nowhere else."""
        if not gc.isenabled():
            gc.collect()
        while not self._stop.is_set():
            seconds_left = (at - self.now_at()).total_seconds()
            if seconds_left <= 0:
                return
            self._stop.wait(min(seconds_left, LONGEST_SLEEP_S))
