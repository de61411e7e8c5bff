"""A clock that never sleeps: waiting moves it, and at a chosen instant it asks the loop to stop."""

from collections.abc import Callable
from datetime import datetime


class SimulatedClock:
    """Clock and stop request of a loop under test; `on_wait` is called at every wait with the instant waited for."""

    def __init__(self, now: datetime, *, ends_at: datetime) -> None:
        self.now = now
        self.ends_at = ends_at
        self.waits: list[float] = []
        self.on_wait: Callable[[datetime], None] = lambda at: None

    def now_at(self) -> datetime:
        return self.now

    def wait_until(self, at: datetime) -> None:
        self.waits.append((at - self.now).total_seconds())
        self.on_wait(at)
        self.now = max(self.now, at)

    def is_set(self) -> bool:
        return self.now >= self.ends_at
