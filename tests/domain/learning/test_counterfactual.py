"""Replays of a step against sums worked out by hand; what is not known is not guessed."""

from dataclasses import replace

import pytest

from domain.learning.counterfactual import Counterfactual, OutcomeMeans, outcome_means, replay_step
from tests.domain.learning.tuned_episodes import CONFIG, bought, episode, gate_of, start_of

MEANS = OutcomeMeans(success=2.0, failure=-1.0, n_success=9, n_failure=9)


def replayed(episodes, after: float, means: OutcomeMeans = MEANS, before: float = 1.0) -> Counterfactual:
    return replay_step(gate_of(), episodes, before=before, after=after, means=means, as_of_at=start_of(1))


def test_a_looser_gate_gains_the_mean_of_their_outcome_for_those_it_lets_in():
    let_in = [episode("a", 0.58), episode("b", 0.57), episode("c", 0.59, is_success=False)]
    kept_out = [episode("d", 0.56), episode("e", 0.58, is_open=False)]

    found = replayed([*let_in, *kept_out], 0.95)

    assert (found.n, found.n_let_in, found.n_shut_out, found.n_estimated) == (5, 3, 0, 3)
    assert found.gain_rr == pytest.approx((2.0 + 2.0 - 1.0) / 5)


def test_a_tighter_gate_loses_what_those_it_shuts_out_really_made():
    shut_out = [episode("a", 0.61, is_success=False, rr=-0.5), episode("b", 0.62, rr=0.2)]

    found = replayed([*shut_out, episode("c", 0.64, rr=3.0)], 1.05)

    assert (found.n_shut_out, found.n_estimated) == (2, 0)
    assert found.gain_rr == pytest.approx(-(-0.5 + 0.2) / 3)
    assert found.is_better


def test_a_step_that_nothing_crosses_gains_nothing():
    found = replayed([episode("far", 0.9)], 1.05)

    assert found.gain_rr == 0.0
    assert not found.is_better


def test_without_a_mean_of_an_outcome_there_is_no_gain_rather_than_none_of_it():
    found = replayed([episode("a", 0.58)], 0.95, replace(MEANS, success=None))

    assert (found.gain_rr, found.rr_let_in, found.rr_shut_out) == (None, None, None)
    assert not found.is_better


def test_a_mean_that_is_not_asked_for_may_be_missing():
    assert replayed([episode("a", 0.58)], 0.95, replace(MEANS, failure=None)).gain_rr == pytest.approx(2.0)


def test_a_trade_that_is_still_open_is_estimated_and_counted():
    running = replace(episode("a", 0.61), rr=5.0, rr_known_at=start_of(2))

    found = replayed([running], 1.05)

    assert (found.n_estimated, found.gain_rr) == (1, pytest.approx(-2.0))


def test_means_are_of_what_was_bought_and_only_of_enough():
    skipped = [episode(f"skipped-{i}", 0.5, rr=9.0) for i in range(9)]
    enough = outcome_means([*bought(n=5), *skipped], as_of_at=start_of(1), config=CONFIG)
    too_few = outcome_means(bought(n=4), as_of_at=start_of(1), config=CONFIG)

    assert (enough.success, enough.failure, enough.n_success, enough.n_failure) == (1.0, -1.0, 5, 5)
    assert (too_few.success, too_few.failure, too_few.n_success) == (None, None, 4)


def test_undoing_a_step_undoes_its_gain():
    episodes = [episode("a", 0.58), episode("b", 0.59, is_success=False)]

    assert replayed(episodes, 0.95).gain_rr == pytest.approx(-replayed(episodes, 1.0, before=0.95).gain_rr)
