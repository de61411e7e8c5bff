"""Settings of the planner carry the documents' numbers, and what would mean nothing is refused."""

import pytest
from pydantic import ValidationError

from domain.config.plan import PlanConfig


def test_defaults_are_the_documents():
    config = PlanConfig()
    bounds, scale, episode = config.tuning_bounds, config.gate_scale, config.episode

    assert config.trim_cooldown_bars == 3
    assert (bounds.ts_min_low, bounds.ts_min_high) == (0.45, 0.75)
    assert (bounds.halo_low_atr, bounds.halo_high_atr) == (0.5, 2.0)
    assert (bounds.dx_min_low, bounds.dx_min_high) == (0.45, 0.75)
    assert (scale.ts, scale.halo_atr, scale.dx, scale.slope) == (0.10, 0.20, 0.10, 0.0005)
    assert (episode.max_age_days, episode.max_samples) == (60, 12)


def test_a_configuration_survives_being_stored():
    assert PlanConfig.model_validate_json(PlanConfig().model_dump_json()) == PlanConfig()


@pytest.mark.parametrize(
    "wrong",
    [
        {"trim_cooldown_bars": 0},
        {"tuning_bounds": {"ts_min_low": 0.8}},
        {"tuning_bounds": {"halo_high_atr": 0.4}},
        {"tuning_bounds": {"dx_min_high": 1.1}},
        {"gate_scale": {"ts": 0}},
        {"gate_scale": {"slope": float("nan")}},
        {"episode": {"max_age_days": 0}},
        {"episode": {"max_samples": 1}},
        {"unknown_key": 1},
    ],
)
def test_what_cannot_work_is_refused(wrong):
    with pytest.raises(ValidationError):
        PlanConfig.model_validate(wrong)
