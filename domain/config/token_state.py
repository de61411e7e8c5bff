"""Which bars of the tokens have indicators and states, and how long the minutes of them are kept."""

from typing import Literal

from pydantic import BaseModel, Field

TokenTimeframe = Literal["1m", "15m", "1h", "4h"]


class TokenStateConfig(BaseModel, frozen=True, extra="forbid"):
    """Indicators and states of tagged tokens."""

    timeframes: tuple[TokenTimeframe, ...] = Field(
        default=("1m", "15m", "1h", "4h"), min_length=1, description="Bars that have indicators and states."
    )
    minute_days: int = Field(
        default=3,
        ge=1,
        le=60,
        description="Days, the present one included, of which 1m rows are made and kept; 999 minutes make one warm.",
    )
