"""Lessons on trades whose truth is known: none in noise, one for one effect, whatever its sign and however it shows."""

import numpy as np
import pytest

from domain.learning.lesson_hypothesis import LessonRun, Verdict
from tests.domain.learning.planted_trades import group_of, lessons_of, noise

SEEDS = range(4)


def lessons(run: LessonRun) -> set[tuple[int, tuple[str, ...]]]:
    return {(each.cell.mask, each.cell.values) for each in run.lessons}


def planted(seed: int, n_conditions: int, effect: float = 1.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """1,000 trades of which the fifth with value 1 in the first dimension or the first two ends an effect better."""
    rr, values, day = noise(1_000, seed)
    rng = np.random.default_rng([seed, n_conditions])
    for j in range(n_conditions):
        values[:, j] = np.where(rng.random(1_000) < 0.2 ** (1 / n_conditions), 1, rng.integers(2, 4, 1_000))
    return rr + effect * np.all(values[:, :n_conditions] == 1, axis=1), values, day


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("n_trades", [500, 2_000])
def test_noise_teaches_nothing(n_trades, seed):
    run = lessons_of(group_of(*noise(n_trades, seed)))

    assert run.lessons == ()
    assert run.n_tested >= 60


@pytest.mark.parametrize(("n_trades", "depth"), [(500, 3), (2_000, 2)])
def test_the_documented_rule_believes_most_slices_of_noise(n_trades, depth):
    run = lessons_of(group_of(*noise(n_trades, 0)), max_depth=depth, promotion="documents")

    assert len(run.hypotheses) == run.n_cells
    assert len(run.lessons) > 0.6 * run.n_cells
    assert run.n_tested > 0.8 * run.n_cells


@pytest.mark.parametrize("effect", [1.0, -1.0])
@pytest.mark.parametrize(("n_conditions", "planted_cell", "n_found"), [(1, (1, ("1",)), 8), (2, (3, ("1", "1")), 6)])
def test_a_planted_effect_is_found_and_little_else(n_conditions, planted_cell, n_found, effect):
    runs = [lessons_of(group_of(*planted(seed, n_conditions, effect))) for seed in range(8)]
    found = [each for run in runs for each in run.lessons if (each.cell.mask, each.cell.values) == planted_cell]

    assert len(found) >= n_found
    assert max(len(run.lessons) for run in runs) <= 2
    assert all(np.sign(each.edge_shrunk) == np.sign(effect) for each in found)


def test_asking_below_what_nearly_differs_finds_what_two_conditions_have_only_together():
    group = group_of(*planted(8, 2))

    strict, wide = lessons_of(group, max_depth=2, descend_rate=0.1), lessons_of(group, max_depth=2)

    assert strict.lessons == ()
    assert lessons(wide) == {(3, ("1", "1"))}
    assert wide.n_cells_not_reached < strict.n_cells_not_reached


def test_what_it_tells_of_a_lesson_is_near_the_truth():
    (lesson,) = lessons_of(group_of(*planted(0, 1))).lessons

    assert lesson.effect_low < 1.0 < lesson.effect_high
    assert lesson.effect_low < lesson.overall.effect < lesson.effect_high
    assert lesson.discovery.p < lesson.q <= 0.1
    assert lesson.confirmation.p <= 0.1
    assert lesson.win_rate_low < lesson.win_rate_frac < lesson.win_rate_high
    assert lesson.discovery.n_in + lesson.confirmation.n_in <= lesson.n_trades == lesson.overall.n_in
    assert 0 < lesson.edge_shrunk < lesson.edge.edge_raw


def test_an_effect_seen_in_two_dimensions_is_told_once():
    rr, values, day = planted(1, 1)
    values[:, 1] = np.array([9, 3, 1, 2])[values[:, 0]]
    values[::50, 1] = 1
    run = lessons_of(group_of(rr, values, day))
    shadows = [each for each in run.hypotheses if each.cell.mask == 2 and each.q <= 0.1]

    assert lessons(run) == {(1, ("1",))}
    assert {each.verdict for each in shadows} <= {Verdict.EXPLAINED_BY, Verdict.NOT_CONFIRMED}
    assert next(each for each in shadows if each.cell.values == ("3",)).explained_by == run.lessons[0].cell


def test_the_opposite_of_an_effect_is_not_another_effect():
    rr, values, day = planted(2, 1)
    values[:, 0] = np.minimum(values[:, 0], 2)
    run = lessons_of(group_of(rr, values, day))
    both = [each for each in run.hypotheses if each.cell.mask == 1]

    assert sorted(each.verdict for each in both) == [Verdict.EXPLAINED_BY, Verdict.PROMOTED]
    assert both[0].discovery.p == pytest.approx(both[1].discovery.p)


def test_a_cell_whose_effect_is_that_of_one_part_is_explained_by_the_part():
    run = lessons_of(group_of(*planted(3, 2)))
    (lesson,) = run.lessons
    whole = [each for each in run.hypotheses if each.cell.mask in (1, 2) and each.cell.values == ("1",)]

    assert lesson.cell.mask == 3
    assert lesson.parent in {each.cell for each in whole}
    assert all(each.verdict is not Verdict.PROMOTED for each in whole)
    assert any(each.explained_by == lesson.cell for each in whole)


def test_an_effect_that_stopped_is_not_confirmed():
    rr, values, day = planted(0, 1)
    rr[700:] -= 1.0 * (values[700:, 0] == 1)
    run = lessons_of(group_of(rr, values, day))

    assert run.lessons == ()
    assert any(each.verdict is Verdict.NOT_CONFIRMED and each.cell.values == ("1",) for each in run.hypotheses)


def shocked(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """600 trades of 90 days that share a shock a day, and 15 dimensions that say nothing and are constant in a day."""
    rng = np.random.default_rng(seed)
    on_day = np.sort(rng.integers(0, 90, 600))
    rr = rng.standard_t(3, 600) + rng.standard_normal(90)[on_day]
    return rr, rng.integers(1, 4, (90, 15))[on_day], on_day + np.linspace(0, 0.9, 600)


def test_days_that_share_a_shock_are_not_taken_for_effects_as_lone_trades_would_be():
    groups = [group_of(*shocked(seed)) for seed in range(12)]

    n_by_day = sum(bool(lessons_of(group, max_depth=2).lessons) for group in groups)
    n_by_trade = sum(bool(lessons_of(group, max_depth=2, cluster_by="trade").lessons) for group in groups)

    assert n_by_day <= 1
    assert n_by_trade >= 8


def test_a_planted_effect_of_days_is_still_found():
    rr, values, day = shocked(3)
    run = lessons_of(group_of(rr + 2.0 * (values[:, 4] == 2), values, day), max_depth=2)

    assert lessons(run) == {(16, ("2",))}
