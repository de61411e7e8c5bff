"""A lesson in the regime of a day: as strong as its components are there, itself where nothing is known."""

import math

import pytest

from domain.learning.edge import edge_score
from domain.learning.regime_edge import regime_edge_score
from domain.learning.regime_feature import UNKNOWN_FEATURES, CellFeatures
from domain.learning.regime_weight import RegimeWeights, regime_weights
from domain.learning.served_lesson import served_lesson
from domain.vocabulary.action import ActionCategory
from tests.domain.learning.override_worlds import lesson
from tests.domain.learning.regime_worlds import CONFIG, DOWN, UP, market, rows_of

PLAIN = edge_score(
    avg_rr=1.85,
    baseline_rr=1.05,
    variance_rr=0.42,
    n_trades=45,
    median_rr=1.6,
    duration_hours=36,
    edge_volatility=0.25,
    support_trades=12,
)
FEATURES = CellFeatures(time_efficiency=0.4, field_coherence=0.5625, recurrence=0.8337, variance=0.7042)
SHRUNK = lesson(edge=0.6 * PLAIN.edge_raw, edge_raw=PLAIN.edge_raw)
NO_SHIFT = CONFIG.model_copy(update={"shift_by_state": False})
SHIFT = CONFIG.model_copy(update={"shift_by_state": True})


@pytest.fixture(scope="module")
def weights() -> RegimeWeights:
    """Of a market in which speed is worth 1 R a deviation in one state, and nothing in the other."""
    return regime_weights(rows_of(market(800, 1, effect_up=1.0, effect_down=0.0)), CONFIG)


def test_it_is_the_believed_edge_by_weighted_over_plain(weights):
    served = served_lesson(SHRUNK, PLAIN, FEATURES, weights, UP, NO_SHIFT)

    alone = regime_edge_score(PLAIN, FEATURES, weights.weights(UP, ActionCategory.ENTRY))
    assert served.edge_used == pytest.approx(0.6 * alone.edge_regime)
    assert served.edge_raw == PLAIN.edge_raw
    assert served.edge_used != served_lesson(SHRUNK, PLAIN, FEATURES, weights, DOWN, NO_SHIFT).edge_used


def test_with_the_shift_of_the_state_it_is_stronger_where_the_state_pays_more_for_what_the_cell_is(weights):
    fast = FEATURES._replace(time_efficiency=0.9)
    plain, shifted = (served_lesson(SHRUNK, PLAIN, fast, weights, UP, each).edge_used for each in (NO_SHIFT, SHIFT))

    assert weights.shift_r(UP, ActionCategory.ENTRY, fast) > 0
    assert shifted > plain


def test_of_weights_that_are_all_1_it_is_itself_to_the_bit():
    neutral = regime_weights(rows_of([]), CONFIG)

    assert served_lesson(SHRUNK, PLAIN, FEATURES, neutral, UP, SHIFT) == SHRUNK
    assert served_lesson(SHRUNK, PLAIN, UNKNOWN_FEATURES, neutral, None, SHIFT) == SHRUNK


def test_without_a_closed_trade_of_its_cell_it_stays_as_it_is(weights):
    assert served_lesson(SHRUNK, PLAIN, None, weights, UP, SHIFT) is SHRUNK


def test_without_an_edge_it_stays_as_it_is(weights):
    flat = lesson(edge=0.0)

    assert served_lesson(flat, PLAIN._replace(edge_raw=math.nan), FEATURES, weights, UP, SHIFT) is flat
