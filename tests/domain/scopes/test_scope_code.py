"""Codes are equal where values are, and nothing that is not known has one."""

from hypothesis import given
from hypothesis import strategies as st

from domain.scopes.bitmask import is_within, mask_of
from domain.scopes.scope import scope_mask
from domain.scopes.scope_code import encode_scopes
from domain.vocabulary.scope_dimension import BIT, ScopeDimension

D = ScopeDimension
SCOPES = st.dictionaries(st.sampled_from([D.CHAIN, D.TIMEFRAME, D.BTC_MACRO]), st.sampled_from("abc"))


@given(st.lists(SCOPES, max_size=6))
def test_codes_are_equal_where_values_are(scopes):
    found = encode_scopes(scopes)

    for dimension, bit in BIT.items():
        codes = found.codes[bit].tolist()
        values = [scope.get(dimension) for scope in scopes]
        assert [[one == other for other in codes] for one in codes] == [[a == b for b in values] for a in values]
        assert [code == 0 for code in codes] == [value is None for value in values]
        assert max(codes, default=0) < found.sizes[bit]
    assert found.masks.tolist() == [scope_mask(scope) for scope in scopes]


@given(st.lists(SCOPES, max_size=6))
def test_only_what_is_asked_for_is_encoded(scopes):
    asked = mask_of([D.CHAIN])
    found = encode_scopes(scopes, asked)

    assert all(is_within(mask, asked) for mask in found.masks.tolist())
    assert found.codes[BIT[D.TIMEFRAME]].tolist() == [0] * len(scopes)
