"""How much history an indicator needs before it counts."""

from pydantic import BaseModel, Field


class IndicatorConfig(BaseModel, frozen=True, extra="forbid"):
    """Warm-up of the indicator columns, in bars of the series' own timeframe."""

    warm_bars: int = Field(
        default=999,
        ge=2,
        le=100_000,
        description="Bars from which a row is flagged warm: the first close then weighs under 0.25 % in EMA333.",
    )
    max_gap_bars: int = Field(
        default=144,
        ge=0,
        le=100_000,
        description="Longest hole, in bars missing between two bars, over which a series goes on; a longer one restarts"
        " it at bar 1. Shorter holes are skipped: the next bar counts as the following one.",
    )
