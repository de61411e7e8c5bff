"""When a bar is refused: how far from its neighbours in time a price may be, and whose word counts."""

from pydantic import BaseModel, Field, PositiveInt


class BarConfig(BaseModel, frozen=True, extra="forbid"):
    """Limits of bar validity. Every ratio is symmetric: `max_jump` 20 refuses x20 and 1/20 alike."""

    future_tolerance_s: float = Field(
        default=60.0,
        ge=0,
        le=3600,
        description="Seconds a bar may open after as_of (clocks differ) before it counts as a bar of the future.",
    )
    source_priority: tuple[str, ...] = Field(
        default=(), description="Sources, most trusted first, for two rows of one bar; sources not named come last."
    )
    max_jump: float = Field(
        default=20.0,
        gt=1,
        le=1000,
        description="Largest ratio of a bar's high or low to the last accepted close. Real new-pool hours reach x14;"
        " vendor errors were x129 to x67743.",
    )
    unit_step_min_tokens: PositiveInt = Field(
        default=3, description="Fewest series of one chain and timeframe that must step in the same bar."
    )
    unit_step_min_share: float = Field(
        default=0.5, gt=0, le=1, description="Share of the chain's comparable series in that bar that must step."
    )
    unit_step_min_ratio: float = Field(
        default=5.0, gt=1, le=1000, description="Smallest ratio of close to last accepted close that counts as a step."
    )
    unit_step_tolerance: float = Field(
        default=0.25, gt=0, lt=1, description="How far a series' ratio may be from the median ratio, as a share of it."
    )
    unit_step_hold_factor: float = Field(
        default=3.0,
        ge=1,
        le=20,
        description="A stepped series stays refused while its ratio is within this factor of the step, or beyond"
        " unit_step_min_ratio; a step of x89000 lasted 74 hours.",
    )
