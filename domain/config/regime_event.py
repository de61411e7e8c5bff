"""Which changes of the regime are told as events."""

from pydantic import BaseModel, Field


class RegimeEventConfig(BaseModel, frozen=True, extra="forbid"):
    """Events of the cap buckets."""

    is_bucket_rotation_on: bool = Field(default=True, description="Whether a changed order of the buckets is told.")
    is_bucket_extreme_on: bool = Field(
        default=True, description="Whether a bucket that turns Euphoria or Oh-Shit on the meso horizon is told."
    )
    extreme_min_confidence: float = Field(
        default=0.6, ge=0, le=1, description="Confidence below which an extreme is not told yet."
    )
