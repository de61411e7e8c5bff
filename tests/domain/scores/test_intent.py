"""Intent: each channel's pull on A and E, the cap, and the score of its mentions."""

import math

import pytest

from domain.config.cap_bucket import IntentConfig
from domain.scores.intent import INTENT_CHANNELS, IntentMetrics, intent_deltas, mention_score

CONFIG = IntentConfig()
NOBODY = dict.fromkeys(INTENT_CHANNELS, 0.0)


@pytest.mark.parametrize(
    ("channel", "a", "e"),
    [
        ("hi_buy", 0.25, -0.10),
        ("med_buy", 0.15, -0.05),
        ("profit", -0.15, 0.15),
        ("sell", -0.25, 0.35),
        ("mock", -0.30, 0.40),
    ],
)
def test_a_channel_at_one_gives_its_row(channel, a, e):
    deltas = intent_deltas(IntentMetrics(**{**NOBODY, channel: 1.0}), CONFIG)

    assert (deltas.a, deltas.e) == pytest.approx((a, e))


@pytest.mark.parametrize(
    ("said", "a", "e", "a_uncapped", "e_uncapped"),
    [
        ({"hi_buy": 1.0, "med_buy": 1.0}, 0.40, -0.15, 0.40, -0.15),
        ({"sell": 1.0, "mock": 1.0}, -0.40, 0.40, -0.55, 0.85),
        (dict.fromkeys(INTENT_CHANNELS, 1.0), -0.30, 0.40, -0.30, 0.85),
        ({"hi_buy": 0.5, "profit": 0.2}, 0.095, -0.02, 0.095, -0.02),
    ],
)
def test_channels_add_up_and_each_lever_is_capped(said, a, e, a_uncapped, e_uncapped):
    deltas = intent_deltas(IntentMetrics(**{**NOBODY, **said}), CONFIG)

    assert (deltas.a, deltas.e) == pytest.approx((a, e))
    assert (deltas.a_uncapped, deltas.e_uncapped) == pytest.approx((a_uncapped, e_uncapped))


def test_no_intent_adds_nothing_and_says_so():
    assert not intent_deltas(None, CONFIG).is_present
    assert (intent_deltas(None, CONFIG).a, intent_deltas(None, CONFIG).e) == (0.0, 0.0)
    assert intent_deltas(IntentMetrics(**NOBODY), CONFIG).is_present


@pytest.mark.parametrize("wrong", [-0.1, 1.1, math.nan, math.inf])
def test_a_score_outside_its_range_is_refused(wrong):
    with pytest.raises(ValueError, match="must be within"):
        IntentMetrics(**{**NOBODY, "sell": wrong})


def test_three_fading_mentions_score_as_by_hand():
    weights = [0.8, 0.8 * 0.5 ** (1 / 3), 0.4]

    assert mention_score([0.8] * 3, [0, 24, 72], CONFIG) == pytest.approx(sum(weights) / 3 * (1 + math.log(3)) / 2)


def test_faded_mentions_do_not_count_and_none_left_is_no_score():
    assert mention_score([1.0, 1.0], [0, 479], CONFIG) == mention_score([1.0], [0], CONFIG) == 0.5
    assert mention_score([1.0], [479], CONFIG) is None
    assert mention_score([], [], CONFIG) is None


def test_a_curator_without_a_weight_takes_the_default_and_a_crowd_is_capped():
    assert mention_score([None], [0], CONFIG) == 0.25
    assert mention_score([1.0] * 100, [0] * 100, CONFIG) == 1.0


@pytest.mark.parametrize(("weight", "age"), [(1.1, 0), (0.5, -1), (math.nan, 0), (0.5, math.nan), (0.5, math.inf)])
def test_an_impossible_mention_is_refused(weight, age):
    with pytest.raises(ValueError, match="Expected an age"):
        mention_score([weight], [age], CONFIG)
