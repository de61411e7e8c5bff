"""One scope from three contexts; what is not known is not there; what cannot be is refused."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.scopes.bitmask import mask_of
from domain.scopes.scope import (
    extract_scope,
    is_match,
    parse_scope,
    scope_hash,
    scope_json,
    scope_mask,
    scope_values,
)
from domain.scopes.scope_value import TEXT_DIMENSIONS, WORDS, canonical_value
from domain.vocabulary.cap_bucket import CapBucket
from domain.vocabulary.driver import CHANNEL_NAMES
from domain.vocabulary.phase import Phase
from domain.vocabulary.scope_dimension import BIT, ScopeDimension
from domain.vocabulary.uptrend import UptrendState

D = ScopeDimension
ENTRY = {"curator": "@Ann", "chain": "Solana", "mcap_bucket": "nano", "vol_bucket": "10k-50k", "intent": "unknown"}
ACTION = {"timeframe": "1h", "A_mode": "aggressive", "E_mode": "patient", "market_family": "lowcaps"}
REGIME = {**dict.fromkeys(CHANNEL_NAMES, "S1"), "bucket_leader": "micro", "bucket_rank_position": 2}

NAMES = st.text("abc@-_ ", min_size=1, max_size=8).filter(lambda text: text.strip())
VALUES = {each: NAMES if each in TEXT_DIMENSIONS else st.sampled_from(sorted(WORDS[each])) for each in D}
SCOPES = st.fixed_dictionaries({}, optional=VALUES).map(parse_scope)


def test_three_contexts_become_one_scope():
    scope = extract_scope(entry=ENTRY, action=ACTION, regime=REGIME)

    assert scope[D.CURATOR] == "@ann"
    assert scope[D.CHAIN] == "solana"
    assert scope[D.MCAP_BUCKET] == "nano"
    assert scope[D.BUCKET_RANK_POSITION] == "2"
    assert D.INTENT not in scope
    assert len(scope) == 4 + 4 + 17
    assert [BIT[dimension] for dimension in scope] == sorted(BIT[dimension] for dimension in scope)


def test_a_dimension_is_read_from_its_own_context_only():
    stale = {**ENTRY, "btc_macro": "S0", "timeframe": "4h", "A_value": 0.3, "regime_states": {}}

    scope = extract_scope(entry=stale, action={**ACTION, "chain": "base"}, regime={"btc_macro": "S3"})

    assert (scope[D.BTC_MACRO], scope[D.TIMEFRAME], scope[D.CHAIN]) == ("S3", "1h", "solana")
    assert D.BTC_MACRO not in extract_scope(entry=stale, action=ACTION, regime={})


def test_bucket_is_another_name_of_mcap_bucket():
    assert extract_scope(entry={"bucket": "small"}, action={}, regime={}) == {D.MCAP_BUCKET: "micro"}
    assert extract_scope(entry={"bucket": "xl", "mcap_bucket": None}, action={}, regime={}) == {D.MCAP_BUCKET: "xl"}
    with pytest.raises(ValueError, match="one thing"):
        extract_scope(entry={"bucket": "nano", "mcap_bucket": "mid"}, action={}, regime={})


@pytest.mark.parametrize("nothing", [None, math.nan, "", "  ", "Unknown", "unknown", "None", "null", "nan"])
def test_what_is_not_known_is_not_in_the_scope(nothing):
    assert parse_scope(dict.fromkeys(D, nothing)) == {}


def test_no_clear_state_is_no_value_but_a_curator_may_be_called_s4():
    assert parse_scope(dict.fromkeys(CHANNEL_NAMES, UptrendState.S4)) == {}
    assert parse_scope({"curator": "S4"}) == {D.CURATOR: "s4"}


@pytest.mark.parametrize("rank", [2, 2.0, "2", " 2 "])
def test_a_rank_has_one_spelling(rank):
    assert parse_scope({"bucket_rank_position": rank}) == {D.BUCKET_RANK_POSITION: "2"}


@pytest.mark.parametrize(
    ("dimension", "wrong"),
    [
        ("mcap_bucket", "<500k"),
        ("mcap_bucket", 3),
        ("bucket_leader", "xl"),
        ("bucket_rank_position", 0),
        ("bucket_rank_position", 7),
        ("bucket_rank_position", 1.5),
        ("bucket_rank_position", True),
        ("bucket_rank_position", math.inf),
        ("timeframe", "2h"),
        ("A_mode", "high"),
        ("E_mode", "Patient"),
        ("btc_macro", "S5"),
        ("btc_macro", "Good"),
        ("meso_phase", "S1"),
        ("vol_bucket", "10k - 50k"),
        ("mapping_confidence", "0.8"),
        ("chain", 1),
        ("chain", "sol\x00ana"),
        ("curator", "x" * 129),
    ],
)
def test_a_value_that_cannot_be_one_of_its_dimension_is_refused(dimension, wrong):
    with pytest.raises(ValueError, match="Expected"):
        parse_scope({dimension: wrong})


def test_a_key_that_is_no_dimension_is_refused_when_read_back():
    with pytest.raises(ValueError, match="was \\['bucket', 'regime'\\]"):
        parse_scope({"bucket": "nano", "regime": "x", "chain": "base"})


def test_words_become_plain_text():
    scope = parse_scope({"mcap_bucket": CapBucket.MID, "macro_phase": Phase.OH_SHIT})

    assert [type(value) for value in scope.values()] == [str, str]


@given(SCOPES)
def test_a_scope_survives_being_stored(scope):
    assert parse_scope(json.loads(scope_json(scope))) == scope
    assert scope_mask(scope) == mask_of(scope)


@given(SCOPES)
def test_text_and_hash_do_not_depend_on_the_order_of_the_keys(scope):
    turned = dict(reversed(scope.items()))

    assert (scope_json(turned), scope_hash(turned)) == (scope_json(scope), scope_hash(scope))
    assert len(scope_hash(scope)) == 16


@given(SCOPES, SCOPES)
def test_a_match_is_containment(scope, values):
    expected = set(values.items()) <= set(scope.items())

    assert is_match(scope, mask_of(values), values) is expected


@given(SCOPES, SCOPES)
def test_the_part_of_a_scope_a_mask_looks_at_matches_it(scope, other):
    part = scope_values(scope, mask_of(other))

    assert (part is None) is (not set(other) <= set(scope))
    assert part is None or is_match(scope, mask_of(other), part)


def test_a_missing_value_never_matches_and_every_scope_matches_the_root():
    unknown = parse_scope({"chain": "Unknown", "timeframe": "1h"})

    assert not is_match(unknown, mask_of([D.CHAIN]), {D.CHAIN: "base"})
    assert is_match(unknown, 0, {})
    assert is_match({}, 0, {})


def test_values_that_are_not_those_of_the_mask_are_refused():
    with pytest.raises(ValueError, match="Expected values of the mask"):
        is_match({D.CHAIN: "base"}, 2, {})


@pytest.mark.parametrize("dimension", list(D))
def test_every_dimension_is_validated(dimension):
    with pytest.raises(ValueError, match="Expected"):
        canonical_value(dimension, object())
