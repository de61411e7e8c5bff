"""The guardrail: which trades speak of an override, how surely, and what they say."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ttest_ind

from domain.config.override import GuardrailConfig
from domain.learning.override import OverrideKey
from domain.learning.override_evidence import (
    EvidenceVerdict,
    GuardrailVerdict,
    guardrail_verdicts,
    mean_difference_bounds,
)
from domain.learning.trade_fact import ScopeCell, trade_facts
from domain.portfolio.override_row import OverrideLever
from domain.vocabulary.action import ActionCategory
from tests.domain.learning.closed_trades import action, outcome
from tests.domain.learning.override_worlds import DAY, S1, S2, T0, entered, override

CONFIG = GuardrailConfig()
SAMPLES = st.tuples(st.integers(2, 40), st.floats(0.01, 5), st.integers(0, 2**32 - 1)).map(
    lambda drawn: np.random.default_rng(drawn[2]).normal(scale=drawn[1], size=drawn[0])
)


def judged(facts, *overrides, day: float = 30.0) -> list[GuardrailVerdict]:
    """Verdicts on overrides proposed at T0, as of so many days later."""
    proposed = [(each, T0) for each in overrides or [override()]]
    found = guardrail_verdicts(proposed, facts, as_of_at=T0 + day * DAY, max_abs_rr=10.0, config=CONFIG)
    return [found[each.key] for each, _ in proposed]


def trades(own, others, *, start: float = 1.0) -> list:
    """Facts of trades it applied to and of others, entered one after the other."""
    named = [(f"own{i}", rr, "micro") for i, rr in enumerate(own)]
    named += [(f"other{i}", rr, "nano") for i, rr in enumerate(others)]
    return [
        fact for i, (name, rr, bucket) in enumerate(named) for fact in entered(name, rr, start + i / 100, bucket=bucket)
    ]


WON = [1.0, 2.0, 1.5, 0.5, 1.0, 2.0, 1.5, 0.5, 1.0, 2.0]
LOST = [-rr for rr in WON]


@pytest.mark.parametrize(
    ("own", "others", "multiplier", "says"),
    [
        (WON, LOST, 1.2, EvidenceVerdict.CONFIRMS),
        (LOST, WON, 1.2, EvidenceVerdict.CONTRADICTS),
        (WON, LOST, 0.8, EvidenceVerdict.CONTRADICTS),
        (LOST, WON, 0.8, EvidenceVerdict.CONFIRMS),
        (WON, WON, 1.2, EvidenceVerdict.UNDECIDED),
        (LOST, WON, 1.0, EvidenceVerdict.UNDECIDED),
        (LOST[:9], WON, 1.2, EvidenceVerdict.TOO_FEW),
        (LOST, WON[:1], 1.2, EvidenceVerdict.TOO_FEW),
        ([], [], 1.2, EvidenceVerdict.TOO_FEW),
    ],
)
def test_trades_since_the_proposal_confirm_or_contradict_the_claimed_sign(own, others, multiplier, says):
    assert judged(trades(own, others), override(multiplier=multiplier))[0].verdict is says


def test_a_verdict_tells_its_numbers():
    (found,) = judged(trades(WON, LOST))

    assert (found.n_trades, found.n_others, found.n_without_rr) == (10, 10, 0)
    assert (found.difference_r, found.lower_r, found.upper_r) == (
        pytest.approx(2.6, abs=1e-6),
        pytest.approx(2.2508, abs=1e-4),
        pytest.approx(2.9492, abs=1e-4),
    )


def test_what_is_not_known_is_nan_and_counted():
    (found,) = judged(trades([None, None], [1.0]))

    assert (found.n_trades, found.n_others, found.n_without_rr) == (0, 1, 2)
    assert all(math.isnan(number) for number in (found.difference_r, found.lower_r, found.upper_r))


def test_only_trades_entered_after_the_proposal_and_closed_by_now_speak():
    before, at, after = entered("before", 1.0, -0.01), entered("at", 1.0, 0.0), entered("after", 1.0, 29.9)

    assert judged([*before, *at, *after])[0].n_trades == 1
    assert judged([*before, *at, *after], day=30.5)[0].n_trades == 2
    assert judged(at, day=0.5)[0].n_trades == 0


def test_it_speaks_of_its_pattern_category_and_scope_only():
    facts = [
        *entered("same", 1.0, 1.0),
        *entered("other_scope", 1.0, 1.0, bucket="nano"),
        *entered("other_pattern", 1.0, 1.0, pattern_key=S2),
        *entered("other_category", 1.0, 1.0, category="add"),
    ]
    everywhere = override("root", cell=ScopeCell(S1, ActionCategory.ENTRY, 0, ()))

    assert [(each.n_trades, each.n_others) for each in judged(facts, override(), everywhere)] == [(1, 2), (2, 1)]


def test_two_patterns_that_ask_for_the_same_are_not_mixed_up():
    facts = [*entered("s1", 1.0, 1.0), *entered("s2", 1.0, 1.0, bucket="nano", pattern_key=S2)]
    there = override("there", cell=ScopeCell(S2, ActionCategory.ENTRY, 4, ("micro",)))

    assert [(each.n_trades, each.n_others) for each in judged(facts, override(), there)] == [(1, 1), (0, 2)]


def test_fifty_six_actions_of_a_trade_are_one_trade():
    adds = [action(f"a{i}", scope={"mcap_bucket": "micro"}, action_ts=T0 + DAY) for i in range(56)]
    facts = trade_facts(outcome("one", 1.0, opened_at=T0 + DAY, closed_at=T0 + 2 * DAY), adds)

    assert (len(facts), judged(facts)[0].n_trades) == (56, 1)


def test_a_trade_it_applied_to_once_is_its_own_whatever_its_other_actions():
    mixed = [*entered("mixed", 1.0, 1.0), *entered("mixed", 1.0, 1.0, bucket="nano")]

    assert [(each.n_trades, each.n_others) for each in judged(mixed)] == [(1, 0)]


def test_one_huge_outcome_counts_as_the_bound():
    assert judged(trades([1e6, -10.0], [0.0, 0.0]))[0].difference_r == 0.0


def test_a_threshold_claims_nothing_of_an_outcome():
    tuned = override(key=OverrideKey("l1", OverrideLever.HALO_MULT))

    assert guardrail_verdicts([(tuned, T0)], [], as_of_at=T0, max_abs_rr=10.0, config=CONFIG) == {}


def test_facts_of_one_trade_that_disagree_are_refused():
    with pytest.raises(ValueError, match="bear different rr"):
        judged([*entered("own0", 1.0, 1.0), *entered("own0", 2.0, 1.0)])
    with pytest.raises(ValueError, match="different closures"):
        judged([*entered("own0", 1.0, 1.0), *entered("own0", 1.0, 1.0, closed_at=T0 + 3 * DAY)])


@given(SAMPLES, SAMPLES)
def test_the_bounds_are_those_of_welch(own, others):
    interval = ttest_ind(own, others, equal_var=False).confidence_interval(0.8)

    assert mean_difference_bounds(own, others, 0.9)[1:] == pytest.approx(tuple(interval), rel=1e-9, abs=1e-9)


def test_where_nothing_varies_the_bounds_meet():
    assert mean_difference_bounds(np.ones(3), np.zeros(2), 0.9) == (1.0, 1.0, 1.0)


@settings(max_examples=25, deadline=None)
@given(st.permutations(trades([*WON, None], LOST)))
def test_the_order_of_the_facts_changes_no_bit(facts):
    assert judged(facts) == judged(trades([*WON, None], LOST))


def test_a_market_that_lifts_everything_says_nothing():
    rng = np.random.default_rng(7)
    own, others = (3.0 + rng.normal(size=(2, 60))).tolist()

    assert judged(trades(own, others))[0].verdict is EvidenceVerdict.UNDECIDED


def test_the_bound_excludes_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(11)
    samples = [(rng.normal(size=12), rng.normal(size=80)) for _ in range(2000)]
    missed = np.mean([mean_difference_bounds(own, others, 0.9)[2] < 0 for own, others in samples])

    assert missed == pytest.approx(0.10, abs=0.02)
