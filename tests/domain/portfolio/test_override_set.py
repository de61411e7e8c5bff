"""Rows that cannot be right are refused one by one, and of rows for one cell one counts at a time."""

import json
import math
import sys
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.portfolio.override_row import RefusalReason
from domain.portfolio.override_set import compile_overrides, match_overrides
from domain.scopes.scope import is_match
from tests.domain.portfolio.override_rows import BUYS, DAY, HERE, NOW, ROWS, D, buy, override_row

R = RefusalReason
NANO = {D.MCAP_BUCKET: "nano"}


def ids_at(overrides, when, of=None) -> list[int]:
    asked = of or buy()
    found = match_overrides(overrides, [((asked.pattern_key, asked.category), asked.scope)], when)
    return sorted(overrides.overrides[row].override_id for row in found.rows)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"scope_values": '{"chain": '}, R.MALFORMED),
        ({"scope_values": '{"mcap_bucket": "nano", "mcap_bucket": "mid"}', "scope_mask": 4}, R.MALFORMED),
        ({"scope_values": '{"mcap_bucket": NaN}', "scope_mask": 4}, R.MALFORMED),
        ({"scope_values": "[]"}, R.MALFORMED),
        ({"scope_values": None}, R.MALFORMED),
        ({"scope_values": {4: "nano"}}, R.MALFORMED),
        ({"lever": "size_mult"}, R.UNKNOWN_LEVER),
        ({"lever": None}, R.MALFORMED),
        ({"pattern_key": "uptrend.S1.entry"}, R.UNKNOWN_PATTERN),
        ({"pattern_key": "pm.s1_entry"}, R.UNKNOWN_PATTERN),
        ({"scope_values": {"ticker": "X"}, "scope_mask": 1}, R.UNKNOWN_SCOPE),
        ({"scope_values": {"mcap_bucket": "tiny"}, "scope_mask": 4}, R.UNKNOWN_SCOPE),
        ({"scope_values": {}, "scope_mask": 1 << 32}, R.UNKNOWN_SCOPE),
        ({"scope_values": {}, "scope_mask": 4}, R.MASK_MISMATCH),
        ({"scope_values": {"mcap_bucket": "nano"}, "scope_mask": 0}, R.MASK_MISMATCH),
        ({"scope_values": {"mcap_bucket": "nano"}, "scope_mask": 2}, R.MASK_MISMATCH),
        ({"scope_values": {"btc_meso": "S4"}, "scope_mask": 0}, R.MASK_MISMATCH),
        ({"scope_values": {"chain": "Unknown"}, "scope_mask": 2}, R.MASK_MISMATCH),
        ({"multiplier": math.nan}, R.OUT_OF_BOUNDS),
        ({"multiplier": math.inf}, R.OUT_OF_BOUNDS),
        ({"multiplier": 50.0}, R.OUT_OF_BOUNDS),
        ({"multiplier": 0.29}, R.OUT_OF_BOUNDS),
        ({"multiplier": "1.2"}, R.MALFORMED),
        ({"multiplier": True}, R.MALFORMED),
        ({"multiplier": None}, R.MALFORMED),
        ({"confidence": 0.0}, R.OUT_OF_BOUNDS),
        ({"confidence": 1.01}, R.OUT_OF_BOUNDS),
        ({"n_trades": 0}, R.OUT_OF_BOUNDS),
        ({"edge_raw": math.nan}, R.OUT_OF_BOUNDS),
        ({"edge_raw": -math.inf}, R.OUT_OF_BOUNDS),
        ({"decay_mult": 2.0}, R.OUT_OF_BOUNDS),
        ({"lesson_id": ""}, R.MALFORMED),
        ({"expires_at": None}, R.MALFORMED),
        ({"expires_at": (NOW + DAY).replace(tzinfo=None)}, R.MALFORMED),
        ({"expires_at": NOW}, R.EXPIRED),
        ({"action_category": "trim"}, R.SELLS),
        ({"action_category": "exit"}, R.SELLS),
        ({"action_category": "strength"}, R.MALFORMED),
        ({"pattern_key": "pm.uptrend.S2.trim_flag"}, R.SELLS),
    ],
)
def test_a_row_that_cannot_be_right_is_refused_and_the_others_apply(changed, reason):
    overrides = compile_overrides([override_row(1) | changed, override_row(2)], NOW)

    assert [(refused.override_id, refused.reason) for refused in overrides.refused] == [(1, reason)]
    assert ids_at(overrides, NOW) == [2]
    assert str(overrides.refused[0]).startswith(f"override 1 ignored: {reason}: ")


@pytest.mark.parametrize("column", sorted(set(override_row()) - {"set_id", "edge_raw", "decay_mult"}))
def test_a_row_without_a_column_is_refused(column):
    row = {name: value for name, value in override_row().items() if name != column}

    (refused,) = compile_overrides([row], NOW).refused
    assert refused.reason is R.MALFORMED


def test_values_are_made_canonical_before_they_are_compared():
    row = override_row(
        1, {D.CHAIN: "x", D.BUCKET_RANK_POSITION: "1"}, scope_values='{"bucket_rank_position":1,"chain":"Solana"}'
    )
    overrides = compile_overrides([row], NOW)

    assert ids_at(overrides, NOW, buy(HERE | {D.BUCKET_RANK_POSITION: "1"})) == [1]
    assert ids_at(overrides, NOW, buy(HERE)) == []


def test_the_root_applies_to_every_scope_and_a_missing_dimension_to_none():
    overrides = compile_overrides([override_row(1), override_row(2, NANO)], NOW)

    assert ids_at(overrides, NOW, buy({})) == [1]
    assert ids_at(overrides, NOW, buy(HERE)) == [1, 2]
    assert ids_at(overrides, NOW, buy(HERE | {D.MCAP_BUCKET: "mid"})) == [1]


def test_of_duplicates_the_more_confident_counts_and_of_equals_the_lower_id():
    rows = [override_row(number, NANO, confidence=c) for number, c in [(4, 0.5), (3, 0.9), (2, 0.9), (5, 0.1)]]
    overrides = compile_overrides(rows, NOW)

    assert ids_at(overrides, NOW) == [2]
    assert [(each.override_id, each.reason) for each in overrides.refused] == [
        (3, R.DUPLICATE),
        (4, R.DUPLICATE),
        (5, R.DUPLICATE),
    ]
    assert "of override 2" in overrides.refused[0].detail


def test_another_lever_or_category_is_no_duplicate():
    rows = [override_row(1), override_row(2, lever="halo_mult"), override_row(3, action_category="add")]

    assert compile_overrides(rows, NOW).refused == ()


def test_a_duplicate_applies_once_the_better_one_has_expired():
    rows = [override_row(1, confidence=0.9, expires_at=NOW + DAY), override_row(2, confidence=0.5)]
    overrides = compile_overrides(rows, NOW)
    last_moment = NOW + DAY - timedelta(microseconds=1)

    assert [ids_at(overrides, when) for when in (NOW, last_moment, NOW + DAY, NOW + 14 * DAY)] == [[1], [1], [2], []]
    assert "applies from" in overrides.refused[0].detail


def test_of_many_duplicates_one_applies_at_a_time():
    lives = [(0.9, 1), (0.8, 3), (0.7, 2), (0.6, 5)]
    rows = [override_row(n, confidence=c, expires_at=NOW + days * DAY) for n, (c, days) in enumerate(lives)]
    overrides = compile_overrides(rows, NOW)

    assert [ids_at(overrides, NOW + days * DAY) for days in range(6)] == [[0], [1], [1], [3], [3], []]


@given(ROWS, BUYS, st.integers(0, 7))
def test_what_applies_does_not_depend_on_when_the_set_was_compiled(rows, buys, days):
    later = NOW + days * DAY
    early, late = compile_overrides(rows, NOW), compile_overrides(rows, later)

    assert [ids_at(early, later, of) for of in buys] == [ids_at(late, later, of) for of in buys]


@given(ROWS, st.randoms(use_true_random=False), BUYS)
def test_the_order_of_the_rows_does_not_count(rows, random, buys):
    one, other = compile_overrides(rows, NOW), compile_overrides(random.sample(rows, len(rows)), NOW)

    assert (one.overrides, one.refused) == (other.overrides, other.refused)
    assert [ids_at(one, NOW, of) for of in buys] == [ids_at(other, NOW, of) for of in buys]


@given(ROWS, BUYS)
def test_every_row_applies_or_is_refused_and_none_applies_outside_of_its_scope(rows, buys):
    overrides = compile_overrides(rows, NOW)
    asked = [((each.pattern_key, each.category), each.scope) for each in buys]
    found = match_overrides(overrides, asked, NOW)

    kept = {each.override_id for each in overrides.overrides}
    assert kept | {each.override_id for each in overrides.refused} == {row["override_id"] for row in rows}
    matched = set(zip(found.rows.tolist(), found.buys.tolist(), strict=True))
    shadowed = {each.override_id for each in overrides.refused}
    for row, each in enumerate(overrides.overrides):
        for place, of in enumerate(buys):
            target = (each.pattern_key, each.category) == (of.pattern_key, of.category)
            fits = target and is_match(of.scope, each.mask, each.values) and each.override_id not in shadowed
            assert ((row, place) in matched) == fits


def test_the_past_of_a_set_cannot_be_asked():
    with pytest.raises(ValueError, match="Compiled as of"):
        ids_at(compile_overrides([override_row()], NOW), NOW - DAY)
    with pytest.raises(ValueError, match="offset"):
        compile_overrides([], NOW.replace(tzinfo=None))


def test_an_empty_set_matches_nothing():
    assert ids_at(compile_overrides([], NOW, set_id=3), NOW) == []


@given(
    st.dictionaries(
        st.sampled_from(sorted(override_row())),
        st.none()
        | st.text()
        | st.floats()
        | st.integers()
        | st.booleans()
        | st.lists(st.integers())
        | st.dictionaries(st.text(), st.text()),
    )
)
def test_no_row_raises_whatever_stands_in_it(garbage):
    overrides = compile_overrides([override_row() | garbage, override_row(99, HERE)], NOW)

    assert 99 in {each.override_id for each in overrides.overrides}
    json.dumps([str(refused) for refused in overrides.refused])
    assert all(len(str(refused)) < 500 for refused in overrides.refused)


def test_a_whole_number_beyond_all_text_is_refused():
    huge = 10 ** (sys.get_int_max_str_digits() + 1)

    whole = ("override_id", "scope_mask", "multiplier", "n_trades")
    refused = compile_overrides([override_row(1) | {name: huge} for name in whole], NOW).refused
    assert [each.reason for each in refused] == [R.OUT_OF_BOUNDS] * 4
    assert str(refused[0]).startswith("override None ignored: out_of_bounds: override_id must be within")

    listed = compile_overrides([override_row(1, scope_values=[huge], scope_mask=0)], NOW).refused
    assert [each.reason for each in listed] == [R.MALFORMED]
