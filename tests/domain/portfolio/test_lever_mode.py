"""One grid of three words over 0..1."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.config.portfolio import LeverModeConfig
from domain.portfolio.lever_mode import lever_mode
from domain.vocabulary.lever_mode import LeverMode

CONFIG = LeverModeConfig()


@pytest.mark.parametrize(
    ("lever", "mode"),
    [
        (0.0, "patient"),
        (math.nextafter(0.30, 0), "patient"),
        (0.30, "normal"),
        (0.35, "normal"),
        (math.nextafter(0.70, 0), "normal"),
        (0.70, "aggressive"),
        (0.72, "aggressive"),
        (1.0, "aggressive"),
    ],
)
def test_an_edge_belongs_to_the_mode_above(lever, mode):
    assert lever_mode(lever, CONFIG) is LeverMode(mode)


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_higher_lever_never_has_a_lower_mode(one, other):
    low, high = sorted([one, other])
    order = list(LeverMode)

    assert order.index(lever_mode(low, CONFIG)) <= order.index(lever_mode(high, CONFIG))


@pytest.mark.parametrize("wrong", [math.nan, -0.01, 1.01, math.inf])
def test_what_is_no_lever_has_no_mode(wrong):
    with pytest.raises(ValueError, match=r"within 0\.\.1"):
        lever_mode(wrong, CONFIG)
