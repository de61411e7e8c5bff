"""How the bars of a regime driver are made: who is in a composite, how long silence is bridged, what is clipped."""

import math
from collections.abc import Mapping

from pydantic import BaseModel, Field, PositiveInt, model_validator

from domain.vocabulary.driver import ALT, DRIVERS


class DriverBarConfig(BaseModel, frozen=True, extra="forbid"):
    """Rules of composites (index bars) and of dominance (sampled percentages)."""

    alt_basket: tuple[str, ...] = Field(
        default=("SOL", "ETH", "BNB", "HYPE"), min_length=1, description="Symbols of the ALT driver, equal weights."
    )
    min_components: Mapping[str, PositiveInt] = Field(
        default={ALT: 3}, description="Fewest members with a reference close that make a bar, by driver."
    )
    bucket_min_members: PositiveInt = Field(
        default=8, description="The same for every driver `min_components` does not name: the cap buckets."
    )
    max_fill_hours: float = Field(
        default=6.0, ge=0, le=168, description="Longest silence after which a member's last close is still a reference."
    )
    max_carry_minutes: int = Field(
        default=15, ge=0, le=1440, description="Longest time a dominance sample is carried; three missed 5m samples."
    )
    max_static_hours: float = Field(
        default=6.0,
        gt=0,
        le=168,
        description="Hours after which a dominance that repeats one number counts as a feed that stands still; two"
        " intervals if it is sampled more rarely than every 3 hours. To two decimals it rests less than half an hour.",
    )
    max_abs_log_return: float = Field(
        default=math.log(3.0), gt=0, description="Clip of one member's log return in one bar; natural log, ln 3 = x3."
    )
    index_base: float = Field(default=100.0, gt=0, description="Level at which a new index starts.")

    @model_validator(mode="after")
    def _can_make_bars(self) -> "DriverBarConfig":
        unknown = sorted(set(self.min_components) - set(DRIVERS))
        if unknown:
            raise ValueError(f"min_components must name drivers of {DRIVERS}, was {unknown}")
        if len(set(self.alt_basket)) != len(self.alt_basket):
            raise ValueError(f"alt_basket must name each symbol once, was {self.alt_basket}")
        if self.minimum_of(ALT) > len(self.alt_basket):
            raise ValueError(f"ALT needs {self.minimum_of(ALT)} members, its basket has {len(self.alt_basket)}")
        return self

    def minimum_of(self, driver: str) -> int:
        """Fewest members with a reference close for `driver` to have a bar.

        >>> DriverBarConfig().minimum_of("ALT"), DriverBarConfig().minimum_of("micro")
        (3, 8)
        """
        return self.min_components.get(driver, self.bucket_min_members)
