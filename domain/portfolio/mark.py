"""What the market did to a position over one closed bar."""

import math
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A closed bar of the token: USD per token at its lowest and at its close.

    Raises
    ------
    ValueError
        If a price is not finite and > 0, the low is above the close, an instant has no offset, or the bar ends before
        it starts.
    """

    opened_at: datetime
    closed_at: datetime
    low_usd: float
    close_usd: float

    def __post_init__(self) -> None:
        if self.opened_at.utcoffset() is None or self.closed_at.utcoffset() is None:
            raise ValueError(f"Expected instants with an offset, was {self.opened_at} .. {self.closed_at}")
        if self.closed_at <= self.opened_at:
            raise ValueError(f"A bar must close after it opens, was {self.opened_at} .. {self.closed_at}")
        if not 0 < self.low_usd <= self.close_usd < math.inf:
            raise ValueError(f"Expected 0 < low <= close, both finite, was {self.low_usd}, {self.close_usd}")
