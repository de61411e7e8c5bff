"""Cap-bucket settings carry the documents' numbers, and what would mean nothing is refused."""

import math

import pytest
from pydantic import ValidationError

from domain.config.cap_bucket import BucketOrderMultipliers, CapBucketConfig, IntentConfig
from domain.vocabulary.cap_bucket import CapBucket


def test_defaults_are_the_documents():
    config = CapBucketConfig()
    order = config.bucket_order_multipliers

    assert (config.bucket_min_members, config.bucket_phase_min_population, config.tag_ttl_hours) == (8, 8, 48)
    assert order.rank_adjustments == {1: 0.12, 2: 0.06, 3: 0.02, 4: -0.02, 5: -0.06, 6: -0.12}
    assert (order.slope_weight, order.max_abs_slope, order.min_confidence) == (0.4, 0.25, 0.4)
    assert (order.bucket_multiplier_min, order.bucket_multiplier_max) == (0.7, 1.3)
    assert list(config.composite_bucket_weights.values()) == [0.15, 0.30, 0.25, 0.20, 0.10]
    assert math.exp(config.max_abs_log_return) == pytest.approx(3.0)


def test_rank_keys_written_as_strings_are_positions():
    assert BucketOrderMultipliers.model_validate({"rank_adjustments": {"2": 0.5}}).rank_adjustments == {2: 0.5}


@pytest.mark.parametrize(
    "wrong",
    [
        {"composite_bucket_weights": {CapBucket.XL: 1.0}},
        {"composite_bucket_weights": {CapBucket.NANO: 0.5, CapBucket.MICRO: 0.6}},
        {"composite_bucket_weights": {CapBucket.NANO: 0.0, CapBucket.MICRO: 1.0}},
        {"composite_bucket_weights": {}},
        {"bucket_order_multipliers": {"rank_adjustments": {0: 0.1}}},
        {"bucket_order_multipliers": {"rank_adjustments": {1: 1.0}}},
        {"edge_hysteresis_frac": -0.1},
        {"max_abs_log_return": 0},
        {"unknown_key": 1},
    ],
)
def test_what_cannot_work_is_refused(wrong):
    with pytest.raises(ValidationError):
        CapBucketConfig.model_validate(wrong)


def test_a_mention_fades_to_nothing_in_about_twenty_days():
    config = IntentConfig()

    assert config.half_life_hours * math.log2(1 / config.min_time_factor) == pytest.approx(478.4, abs=0.1)
