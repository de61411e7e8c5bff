"""Rows of lessons, of hypotheses and of a run of the lesson builder; and lessons as a day left them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from domain.learning.edge_decay import DecayState
from domain.learning.lesson_hypothesis import LessonHypothesis, LessonRun
from domain.learning.lesson_state import LESSON_MODULE, LESSON_TYPE, LessonStanding, LessonState
from domain.learning.mined_day import MinedDay
from domain.learning.override import LessonEvidence
from domain.learning.scope_cell import cell_columns, cell_of_columns, cell_scope
from domain.portfolio.strict_json import canonical_json
from domain.scopes.scope import scope_json
from learning_assets.learning_table import Day

NO_DECAY: Mapping[str, Any] = {
    "half_life_hours": None,
    "decay_rate_per_hour": None,
    "decay_state": "insufficient",
    "decay_mult": 1.0,
}
"""Of an edge without enough snapshots: nothing is known of its decay, and nothing is claimed."""

OF_THE_DAY = frozenset({"timestamp", "as_of"})


@dataclass(frozen=True, slots=True)
class KnownLesson:
    """A lesson as a day left it, with the row it stood in: its numbers, until it is measured again."""

    state: LessonState
    row: Mapping[str, Any]


def lesson_state(row: Mapping[str, Any]) -> LessonState:
    """Lesson of a stored row."""
    return LessonState(
        lesson_id=row["lesson_id"],
        cell=cell_of_columns(row),
        standing=LessonStanding(row["status"]),
        born_on=row["born_on"],
        promoted_on=row["promoted_on"],
        judged_on=row["timestamp"].date(),
        edge_at_birth=row["edge_at_birth"],
        edge_current=row["edge_current"],
        measured_on=row["measured_on"],
        missed=row["missed_runs"],
        retired_on=row["retired_on"],
        n_retirements=row["n_retirements"],
    )


def sizes_of(lessons: pl.DataFrame, standing: LessonStanding) -> pl.DataFrame:
    """Lessons of the size of a buy that stand so."""
    return lessons.filter(pl.col("lesson_type") == LESSON_TYPE, pl.col("status") == standing.value)


def lesson_evidence(row: Mapping[str, Any]) -> LessonEvidence:
    """Evidence that a stored lesson brings to its override."""
    return LessonEvidence(
        lesson_id=row["lesson_id"],
        cell=cell_of_columns(row),
        n_trades=row["n_trades"],
        edge_raw=row["edge_raw"],
        edge_used=row["edge_used"],
        support_score=row["support_score"],
        reliability_score=row["reliability_score"],
        decay_mult=row["decay_mult"],
        decay_state=DecayState(row["decay_state"]),
        half_life_hours=row["half_life_hours"],
    )


def lesson_row(day: Day, state: LessonState, numbers: Mapping[str, Any]) -> dict[str, Any]:
    """Row of a lesson: where it stands, and the numbers of the day it was last measured on."""
    return {
        **numbers,
        **day.columns,
        "lesson_id": state.lesson_id,
        "module": LESSON_MODULE,
        "lesson_type": LESSON_TYPE,
        **cell_columns(state.cell),
        "status": state.standing.value,
        "born_on": state.born_on,
        "promoted_on": state.promoted_on,
        "measured_on": state.measured_on,
        "retired_on": state.retired_on,
        "missed_runs": state.missed,
        "n_retirements": state.n_retirements,
        "edge_at_birth": state.edge_at_birth,
        "edge_current": state.edge_current,
    }


def measured(
    hypothesis: LessonHypothesis, decay: Mapping[str, Any], *, baseline_rr: float, promotion: str
) -> dict[str, Any]:
    """Numbers of a lesson that was asked about."""
    edge = hypothesis.edge
    return {
        "promotion": promotion,
        "n_trades": hypothesis.n_trades,
        "n_actions": hypothesis.n_actions,
        "n_wins": hypothesis.n_wins,
        "avg_rr": hypothesis.avg_rr,
        "median_rr": hypothesis.median_rr,
        "variance_rr": hypothesis.variance_rr,
        "avg_rr_shrunk": hypothesis.avg_rr_shrunk,
        "win_rate_frac": hypothesis.win_rate_frac,
        "win_rate_low": hypothesis.win_rate_low,
        "win_rate_high": hypothesis.win_rate_high,
        "baseline_rr": baseline_rr,
        **edge._asdict(),
        "edge_used": edge.edge_raw if promotion == "documents" else hypothesis.edge_shrunk,
        **_tests(hypothesis),
        **decay,
    }


def hypothesis_row(day: Day, hypothesis: LessonHypothesis, *, promotion: str) -> dict[str, Any]:
    """Row of one cell that was asked about."""
    explained = hypothesis.explained_by
    return {
        **day.columns,
        **cell_columns(hypothesis.cell),
        "n_trades": hypothesis.n_trades,
        "n_clusters": hypothesis.overall.clusters_in,
        **_tests(hypothesis),
        "edge_raw": hypothesis.edge.edge_raw,
        "edge_used": hypothesis.edge.edge_raw if promotion == "documents" else hypothesis.edge_shrunk,
        "verdict": hypothesis.verdict.value,
        "explained_by": None if explained is None else scope_json(cell_scope(explained)),
    }


def run_row(
    day: Day, mined: MinedDay, run: LessonRun, *, n_parked: int, n_retired: int, promotion: str, input_hash: str
) -> dict[str, Any]:
    """Row of a day: what was read, tried and made."""
    return {
        **day.columns,
        "promotion": promotion,
        "n_facts": mined.n_facts,
        "n_trades": mined.n_trades,
        "n_trades_without_rr": mined.n_trades_without_rr,
        "n_parked": n_parked,
        "n_groups": run.n_groups,
        "cells_found": sum(each.n_found for each in mined.mined),
        "cells_mined": run.n_cells,
        "cells_cut": run.n_cells_cut,
        "n_hypotheses": len(run.hypotheses),
        "n_promoted": len(run.lessons),
        "n_retired": n_retired,
        "verdicts": canonical_json({verdict.value: count for verdict, count in run.verdict_counts().items()}),
        "baseline_rr": mined.baseline_rr,
        "input_hash": input_hash,
    }


def _tests(hypothesis: LessonHypothesis) -> dict[str, Any]:
    parent = hypothesis.parent
    return {
        "parent_mask": None if parent is None else parent.mask,
        "parent_values": None if parent is None else scope_json(cell_scope(parent)),
        "effect_rr": hypothesis.overall.effect,
        "effect_low": hypothesis.effect_low,
        "effect_high": hypothesis.effect_high,
        "p_value": hypothesis.discovery.p,
        "q_value": hypothesis.q,
        "oos_trades": hypothesis.confirmation.n_in,
        "oos_effect_rr": hypothesis.confirmation.effect,
        "oos_p_value": hypothesis.confirmation.p,
    }
