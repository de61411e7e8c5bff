"""What the research layer is asked, what of its answers is kept, and when a hypothesis of it is tested."""

from typing import Literal, Self

from pydantic import BaseModel, Field, model_validator

Level = Literal[1, 2, 3, 4, 5]


class ResearchConfig(BaseModel, frozen=True, extra="forbid"):
    """Levels: 1 report, 2 semantic factors of tokens, 3 proposals for a pattern, 4 what lessons share, 5 hypotheses.

    Whom to ask is no configuration but the environment of the process that asks.
    """

    levels: tuple[Level, ...] = Field(
        default=(1, 2),
        description="Levels a language model is asked for, where one is named. 2 needs data of tokens, which nothing"
        " collects yet: it is told as absent and not asked.",
    )
    template_levels: tuple[Literal[1, 5], ...] = Field(
        default=(1, 5), description="Levels that are made of templates where no model answered: without network, free."
    )
    max_lessons: int = Field(
        default=20, ge=1, le=200, description="Lessons shown to a backend, the largest |edge| first."
    )
    max_hypotheses: int = Field(
        default=20, ge=0, le=200, description="Cells shown that are no lesson, the smallest p first."
    )
    max_input_characters: int = Field(
        default=16_000,
        ge=1_000,
        le=200_000,
        description="Longest input; cells are left out from the end until it fits, and counted.",
    )
    max_answer_characters: int = Field(
        default=20_000, ge=100, le=200_000, description="Longest answer that is read; a longer one is refused."
    )
    max_items: int = Field(default=5, ge=1, le=50, description="Notes of one answer; with more it is refused.")
    min_trades: int = Field(
        default=33,
        ge=2,
        le=100_000,
        description="Trades a hypothesis needs on each side, entered after it was made, before it is tested.",
    )
    min_clusters: int = Field(
        default=6, ge=2, le=10_000, description="Days of closing each side must come from; fewer tell no spread."
    )
    validate_rate: float = Field(
        default=0.05,
        gt=0,
        le=0.5,
        description="Expected share of false ones among the hypotheses of a day that are validated.",
    )
    max_age_days: int = Field(
        default=90,
        ge=1,
        le=3650,
        description="Days after which an untested hypothesis is given up, and for which none like it is made again.",
    )

    @model_validator(mode="after")
    def _names_each_level_once(self) -> Self:
        for name in ("levels", "template_levels"):
            levels = getattr(self, name)
            if len(set(levels)) < len(levels):
                raise ValueError(f"{name} must name each level once, was {levels}")
        return self
