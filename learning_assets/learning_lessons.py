"""Lessons as of a day: cells whose trades end otherwise than the rest, tested, confirmed on later trades, each once.

Every hypothesis is kept with its numbers and its verdict, so that what was not believed can be read as well. A lesson
that two days in a row do not reproduce is retired; nothing is deleted.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import dagster as dg
import polars as pl

from domain.learning.edge_decay import DecayState
from domain.learning.lesson import build_lessons
from domain.learning.lesson_hypothesis import LessonRun
from domain.learning.lesson_state import LessonStanding, carry_lessons
from domain.learning.lesson_verdict import DecayFit
from domain.learning.mined_day import MinedDay, RecentEdges
from domain.learning.scope_cell import cell_of_columns
from domain.learning.trade_fact import ScopeCell, TradeFact
from learning_assets import edge_decay_fit, pattern_scope_stats, pattern_trade_events
from learning_assets.learning_table import Day, LearningStep, LearningTable, Study
from learning_assets.lesson_row import (
    NO_DECAY,
    OF_THE_DAY,
    KnownLesson,
    hypothesis_row,
    lesson_row,
    lesson_state,
    measured,
    run_row,
)
from learning_assets.table_frame import table_frame
from resources.inline_check import InlineCheck

RUN, HYPOTHESIS, TABLE = "learning.learning_run", "learning.lesson_hypothesis", "learning.learning_lessons"
SHOWN = 20


class DayRows(NamedTuple):
    """What one day adds to the three tables, and how it leaves the lessons."""

    run: dict[str, Any]
    hypotheses: list[dict[str, Any]]
    lessons: list[dict[str, Any]]
    known: list[KnownLesson]


def publish(study: Study) -> Iterator[dg.MaterializeResult]:
    facts = pattern_trade_events.read_facts(study)
    fits = study.tables.read(edge_decay_fit.TABLE, study.window)
    recent = pattern_scope_stats.recent_edges(study, study.window.start)
    known = [
        KnownLesson(lesson_state(row), row)
        for row in study.tables.query("lessons_of_last_day", (study.window.start,)).iter_rows(named=True)
    ]
    made: list[DayRows] = []
    for day in study.days:
        made.append(learn_day(study, day, facts, day.rows_of(fits), recent, known))
        known = made[-1].known
    told = _told(made)
    yield study.replace(HYPOTHESIS, table_frame(HYPOTHESIS, (row for day in made for row in day.hypotheses)))
    yield study.replace(RUN, table_frame(RUN, (day.run for day in made)), metadata=told)
    yield study.replace(TABLE, table_frame(TABLE, (row for day in made for row in day.lessons)), metadata=told)


def learn_day(
    study: Study,
    day: Day,
    facts: Sequence[TradeFact],
    fits: pl.DataFrame,
    recent: RecentEdges,
    known: Sequence[KnownLesson],
) -> DayRows:
    """Learn one day: what it asks, what it believes, and what becomes of the lessons there were."""
    config = study.config.learning
    recent.begin_day(day.midnight)
    mined = pattern_scope_stats.mine(study, list(facts), day)
    decay = {cell_of_columns(row, values="scope_signature"): row for row in fits.iter_rows(named=True)}
    edges = {each.cell: each.score.edge_raw for each in mined.edges(recent, config)}
    run = build_lessons(
        mined.groups,
        mined.mined,
        baseline_rr=mined.baseline_rr,
        recent_edges=recent.by_cell(),
        config=config.lesson,
        edge=config.edge,
        fits={cell: _fit(row) for cell, row in decay.items()},
    )
    recent.add(edges, day.midnight)
    states = carry_lessons(
        [each.state for each in known], run, on=day.midnight.date(), retire_after=config.lesson.retire_after
    )
    numbers = _numbers(mined, run, decay, known, config.lesson.promotion)
    rows = [lesson_row(day, state, numbers[state.cell]) for state in states]
    retired = sum(state.retired_on == day.midnight.date() for state in states)
    waiting = study.tables.query("waiting_trades", (day.as_of,)).item()
    told = {"n_parked": waiting, "n_retired": retired, "promotion": config.lesson.promotion}
    return DayRows(
        run=run_row(day, mined, run, input_hash=_hash(facts, day), **told),
        hypotheses=[hypothesis_row(day, each, promotion=config.lesson.promotion) for each in run.hypotheses],
        lessons=rows,
        known=[KnownLesson(state, row) for state, row in zip(states, rows, strict=True)],
    )


def _numbers(
    mined: MinedDay,
    run: LessonRun,
    decay: Mapping[ScopeCell, Mapping[str, Any]],
    known: Iterable[KnownLesson],
    promotion: str,
) -> dict[ScopeCell, Mapping[str, Any]]:
    """Numbers of every lesson: of this day where it was asked about, else of the last day it was."""
    before = {each.state.cell: {k: v for k, v in each.row.items() if k not in OF_THE_DAY} for each in known}
    now = {
        each.cell: measured(each, _decay(decay.get(each.cell)), baseline_rr=mined.baseline_rr, promotion=promotion)
        for each in run.hypotheses
    }
    return before | now


def _fit(row: Mapping[str, Any]) -> DecayFit:
    half_life = row["half_life_hours"]
    return DecayFit(float("nan") if half_life is None else half_life, DecayState(row["decay_state"]))


def _decay(row: Mapping[str, Any] | None) -> Mapping[str, Any]:
    if row is None:
        return NO_DECAY
    rate = row["relative_rate_per_hour"]
    return {name: row.get(name) for name in NO_DECAY} | {"decay_rate_per_hour": rate}


def _hash(facts: Iterable[TradeFact], day: Day) -> str:
    """Hash of the facts a day knows."""
    known = sorted(fact.action_id for fact in facts if fact.closed_at < day.as_of)
    return hashlib.sha256("\n".join(known).encode()).hexdigest()


def _told(made: Sequence[DayRows]) -> dict[str, Any]:
    if not made:
        return {"days": 0}
    last = made[-1]
    active = [row for row in last.lessons if row["status"] == LessonStanding.ACTIVE.value]
    shown = {
        f"{row['pattern_key']} {row['action_category']} {row['scope_values']}": round(row["edge_used"], 3)
        for row in active[:SHOWN]
    }
    return {
        "days": len(made),
        "trades": last.run["n_trades"],
        "hypotheses": last.run["n_hypotheses"],
        "active_lessons": len(active),
        "verdicts": last.run["verdicts"],
        "lessons": shown,
    }


STEP = LearningStep(
    tables=(
        LearningTable(HYPOTHESIS, "Every cell the lesson builder asked about on a day, and what became of it."),
        LearningTable(RUN, "What the lesson builder read, tried and made on a day."),
        LearningTable(
            TABLE,
            __doc__ or "",
            (
                InlineCheck(
                    "every_promoted_cell_is_a_lesson",
                    "check_every_promoted_cell_is_a_lesson",
                    "What is believed and what was tested are the same.",
                ),
            ),
        ),
    ),
    publish=publish,
    code_version="1",
    reads=(pattern_trade_events.TABLE, pattern_scope_stats.TABLE, edge_decay_fit.TABLE),
)
