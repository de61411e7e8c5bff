"""A mask and its dimensions are the same thing written twice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.scopes.bitmask import FULL_MASK, ROOT_MASK, dimensions_of, is_within, mask_of
from domain.vocabulary.scope_dimension import BIT, ScopeDimension

SETS = st.sets(st.sampled_from(list(ScopeDimension)))


def test_the_documents_example():
    worked = [ScopeDimension.MCAP_BUCKET, ScopeDimension.TIMEFRAME, ScopeDimension.BTC_MACRO]

    assert mask_of(worked) == 8452


@given(SETS)
def test_dimensions_survive_the_way_to_a_mask_and_back(dimensions):
    found = dimensions_of(mask_of(dimensions))

    assert set(found) == dimensions
    assert [BIT[dimension] for dimension in found] == sorted(BIT[dimension] for dimension in dimensions)


@given(st.integers(0, FULL_MASK))
def test_a_mask_survives_the_way_to_dimensions_and_back(mask):
    assert mask_of(dimensions_of(mask)) == mask


@given(SETS, SETS)
def test_being_within_is_being_a_subset(some, others):
    assert is_within(mask_of(some), mask_of(others)) is (some <= others)


def test_all_dimensions_need_more_than_four_bytes_and_the_root_none():
    assert FULL_MASK == 2**32 - 1
    assert dimensions_of(ROOT_MASK) == ()


@pytest.mark.parametrize("wrong", [-1, FULL_MASK + 1, 1 << 40])
def test_a_bit_the_registry_does_not_know_is_refused(wrong):
    with pytest.raises(ValueError, match="Expected a mask"):
        dimensions_of(wrong)
