"""Lessons from run to run: born, carried, given up, taken up again; never deleted.

What belongs here: what a run does to the lessons there were. What does not: what a run finds (`lesson`).

A lesson that a run does not find again is not at once forgotten, for a lesson near a limit would come and go each day
and its override with it. It is not kept for ever either: lessons of an earlier system were written over but never
taken back, and sizes followed rules that no trade had supported for months.
"""

import hashlib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from domain.learning.lesson_hypothesis import LessonHypothesis, LessonRun
from domain.learning.trade_fact import ScopeCell
from domain.scopes.bitmask import dimensions_of
from domain.scopes.scope import scope_json
from domain.vocabulary.lesson_type import LessonType

LESSON_MODULE, LESSON_TYPE = "pm", LessonType.PM_STRENGTH.value


class LessonStanding(StrEnum):
    """Whether a lesson still holds."""

    ACTIVE = "active"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True, kw_only=True)
class LessonState:
    """A lesson as it stands after a run.

    Attributes
    ----------
    lesson_id : str
        `lesson_id` of the cell.
    cell : ScopeCell
        Whose trades it is about.
    standing : LessonStanding
    born_on : date
        Day of the run that promoted it first.
    promoted_on, judged_on : date
        Days of the latest run that promoted it, and of the latest run.
    edge_at_birth : float
        Shrunk edge on the day it was born.
    edge_current : float
        Shrunk edge on `measured_on`.
    measured_on : date
        Day of the latest run that asked about the cell, with whatever verdict.
    missed : int
        Runs in a row that did not promote it, up to its retirement.
    retired_on : date or None
        Day of the run that retired it; None while it is active.
    n_retirements : int
        Times it was retired.
    """

    lesson_id: str
    cell: ScopeCell
    standing: LessonStanding
    born_on: date
    promoted_on: date
    judged_on: date
    edge_at_birth: float
    edge_current: float
    measured_on: date
    missed: int = 0
    retired_on: date | None = None
    n_retirements: int = 0


def lesson_id(cell: ScopeCell) -> str:
    """Return the hexadecimal SHA-256 of module, type, pattern, category, mask and values: the same in every run.

    >>> from domain.vocabulary.action import ActionCategory
    >>> lesson_id(ScopeCell("pm.uptrend.S1.buy_flag", ActionCategory.ENTRY, 0, ()))[:12]
    'de4a5d0e83b8'
    """
    scope = dict(zip(dimensions_of(cell.mask), cell.values, strict=True))
    parts = (LESSON_MODULE, LESSON_TYPE, cell.pattern_key, cell.action_category, str(cell.mask), scope_json(scope))
    return hashlib.sha256("|".join(parts).encode()).hexdigest()


def carry_lessons(
    previous: Iterable[LessonState], run: LessonRun, *, on: date, retire_after: int = 2
) -> tuple[LessonState, ...]:
    """Lessons after a run.

    What the run promotes is active, whatever it was. An active lesson it does not promote stays active with one more
    miss, and is retired at `retire_after` misses in a row. A retired one stays as it was.

    Parameters
    ----------
    previous : iterable of LessonState
        Lessons after the run before, retired ones too; none for a first run.
    run : LessonRun
        The run.
    on : date
        Day of the run, UTC.
    retire_after : int
        At least 1.

    Returns
    -------
    tuple of LessonState
        All that came in and those that are new, by cell.

    Raises
    ------
    ValueError
        If `retire_after` is below 1, a lesson comes twice, or one has been judged on `on` or later: the misses of a
        run must not count twice.
    """
    if retire_after < 1:
        raise ValueError(f"retire_after must be >= 1, was {retire_after}")
    known: dict[ScopeCell, LessonState] = {}
    for state in previous:
        if state.judged_on >= on:
            raise ValueError(f"Lesson {state.lesson_id} was judged on {state.judged_on}: must be before {on}")
        if known.setdefault(state.cell, state) is not state:
            raise ValueError(f"Lesson {state.lesson_id} comes twice")
    asked = {each.cell: each for each in run.hypotheses}
    promoted = {each.cell: each for each in run.lessons}
    carried = {cell: _carried(state, cell in promoted, asked, on, retire_after) for cell, state in known.items()}
    born = {cell: _born(each, on) for cell, each in promoted.items() if cell not in known}
    return tuple(state for _, state in sorted((carried | born).items()))


def _born(lesson: LessonHypothesis, on: date) -> LessonState:
    return LessonState(
        lesson_id=lesson_id(lesson.cell),
        cell=lesson.cell,
        standing=LessonStanding.ACTIVE,
        born_on=on,
        promoted_on=on,
        judged_on=on,
        edge_at_birth=lesson.edge_shrunk,
        edge_current=lesson.edge_shrunk,
        measured_on=on,
    )


def _carried(
    state: LessonState, is_promoted: bool, asked: Mapping[ScopeCell, LessonHypothesis], on: date, retire_after: int
) -> LessonState:
    state = replace(state, judged_on=on)
    measured = asked.get(state.cell)
    if measured is not None and not math.isnan(measured.edge_shrunk):
        state = replace(state, edge_current=measured.edge_shrunk, measured_on=on)
    if is_promoted:
        return replace(state, standing=LessonStanding.ACTIVE, promoted_on=on, missed=0, retired_on=None)
    if state.standing is LessonStanding.RETIRED:
        return state
    missed = state.missed + 1
    if missed < retire_after:
        return replace(state, missed=missed)
    return replace(
        state,
        missed=missed,
        standing=LessonStanding.RETIRED,
        retired_on=on,
        n_retirements=state.n_retirements + 1,
    )
