"""Lessons from run to run: one miss is forgiven, two are not, nothing is deleted."""

import hashlib
from dataclasses import replace
from datetime import date, timedelta

import pytest

from domain.learning.lesson_hypothesis import LessonRun, Verdict
from domain.learning.lesson_state import LessonStanding, LessonState, carry_lessons, lesson_id
from domain.learning.trade_fact import ScopeCell
from domain.vocabulary.action import ActionCategory
from tests.domain.learning.planted_trades import group_of, lessons_of, noise

DAY = date(2025, 6, 1)
CELL = ScopeCell("pm.uptrend.S1.buy_flag", ActionCategory.ENTRY, 1, ("1",))


@pytest.fixture(scope="module")
def taught() -> LessonRun:
    rr, values, day = noise(600, 0)
    return lessons_of(group_of(rr + 1.5 * (values[:, 0] == 1), values, day), max_depth=1)


def only(states: tuple[LessonState, ...]) -> LessonState:
    (state,) = states
    return state


def untaught(run: LessonRun, edge: float = 0.01) -> LessonRun:
    """The same run, in which the lesson was not confirmed."""
    changed = (
        replace(each, verdict=Verdict.NOT_CONFIRMED, edge_shrunk=edge) if each.verdict is Verdict.PROMOTED else each
        for each in run.hypotheses
    )
    return replace(run, hypotheses=tuple(changed))


def after(taught: LessonRun, words: str) -> tuple[LessonState, ...]:
    """Lessons after a run a day: + teaches it, - does not."""
    states: tuple[LessonState, ...] = ()
    for i, word in enumerate(words):
        states = carry_lessons(states, taught if word == "+" else untaught(taught), on=DAY + timedelta(days=i))
    return states


def test_a_lesson_is_born_with_its_edge(taught):
    state, (lesson,) = only(after(taught, "+")), taught.lessons

    assert (state.cell, state.standing, state.born_on, state.missed) == (CELL, LessonStanding.ACTIVE, DAY, 0)
    assert state.edge_at_birth == state.edge_current == lesson.edge_shrunk


@pytest.mark.parametrize(
    ("words", "standing", "missed", "n_retirements"),
    [
        ("+-", LessonStanding.ACTIVE, 1, 0),
        ("+--", LessonStanding.RETIRED, 2, 1),
        ("+-+-", LessonStanding.ACTIVE, 1, 0),
        ("+----", LessonStanding.RETIRED, 2, 1),
        ("+--+", LessonStanding.ACTIVE, 0, 1),
        ("+--+--", LessonStanding.RETIRED, 2, 2),
    ],
)
def test_two_misses_in_a_row_retire_and_a_new_find_brings_back(taught, words, standing, missed, n_retirements):
    state = only(after(taught, words))

    assert (state.standing, state.missed, state.n_retirements) == (standing, missed, n_retirements)
    assert (state.retired_on is None) == (standing is LessonStanding.ACTIVE)
    assert state.born_on == DAY


def test_the_edge_is_followed_while_the_cell_is_asked_about(taught):
    state = only(after(taught, "+-"))
    nothing_asked = carry_lessons([state], replace(taught, hypotheses=()), on=DAY + timedelta(days=2))

    assert (state.edge_current, state.measured_on) == (0.01, DAY + timedelta(days=1))
    assert state.edge_at_birth == taught.lessons[0].edge_shrunk
    assert only(nothing_asked).edge_current == 0.01
    assert (only(nothing_asked).measured_on, only(nothing_asked).judged_on) == (DAY + timedelta(1), DAY + timedelta(2))


def test_a_run_counts_once(taught):
    state = only(after(taught, "+"))

    with pytest.raises(ValueError, match="was judged on"):
        carry_lessons([state], untaught(taught), on=DAY)
    with pytest.raises(ValueError, match="twice"):
        carry_lessons([state, replace(state)], taught, on=DAY + timedelta(days=1))
    with pytest.raises(ValueError, match="retire_after"):
        carry_lessons([], taught, on=DAY, retire_after=0)


def test_the_id_is_that_of_the_cell_and_of_nothing_else():
    text = 'pm|pm_strength|pm.uptrend.S1.buy_flag|entry|1|{"curator":"1"}'

    assert lesson_id(CELL) == hashlib.sha256(text.encode()).hexdigest()
    assert lesson_id(replace(CELL, values=("2",))) != lesson_id(CELL)
