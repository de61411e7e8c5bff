"""Driver-bar settings that could never make a bar, or mean nothing, are refused."""

import math

import pytest
from pydantic import ValidationError

from domain.config.driver_bar import DriverBarConfig


def test_defaults_are_the_documents():
    config = DriverBarConfig()

    assert (config.alt_basket, config.minimum_of("ALT"), config.minimum_of("nano")) == (
        ("SOL", "ETH", "BNB", "HYPE"),
        3,
        8,
    )
    assert math.exp(config.max_abs_log_return) == pytest.approx(3.0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"alt_basket": ("SOL", "ETH")},
        {"alt_basket": ("SOL", "SOL", "ETH")},
        {"min_components": {"small": 3}},
        {"min_components": {"ALT": 0}},
        {"max_fill_hours": -1},
        {"max_abs_log_return": 0},
        {"unknown_key": 1},
    ],
)
def test_what_cannot_work_is_refused(wrong):
    with pytest.raises(ValidationError):
        DriverBarConfig(**wrong)
