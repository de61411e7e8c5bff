"""From a lesson to an override: the mapping, the gates, the caps, and the row the runtime reads."""

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.config.override import OverrideConfig, WalkForwardConfig
from domain.learning.edge_decay import DecayState
from domain.learning.lesson_state import LessonStanding
from domain.learning.override import (
    LeftOutReason,
    LessonEvidence,
    override_multiplier,
    wanted_overrides,
)
from domain.learning.trade_fact import ScopeCell
from domain.portfolio.override_row import parse_override
from domain.vocabulary.action import ActionCategory
from domain.vocabulary.scope_dimension import ScopeDimension
from tests.domain.learning.override_worlds import CONFIG, DAY, S1, S2, T0, lesson

EDGES = st.floats(-50, 50)


@pytest.mark.parametrize(
    ("edge", "multiplier"),
    [(-1.5, 0.472), (-0.3, 0.861), (0.0, 1.0), (0.3, 1.162), (0.85, 1.530), (1.5918, 2.2164), (2.5, 3.0)],
)
def test_an_edge_has_the_documented_multiplier(edge, multiplier):
    assert override_multiplier(edge, CONFIG) == pytest.approx(multiplier, abs=5e-4)


def test_no_edge_is_exactly_neutral_and_the_clamps_are_exact():
    assert override_multiplier(0.0, CONFIG) == 1.0
    assert [override_multiplier(edge, CONFIG) for edge in (-math.inf, -1e9, 1e9, math.inf)] == [0.3, 0.3, 3.0, 3.0]


@given(st.floats(-2 * math.log(3), 2 * math.log(3)))
def test_an_edge_and_its_negative_cancel_inside_the_clamps(edge):
    assert override_multiplier(edge, CONFIG) * override_multiplier(-edge, CONFIG) == pytest.approx(1.0, rel=1e-12)


@given(EDGES, EDGES)
def test_more_edge_never_means_less_size(one, other):
    assert override_multiplier(min(one, other), CONFIG) <= override_multiplier(max(one, other), CONFIG)


def test_an_edge_that_is_not_known_has_no_multiplier():
    with pytest.raises(ValueError, match="was nan"):
        override_multiplier(math.nan, CONFIG)


def test_an_override_is_made_of_the_edge_that_is_believed_after_its_decay():
    (made,) = wanted_overrides([lesson(edge=0.8, decay_mult=0.5)], CONFIG).overrides

    assert made.multiplier == pytest.approx(math.exp(0.5 * 0.8 * 0.5))
    assert (made.edge, made.decay_mult, made.confidence) == (0.8, 0.5, pytest.approx(0.96 * 0.5))


def test_the_runtime_believes_every_row_that_is_made():
    cells = [
        ScopeCell(S1, ActionCategory.ENTRY, 0, ()),
        ScopeCell(S2, ActionCategory.ADD, 4 | 256, ("nano", "1h")),
    ]
    made = wanted_overrides([lesson(f"l{i}", cell=cell, edge=i - 4.0) for i, cell in enumerate(cells)], CONFIG)
    rows = [each.row(T0 + 14 * DAY) | {"override_id": 7, "set_id": 1} for each in made.overrides]
    believed = [parse_override(row) for row in rows]

    assert [each.multiplier for each in believed] == [0.3, 0.3]
    assert [each.lesson_id for each in believed] == ["l0", "l1"]
    assert believed[1].values == {ScopeDimension.MCAP_BUCKET: "nano", ScopeDimension.TIMEFRAME: "1h"}
    assert believed[1].expires_at == T0 + 14 * DAY


SELLING = ScopeCell("pm.uptrend.S3.trim_flag", ActionCategory.TRIM, 0, ())
EXITING = ScopeCell("pm.uptrend.S1.exit_position", ActionCategory.ENTRY, 0, ())


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"standing": LessonStanding.RETIRED}, LeftOutReason.RETIRED),
        ({"cell": SELLING}, LeftOutReason.SELLS),
        ({"cell": EXITING}, LeftOutReason.SELLS),
        ({"edge": math.nan}, LeftOutReason.NO_EDGE),
        ({"reliability_score": 0.0}, LeftOutReason.NO_CONFIDENCE),
        ({"support_score": math.nan}, LeftOutReason.NO_CONFIDENCE),
        ({"edge": 0.0499}, LeftOutReason.DEAD_BAND),
        ({"edge": -0.06, "decay_mult": 0.5}, LeftOutReason.DEAD_BAND),
        ({"decay_state": DecayState.DECAYING, "half_life_hours": 23.9}, LeftOutReason.SHORT_LIVED),
    ],
)
def test_a_lesson_that_makes_no_override_says_why(changed, reason):
    made = wanted_overrides([lesson(**changed)], CONFIG)

    assert (made.overrides, [each.reason for each in made.left_out]) == ((), [reason])


@pytest.mark.parametrize(
    "changed",
    [
        {"edge": 0.05},
        {"edge": -0.05},
        {"decay_state": DecayState.DECAYING, "half_life_hours": 24.0},
        {"decay_state": DecayState.DECAYING, "half_life_hours": math.nan},
        {"decay_state": DecayState.IMPROVING, "half_life_hours": 3.0},
    ],
)
def test_a_lesson_at_its_bound_makes_one(changed):
    assert len(wanted_overrides([lesson(**changed)], CONFIG).overrides) == 1


def test_without_a_dead_band_an_edge_of_nothing_still_makes_no_override():
    config = OverrideConfig(min_abs_edge=0.0)

    assert wanted_overrides([lesson(edge=0.0)], config).left_out[0].reason is LeftOutReason.DEAD_BAND


def many(n: int, n_patterns: int = 14) -> list[LessonEvidence]:
    """Lessons over several patterns, with edges of both signs and ties."""
    cells = [
        ScopeCell(f"pm.uptrend.{state}.buy_flag", category, 4, (f"b{i}",))
        for state in ("S1", "S2", "S3")
        for category in (ActionCategory.ENTRY, ActionCategory.ADD)
        for i in range(n_patterns)
    ]
    return [
        lesson(f"l{i:03d}", edge=(-1) ** i * (0.1 + i % 7 / 10), cell=cells[i % len(cells)], support_score=0.9)
        for i in range(n)
    ]


def test_a_pattern_and_a_set_hold_no_more_than_they_may_and_the_strongest_stay():
    config = OverrideConfig(max_rows=50, max_rows_per_pattern=20)
    made = wanted_overrides(many(120), config)
    of_pattern = Counter(each.cell.pattern_key for each in made.overrides)
    cut = {each.lesson_id for each in made.left_out if each.reason is LeftOutReason.PATTERN_IS_FULL}
    weakest = min(abs(each.edge) for each in made.overrides if each.cell.pattern_key == S1)

    assert len(made.overrides) == 50
    assert max(of_pattern.values()) == 20
    assert made.n_cut == 70 == len(made.left_out)
    assert all(abs(each.edge_used) <= weakest for each in many(120) if each.lesson_id in cut and each.cell == S1)


def test_what_is_cut_is_that_of_least_edge_times_support_and_then_the_greater_id():
    lessons = [
        lesson("c", edge=0.5, support_score=0.5),
        lesson("b", edge=-0.5, support_score=0.5),
        lesson("a", edge=0.6, support_score=0.2),
    ]
    made = wanted_overrides(lessons, OverrideConfig(max_rows=1))

    assert [each.key.lesson_id for each in made.overrides] == ["b"]
    assert [(each.lesson_id, each.reason) for each in made.left_out] == [
        ("a", LeftOutReason.SET_IS_FULL),
        ("c", LeftOutReason.SET_IS_FULL),
    ]


@given(st.permutations(many(60)))
def test_the_order_of_the_lessons_changes_nothing(lessons):
    config = OverrideConfig(max_rows=30, max_rows_per_pattern=12)

    assert wanted_overrides(lessons, config) == wanted_overrides(many(60), config)


@given(st.lists(st.builds(lesson, st.uuids().map(str), EDGES), max_size=20, unique_by=lambda each: each.lesson_id))
def test_every_lesson_is_told_exactly_once(lessons):
    made = wanted_overrides(lessons, OverrideConfig(max_rows=5))
    told = [each.key.lesson_id for each in made.overrides] + [each.lesson_id for each in made.left_out]

    assert sorted(told) == sorted(each.lesson_id for each in lessons)
    assert sum(made.n_left_out.values()) == len(made.left_out)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"support_score": 1.1}, "support_score must be within 0..1"),
        ({"reliability_score": -0.1}, "reliability_score must be within 0..1"),
        ({"decay_mult": 1.34}, "decay_mult must be within"),
        ({"decay_mult": math.nan}, "decay_mult must be within"),
        ({"edge": math.inf}, "finite edge"),
        ({"n_trades": 0}, "must have trades"),
        ({"cell": ScopeCell("pm.uptrend.S4.buy_flag", ActionCategory.ENTRY, 0, ())}, "Expected a pattern key"),
    ],
)
def test_a_lesson_that_cannot_be_right_is_refused(changed, says):
    with pytest.raises(ValueError, match=says):
        wanted_overrides([lesson(**changed)], CONFIG)


def test_a_lesson_that_comes_twice_is_refused():
    with pytest.raises(ValueError, match="comes twice"):
        wanted_overrides([lesson(), lesson(edge=0.9)], CONFIG)


def test_overrides_have_the_documented_constants():
    assert (CONFIG.strength_gain, CONFIG.min_abs_edge, CONFIG.min_half_life_hours) == (0.5, 0.05, 24.0)
    assert (CONFIG.max_rows, CONFIG.max_rows_per_pattern, CONFIG.expiry_days) == (500, 40, 14.0)
    assert (CONFIG.shadow_hours, CONFIG.revoke_cooldown_days) == (24.0, 14.0)
    assert (CONFIG.guardrail.min_trades, CONFIG.guardrail.confidence_level) == (10, 0.90)


@pytest.mark.parametrize(
    ("section", "values", "says"),
    [
        (OverrideConfig, {"max_rows": 501}, "less than or equal to 500"),
        (OverrideConfig, {"expiry_days": 0}, "greater than 0"),
        (WalkForwardConfig, {"interval_level": 0.999}, "must be >= 20"),
    ],
)
def test_a_configuration_that_cannot_be_right_is_refused(section, values, says):
    with pytest.raises(ValidationError, match=says):
        section(**values)
