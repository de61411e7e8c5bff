"""What counts for or against a threshold, and how many it takes."""

import math

import pytest

from domain.learning.tuning_evidence import GateEvidence, gate_evidence, p_above
from domain.learning.tuning_rate import Rate
from tests.domain.learning.tuned_episodes import CONFIG, episode, gate_of, several, start_of


def evidence_of(episodes, *, stands: float = 1.0, since=None) -> GateEvidence:
    return gate_evidence(gate_of(), episodes, stands=stands, since=since, config=CONFIG)


@pytest.mark.parametrize(("n_success", "is_enough"), [(25, True), (24, False)])
def test_of_33_left_alone_25_successes_loosen_and_24_do_not(n_success, is_enough):
    evidence = evidence_of(several(n_success, 33 - n_success, 0.55))

    assert evidence.miss.n == 33
    assert evidence.miss.low == pytest.approx({25: 0.618, 24: 0.586}[n_success], abs=5e-4)
    assert evidence.is_too_tight(CONFIG) is is_enough


def test_of_32_no_number_of_successes_is_enough():
    assert not evidence_of(several(32, 0, 0.55)).is_too_tight(CONFIG)
    assert evidence_of(several(33, 0, 0.55)).is_too_tight(CONFIG)


@pytest.mark.parametrize("bar", [0.5, 0.6])
def test_the_score_test_passes_exactly_where_the_wilson_bound_does(bar):
    for n in range(1, 120):
        for k in range(n + 1):
            rate = Rate.of(k, n, 0.90)
            assert math.isclose(rate.low, bar, abs_tol=1e-9) or (p_above(rate, bar) < 0.05) is (rate.low > bar)


def test_a_skip_with_two_shut_gates_blames_neither():
    evidence = evidence_of([episode("both", 0.55, halo=1.4), episode("other", 0.55, is_open=False)])

    assert (evidence.miss.n, evidence.false_positive.n, evidence.n_new) == (0, 0, 2)


def test_only_what_a_tightening_could_have_removed_counts_against_a_threshold():
    near, at, far = episode("near", 0.69), episode("at", 0.60), episode("far", 0.71)

    assert evidence_of([near, at, far]).false_positive.n == 2


def test_what_went_well_without_us_and_badly_with_us_is_what_is_counted():
    evidence = evidence_of(several(3, 1, 0.55) + several(4, 2, 0.65))

    assert (evidence.miss.n_hits, evidence.miss.n) == (3, 4)
    assert (evidence.false_positive.n_hits, evidence.false_positive.n) == (2, 6)


def test_after_a_step_earlier_decisions_have_had_their_say():
    before, after = several(10, 0, 0.50), several(2, 1, 0.50, week=1)
    evidence = evidence_of([*before, *after], since=start_of(1))

    assert (evidence.miss.n_hits, evidence.miss.n, evidence.n_new) == (2, 3, 3)
    assert evidence.n_bearing == 13


def test_a_skip_that_would_be_bought_by_now_is_no_miss_of_the_present_threshold():
    evidence = evidence_of([episode("by now", 0.58), episode("still", 0.56)], stands=0.95)

    assert (evidence.miss.n, evidence.false_positive.n) == (1, 1)
