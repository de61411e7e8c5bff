"""Benjamini-Hochberg and Wilson against values worked out by hand and by SciPy."""

import math

import numpy as np
import pytest
from scipy import stats

from domain.learning.false_discovery import benjamini_hochberg, wilson_interval


def test_q_is_that_worked_out_by_hand():
    p = np.array([0.001, 0.008, 0.039, 0.041, 0.042, 0.06, 0.074, 0.205, 0.212, 0.216])

    q = benjamini_hochberg(p)

    assert q == pytest.approx([0.01, 0.04, 0.084, 0.084, 0.084, 0.1, 0.74 / 7, 0.216, 0.216, 0.216])


def test_q_agrees_with_scipy_in_any_order_of_the_tests():
    p = np.random.default_rng(1).random(200) ** 3

    assert benjamini_hochberg(p) == pytest.approx(stats.false_discovery_control(p))


def test_what_has_no_p_is_no_test():
    q = benjamini_hochberg(np.array([math.nan, 0.02, math.nan, 0.04]))

    assert q[[1, 3]] == pytest.approx([0.04, 0.04])
    assert np.isnan(q[[0, 2]]).all()
    assert benjamini_hochberg(np.zeros(0)).size == 0


def test_one_test_alone_keeps_its_p():
    assert benjamini_hochberg(np.array([0.03])) == pytest.approx([0.03])


@pytest.mark.parametrize("p", [-0.1, 1.1])
def test_what_is_no_probability_is_refused(p):
    with pytest.raises(ValueError, match=r"within 0\.\.1"):
        benjamini_hochberg(np.array([0.5, p]))


@pytest.mark.parametrize(("wins", "n"), [(0, 33), (20, 33), (33, 33)])
def test_wilson_agrees_with_scipy_and_is_never_empty(wins, n):
    low, high = wilson_interval(wins, n, 0.9)
    expected = stats.binomtest(wins, n).proportion_ci(0.9, method="wilson")

    assert (low, high) == pytest.approx((expected.low, expected.high))
    assert 0 <= low < high <= 1


def test_a_rate_of_nothing_has_no_interval():
    assert all(map(math.isnan, wilson_interval(0, 0, 0.9)))
