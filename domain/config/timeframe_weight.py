"""How outcomes by timeframe move the split of an allocation. Defaults are the documented constants."""

from enum import StrEnum
from typing import Self

from pydantic import BaseModel, Field, model_validator


class TimeframeEstimator(StrEnum):
    """Which moving average of the outcomes is believed.

    event_time: weights halve with the time between trades; the order of arrival does not count. documents: one blend a
    trade as it is taken in, alpha = w / (w + 1), and the weight is the ratio of two averages.
    """

    EVENT_TIME = "event_time"
    DOCUMENTS = "documents"


class TimeframeWeightConfig(BaseModel, frozen=True, extra="forbid"):
    """From closed trades to the weight of a timeframe, and from weights to splits."""

    estimator: TimeframeEstimator = Field(
        default=TimeframeEstimator.EVENT_TIME,
        description="event_time, or documents: their average, which a live trade always moves by half.",
    )
    short_days: float = Field(
        default=14.0,
        gt=0,
        le=3650,
        description="Half-life of the short average, days; of the documents' estimator its time constant.",
    )
    long_days: float = Field(default=90.0, gt=0, le=3650, description="The same of the long average.")
    gain: float = Field(default=0.5, gt=0, le=5, description="g of the weight exp(g x advantage x shrinkage), 1 per R.")
    shrinkage_trades: float = Field(
        default=20.0, ge=0, le=10_000, description="k of the shrinkage n / (n + k): trades at which half is believed."
    )
    weight_min: float = Field(default=0.5, gt=0, le=1, description="Lower clamp of a weight, a ratio.")
    weight_max: float = Field(default=2.0, ge=1, le=10, description="Upper clamp of a weight, a ratio.")
    max_change_frac: float = Field(
        default=0.10, gt=0, le=1, description="Largest change of a split in a day, relative to the day before."
    )

    @model_validator(mode="after")
    def _short_is_shorter(self) -> Self:
        if self.short_days >= self.long_days:
            raise ValueError(f"short_days must be < long_days, was {self.short_days}, {self.long_days}")
        return self
