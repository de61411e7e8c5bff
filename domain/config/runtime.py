"""How the portfolio runtime reads what the assets published."""

from pydantic import BaseModel, Field


class RuntimeConfig(BaseModel, frozen=True, extra="forbid"):
    """Limits of one tick."""

    score_ttl_bars: int = Field(
        default=2,
        ge=1,
        le=100,
        description="A score older than this many bars of its timeframe, at the tick's bar, is stale and refused.",
    )
    neutral_lever: float = Field(
        default=0.5, ge=0, le=1, description="A and E the runtime falls back to when a score is degraded; it says so."
    )
