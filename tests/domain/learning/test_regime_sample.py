"""Decisions made ready for a fit: one scale, no level of a state in it, nothing made up where nothing is known."""

import math

import numpy as np
import pytest

from domain.learning.regime_sample import N_FEATURES, regime_sample
from tests.domain.learning.regime_worlds import CONFIG, DOWN, UP

N = 4 * CONFIG.min_trades
RNG = np.random.default_rng(3)
FEATURES = RNG.uniform(0.1, 0.9, (N, N_FEATURES))
RR = RNG.normal(0.0, 1.0, N)
STATES = [UP if number % 2 else DOWN for number in range(N)]
EVERYONE, NO_EFFECT = np.ones(N, np.bool_), np.zeros(N_FEATURES)


def test_features_have_mean_0_in_each_state_and_their_scale_is_that_of_all():
    sample = regime_sample(RR, FEATURES, STATES, CONFIG)

    for state in (UP, DOWN):
        assert sample.z[[each is state for each in STATES]].mean(axis=0) == pytest.approx(NO_EFFECT, abs=1e-12)
    assert sample.scale.mean == pytest.approx(FEATURES.mean(axis=0))
    assert sample.scale.deviation == pytest.approx(FEATURES.std(axis=0))


def test_the_level_of_rr_in_a_state_is_no_effect_of_its_features():
    lifted = RR + np.array([5.0 if state is UP else 0.0 for state in STATES])
    plain, high = (regime_sample(rr, FEATURES, STATES, CONFIG) for rr in (RR, lifted))

    assert high.effects(EVERYONE, NO_EFFECT, 1.0) == pytest.approx(plain.effects(EVERYONE, NO_EFFECT, 1.0))


def test_a_feature_that_is_not_known_adds_nothing_and_leaves_the_others_as_they_are():
    features = FEATURES.copy()
    features[: N // 2, 0] = math.nan
    sample, whole = (regime_sample(RR, each, STATES, CONFIG) for each in (features, FEATURES))

    assert (sample.z[: N // 2, 0] == 0).all()
    assert (sample.z[:, 1:] == whole.z[:, 1:]).all()


def test_a_feature_few_know_or_all_know_alike_is_not_fitted():
    features = FEATURES.copy()
    features[CONFIG.min_trades - 1 :, 0], features[:, 1] = math.nan, 0.5
    sample = regime_sample(RR, features, STATES, CONFIG)

    assert sample.can_fit.tolist() == [False, False, True, True]
    assert [math.isnan(value) for value in sample.scale.mean] == [True, True, False, False]


def test_effects_go_from_what_the_rows_say_to_the_prior_as_it_grows_stronger():
    truth, prior = np.array([0.5, -0.25, 0.0, 1.0]), np.full(N_FEATURES, 2.0)
    sample = regime_sample(RR, FEATURES, STATES, CONFIG)
    planted = sample._replace(rr=sample.z @ truth)

    assert planted.effects(EVERYONE, prior, 1e-9) == pytest.approx(truth, abs=1e-6)
    assert planted.effects(EVERYONE, prior, 1e12) == pytest.approx(prior, abs=1e-6)


def test_outcomes_that_are_all_alike_have_a_deviation_of_exactly_0():
    assert regime_sample(np.full(N, 0.1), FEATURES, STATES, CONFIG).rr_deviation == 0.0
    assert regime_sample(RR[:0], FEATURES[:0], [], CONFIG).rr_deviation == 0.0
