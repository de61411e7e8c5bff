"""When lessons are one thing told several times."""

from pydantic import BaseModel, Field


class LatentFactorConfig(BaseModel, frozen=True, extra="forbid"):
    """From lessons and their trades to the factors behind them."""

    max_distance: float = Field(
        default=0.3,
        ge=0,
        lt=1,
        description="Largest 1 - Jaccard between the trades of any two lessons of a factor: 7 of 10 shared.",
    )
