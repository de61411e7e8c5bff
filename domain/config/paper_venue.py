"""What the paper venue pretends: money, costs, and how often it says no."""

from typing import Literal

from pydantic import BaseModel, Field

BPS = 1e-4
"""A basis point as a fraction."""


class PaperVenueConfig(BaseModel, frozen=True, extra="forbid"):
    """Costs and obstacles of orders that are filled on paper."""

    wallet_usd: float = Field(default=20_000.0, gt=0, le=1e12, description="Money at the start, USD.")
    fee_bps: float = Field(
        default=30.0, ge=0, le=1000, description="Fee of a fill, basis points of its notional; 30 is a pool's 0.3 %."
    )
    slippage_bps: float = Field(
        default=50.0, ge=0, le=5000, description="How much worse than the bar's open a fill is, basis points."
    )
    max_volume_frac: float = Field(
        default=0.10,
        gt=0,
        le=1,
        description="Largest share of the bar's volume one order takes; the rest of it expires, a fraction.",
    )
    volume_unit: Literal["base", "usd"] = Field(
        default="base", description="What the volume of the stored bars counts: coins, or USD. Bars do not say it."
    )
    reject_frac: float = Field(default=0.0, ge=0, le=1, description="Share of orders that is rejected, by lot.")
    seed: int = Field(default=0, ge=0, description="Seed of that lot; the same orders always draw the same.")
    max_wait_bars: int = Field(
        default=3, ge=1, le=1000, description="Bars an order waits for one it can be filled on before it expires."
    )
