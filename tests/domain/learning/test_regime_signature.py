"""Signatures: three states to three words, 27 of them, and back from their text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.learning.regime_signature import (
    ALL_SIGNATURES,
    SIGNATURE_DIMENSIONS,
    TREND_OF,
    RegimeSignature,
    Trend,
    parse_regime_signature,
    regime_signature,
)
from domain.scopes.scope import parse_scope
from domain.vocabulary.uptrend import UptrendState

STATES = st.sampled_from(list(UptrendState))


def test_there_are_27_signatures_and_each_has_a_text_of_its_own():
    assert len({str(signature) for signature in ALL_SIGNATURES}) == len(set(ALL_SIGNATURES)) == 27


@pytest.mark.parametrize("signature", ALL_SIGNATURES, ids=str)
def test_a_signature_is_read_back_from_its_text(signature):
    assert parse_regime_signature(str(signature)) == signature


@pytest.mark.parametrize(
    "text",
    ["", "all", "up|up|up", "btc_macro=up|alt_meso=up", "btc_macro=S3|alt_meso=S1|bucket_meso=S0", "btc_macro=UP"],
)
def test_a_text_that_no_signature_has_is_refused(text):
    with pytest.raises(ValueError, match="Expected a signature as"):
        parse_regime_signature(text)


def test_every_state_of_the_engine_has_a_direction():
    assert set(TREND_OF) == set(UptrendState)
    assert {trend: {s.value for s in UptrendState if TREND_OF[s] is trend} for trend in Trend} == {
        Trend.UP: {"S1", "S3"},
        Trend.FLAT: {"S2", "S4"},
        Trend.DOWN: {"S0"},
    }


@given(STATES, STATES, STATES)
def test_a_signature_is_of_the_three_states_in_their_order(btc, alt, bucket):
    scope = dict(zip(SIGNATURE_DIMENSIONS, (btc, alt, bucket), strict=True))

    assert regime_signature(scope) == RegimeSignature(TREND_OF[btc], TREND_OF[alt], TREND_OF[bucket])


@pytest.mark.parametrize("missing", SIGNATURE_DIMENSIONS)
def test_a_state_that_is_missing_leaves_no_signature(missing):
    scope = {dimension: "S3" for dimension in SIGNATURE_DIMENSIONS if dimension is not missing}

    assert regime_signature(scope) is None


def test_no_clear_state_is_no_value_of_a_scope_and_so_leaves_no_signature():
    scope = parse_scope({"btc_macro": "S4", "alt_meso": "S1", "bucket_meso": "S1"})

    assert regime_signature(scope) is None


def test_other_dimensions_do_not_count():
    three = dict.fromkeys(SIGNATURE_DIMENSIONS, "S1")

    assert regime_signature(parse_scope({**three, "btc_meso": "S0", "chain": "base"})) == regime_signature(three)


def test_a_word_that_is_no_state_is_refused():
    with pytest.raises(ValueError, match="not a valid UptrendState"):
        regime_signature(dict.fromkeys(SIGNATURE_DIMENSIONS, "up"))
