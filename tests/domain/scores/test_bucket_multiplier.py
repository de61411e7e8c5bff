"""The place of a bucket moves A one way and E the other, within bounds, and only when it is sure."""

import math

import pytest

from domain.config.cap_bucket import BucketOrderMultipliers
from domain.scores.bucket_multiplier import (
    BucketStanding,
    MultiplierBasis,
    bucket_multiplier,
    global_bias,
    scale_levers,
)
from domain.vocabulary.cap_bucket import CapBucket

CONFIG = BucketOrderMultipliers(strength=1)
BIASED = BucketOrderMultipliers(is_global_bias_on=True)


def multiplier(rank: int | None, slope: float | None = 0.0, confidence: float | None = 1.0) -> float:
    standing = BucketStanding(rank_position=rank, slope=slope, confidence=confidence)
    return bucket_multiplier(CapBucket.MICRO, standing, CONFIG).multiplier


@pytest.mark.parametrize(
    ("rank", "slope", "expected"),
    [
        (1, 0.0, 1.12),
        (2, 0.0, 1.06),
        (3, 0.0, 1.02),
        (4, 0.0, 0.98),
        (5, 0.0, 0.94),
        (6, 0.0, 0.88),
        (7, 0.0, 1.0),
        (None, 0.1, 1.04),
        (3, None, 1.02),
        (1, 0.25, 1.22),
        (1, 9.0, 1.22),
        (5, -9.0, 0.84),
    ],
)
def test_rank_and_clipped_slope_add_up(rank, slope, expected):
    assert multiplier(rank, slope) == pytest.approx(expected)


def test_confidence_counts_from_its_minimum_on():
    assert multiplier(1, 0.0, 0.4) == pytest.approx(1.12)
    assert multiplier(1, 0.0, 0.399) == 1.0
    assert multiplier(1, 0.0, None) == 1.0


@pytest.mark.parametrize(
    ("bucket", "standing", "basis"),
    [
        (CapBucket.XL, BucketStanding(rank_position=1, slope=1.0, confidence=1.0), MultiplierBasis.TELEMETRY_ONLY),
        (CapBucket.NANO, None, MultiplierBasis.NO_PHASE),
        (
            CapBucket.NANO,
            BucketStanding(rank_position=1, slope=1.0, confidence=0.1),
            MultiplierBasis.LOW_CONFIDENCE,
        ),
    ],
)
def test_a_multiplier_of_one_says_why(bucket, standing, basis):
    found = bucket_multiplier(bucket, standing, CONFIG)

    assert (found.multiplier, found.basis, found.rank_adjustment, found.slope_term) == (1.0, basis, None, None)


@pytest.mark.parametrize(("adjustment", "expected"), [(0.9, 1.3), (-0.9, 0.7)])
def test_the_multiplier_is_clamped_and_the_raw_value_kept(adjustment, expected):
    config = BucketOrderMultipliers(rank_adjustments={1: adjustment}, strength=1)
    found = bucket_multiplier(CapBucket.BIG, BucketStanding(rank_position=1, slope=0.0, confidence=1.0), config)

    assert (found.multiplier, found.before_clamp) == (expected, pytest.approx(1 + adjustment))


def test_a_worse_rank_never_raises_the_multiplier():
    ladder = [multiplier(rank) for rank in range(1, 7)]

    assert ladder == sorted(ladder, reverse=True)


def test_both_exit_variants_invert():
    reflect = BucketOrderMultipliers(exit_variant="reflect")

    assert scale_levers(0.5, 0.6, 1.25, CONFIG) == pytest.approx((0.625, 0.48))
    assert scale_levers(0.5, 0.6, 1.25, reflect) == pytest.approx((0.625, 0.45))
    assert scale_levers(0.5, 0.6, 0.1, CONFIG) == pytest.approx((0.05, 3.0))  # the floor of 0.2 bounds the division


@pytest.mark.parametrize("wrong", [(math.nan, 0.5, 1.0), (0.5, math.inf, 1.0), (0.5, 0.5, 0.0), (0.5, 0.5, math.nan)])
def test_levers_that_are_no_numbers_are_refused(wrong):
    with pytest.raises(ValueError, match="must be finite"):
        scale_levers(*wrong, CONFIG)


@pytest.mark.parametrize(
    "wrong",
    [
        {"rank_position": 0, "slope": 0.0, "confidence": 1.0},
        {"rank_position": 1, "slope": math.nan, "confidence": 1.0},
        {"rank_position": 1, "slope": 0.0, "confidence": 1.1},
        {"rank_position": 1, "slope": 0.0, "confidence": math.nan},
    ],
)
def test_a_standing_that_cannot_be_is_refused(wrong):
    with pytest.raises(ValueError, match="must be"):
        BucketStanding(**wrong)


def test_the_bias_is_the_mean_multiplier_of_what_is_held():
    multipliers = {CapBucket.NANO: 1.2, CapBucket.MICRO: 0.8}

    assert global_bias(multipliers, {CapBucket.NANO: 300.0, CapBucket.MICRO: 100.0}, BIASED) == pytest.approx(1.1)
    assert global_bias(multipliers, {CapBucket.NANO: 300.0}, CONFIG) is None
    assert global_bias(multipliers, {CapBucket.BIG: 0.0}, BIASED) is None
    with pytest.raises(ValueError, match="missing were"):
        global_bias(multipliers, {CapBucket.BIG: 1.0}, BIASED)
    with pytest.raises(ValueError, match=">= 0"):
        global_bias(multipliers, {CapBucket.NANO: -1.0}, BIASED)


@pytest.mark.parametrize(("strength", "expected"), [(0.0, 1.0), (0.25, 1.055), (0.5, 1.11), (1.0, 1.22)])
def test_strength_scales_rank_and_slope_from_nothing_to_the_whole(strength, expected):
    standing = BucketStanding(rank_position=1, slope=0.25, confidence=1.0)
    config = BucketOrderMultipliers(strength=strength)

    assert bucket_multiplier(CapBucket.MICRO, standing, config).multiplier == pytest.approx(expected)


def test_the_default_strength_is_near_neutral():
    best = BucketStanding(rank_position=1, slope=4.0, confidence=1.0)

    assert abs(bucket_multiplier(CapBucket.NANO, best, BucketOrderMultipliers()).multiplier - 1) < 0.06
