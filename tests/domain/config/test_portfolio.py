"""Portfolio settings carry the documents' numbers, and what would mean nothing is refused."""

import pytest
from pydantic import ValidationError

from domain.config.portfolio import PortfolioConfig
from domain.vocabulary.scope_dimension import ScopeDimension


def test_defaults_are_the_documents():
    config = PortfolioConfig()
    sizing, exposure, outcome = config.sizing, config.exposure, config.trade_outcome

    assert (config.lever_mode.normal_from, config.lever_mode.aggressive_from) == (0.30, 0.70)
    assert sizing.default_allocation_pct == 10.0
    assert list(sizing.timeframe_splits.values()) == [0.05, 0.125, 0.70, 0.125]
    assert (sizing.min_entry_a, sizing.entry_base_frac, sizing.entry_a_frac) == (0.05, 0.10, 0.50)
    assert list(sizing.add_fracs.values()) == [0.05, 0.15, 0.25]
    assert list(sizing.trim_fracs.values()) == [0.03, 0.05, 0.10]
    assert (sizing.pm_strength_min, sizing.pm_strength_max) == (0.3, 3.0)
    assert (exposure.exposure_skew_min, exposure.exposure_skew_max, exposure.empty_book_skew) == (0.33, 1.33, 1.0)
    assert (exposure.scope_weight, exposure.pattern_weight, exposure.watchlist_factor) == (1.0, 0.5, 0.0)
    assert (outcome.risk_floor_frac, outcome.max_abs_rr) == (0.02, 10.0)
    assert set(config.mask_weight.dimension_weights.values()) == {1.0}


def test_a_configuration_survives_being_stored():
    config = PortfolioConfig()

    assert PortfolioConfig.model_validate_json(config.model_dump_json()) == config


WEIGHTS = dict.fromkeys(ScopeDimension, 1.0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"lever_mode": {"normal_from": 0.7}},
        {"lever_mode": {"normal_from": 0.8, "aggressive_from": 0.7}},
        {"mask_weight": {"dimension_weights": {"chain": 1.0}}},
        {"mask_weight": {"dimension_weights": {**WEIGHTS, "chain": -0.1}}},
        {"mask_weight": {"dimension_weights": {**WEIGHTS, "chain": float("nan")}}},
        {"mask_weight": {"dimension_weights": dict.fromkeys(WEIGHTS, 0.0)}},
        {"sizing": {"timeframe_splits": {"1h": 0.5, "4h": 0.6}}},
        {"sizing": {"timeframe_splits": {"1h": 1.5, "4h": -0.5}}},
        {"sizing": {"timeframe_splits": {}}},
        {"sizing": {"entry_base_frac": 0.6}},
        {"sizing": {"trim_fracs": {"patient": 0.03, "normal": 0.50, "aggressive": 0.10}}},
        {"sizing": {"add_fracs": {"patient": 0.05, "normal": 0.15}}},
        {"sizing": {"add_fracs": {"patient": 0.05, "normal": 0.15, "aggressive": float("nan")}}},
        {"sizing": {"default_allocation_pct": 0}},
        {"exposure": {"mask_defs": []}},
        {"exposure": {"mask_defs": [[]]}},
        {"exposure": {"mask_defs": [["chain", "chain"]]}},
        {"exposure": {"mask_defs": [["bucket"]]}},
        {"exposure": {"pattern_weight": 1.0}},
        {"exposure": {"exposure_skew_max": 1.1, "empty_book_skew": 1.2}},
        {"trade_outcome": {"risk_floor_frac": 0}},
        {"unknown_key": 1},
    ],
)
def test_what_cannot_work_is_refused(wrong):
    with pytest.raises(ValidationError):
        PortfolioConfig.model_validate(wrong)
