"""A token's levers: the documents' example, the rails, and a waterfall that adds up."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.config.cap_bucket import BucketOrderMultipliers, CapBucketConfig
from domain.scores.bucket_multiplier import BucketStanding
from domain.scores.intent import INTENT_CHANNELS, IntentMetrics
from domain.scores.token_lever import STEPS, TokenLevers, compute_levers
from domain.vocabulary.cap_bucket import CapBucket

CONFIG = CapBucketConfig(bucket_order_multipliers=BucketOrderMultipliers(strength=1))
SECOND = BucketStanding(rank_position=2, slope=0.0, confidence=0.6)
MOCKED = IntentMetrics(hi_buy=0, med_buy=0, profit=0, sell=0, mock=1)
SCORES = st.floats(0, 1)
LEVERS = st.floats(-3, 3)


def levers(a: float = 0.5, e: float = 0.5, **changed: object) -> TokenLevers:
    given_ = {"bucket": CapBucket.NANO, "standing": None, "intent": None, "config": CONFIG}
    return compute_levers(a, e, **{**given_, **changed})


def test_neutral_inputs_give_neutral_levers():
    assert (levers().a, levers().e) == (0.5, 0.5)


def test_the_documents_example():
    found = levers(0.533, 0.6425, standing=SECOND)

    assert found.a == pytest.approx(0.56498)
    assert found.e == pytest.approx(0.6425 / 1.06)


def test_what_lies_beyond_the_rail_counts_against_intent():
    assert levers(1.386, -0.2, intent=MOCKED).a == 1.0
    assert levers(1.386, -0.2, intent=MOCKED).e == pytest.approx(0.2)


def test_the_rail_comes_before_the_multiplier_and_again_after():
    weak = BucketStanding(rank_position=6, slope=0.0, confidence=1.0)

    assert levers(1.9, 0.5, standing=weak).a == pytest.approx(0.88)
    assert levers(0.5, 0.98, standing=weak).e == 1.0


def test_an_xl_token_and_a_world_without_buckets_keep_the_regime_levers():
    for changed in ({"bucket": CapBucket.XL, "standing": SECOND}, {"standing": None}):
        assert (levers(0.7, 0.3, **changed).a, levers(0.7, 0.3, **changed).e) == (0.7, 0.3)


def test_a_bias_moves_the_base_only():
    found = levers(0.8, 0.2, bias=1.2)

    assert found.a == pytest.approx(0.8 + 0.5 * 0.2)
    assert found.e == pytest.approx(0.2 + 0.5 / 1.2 - 0.5)


@pytest.mark.parametrize("wrong", [math.nan, math.inf])
def test_a_token_without_a_score_has_no_levers(wrong):
    with pytest.raises(ValueError, match="must be finite"):
        levers(wrong, 0.5)


@given(LEVERS, LEVERS, st.tuples(*[SCORES] * 5), st.integers(1, 6), st.floats(-4, 4), SCORES)
def test_levers_stay_on_the_rails_and_their_steps_add_up(a, e, said, rank, slope, confidence):
    intent = IntentMetrics(**dict(zip(INTENT_CHANNELS, said, strict=True)))
    standing = BucketStanding(rank_position=rank, slope=slope, confidence=confidence)
    found = levers(a, e, intent=intent, standing=standing)

    assert 0 <= found.a <= 1
    assert 0 <= found.e <= 1
    assert tuple(step.name for step in found.waterfall) == STEPS
    assert math.fsum(step.a_change for step in found.waterfall) == pytest.approx(found.a, abs=1e-12)
    assert math.fsum(step.e_change for step in found.waterfall) == pytest.approx(found.e, abs=1e-12)


@given(SCORES, SCORES)
def test_a_better_rank_never_lowers_a_nor_raises_e(a, e):
    ladder = [levers(a, e, standing=BucketStanding(rank_position=r, slope=0.0, confidence=1.0)) for r in range(1, 7)]

    assert [found.a for found in ladder] == sorted((found.a for found in ladder), reverse=True)
    assert [found.e for found in ladder] == sorted(found.e for found in ladder)
