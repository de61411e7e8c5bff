"""How windows of opportunity move the thresholds of the buy rules. Defaults are the documented constants."""

from typing import Self

from pydantic import BaseModel, Field, model_validator

from domain.vocabulary.scope_dimension import ScopeDimension


class TuningConfig(BaseModel, frozen=True, extra="forbid"):
    """From episodes to rates, and from rates to steps of a threshold; its bounds stand in `plan.tuning_bounds`."""

    masks: tuple[tuple[ScopeDimension, ...], ...] = Field(
        default=(
            (),
            (ScopeDimension.TIMEFRAME,),
            (ScopeDimension.MCAP_BUCKET,),
            (ScopeDimension.TIMEFRAME, ScopeDimension.MCAP_BUCKET),
        ),
        description="Dimensions of the cells that are judged. Few and fixed: every further cell is one more chance to"
        " move a threshold for nothing.",
    )
    lookback_days: float = Field(
        default=90.0, gt=0, le=3650, description="Age, from their start, of the episodes that are still asked, days."
    )
    interval_level: float = Field(
        default=0.90, gt=0, lt=1, description="Of every Wilson interval, two-sided: a bound is passed 1 time in 20."
    )
    min_episodes: int = Field(
        default=33, ge=1, le=100_000, description="Episodes a rate must be of; fewer move no threshold."
    )
    loosen_above: float = Field(
        default=0.60,
        gt=0,
        lt=1,
        description="A gate is loosened where the lower bound of the share of successes among what it alone kept out"
        " is above this.",
    )
    tighten_above: float = Field(
        default=0.50,
        gt=0,
        lt=1,
        description="A gate is tightened where the lower bound of the share of failures among what it barely let in is"
        " above this.",
    )
    false_step_rate: float = Field(
        default=0.05,
        gt=0,
        le=1,
        description="Expected share of steps for nothing among those a run takes (Benjamini-Hochberg over all that it"
        " asks): of 36 thresholds asked every week some pass a bound by chance. 1 = the bounds alone.",
    )
    near_margin: float = Field(
        default=1.0, gt=0, le=100, description="What a gate barely let in: less than so many units of its scale."
    )
    step_frac: float = Field(default=0.05, gt=0, le=0.2, description="One step of a threshold: x 0.95 down, x 1.05 up.")
    step_days: float = Field(
        default=7.0, gt=0, le=365, description="A threshold moves at most once in so long, however often it is asked."
    )
    cooldown_episodes: int = Field(
        default=33, ge=0, le=100_000, description="New episodes of a cell, with an outcome, from one step to the next."
    )
    return_runs: int = Field(
        default=4,
        ge=1,
        le=520,
        description="Times `step_days` that a moved threshold stands without enough episodes that bear on it; from then"
        " on it returns, a step at a time.",
    )
    min_rr_episodes: int = Field(
        default=5,
        ge=1,
        le=10_000,
        description="Acted episodes of an outcome with a known rr, from which their mean is taken for those without.",
    )
    confidence_episodes: float = Field(
        default=33.0,
        gt=0,
        le=10_000,
        description="k of the confidence 1 - exp(-n / k) of a moved threshold: its weight where cells overlap.",
    )

    @model_validator(mode="after")
    def _masks_are_sets(self) -> Self:
        as_sets = [frozenset(mask) for mask in self.masks]
        if len(set(as_sets)) != len(as_sets) or any(
            len(given) != len(found) for given, found in zip(self.masks, as_sets, strict=True)
        ):
            raise ValueError(f"masks must name each set of dimensions once, was {[list(mask) for mask in self.masks]}")
        return self
