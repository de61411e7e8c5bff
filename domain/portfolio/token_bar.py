"""One closed bar of one token, as the portfolio reads it: prices, uptrend state with flags and scores, indicators."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.vocabulary.uptrend import StateStatus, UptrendFlag, UptrendState


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenBar:
    """A closed bar. Prices and EMAs: USD per token. Scores: 0..1. Slopes: fraction per bar. ATR: USD.

    A value that is not defined is None: a score its state does not have, an indicator that is still warming up. No
    number stands for it. `s3_start_at`: open of the bar on which the present S3 began.

    Raises
    ------
    ValueError
        If an instant has no offset, the bar ends before it starts, the prices are no bar, or a number is NaN or
        infinite.
    """

    opened_at: datetime
    closed_at: datetime
    open_usd: float
    high_usd: float
    low_usd: float
    close_usd: float
    volume: float
    status: StateStatus
    state: UptrendState
    prev_state: UptrendState | None
    transition: str | None
    flags: frozenset[UptrendFlag]
    bootstrapped: bool
    s3_start_at: datetime | None
    ts: float | None
    ts_with_boost: float | None
    sr_boost: float | None
    ox: float | None
    dx: float | None
    edx: float | None
    ema60: float | None
    ema144: float | None
    ema333: float | None
    ema60_slope: float | None
    ema144_slope: float | None
    ema250_slope: float | None
    ema333_slope: float | None
    atr: float | None
    bars_count: int | None

    def __post_init__(self) -> None:
        if self.opened_at.utcoffset() is None or self.closed_at.utcoffset() is None:
            raise ValueError(f"Expected instants with an offset, was {self.opened_at} .. {self.closed_at}")
        if self.closed_at <= self.opened_at:
            raise ValueError(f"A bar must close after it opens, was {self.opened_at} .. {self.closed_at}")
        low, high = min(self.open_usd, self.close_usd), max(self.open_usd, self.close_usd)
        if not (0 < self.low_usd <= low and high <= self.high_usd < math.inf):
            prices = (self.open_usd, self.high_usd, self.low_usd, self.close_usd)
            raise ValueError(f"Expected open, high, low, close of a bar at {self.opened_at.isoformat()}, was {prices}")
        for name in _NUMBERS:
            value = getattr(self, name)
            if value is not None and not math.isfinite(value):
                raise ValueError(f"{name} at {self.opened_at.isoformat()} must be finite or None, was {value}")

    @property
    def length(self) -> timedelta:
        """Length of the bar: one bar of its timeframe."""
        return self.closed_at - self.opened_at

    @property
    def is_flip(self) -> bool:
        """Whether the bar moved between S1 and S2; such a bar raises no flag of either."""
        return {self.prev_state, self.state} == {UptrendState.S1, UptrendState.S2}


_NUMBERS = (
    *("volume", "ts", "ts_with_boost", "sr_boost", "ox", "dx", "edx", "ema60", "ema144", "ema333"),
    *("ema60_slope", "ema144_slope", "ema250_slope", "ema333_slope", "atr"),
)
