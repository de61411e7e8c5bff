"""SPIRAL's presets and tables: the documented defaults, and what is refused."""

import pytest
from pydantic import BaseModel, ValidationError

from domain.config.spiral import LensPreset, LensWeights, PhaseEdges, PhaseWeights, SpiralConfig
from domain.vocabulary.horizon import Horizon
from domain.vocabulary.phase import UNKNOWN_PHASE, Lens, Phase

CONFIG = SpiralConfig()


def test_the_presets_are_the_documented_ones():
    rows = {horizon: tuple(preset.model_dump().values()) for horizon, preset in CONFIG.presets.items()}

    assert rows == {
        Horizon.MACRO: (7, 20, 24, 60, 72),
        Horizon.MESO: (5, 12, 6, 30, 12),
        Horizon.MICRO: (3, 8, 2, 14, 1),
    }
    assert [CONFIG.presets[horizon].needed_points for horizon in Horizon] == [84, 42, 22]


def test_lens_weights_sum_to_1_1_and_phase_weights_to_1():
    assert sum(CONFIG.lens_weights.model_dump().values()) == pytest.approx(1.1)
    assert [sum(row.model_dump().values()) for row in CONFIG.phase_weights.values()] == pytest.approx([1.0] * 3)


def test_phase_weights_name_every_lens():
    assert list(PhaseWeights.model_fields) == [lens.value for lens in Lens]


def test_the_edges_are_the_documented_ones():
    assert CONFIG.edges.ascending == (-1.30, -0.90, -0.20, 0.40, 1.20)
    assert (CONFIG.hysteresis, CONFIG.open_band_half_width, CONFIG.z_clamp) == (0.10, 0.8, 4.0)


def test_unknown_is_not_a_phase():
    assert UNKNOWN_PHASE not in {phase.value for phase in Phase}


@pytest.mark.parametrize(
    "change",
    [
        {"presets": {Horizon.MACRO: CONFIG.presets[Horizon.MACRO]}},
        {"phase_weights": {Horizon.MICRO: CONFIG.phase_weights[Horizon.MICRO]}},
        {"lookback_hours": 82},
        {"winsor_frac": 0.5},
        {"z_clamp": 0.0},
        {"memory_hours": 0},
        {"hysterisis": 0.1},
    ],
)
def test_a_config_that_cannot_score_is_refused(change):
    with pytest.raises(ValidationError):
        SpiralConfig(**change)


def test_the_look_back_may_be_just_what_the_longest_preset_needs():
    assert SpiralConfig(lookback_hours=83).lookback_hours == 83


def test_edges_out_of_order_are_refused():
    with pytest.raises(ValidationError, match="must rise"):
        PhaseEdges(good=-0.20)


def test_weights_that_are_all_zero_are_refused():
    with pytest.raises(ValidationError, match="must have a weight > 0"):
        LensWeights(slope=0, curv=0, delta=0, level=0)


@pytest.mark.parametrize("dwell_hours", [0, 0.5])
def test_a_dwell_that_is_not_whole_hours_is_refused(dwell_hours):
    with pytest.raises(ValidationError):
        LensPreset(ema_span=3, slope_points=8, delta_points=2, history_points=14, dwell_hours=dwell_hours)


@pytest.mark.parametrize("model", [SpiralConfig, LensPreset, LensWeights, PhaseWeights, PhaseEdges])
def test_every_field_says_what_it_is(model: type[BaseModel]):
    assert [name for name, field in model.model_fields.items() if not field.description] == []
