"""Learning's constants: the documented defaults, and what is refused."""

import pytest
from pydantic import ValidationError

from domain.config.learning import EdgeConfig, EdgeDecayConfig, LearningConfig


def test_the_edge_has_the_documented_constants():
    config = LearningConfig().edge

    assert (config.support_trades, config.baseline_days) == (12.0, 180)
    assert (config.prior_variance, config.stability_snapshots, config.min_stability_snapshots) == (0.25, 12, 3)


def test_decay_has_the_documented_constants():
    config = LearningConfig().edge_decay

    assert (config.min_snapshots, config.decay_mult_min, config.decay_mult_max) == (18, 0.33, 1.33)
    assert (config.min_exponential_r2, config.min_abs_edge) == (0.3, 0.01)
    assert (config.stable_half_life_hours, config.reference_hours) == (24.0 * 90, 168.0)


@pytest.mark.parametrize(
    ("section", "values", "says"),
    [
        (EdgeConfig, {"min_stability_snapshots": 13}, "must be <= stability_snapshots"),
        (EdgeDecayConfig, {"min_snapshots": 2}, "greater than or equal to 3"),
        (EdgeDecayConfig, {"decay_mult_max": 0.9}, "greater than or equal to 1"),
    ],
)
def test_what_cannot_be_right_is_refused(section, values, says):
    with pytest.raises(ValidationError, match=says):
        section(**values)
