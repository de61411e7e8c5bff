"""Configuration of regime weights: neutral lies inside the clamps, and a typing error is no key."""

import pytest
from pydantic import ValidationError

from domain.config.regime_weight import RegimeWeightConfig


@pytest.mark.parametrize(
    "wrong",
    [
        {"weight_min": 1.1},
        {"weight_max": 0.9},
        {"weight_min": 0.0},
        {"min_trades": 1},
        {"prior_trades": 0.0},
        {"gain": -0.1},
        {"prior_trade": 30},
    ],
    ids=str,
)
def test_what_cannot_be_right_is_refused(wrong):
    with pytest.raises(ValidationError):
        RegimeWeightConfig(**wrong)


def test_the_documented_constants_are_the_defaults():
    config = RegimeWeightConfig()

    assert (config.min_trades, config.weight_min, config.weight_max) == (33, 0.3, 1.7)
    assert (config.min_token_trades, config.recurrence_days, config.recurrence_trades) == (3, 30, 10)
    assert not config.shift_by_state
