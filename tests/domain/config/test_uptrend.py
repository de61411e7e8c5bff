"""The engine's thresholds: defaults, bounds, and their twin for compiled code."""

import pytest
from pydantic import ValidationError

from domain.config.uptrend import UptrendConfig
from domain.regime.uptrend_bar import UptrendParams, uptrend_params


def test_the_defaults_are_the_documented_thresholds():
    config = UptrendConfig()

    assert (config.ts_min, config.first_dip_ts_min, config.sr_boost_max) == (0.60, 0.50, 0.25)
    assert (config.entry_halo_atr, config.retest_halo_atr, config.trim_sr_halo_atr) == (1.0, 0.5, 1.0)
    assert (config.trim_ox, config.dx_threshold, config.adx_floor, config.trim_requires_sr) == (0.65, 0.60, 18.0, False)


@pytest.mark.parametrize(
    "change", [{"min_bars": 332}, {"ts_min": -0.1}, {"retest_halo_atr": 0.0}, {"dx_threshold": 60}, {"ts_minimum": 0.6}]
)
def test_a_value_out_of_bounds_or_without_a_meaning_is_refused(change):
    with pytest.raises(ValidationError):
        UptrendConfig(**change)


def test_every_field_says_what_it_is():
    assert [name for name, field in UptrendConfig.model_fields.items() if not field.description] == []


def test_compiled_code_reads_every_field():
    assert UptrendParams._fields == tuple(UptrendConfig.model_fields)
    assert uptrend_params(UptrendConfig(ts_min=0.7)).ts_min == 0.7
