"""The contrast of clusters: against textbook tests, against a jackknife by hand, on days that share a shock."""

import math

import numpy as np
import pytest
from scipy import stats

from domain.learning.contrast import NO_DIFFERENCE, contrasts, interval


def one(rr: np.ndarray, cluster: np.ndarray, inside: np.ndarray):
    return contrasts(rr, cluster, inside[None], ~inside[None]).of(0)


def test_with_a_trade_a_cluster_it_is_welchs_test():
    rng = np.random.default_rng(1)
    rr, inside = rng.standard_normal(2_000) + 0.1, rng.random(2_000) < 0.3
    rr[inside] *= 2

    found, expected = one(rr, np.arange(2_000), inside), stats.ttest_ind(rr[inside], rr[~inside], equal_var=False)

    assert found.effect == pytest.approx(rr[inside].mean() - rr[~inside].mean())
    assert found.effect / found.se == pytest.approx(expected.statistic, rel=2e-3)
    assert found.p == pytest.approx(expected.pvalue, rel=2e-2)


def test_the_variance_is_that_of_leaving_out_each_cluster():
    rng = np.random.default_rng(2)
    cluster = np.sort(rng.integers(0, 12, 90))
    rr, inside = rng.standard_normal(90), rng.random(90) < 0.4
    effects = [one(rr[kept], cluster[kept], inside[kept]).effect for g in np.unique(cluster) for kept in [cluster != g]]

    found = one(rr, cluster, inside)

    assert found.se**2 == pytest.approx(11 / 12 * np.sum((np.array(effects) - found.effect) ** 2))


def test_a_side_of_few_days_has_few_degrees_of_freedom():
    cluster = np.repeat(np.arange(60), 10)
    inside = cluster < 6

    found = one(np.random.default_rng(3).standard_normal(600), cluster, inside)

    assert (found.clusters_in, found.clusters_rest, found.n_in, found.n_rest) == (6, 54, 60, 540)
    assert 5 < found.df < 8


@pytest.mark.parametrize("is_constant_in_a_day", [False, True])
def test_p_is_not_too_small_when_the_trades_of_a_day_share_a_shock(is_constant_in_a_day):
    rng = np.random.default_rng(4)
    day = np.repeat(np.arange(60), 6)
    p = []
    for _ in range(100):
        rr = rng.standard_t(3, 360) + rng.standard_normal(60)[day]
        inside = (rng.random((20, 60)) < 0.2)[:, day] if is_constant_in_a_day else rng.random((20, 360)) < 0.2
        p.append(contrasts(rr, day, inside, ~inside).p)

    found = np.concatenate(p)
    assert np.mean(found <= 0.05) <= 0.06
    assert np.mean(found <= 0.01) <= 0.015


def test_outcomes_that_are_all_alike_have_no_p():
    rr = np.concatenate([np.ones(40), np.random.default_rng(5).standard_normal(60)])
    inside = np.arange(100) < 40

    found = one(rr, np.arange(100), inside)

    assert math.isnan(found.p)
    assert math.isnan(found.se)
    assert found.effect == pytest.approx(1 - rr[40:].mean())
    assert math.isnan(one(np.ones(100), np.arange(100), inside).p)


def test_a_side_within_one_cluster_has_no_p():
    cluster = np.repeat(np.arange(10), 10)

    found = one(np.random.default_rng(6).standard_normal(100), cluster, cluster == 3)

    assert (found.clusters_in, math.isnan(found.p), math.isnan(found.df)) == (1, True, True)


def test_no_trades_are_no_difference_and_raise_nothing():
    nothing = contrasts(np.zeros(0), np.zeros(0, np.int64), np.zeros((1, 0), bool), np.zeros((1, 0), bool)).of(0)
    empty_side = one(np.random.default_rng(7).standard_normal(20), np.arange(20), np.zeros(20, bool))

    assert repr(nothing) == repr(NO_DIFFERENCE)
    assert (empty_side.n_in, empty_side.n_rest, math.isnan(empty_side.effect)) == (0, 20, True)
    assert all(map(math.isnan, interval(NO_DIFFERENCE, 0.9)))


def test_a_direction_said_before_halves_p_or_turns_it():
    rng = np.random.default_rng(8)
    rr, inside = rng.standard_normal(200), rng.random(200) < 0.5
    found = contrasts(rr, np.arange(200), inside[None], ~inside[None])

    with_it, against_it = found.towards(found.effect).p[0], found.towards(-found.effect).p[0]

    assert with_it == pytest.approx(found.p[0] / 2)
    assert against_it == pytest.approx(1 - found.p[0] / 2)
