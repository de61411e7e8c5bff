"""Configuration of latent factors: a distance is a share of trades, and below 1 some are shared."""

import pytest
from pydantic import ValidationError

from domain.config.latent_factor import LatentFactorConfig


def test_seven_trades_of_ten_are_the_default():
    assert LatentFactorConfig().max_distance == 0.3


@pytest.mark.parametrize("distance", [-0.1, 1.0])
def test_a_distance_outside_0_to_1_is_refused(distance):
    with pytest.raises(ValidationError):
        LatentFactorConfig(max_distance=distance)
