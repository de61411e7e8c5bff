"""Features of a cell: the documented vectors, what is not known, and nothing from after the instant."""

import math
from collections import Counter
from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.config.regime_weight import RegimeWeightConfig
from domain.learning.pattern_scope_stat import rr_steps
from domain.learning.regime_feature import UNKNOWN_FEATURES, CellFeatures, cell_features, field_coherence, recurrence
from domain.learning.regime_trade import FEATURE_MASK
from tests.domain.learning.override_worlds import DAY, T0
from tests.domain.learning.regime_worlds import CONFIG, EDGE, LATER, decided

FOUR_TOKENS = {"a": 0.8, "b": 0.3, "c": -0.2, "d": 0.5}
TRADES = st.lists(
    st.tuples(st.integers(-12, 12).map(lambda n: n / 4), st.integers(0, 3), st.floats(0, 60)), max_size=25
)


def features_of(facts, mask: int = FEATURE_MASK, at: datetime = LATER, **changed) -> CellFeatures:
    config = RegimeWeightConfig(**changed)
    found = cell_features(facts, [mask], as_of_at=at, max_abs_rr=10.0, edge=EDGE, config=config)
    return next(iter(found.values()), UNKNOWN_FEATURES)


def three_each(token_rr: dict[str, float]) -> list:
    """Three trades of each token, the second of them at its mean."""
    told = []
    for number, (token, rr) in enumerate(token_rr.items()):
        for k, change in enumerate((-0.1, 0.0, 0.1)):
            told += decided(f"{token}{k}", rr + change, number + k / 10, token=token)
    return told


def test_three_of_four_tokens_that_agree_are_coherent_by_the_documented_number():
    assert features_of(three_each(FOUR_TOKENS)).field_coherence == 0.5625


def test_a_token_with_two_trades_has_no_say():
    facts = [*three_each(FOUR_TOKENS), *decided("e1", -1.0, 9, token="e"), *decided("e2", -1.0, 9.1, token="e")]

    assert features_of(facts).field_coherence == 0.5625


def test_without_a_token_of_three_trades_coherence_is_not_known():
    facts = [fact for i in range(6) for fact in decided(f"t{i}", 1.0, i, token=f"token{i}")]

    assert math.isnan(features_of(facts).field_coherence)


def test_tokens_of_a_cell_that_neither_wins_nor_loses_have_no_sign_to_share():
    assert math.isnan(features_of(three_each({"a": 1.0, "b": -1.0})).field_coherence)


@given(st.integers(1, 100), st.data())
def test_coherence_lies_within_0_and_1_and_rises_with_each_token_that_agrees(n, data):
    agreeing = data.draw(st.integers(0, n - 1))

    assert 0 <= field_coherence(agreeing, n) <= field_coherence(agreeing + 1, n) < 1


def test_twelve_trades_of_a_month_recur_by_the_documented_number():
    facts = [fact for i in range(12) for fact in decided(f"t{i}", 1.0, 2 * i)]
    old = [fact for i in range(5) for fact in decided(f"old{i}", 1.0, -2 - i)]

    assert features_of([*facts, *old], at=T0 + 29 * DAY).recurrence == pytest.approx(0.8337, abs=5e-5)


def test_a_cell_that_is_not_traded_any_more_recurs_by_nothing():
    facts = [fact for i in range(12) for fact in decided(f"t{i}", 1.0, i)]

    assert features_of(facts).recurrence == recurrence(0, CONFIG) == 0.0


def test_time_is_of_the_trades_that_reached_s3_and_of_all_where_none_did():
    held = [fact for i in range(5) for fact in decided(f"t{i}", 1.0, i, held_days=3.0)]
    reached = decided("s3", 1.0, 6, held_days=9.0, s3_days=1.0)

    assert features_of(held).time_efficiency == pytest.approx(0.25)
    assert features_of([*held, *reached]).time_efficiency == pytest.approx(0.5)


def test_variance_is_shrunk_as_that_of_the_edge_is():
    facts = [fact for i, rr in enumerate((1.0, 1.0, -1.0, -1.0, 0.0)) for fact in decided(f"t{i}", rr, i)]

    assert features_of(facts).variance == pytest.approx(1 / (1 + 0.8 + EDGE.prior_variance / 5))


def test_a_cell_of_too_few_trades_has_no_features():
    facts = [fact for i in range(4) for fact in decided(f"t{i}", 1.0, i)]
    without_rr = decided("t9", None, 9)

    assert all(map(math.isnan, features_of([*facts, *without_rr])))
    assert not math.isnan(features_of(facts, min_cell_trades=4).variance)


@pytest.mark.parametrize(("late_us", "is_known"), [(0, False), (1, True)])
def test_a_trade_counts_from_just_after_its_closure(late_us, is_known):
    facts = [fact for i in range(5) for fact in decided(f"t{i}", 1.0, i, held_days=0.5)]
    at = facts[-1].closed_at + timedelta(microseconds=late_us)

    assert math.isnan(features_of(facts, at=at).variance) is not is_known


@given(TRADES, st.randoms(use_true_random=False), st.floats(0, 70))
def test_what_closes_at_the_instant_or_later_does_not_count_nor_does_the_order(trades, random, at):
    facts = [fact for i, (rr, t, day) in enumerate(trades) for fact in decided(f"{i}", rr, day, token=f"token{t}")]
    as_of = T0 + at * DAY
    known = [fact for fact in facts if fact.closed_at < as_of]

    assert features_of(random.sample(facts, len(facts)), at=as_of) == pytest.approx(
        features_of(known, at=as_of), nan_ok=True, abs=0
    )


@given(TRADES)
def test_coherence_kept_up_trade_by_trade_is_that_of_all_tokens_at_once(trades):
    facts = [fact for i, (rr, t, day) in enumerate(trades) for fact in decided(f"{i}", rr, day, token=f"token{t}")]
    steps = {t: [rr_steps(rr, 10.0) for rr, of, _ in trades if of == t] for t in range(4)}
    signs = Counter(np.sign(sum(each)) for each in steps.values() if len(each) >= 3)
    mean = np.sign(sum(map(sum, steps.values())))
    expected = field_coherence(signs[mean], signs.total()) if mean else math.nan

    assert features_of(facts, min_cell_trades=1).field_coherence == pytest.approx(expected, nan_ok=True)


def test_a_mask_of_nothing_is_the_whole_pattern():
    facts = [
        fact for i in range(6) for fact in decided(f"t{i}", 1.0, i, mcap_bucket="nano" if i % 2 else "mid", chain=None)
    ]

    assert math.isnan(features_of(facts).variance)
    assert not math.isnan(features_of(facts, mask=0).variance)


def test_sales_have_no_features():
    facts = [fact for i in range(9) for fact in decided(f"t{i}", 1.0, i, category="trim")]

    assert cell_features(facts, [0], as_of_at=LATER, max_abs_rr=10.0, edge=EDGE, config=CONFIG) == {}


def test_an_instant_without_an_offset_is_refused():
    with pytest.raises(ValueError, match="must have an offset"):
        features_of([], at=datetime(2025, 1, 1))  # noqa: DTZ001
