"""Weights by state: separate where states differ, neutral where nothing is known, pulled to all where little is."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.config.regime_weight import RegimeWeightConfig
from domain.learning.regime_feature import CellFeatures
from domain.learning.regime_signature import ALL_SIGNATURES, parse_regime_signature
from domain.learning.regime_weight import ALL_STATES, NEUTRAL, RegimeWeights, regime_weights
from domain.vocabulary.action import ActionCategory
from tests.domain.learning.regime_worlds import CONFIG, DOWN, UP, market, rows, rows_of

ENTRY, ADD, TRIM = ActionCategory.ENTRY, ActionCategory.ADD, ActionCategory.TRIM
OTHER = ALL_SIGNATURES[4]


def drawn(n_up: int, n_down: int = 0, *, up=(0.0,) * 4, down=(0.0,) * 4, seed: int = 0, noise: float = 1.0):
    """Decisions in two states, with effects (R per sd) of the four features."""
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((n_up + n_down, 4))
    is_up = np.arange(n_up + n_down) < n_up
    rr = np.where(is_up, z @ np.array(up), z @ np.array(down)) + noise * rng.standard_normal(z.shape[0])
    return rows(0.5 + 0.1 * z, rr, [UP if each else DOWN for each in is_up])


def fitted(trades, **changed) -> RegimeWeights:
    return regime_weights(trades, RegimeWeightConfig(**changed))


def told_of(trades) -> str:
    """All rows, as text: NaN is like NaN."""
    return str([each.row() for each in fitted(trades).told()])


@pytest.mark.parametrize("seed", range(4))
def test_weights_separate_where_speed_matters_in_one_state_only(seed):
    found = regime_weights(rows_of(market(800, seed, effect_up=1.0, effect_down=0.0)), CONFIG)

    assert found.weights(UP, ENTRY).time_efficiency > 1.3
    assert found.weights(UP, ENTRY).time_efficiency - found.weights(DOWN, ENTRY).time_efficiency > 0.3


@pytest.mark.parametrize("seed", range(4))
def test_weights_stay_near_1_where_nothing_matters(seed):
    found = regime_weights(rows_of(market(800, seed, effect_up=0.0, effect_down=0.0)), CONFIG)

    assert max(abs(weight - 1) for state in (UP, DOWN) for weight in found.weights(state, ENTRY)) < 0.25


@pytest.mark.parametrize("feature", range(4))
def test_each_feature_moves_its_own_weight(feature):
    effects = np.eye(4)[feature]
    up, down = (fitted(drawn(300, 300, up=effects, down=-effects)).weights(state, ENTRY) for state in (UP, DOWN))
    others = [i for i in range(4) if i != feature]

    assert up[feature] > 1.25
    assert down[feature] < 0.75
    assert max(abs(weights[i] - 1) for weights in (up, down) for i in others) < 0.15


def test_a_weight_is_1_plus_the_effect_in_deviations_of_rr():
    found = fitted(drawn(20_000, up=(0.3, 0.0, 0.0, 0.0)), prior_trades=1, global_prior_trades=1)

    assert found.weights(UP, ENTRY).time_efficiency == pytest.approx(1 + 0.3 / math.hypot(0.3, 1.0), abs=0.02)


def test_without_trades_every_weight_is_exactly_1_and_said_to_be_a_default():
    found = fitted(drawn(0))

    assert found.weights(UP, ENTRY) == found.weights(None, ADD) == NEUTRAL
    assert [(each.is_default, each.confidence, each.parent) for each in found.told()] == [(True, 0.0, None)] * 2


def test_what_is_sold_is_not_weighted():
    assert fitted(drawn(200, up=(1.0, 0, 0, 0))).weights(UP, TRIM) == NEUTRAL


def test_outcomes_that_are_all_alike_teach_nothing():
    trades = drawn(100)
    trades.rr[:] = 0.7

    assert fitted(trades).weights(UP, ENTRY) == NEUTRAL


def test_a_feature_that_never_varies_has_weight_1_and_no_effect():
    trades = drawn(100, up=(0.5, 0, 0, 0))
    trades.features[:, 2] = 0.1
    found = fitted(trades).of_state[ENTRY, UP]

    assert found.weights.recurrence == 1.0
    assert math.isnan(found.effects.recurrence)
    assert found.weights.time_efficiency > 1.05


@pytest.mark.parametrize(("n_down", "is_own"), [(32, False), (33, True)])
def test_a_state_is_fitted_from_33_trades_on_and_else_takes_what_holds_for_all(n_down, is_own):
    found = fitted(drawn(300, n_down, up=(0.6, 0, 0, 0), down=(-0.6, 0, 0, 0)))
    down, of_all = found.of_state[ENTRY, DOWN], found.of_all[ENTRY]

    assert (down.is_own, down.parent, down.n_trades) == (is_own, None if is_own else ALL_STATES, n_down)
    assert (down.weights == of_all.weights) is not is_own
    assert down.n_fit_trades == (n_down if is_own else 300 + n_down)


@pytest.mark.parametrize(("n", "is_default"), [(32, True), (33, False)])
def test_fewer_than_33_trades_of_a_category_have_no_weights(n, is_default):
    found = fitted(drawn(n, up=(2.0, 0, 0, 0)))

    assert found.of_all[ENTRY].is_default is found.of_state[ENTRY, UP].is_default is is_default
    assert (found.weights(UP, ENTRY) == NEUTRAL) is is_default


def test_a_state_that_was_never_traded_in_or_is_not_known_has_the_weights_of_all():
    found = fitted(drawn(300, up=(0.6, 0, 0, 0)))

    assert found.weights(OTHER, ENTRY) == found.weights(None, ENTRY) == found.of_all[ENTRY].weights != NEUTRAL


def test_the_stronger_the_pull_the_nearer_a_state_is_to_all():
    trades = drawn(300, 60, up=(0.5, 0, 0, 0), down=(-0.5, 0, 0, 0))
    strengths = (1.0, 30.0, 300.0, 1e5)
    found = [fitted(trades, prior_trades=k) for k in strengths]
    apart = [abs(each.weights(DOWN, ENTRY).time_efficiency - each.weights(None, ENTRY)[0]) for each in found]

    assert apart == sorted(apart, reverse=True)
    assert apart[-1] < 0.002
    assert [each.of_state[ENTRY, DOWN].confidence for each in found] == [60 / (60 + k) for k in strengths]


def test_the_stronger_the_ridge_the_nearer_the_fit_of_all_is_to_no_effect():
    trades = drawn(100, up=(0.8, 0, 0, 0))
    found = [fitted(trades, global_prior_trades=k).of_all[ENTRY].effects.time_efficiency for k in (1, 100, 1e5)]

    assert found[0] > 0.65 > found[1] > 0.3 > 0.01 > found[2] > 0


def test_the_level_of_a_state_is_no_effect_of_its_features():
    trades = drawn(200, 200, up=(0.5, 0, 0, 0))
    trades.features[:200, 0] += 0.3
    base = fitted(trades)
    trades.rr[:200] += 5.0
    lifted = fitted(trades)

    for before, after in zip(base.told(), lifted.told(), strict=True):
        assert after.effects == pytest.approx(before.effects, nan_ok=True)


def test_a_feature_few_trades_of_a_state_know_has_the_weight_of_all_there():
    trades = drawn(300, 100, up=(0, 0.6, 0, 0), down=(0, -0.6, 0, 0))
    trades.features[320:, 1] = np.nan
    found = fitted(trades)

    assert found.weights(DOWN, ENTRY).field_coherence == found.weights(None, ENTRY).field_coherence
    assert found.of_state[ENTRY, DOWN].is_own


def test_rows_without_outcome_or_any_feature_say_nothing():
    trades = drawn(100, up=(0.5, 0, 0, 0))
    more = drawn(140, up=(0.5, 0, 0, 0))
    more.features[:100], more.rr[:100] = trades.features, trades.rr
    more.rr[100:120] = np.nan
    more.features[120:] = np.nan

    assert told_of(more) == told_of(trades)


def test_rows_without_a_signature_count_for_all_states_only():
    trades = drawn(100, 100, up=(0.5, 0, 0, 0), down=(0.5, 0, 0, 0))
    known = [UP] * 100 + [None] * 100
    found = fitted(rows(trades.features, trades.rr, known))

    assert found.of_all[ENTRY].weights == fitted(trades).of_all[ENTRY].weights
    assert list(found.of_state) == [(ENTRY, UP)]


def test_entries_teach_nothing_of_adds():
    trades = drawn(100, up=(0.5, 0, 0, 0))
    found = fitted(rows(trades.features, trades.rr, [UP] * 100, ADD))

    assert found.of_all[ENTRY].is_default
    assert found.weights(UP, ADD).time_efficiency > 1.05


@given(st.integers(0, 120), st.integers(0, 120), st.integers(0, 10_000), st.floats(0, 20), st.floats(0, 1))
def test_weights_stay_within_their_clamps_whatever_the_trades(n_up, n_down, seed, effect, share_unknown):
    trades = drawn(n_up, n_down, up=(effect,) * 4, down=(-effect,) * 4, seed=seed)
    trades.features[np.random.default_rng(seed).random(trades.features.shape) < share_unknown] = np.nan
    found = fitted(trades)

    assert all(0.3 <= weight <= 1.7 for each in found.told() for weight in each.weights)
    assert all(0 <= each.confidence < 1 for each in found.told())


def test_without_gain_the_edge_is_the_plain_one():
    assert fitted(drawn(200, up=(1.0,) * 4), gain=0).weights(UP, ENTRY) == NEUTRAL


def test_a_state_shifts_the_expected_rr_by_what_its_effects_differ():
    found = fitted(drawn(2000, 2000, up=(0.8, 0, 0, 0)), prior_trades=1)
    quick = CellFeatures(0.6, math.nan, 0.5, 0.5)

    assert found.shift_r(UP, ENTRY, quick) == pytest.approx(0.4, abs=0.05)
    assert found.shift_r(DOWN, ENTRY, quick) == pytest.approx(-0.4, abs=0.05)
    assert found.shift_r(OTHER, ENTRY, quick) == found.shift_r(None, ENTRY, quick) == 0.0
    assert found.shift_r(UP, ENTRY, CellFeatures(*[math.nan] * 4)) == found.shift_r(UP, TRIM, quick) == 0.0


def test_the_spread_tells_whether_states_are_told_apart():
    found = fitted(drawn(300, 300, up=(0.8, 0, 0, 0), down=(-0.8, 0, 0, 0)))
    spread = found.spread(ENTRY, CONFIG)

    assert spread.n_fitted == 2
    assert spread.largest_minus_least.time_efficiency > 0.8
    assert spread.largest_minus_least.variance < 0.3
    assert spread.clamped_frac == 0.0
    assert fitted(drawn(300, up=(9.0, 0, 0, 0))).spread(ENTRY, RegimeWeightConfig(weight_max=1.2)).clamped_frac == 0.25


def test_one_fitted_state_has_no_spread():
    spread = fitted(drawn(300)).spread(ENTRY, CONFIG)

    assert spread.n_fitted == 1
    assert all(map(math.isnan, spread.largest_minus_least))
    assert math.isnan(fitted(drawn(0)).spread(ENTRY, CONFIG).clamped_frac)


def test_rows_of_the_table_tell_every_state_once_after_that_of_all():
    found = fitted(drawn(100, 10, up=(0.5, 0, 0, 0)))
    told = [each.row() for each in found.told()]
    entries = [row for row in told if row["action_category"] == "entry"]

    assert [row["regime_signature"] for row in entries] == [ALL_STATES, str(DOWN), str(UP)]
    assert [row["parent"] for row in entries] == [None, ALL_STATES, None]
    assert parse_regime_signature(entries[2]["regime_signature"]) == UP
    assert entries[2]["w_time_efficiency"] == found.weights(UP, ENTRY).time_efficiency
