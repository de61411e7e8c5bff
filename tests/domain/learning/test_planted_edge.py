import pytest

from domain.learning.planted_edge import (
    BASE_CHANCE,
    CERTAIN,
    PLANTED_EDGES,
    LearnedScope,
    run_chance,
    score_planted,
)
from domain.vocabulary.scope_dimension import ScopeDimension

ORCA = {ScopeDimension.CURATOR: "orca"}
MOTH = {ScopeDimension.CURATOR: "moth"}


def learned(override_id: int, scope, factor: float) -> LearnedScope:
    return LearnedScope(override_id=override_id, scope=scope, factor=factor)


def test_five_edges_are_planted_and_three_of_them_fade():
    assert len(PLANTED_EDGES) == 5
    assert sum(edge.half_life_days is not None for edge in PLANTED_EDGES) == 3
    assert {edge.lift > 0 for edge in PLANTED_EDGES} == {True, False}


@pytest.mark.parametrize("edge", [edge for edge in PLANTED_EDGES if edge.half_life_days], ids=lambda edge: edge.name)
def test_a_fading_edge_halves_with_every_half_life_after_its_birth(edge):
    left = [edge.lift_at(age) for age in (-5.0, 0.0, edge.half_life_days, 2 * edge.half_life_days)]

    assert left == pytest.approx([edge.lift, edge.lift, edge.lift / 2, edge.lift / 4])


def test_edges_that_meet_add_up_and_no_breakout_is_certain():
    everywhere = {edge.dimension: edge.value for edge in PLANTED_EDGES if edge.lift > 0}

    assert run_chance({}, 0.0) == BASE_CHANCE
    assert run_chance(everywhere, 0.0) == CERTAIN[1]
    assert run_chance(MOTH, 0.0) == CERTAIN[0]


def test_an_override_within_the_scope_of_an_edge_that_moves_its_way_has_found_it():
    nested = ORCA | {ScopeDimension.TIMEFRAME: "1h"}

    score = score_planted([learned(1, nested, 1.2), learned(2, MOTH, 0.8)])

    assert (score.n_found, score.found[0], score.found[1], score.false) == (2, (1,), (2,), ())


@pytest.mark.parametrize(
    ("scope", "factor"),
    [
        (ORCA, 0.8),
        (MOTH, 1.2),
        ({ScopeDimension.CURATOR: "finch"}, 1.2),
        ({ScopeDimension.TIMEFRAME: "1h"}, 1.2),
        (ORCA, 1.0),
    ],
)
def test_an_override_elsewhere_or_the_other_way_is_false(scope, factor):
    assert score_planted([learned(7, scope, factor)]).false == (7,)


def test_an_override_of_a_whole_pattern_neither_finds_an_edge_nor_is_false():
    score = score_planted([learned(3, {}, 0.4)])

    assert (score.n_found, score.false, score.unscoped) == (0, (), (3,))


def test_nothing_learned_finds_nothing_and_is_not_false():
    score = score_planted([])

    assert (score.n_found, score.false) == (0, ())
