"""A mask weighs more the more it says, each dimension adding less than the one before."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.config.portfolio import MaskWeightConfig
from domain.scopes.bitmask import FULL_MASK, is_within, mask_of
from domain.scopes.mask_weight import mask_weight, mask_weights
from domain.vocabulary.scope_dimension import ScopeDimension

DIMENSIONS = list(ScopeDimension)
OF_28 = {each: 1.0 if index < 28 else 0.0 for index, each in enumerate(DIMENSIONS)}
DEFAULT = MaskWeightConfig()
BARE = MaskWeightConfig(root_weight=0.0, dimension_weights=OF_28)
MASKS = st.integers(0, FULL_MASK)


@pytest.mark.parametrize(("n", "expected"), [(1, 0.18898), (2, 0.26726), (3, 0.32733), (5, 0.42258)])
def test_the_documents_weights_of_28_dimensions(n, expected):
    assert mask_weight(mask_of(DIMENSIONS[:n]), BARE) == pytest.approx(expected, abs=5e-6)


def test_the_root_has_a_weight_unless_it_is_taken_away():
    add_one = MaskWeightConfig(dimension_weights=OF_28)

    assert mask_weight(0, add_one) == pytest.approx((1 / 29) ** 0.5)
    assert mask_weight(0, DEFAULT) == pytest.approx((1 / 33) ** 0.5)
    assert mask_weight(0, BARE) == 0.0


@given(MASKS, MASKS)
def test_a_mask_within_another_never_weighs_more(some, other):
    inner = some & other

    assert is_within(inner, some)
    assert 0 < mask_weight(inner, DEFAULT) <= mask_weight(some, DEFAULT) <= mask_weight(FULL_MASK, DEFAULT) == 1.0


def test_each_further_dimension_adds_less():
    ladder = mask_weights([mask_of(DIMENSIONS[:n]) for n in range(33)], DEFAULT)

    assert (np.diff(ladder) > 0).all()
    assert (np.diff(ladder, 2) < 0).all()


def test_a_heavier_dimension_makes_its_masks_weigh_more():
    heavy = MaskWeightConfig(dimension_weights={**DEFAULT.dimension_weights, ScopeDimension.CHAIN: 3.0})
    chain, timeframe = mask_of([ScopeDimension.CHAIN]), mask_of([ScopeDimension.TIMEFRAME])

    assert mask_weight(chain, heavy) > mask_weight(timeframe, heavy)
    assert mask_weight(chain, heavy) == pytest.approx((4 / 35) ** 0.5)


@given(st.floats(0, 10), st.integers(1, 2**28 - 1), st.integers(1, 2**28 - 1))
def test_a_dimension_nobody_uses_changes_no_ratio_of_weights(weight, one, other):
    unused = {**OF_28, DIMENSIONS[28]: weight}
    before = mask_weights([one, other], MaskWeightConfig(dimension_weights=OF_28))
    after = mask_weights([one, other], MaskWeightConfig(dimension_weights=unused))

    assert after[0] / after[1] == pytest.approx(before[0] / before[1])


@pytest.mark.parametrize("wrong", [-1, FULL_MASK + 1])
def test_a_bit_the_registry_does_not_know_has_no_weight(wrong):
    with pytest.raises(ValueError, match="Expected masks"):
        mask_weights([wrong], DEFAULT)
