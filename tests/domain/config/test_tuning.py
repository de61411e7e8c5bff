"""Bounds of the rules of tuning."""

import pytest
from pydantic import ValidationError

from domain.config.tuning import TuningConfig
from domain.scopes.bitmask import mask_of
from domain.vocabulary.scope_dimension import ScopeDimension

T, B = ScopeDimension.TIMEFRAME, ScopeDimension.MCAP_BUCKET


def test_the_ladder_is_everything_each_timeframe_each_bucket_and_both():
    assert [mask_of(mask) for mask in TuningConfig().masks] == [0, mask_of([T]), mask_of([B]), mask_of([T, B])]


@pytest.mark.parametrize("masks", [((), ()), ((T, B), (B, T)), ((T, T),)], ids=["twice", "in another order", "within"])
def test_a_mask_is_named_once(masks):
    with pytest.raises(ValidationError, match="each set of dimensions once"):
        TuningConfig(masks=masks)


@pytest.mark.parametrize(
    "wrong", [{"step_frac": 0.5}, {"loosen_above": 1.0}, {"min_episodes": 0}, {"false_step_rate": 0.0}, {"steps": 1}]
)
def test_what_cannot_be_right_is_refused(wrong):
    with pytest.raises(ValidationError):
        TuningConfig(**wrong)
