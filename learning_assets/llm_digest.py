"""Aggregates of a day for the research layer, from the tables of the lesson builder: no trade, no token, no name."""

from datetime import timedelta
from typing import Any

import polars as pl

from domain.learning.lesson_hypothesis import Verdict
from domain.learning.lesson_state import LessonStanding
from domain.learning.research_digest import DigestCell, ResearchDigest, strongest
from domain.learning.scope_cell import cell_of_columns
from domain.portfolio.strict_json import read_json
from domain.vocabulary.window import Window
from learning_assets import learning_lessons
from learning_assets.learning_table import Day, Study
from learning_assets.lesson_row import sizes_of

_A_DAY = timedelta(days=1)


def read_digest(study: Study, day: Day) -> ResearchDigest | None:
    """Read the aggregates of a day; None where the lesson builder did not run."""
    window = Window(day.midnight, day.midnight + _A_DAY)
    runs = study.tables.read(learning_lessons.RUN, window)
    if runs.is_empty():
        return None
    run = runs.row(0, named=True)
    lessons = sizes_of(study.tables.read(learning_lessons.TABLE, window), LessonStanding.ACTIVE)
    asked = study.tables.read(learning_lessons.HYPOTHESIS, window).filter(pl.col("verdict") != Verdict.PROMOTED.value)
    digest = ResearchDigest(
        day=day.midnight.date(),
        n_trades=run["n_trades"],
        baseline_rr=run["baseline_rr"],
        verdicts=read_json(run["verdicts"]),
        n_active=0,
        n_hypotheses=0,
        lessons=(),
        hypotheses=(),
    )
    believed = [_digest_cell(row, Verdict.PROMOTED.value) for row in lessons.iter_rows(named=True)]
    others = [_digest_cell(row, row["verdict"]) for row in asked.iter_rows(named=True)]
    return strongest(digest, believed, others, study.config.learning.research)


def _digest_cell(row: dict[str, Any], verdict: str) -> DigestCell:
    numbers = ("effect_rr", "effect_low", "effect_high", "p_value", "oos_p_value")
    return DigestCell(
        cell=cell_of_columns(row),
        verdict=verdict,
        n_trades=row["n_trades"],
        edge=row["edge_used"],
        **{name: row[name] for name in numbers},
    )


def has_news(study: Study, day: Day) -> bool:
    """Whether the lesson builder knew of other trades than on the day before."""
    runs = study.tables.read(learning_lessons.RUN, Window(day.midnight - _A_DAY, day.midnight + _A_DAY))
    return runs["input_hash"].n_unique() == runs.height
