"""The judge over simulated weeks: a wrong gate is moved and let be, and noise moves next to nothing."""

from itertools import pairwise

import pytest

from benchmarks.tuning_world import CONFIG, TuningWorld, coin, right_at
from domain.portfolio.gate import Gate
from tests.domain.learning.tuned_episodes import S1, S3, gate_of

WRONG = [
    (S1, Gate.TREND_STRENGTH, 0.48),
    (S1, Gate.TREND_STRENGTH, 0.72),
    (S1, Gate.NEAR_EMA60, 1.5),
    (S1, Gate.NEAR_EMA60, 0.6),
    (S3, Gate.DISCOUNTED, 0.48),
    (S3, Gate.DISCOUNTED, 0.72),
]


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(("family", "name", "right"), WRONG)
def test_a_gate_set_wrongly_is_moved_within_eight_runs_and_neither_turns_back_nor_goes_too_far(
    family, name, right, seed
):
    gate = gate_of(name, family)
    towards = 1 if right > gate.base else -1

    path = TuningWorld(right_at(name, right), seed, families=(family,)).play(14).path(family, name)

    assert towards * (path[7] - 1.0) > 0
    assert all(towards * (after - before) >= 0 for before, after in pairwise(path))
    assert towards * (gate.threshold(path[-1]) / right - 1.0) <= CONFIG.step_frac


def test_a_gate_that_is_right_is_let_be():
    path = TuningWorld(right_at(Gate.TREND_STRENGTH, 0.60), 3, families=(S1,)).play(14).path(S1, Gate.TREND_STRENGTH)

    assert set(path) == {1.0}


@pytest.mark.parametrize("seed", range(4))
def test_where_outcomes_depend_on_nothing_no_threshold_is_ever_more_than_a_step_away(seed):
    world = TuningWorld(coin(0.5), seed, weekly=60).play(26)

    assert sum(len(run.verdicts) for run in world.runs) > 26 * 30
    assert world.farthest() <= 1.0 + 1e-9


def test_a_step_reaches_the_windows_of_the_next_week():
    world = TuningWorld(right_at(Gate.TREND_STRENGTH, 0.48), 0, families=(S1,)).play(6)
    bought = [
        next(gate for gate in each.gates if gate.name is Gate.TREND_STRENGTH).value
        for each in world.episodes
        if each.is_acted
    ]

    assert min(bought) < gate_of().base
