"""How much may be asked of one outside service within a minute, and the time a call waits on.

What belongs here: waiting, and refusing to wait too long. What does not: what a call weighs.
"""

import random
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

WINDOW_S = 60.0


@dataclass(frozen=True)
class Stopwatch:
    """Seconds that only grow, a way to wait, and the chance that keeps callers from waiting alike."""

    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    uniform: Callable[[float, float], float] = random.uniform


class PatienceError(RuntimeError):
    """Waiting for the limit would take longer than the caller has: `wait_s` seconds."""

    def __init__(self, message: str, wait_s: float = 0.0) -> None:
        super().__init__(message)
        self.wait_s = wait_s


@dataclass
class RateLimit:
    """At most `weight_per_minute` in any 60 seconds, over all threads of this process.

    Raises
    ------
    ValueError
        If `weight_per_minute` is not positive.
    """

    weight_per_minute: int
    stopwatch: Stopwatch = field(default_factory=Stopwatch)
    _taken: deque[tuple[float, int]] = field(default_factory=deque, repr=False)
    _closed_until: float = field(default=float("-inf"), repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __post_init__(self) -> None:
        if self.weight_per_minute <= 0:
            raise ValueError(f"weight_per_minute must be > 0, was {self.weight_per_minute}")

    def take(self, weight: int, *, patience_s: float) -> float:
        """Wait until `weight` fits, and count it.

        Returns
        -------
        float
            Seconds waited.

        Raises
        ------
        PatienceError
            If that would take longer than `patience_s`; nothing is counted then.
        ValueError
            If `weight` can never fit.
        """
        if weight > self.weight_per_minute:
            raise ValueError(f"weight must be <= {self.weight_per_minute}, was {weight}")
        with self._lock:
            now = self.stopwatch.monotonic()
            at = self._first_fit(weight, now)
            if at - now > patience_s:
                told = f"the rate limit opens in {at - now:.0f} s, {max(patience_s, 0):.0f} s are left"
                raise PatienceError(told, at - now)
            self._taken.append((at, weight))
        if at > now:
            self.stopwatch.sleep(at - now)
        return at - now

    def charge(self, weight: int) -> None:
        """Count what a finished call turned out to weigh beyond what was taken for it."""
        with self._lock:
            last = self._taken[-1][0] if self._taken else float("-inf")
            self._taken.append((max(self.stopwatch.monotonic(), last), weight))

    def close_for(self, seconds: float) -> None:
        """Let nobody through for so long: the service said when to come back."""
        with self._lock:
            self._closed_until = max(self._closed_until, self.stopwatch.monotonic() + seconds)

    def _first_fit(self, weight: int, now: float) -> float:
        """First instant, not before any taken one, at which the last minute has room for `weight`."""
        last = self._taken[-1][0] if self._taken else now
        at = max(now, self._closed_until, last)
        while self._taken and self._taken[0][0] <= at - WINDOW_S:
            self._taken.popleft()
        used = sum(each for _, each in self._taken)
        for taken_at, each in self._taken:
            if used + weight <= self.weight_per_minute:
                break
            used -= each
            at = max(at, taken_at + WINDOW_S)
        return at
