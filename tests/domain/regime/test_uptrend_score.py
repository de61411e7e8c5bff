"""Worked examples and properties of the four scores."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.config.uptrend import UptrendConfig
from domain.regime.uptrend_bar import Bar, EmaStack, uptrend_params
from domain.regime.uptrend_score import (
    atr_ratio,
    clamp,
    decayed_overextension,
    discount,
    discount_threshold,
    hallway_position,
    is_level_near,
    overextension_base,
    relief,
    sigmoid,
    sr_boost,
    trend_strength,
)

PARAMS = uptrend_params(UptrendConfig())
QUIET = Bar(EmaStack(100.0, 100.0, 100.0, 100.0, 100.0, 100.0, 100.0), *[0.0] * 8, 2.0, 2.0, 0.0, 22.0, 0.0, 0.0)
STRETCHED = QUIET._replace(
    stack=EmaStack(110.0, 106.0, 104.0, 103.0, 100.0, 98.0, 95.0),
    dsep_fast_5=0.002,
    dsep_mid_5=0.001,
    ema20_slope=0.002,
    atr=2.0,
    atr_mean_20=1.8,
)
HALLWAY = EmaStack(96.0, 106.0, 105.0, 103.0, 100.0, 98.0, 95.0)
DIPPED = QUIET._replace(stack=HALLWAY, vo_z=-0.5, rsi_slope_10=0.4, adx=22.0, adx_slope_10=0.1, d_ema144_slope=1e-5)
NO_LEVELS = np.empty(0)
finite = st.floats(-1e12, 1e12)
positive = st.floats(1e-9, 1e9)


@pytest.mark.parametrize(
    ("rsi_slope", "adx_slope", "ts"), [(0, 0, 0.5), (1.5, 0.4, 0.625), (-6, 0, 0.25), (5, 2, 1.0), (2, -1, 0.475)]
)
def test_trend_strength_matches_the_worked_examples(rsi_slope, adx_slope, ts):
    assert trend_strength(float(rsi_slope), float(adx_slope)) == pytest.approx(ts)


def test_a_level_half_an_atr_from_its_anchor_gives_half_of_its_strength():
    boost = sr_boost(100.0, 1.0, np.array([100.5]), np.array([0.6 * 20]), PARAMS)

    assert boost == pytest.approx(0.075)


def test_the_boost_grows_with_strength_up_to_twenty_touches():
    boosts = [sr_boost(100.0, 1.0, np.array([100.5]), np.array([s]), PARAMS) for s in (1.0, 5.0, 10.0, 20.0, 60.0)]

    assert boosts == pytest.approx([0.00625, 0.03125, 0.0625, 0.125, 0.125])


def test_the_strongest_level_counts_and_one_outside_the_halo_does_not():
    boost = sr_boost(100.0, 1.0, np.array([100.5, 99.9, 101.1]), np.array([20.0, 4.0, 60.0]), PARAMS)

    assert boost == pytest.approx(0.125)


@pytest.mark.parametrize(("atr", "levels"), [(0.0, [100.0]), (-1.0, [100.0]), (1.0, [])])
def test_a_flat_series_or_one_without_levels_has_no_boost(atr, levels):
    assert sr_boost(100.0, atr, np.array(levels), np.full(len(levels), 20.0), PARAMS) == 0.0


def test_a_missing_atr_makes_the_boost_missing():
    assert math.isnan(sr_boost(100.0, math.nan, np.array([100.0]), np.array([20.0]), PARAMS))


@pytest.mark.parametrize(("required", "near"), [(False, True), (True, False)])
def test_a_series_without_levels_is_near_one_unless_levels_are_required(required, near):
    assert is_level_near(100.0, 1.0, NO_LEVELS, PARAMS._replace(trim_requires_sr=required)) is near


@pytest.mark.parametrize("required", [False, True])
def test_a_series_with_levels_must_be_near_one(required):
    params = PARAMS._replace(trim_requires_sr=required)

    assert is_level_near(100.0, 1.0, np.array([90.0, 101.0]), params) is True
    assert is_level_near(100.0, 1.0, np.array([90.0, 101.1]), params) is False


def test_overextension_matches_the_worked_example():
    base = overextension_base(STRETCHED, PARAMS)

    assert base == pytest.approx(0.78506, abs=5e-6)
    assert decayed_overextension(base, 0.7) == pytest.approx(0.83688, abs=5e-6)


def test_overextension_is_a_half_where_price_stands_on_every_ema():
    assert overextension_base(QUIET, PARAMS) == pytest.approx(0.5)


def test_a_fresh_trend_leaves_overextension_alone():
    assert decayed_overextension(0.6, 0.4) == pytest.approx(0.6)


def test_a_flat_series_has_no_rails_and_an_atr_at_its_mean():
    assert overextension_base(QUIET._replace(atr=0.0, atr_mean_20=0.0), PARAMS) == pytest.approx(0.125)
    assert atr_ratio(0.0, 0.0) == 1.0


@pytest.mark.parametrize(
    ("price", "edx", "dx", "tolerance"), [(96.0, 0.55, 0.66066, 5e-6), (95.2, 0.75, 0.76191, 5e-6)]
)
def test_discount_matches_the_worked_examples(price, edx, dx, tolerance):
    bar = DIPPED._replace(stack=HALLWAY._replace(price=price))

    assert discount(bar, edx, PARAMS) == pytest.approx(dx, abs=tolerance)


def test_the_parts_of_the_discount_match_the_worked_example():
    assert hallway_position(HALLWAY) == pytest.approx(0.2)
    assert relief(DIPPED, PARAMS) == pytest.approx(0.7585, abs=5e-5)
    assert sigmoid(-DIPPED.vo_z) == pytest.approx(0.6225, abs=5e-5)


def test_a_weak_adx_gives_no_relief_and_a_missing_one_gives_no_value():
    weak = relief(DIPPED._replace(adx=17.9), PARAMS)

    assert relief(DIPPED, PARAMS) - weak == pytest.approx(0.25 * sigmoid(0.1 / 0.3))
    assert math.isnan(relief(DIPPED._replace(adx=math.nan), PARAMS))


@pytest.mark.parametrize(("price", "place"), [(94.0, 0.0), (95.0, 0.0), (97.5, 0.5), (100.0, 1.0), (120.0, 1.0)])
def test_the_hallway_runs_from_ema333_to_ema144(price, place):
    assert hallway_position(HALLWAY._replace(price=price)) == pytest.approx(place)


@pytest.mark.parametrize(("ema144", "price", "place"), [(90.0, 91.0, 0.2), (95.0, 95.0, 1.0), (95.0, 95.1, 0.0)])
def test_an_inverted_hallway_is_measured_from_ema144_and_one_without_width_is_all_or_nothing(ema144, price, place):
    assert hallway_position(HALLWAY._replace(ema144=ema144, price=price)) == pytest.approx(place)


@pytest.mark.parametrize(
    ("edx", "price", "threshold"),
    [
        (0.4, 95.0, 0.50),  # at EMA333: the full boost
        (0.4, 100.0, 0.65),  # at EMA144: the full penalty
        (0.5, 97.5, 0.575),
        (0.6, 95.0, 0.55),
        (0.69999999, 95.0, 0.60),
        (0.7, 95.0, 0.65),  # the step from .10 to .15
        (1.0, 95.0, 0.65),
    ],
)
def test_the_discount_threshold_falls_toward_ema333_and_rises_with_decay(edx, price, threshold):
    assert discount_threshold(HALLWAY._replace(price=price), edx, PARAMS) == pytest.approx(threshold)


def test_the_discount_threshold_is_never_negative_and_needs_a_hallway_to_move():
    assert discount_threshold(HALLWAY._replace(price=95.0), 0.4, PARAMS._replace(dx_threshold=0.05)) == 0.0
    assert discount_threshold(HALLWAY._replace(ema144=95.0), 0.4, PARAMS) == pytest.approx(0.60)


@given(st.floats(1.0, 1e4), st.floats(0.0, 1e3))
@settings(deadline=None)
def test_a_higher_price_is_never_less_overextended(price, rise):
    low, high = (
        overextension_base(STRETCHED._replace(stack=STRETCHED.stack._replace(price=p)), PARAMS)
        for p in (price, price + rise)
    )

    assert high >= low


@given(st.floats(95.0, 100.0), st.floats(0.0, 5.0), st.floats(0.0, 1.0))
@settings(deadline=None)
def test_a_price_nearer_to_ema333_is_never_less_of_a_discount(price, fall, edx):
    near = max(95.0, price - fall)
    far_dx, near_dx = (discount(DIPPED._replace(stack=HALLWAY._replace(price=p)), edx, PARAMS) for p in (price, near))

    assert near_dx >= far_dx


@given(
    st.tuples(*[positive] * 7).map(lambda values: EmaStack(*values)),
    st.tuples(*[finite] * 14).map(list),
    st.floats(0.0, 1.0),
)
@settings(deadline=None, max_examples=300)
def test_scores_stay_between_zero_and_one_for_any_finite_bar(stack, values, edx):
    bar = Bar(stack, *values)
    ox = overextension_base(bar, PARAMS)
    scores = [trend_strength(bar.rsi_slope_10, bar.adx_slope_10), ox, decayed_overextension(ox, edx)]

    assert all(-1e-12 <= score <= 1.0 for score in [*scores, discount(bar, edx, PARAMS)])


def test_the_sigmoid_never_overflows_and_a_clamp_keeps_nan():
    assert (sigmoid(-1e6), sigmoid(0.0), sigmoid(1e6)) == (0.0, 0.5, 1.0)
    assert math.isnan(clamp(math.nan, 0.0, 1.0))
