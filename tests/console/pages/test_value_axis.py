"""Heights of numbers: values stand in proportion, ticks are round, and nothing leaves the picture."""

import numpy as np
import pytest

from console.pages.value_axis import ValueAxis, axis_over

AXIS = ValueAxis(low=-1.0, high=3.0, top=10.0, bottom=210.0)


def test_values_stand_in_proportion_the_high_ones_above():
    assert [AXIS.y(value) for value in (-1.0, 0.0, 1.0, 3.0)] == [210.0, 160.0, 110.0, 10.0]


def test_a_value_outside_is_drawn_at_the_nearer_end():
    assert (AXIS.y(-9.0), AXIS.y(9.0)) == (210.0, 10.0)


@pytest.mark.parametrize("seed", range(20))
def test_ticks_are_round_even_and_within(seed):
    low, width = np.random.default_rng(seed).normal(0, 3), 10 ** np.random.default_rng(seed + 99).uniform(-4, 4)
    axis = ValueAxis(low=low, high=low + width, top=0, bottom=1)

    ticks = axis.ticks()

    assert 2 <= len(ticks) <= 7
    assert axis.low <= ticks[0] < ticks[-1] <= axis.high
    steps = np.diff(ticks)
    assert steps == pytest.approx(steps[0])
    mantissa = steps[0] / 10 ** np.floor(np.log10(steps[0]) + 1e-9)
    assert min(abs(mantissa - each) for each in (1, 2, 2.5, 5, 10)) < 1e-6


@pytest.mark.parametrize("values", [[], [0.0, 0.0], [0.3, 0.4], [-2.0, -1.0], [-1.0, 1.0]])
def test_an_axis_holds_its_values_and_nothing_at_all(values):
    axis = axis_over(values, top=0, bottom=100)

    assert all(axis.low < value < axis.high for value in [0.0, *values])
