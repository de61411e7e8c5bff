"""Bands are half-open, and what is not measured has none."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.vocabulary.entry_band import BANDS, band_label, cap_volume_ratio
from domain.vocabulary.scope_dimension import ScopeDimension

VOLUME, AGE, RATIO = ScopeDimension.VOL_BUCKET, ScopeDimension.AGE_BUCKET, ScopeDimension.MCAP_VOL_RATIO_BUCKET


@pytest.mark.parametrize(
    ("dimension", "value", "label"),
    [
        (VOLUME, 0.0, "<10k"),
        (VOLUME, 9_999.99, "<10k"),
        (VOLUME, 10_000.0, "10k-50k"),
        (VOLUME, 1_000_000.0, "1m+"),
        (AGE, 0.99, "<1d"),
        (AGE, 1.0, "1-3d"),
        (AGE, 89.9, "30-90d"),
        (AGE, 90.0, "90d+"),
        (RATIO, 0.1, "0.1-0.5"),
        (RATIO, 5.0, "5.0+"),
        (RATIO, math.inf, "5.0+"),
        (VOLUME, None, None),
        (AGE, math.nan, None),
    ],
)
def test_an_edge_belongs_to_the_band_above(dimension, value, label):
    assert band_label(dimension, value) == label


@given(st.sampled_from(list(BANDS)), st.floats(0, 1e12))
def test_a_value_lies_within_its_band(dimension, value):
    labels = list(BANDS[dimension])
    place = labels.index(band_label(dimension, value))
    lower = BANDS[dimension][labels[place - 1]] if place else 0.0

    assert lower <= value < BANDS[dimension][labels[place]]


def test_a_market_without_trades_has_an_infinite_ratio_and_one_without_a_cap_none():
    assert cap_volume_ratio(1e6, 0.0) == math.inf
    assert cap_volume_ratio(1e6, 2e6) == 0.5
    for unknown in ((None, 1.0), (1.0, None), (math.nan, 1.0), (0.0, 0.0)):
        assert cap_volume_ratio(*unknown) is None


def test_what_cannot_be_measured_is_refused():
    with pytest.raises(ValueError, match=">= 0"):
        band_label(VOLUME, -1.0)
    with pytest.raises(ValueError, match=">= 0"):
        cap_volume_ratio(-1.0, 1.0)
    with pytest.raises(ValueError, match="dimension with bands"):
        band_label(ScopeDimension.CHAIN, 1.0)
