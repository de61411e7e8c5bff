"""The weighted edge: plain to the bit at weights of 1, of one sign always, and monotone in every component."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.learning.edge import EdgeScore, edge_score
from domain.learning.regime_edge import regime_edge_score
from domain.learning.regime_feature import CellFeatures
from domain.learning.regime_weight import NEUTRAL, ComponentWeights

UNIT = st.floats(0, 1)
WEIGHT = st.floats(0.3, 1.7)
WEIGHTS = st.builds(ComponentWeights, WEIGHT, WEIGHT, WEIGHT, WEIGHT)
FEATURES = st.builds(CellFeatures, *[UNIT | st.just(math.nan)] * 4)
KNOWN = st.builds(CellFeatures, UNIT, UNIT, UNIT, UNIT)
SCORES = st.builds(
    edge_score,
    avg_rr=st.floats(-10, 10),
    baseline_rr=st.floats(-3, 3),
    variance_rr=st.floats(0, 100),
    n_trades=st.integers(1, 500),
    median_rr=st.floats(-10, 10),
    duration_hours=st.floats(0, 5000),
    edge_volatility=st.floats(0, 10),
    support_trades=st.just(12.0),
)
IN_THE_SUM = ("support_score", "magnitude_score", "time_score", "stability_score")
NONE = EdgeScore(*[math.nan] * len(EdgeScore._fields))
ANY = CellFeatures(0.4, 0.5, 0.8, 0.7)


def edge(score: EdgeScore, features: CellFeatures, weights: ComponentWeights) -> float:
    return regime_edge_score(score, features, weights).edge_regime


@given(SCORES, FEATURES)
def test_with_all_weights_1_it_is_the_plain_edge_to_the_bit(score, features):
    assert edge(score, features, NEUTRAL) == score.edge_raw


@given(SCORES, WEIGHTS)
def test_with_nothing_known_of_the_cell_it_is_the_plain_edge_to_the_bit(score, weights):
    assert edge(score, CellFeatures(*[math.nan] * 4), weights) == score.edge_raw


@given(SCORES, KNOWN, WEIGHTS, st.sampled_from(CellFeatures._fields))
def test_the_weight_of_a_feature_that_is_not_known_acts_as_1(score, features, weights, name):
    unknown = features._replace(**{name: math.nan})

    assert edge(score, unknown, weights) == edge(score, unknown, weights._replace(**{name: 1.0}))


@given(SCORES, FEATURES, WEIGHTS)
def test_no_weights_turn_an_edge_to_the_other_sign_or_beyond_their_bound(score, features, weights):
    found = edge(score, features, weights)

    assert found * score.delta_rr >= 0
    assert abs(found) <= abs(score.delta_rr) * 4.7 * 2 ** (2 * 0.7)


@given(SCORES, FEATURES, WEIGHTS, st.sampled_from((*IN_THE_SUM, "reliability_score")), UNIT, UNIT)
def test_its_size_rises_with_every_component_of_the_edge(score, features, weights, name, one, other):
    low, high = sorted((one, other))
    small, large = (abs(edge(score._replace(**{name: value}), features, weights)) for value in (low, high))

    assert small <= large * (1 + 1e-12)


@given(SCORES, KNOWN, WEIGHTS, st.sampled_from(("field_coherence", "recurrence")), UNIT, UNIT)
def test_its_size_goes_with_coherence_and_recurrence_the_way_their_weight_says(score, features, weights, name, a, b):
    low, high = sorted((a, b))
    small, large = (abs(edge(score, features._replace(**{name: value}), weights)) for value in (low, high))
    if getattr(weights, name) < 1:
        small, large = large, small

    assert small <= large * (1 + 1e-12)


@given(SCORES, KNOWN, WEIGHTS, st.sampled_from(("time_efficiency", "field_coherence", "recurrence")), WEIGHT, WEIGHT)
def test_its_size_rises_with_the_weights_of_time_coherence_and_recurrence(score, features, weights, name, a, b):
    low, high = sorted((a, b))
    small, large = (abs(edge(score, features, weights._replace(**{name: value}))) for value in (low, high))

    assert small <= large * (1 + 1e-12)


@given(SCORES, SCORES, WEIGHTS, KNOWN)
def test_the_more_variance_weighs_the_more_it_tells_steady_cells_from_others(one, other, weights, features):
    steady, wild = sorted((one, other), key=lambda score: -score.reliability_score)
    told = []
    for weight in (0.5, 1.0, 1.5):
        acting = weights._replace(variance=weight)
        told.append([regime_edge_score(each, features, acting).reliability_score for each in (steady, wild)])
    ratios = [first / second for first, second in told]

    assert ratios[0] <= ratios[1] * (1 + 1e-12)
    assert ratios[1] <= ratios[2] * (1 + 1e-12)


@given(SCORES, FEATURES, st.floats(-3, 3))
def test_a_shift_is_as_if_the_cell_had_made_that_much_more(score, features, shift_r):
    found = regime_edge_score(score, features, NEUTRAL, shift_r=shift_r).edge_regime
    components = sum(getattr(score, name) for name in IN_THE_SUM)

    assert found == pytest.approx((score.delta_rr + shift_r) * score.reliability_score * components, rel=1e-12)


def test_a_cell_without_an_edge_has_none_in_any_state():
    assert all(map(math.isnan, regime_edge_score(NONE, ANY, NEUTRAL)))


@pytest.mark.parametrize("weight", [0.0, -1.0, math.nan, math.inf])
def test_a_weight_that_is_no_ratio_is_refused(weight):
    with pytest.raises(ValueError, match="weight of recurrence must be finite"):
        regime_edge_score(NONE, ANY, NEUTRAL._replace(recurrence=weight))


@pytest.mark.parametrize("value", [-0.1, 1.1, math.inf])
def test_a_feature_outside_0_to_1_is_refused(value):
    with pytest.raises(ValueError, match=r"field_coherence must be within 0\.\.1"):
        regime_edge_score(NONE, ANY._replace(field_coherence=value), NEUTRAL)


def test_a_shift_that_is_not_known_is_refused():
    with pytest.raises(ValueError, match="shift_r must be finite"):
        regime_edge_score(NONE, ANY, NEUTRAL, shift_r=math.nan)
