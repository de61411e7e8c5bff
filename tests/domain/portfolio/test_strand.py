"""A strand reads back as it was under the same id; what breaks its schema is a dead letter that says where."""

import copy
import json
import math
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.portfolio.pm_action import PmAction
from domain.portfolio.strand import (
    MAX_PAYLOAD_CHARACTERS,
    DeadLetter,
    StrandKind,
    parse_strand,
    strand_content,
    strand_id,
    strand_json,
)
from domain.portfolio.strict_json import MAX_CHARACTERS, MAX_DEPTH
from tests.domain.portfolio.strand_documents import (
    DOCUMENTS,
    NAMED,
    changed,
    iso,
    places,
    pm_action,
    position_closed,
    problems,
)
from tests.domain.portfolio.test_strict_json import JSON

ACTION, CLOSED = StrandKind
KINDS = pytest.mark.parametrize("kind", StrandKind)


def dead(kind: StrandKind, payload: Any) -> DeadLetter:
    letter = parse_strand(kind, payload)
    assert isinstance(letter, DeadLetter)
    return letter


@KINDS
def test_a_document_reads_back_as_it_was_under_one_id(kind):
    document = DOCUMENTS[kind]()
    strand = parse_strand(kind, document)
    text = strand_json(strand)

    assert json.loads(text) == document == strand_content(strand)
    assert parse_strand(kind, text) == parse_strand(kind, text.encode()) == strand
    assert strand_id(kind, strand) == strand_id(kind, json.loads(text)) == strand_id(kind, document)
    assert re.fullmatch("[0-9a-f]{64}", strand_id(kind, strand))


def test_the_id_is_of_kind_and_content_and_knows_no_order():
    document = pm_action()
    turned = dict(reversed(document.items()))

    assert strand_id(ACTION, turned) == strand_id(ACTION, document) != strand_id(CLOSED, document)
    assert strand_id(ACTION, changed(document, "/ts", iso(1))) != strand_id(ACTION, document)


def test_an_instant_has_one_spelling():
    document = changed(pm_action(), "/ts", "2025-03-04T14:00:00+02:00")

    assert strand_content(parse_strand(ACTION, document)) == pm_action()


EXTRAS = st.dictionaries(st.text("abc_/~ü", min_size=1) | st.sampled_from(["model_config", "__class__", "copy"]), JSON)


@settings(deadline=None)
@given(st.sampled_from(NAMED), EXTRAS)
def test_keys_nobody_named_are_kept_as_they_came(named, extras):
    kind, pointer = named
    above = pointer.rpartition("/")[0]
    document = DOCUMENTS[kind]()
    place = dict(places(document)).get(above, document)
    place |= {f"x{key}" if key in place else key: value for key, value in extras.items()}
    strand = parse_strand(kind, document)

    assert strand_content(strand) == document
    assert strand_id(kind, json.loads(strand_json(strand))) == strand_id(kind, document)


@pytest.mark.parametrize(("kind", "pointer"), NAMED)
def test_every_named_key_must_be_there_and_of_its_type(kind, pointer):
    document = DOCUMENTS[kind]()

    assert dead(kind, changed(document, pointer, ...)).pointer == pointer
    if pointer != "/regime_context":
        assert dead(kind, changed(document, pointer, {"no": []})).pointer.startswith(pointer)


@pytest.mark.parametrize(
    ("kind", "pointer", "value", "found_at"),
    [
        (ACTION, "/schema_version", 2, "/schema_version"),
        (ACTION, "/schema_version", True, "/schema_version"),
        (ACTION, "/size_frac", "0.3", "/size_frac"),
        (ACTION, "/size_frac", 1.1, "/size_frac"),
        (ACTION, "/a_value", True, "/a_value"),
        (ACTION, "/ts", "2025-03-04T12:00:00", "/ts"),
        (ACTION, "/ts", 1741089600, "/ts"),
        (ACTION, "/decision_type", "hold", "/decision_type"),
        (ACTION, "/action_category", "buy", "/action_category"),
        (ACTION, "/pattern_key", "uptrend.S1.entry", "/pattern_key"),
        (ACTION, "/timeframe", "2h", "/timeframe"),
        (ACTION, "/scope/ticker", "X", "/scope/ticker"),
        (ACTION, "/scope/chain", "Solana", "/scope"),
        (ACTION, "/scope/chain", "Unknown", "/scope"),
        (ACTION, "/scope/mcap_bucket", "small", "/scope"),
        (ACTION, "/scope_mask", 262, None),
        (ACTION, "/scope_mask", 263, ""),
        (ACTION, "/regime_states/btc_macro", "S5", "/regime_states/btc_macro"),
        (ACTION, "/A_mode", None, ""),
        (ACTION, "/pm_final_multiplier", 1.5, ""),
        (ACTION, "/action_category", "trim", ""),
        (ACTION, "/learning_multipliers/exposure_skew", None, ""),
        (ACTION, "/seen/bar/closed_at", iso(1), ""),
        (ACTION, "/seen/score_timestamps/nano", iso(1), ""),
        (ACTION, "/execution_result/fills", [], "/execution_result"),
        (ACTION, "/execution_result/status", "rejected", "/execution_result"),
        (CLOSED, "/entry_context", None, "/entry_context"),
        (CLOSED, "/entry_context/regime_states/usdtd_micro", ..., "/entry_context/regime_states/usdtd_micro"),
        (CLOSED, "/entry_context/bucket", "small", "/entry_context/bucket"),
        (CLOSED, "/entry_context/timeframe", "4h", ""),
        (CLOSED, "/completed_trades", [], "/completed_trades"),
        (CLOSED, "/completed_trades/0/trade_id", "other", ""),
        (CLOSED, "/completed_trades/0/rr", -2.3, "/completed_trades/0"),
        (CLOSED, "/completed_trades/0/rr", 2.4, "/completed_trades/0"),
        (CLOSED, "/completed_trades/0/rr", None, "/completed_trades/0"),
        (CLOSED, "/completed_trades/0/pnl_usd", -1.0, "/completed_trades/0"),
        (CLOSED, "/completed_trades/0/max_adverse_usd", -1.0, "/completed_trades/0/max_adverse_usd"),
        (CLOSED, "/completed_trades/0/exit_timestamp", iso(-1), "/completed_trades/0"),
        (CLOSED, "/completed_trades/0/actions/1/strand_id", "a" * 64, "/completed_trades/0"),
        (CLOSED, "/completed_trades/0/actions/1/strand_id", "A" * 64, "/completed_trades/0/actions/1/strand_id"),
        (CLOSED, "/completed_trades/0/actions/0/ts", iso(31), "/completed_trades/0"),
        (CLOSED, "/completed_trades/0/actions/1/ts", iso(32), ""),
    ],
)
def test_what_cannot_be_right_is_told_with_its_place(kind, pointer, value, found_at):
    found = parse_strand(kind, changed(DOCUMENTS[kind](), pointer, value))

    assert (found.pointer if isinstance(found, DeadLetter) else None) == found_at


def test_a_trade_without_a_ratio_says_why_and_is_no_zero():
    document = position_closed()
    trade = document["completed_trades"][0]
    trade |= {"rr": None, "rr_raw": None, "roi": None, "rr_absent_reason": "nothing was bought"}

    assert parse_strand(CLOSED, document).completed_trades[0].rr is None


def test_what_is_sold_carries_neutral_multipliers():
    sale = pm_action() | {"decision_type": "trim", "action_category": "trim", "pattern_key": "pm.uptrend.S2.trim_flag"}
    sale |= {"pm_strength_applied": 1.0, "exposure_skew_applied": 1.0, "pm_final_multiplier": 1.0}

    assert isinstance(parse_strand(ACTION, changed(sale, "/learning_multipliers/exposure_skew", None)), PmAction)


@pytest.mark.parametrize(
    ("payload", "pointer", "reason"),
    [
        ("", "", "no JSON"),
        ("[1, 2]", "", "object"),
        ('{"a": NaN}', "/a", "finite"),
        ('{"ts": 1, "ts": 2}', "/ts", "twice"),
        ('{"position_id": "\\ud83d"}', "/position_id", "surrogate"),
        ('{"x": "\\u0000"}', "/x", "NUL"),
        ("[" * 200_000, "", "nested"),
        (b"\xff\xfe", "", "no JSON"),
        ('"' + "x" * 10_000_000 + '"', "", "at most"),
        ({"x": {1, 2}}, "/x", "set is no JSON"),
        ({"x": math.nan}, "/x", "finite"),
        ({1: 2}, "", "key of type int"),
        ({"x": "y" * (MAX_CHARACTERS + 1)}, "", "at most"),
        ({"x": 10**5_000}, "/x", "too large"),
    ],
)
@KINDS
def test_what_is_no_strict_json_is_a_dead_letter(kind, payload, pointer, reason):
    letter = dead(kind, payload)

    assert letter.pointer == pointer
    assert reason in letter.reason
    assert_storable(letter)


def assert_storable(letter: DeadLetter) -> None:
    """Postgres takes each text, and none is endless."""
    texts = [letter.kind, letter.pointer, letter.reason, letter.payload, letter.dead_letter_id]
    assert all("\x00" not in text and text.encode() is not None for text in texts)
    assert letter.reason
    assert len(letter.payload) <= MAX_PAYLOAD_CHARACTERS
    assert max(map(len, texts[:3])) <= 500


def test_a_kind_nobody_knows_is_a_dead_letter():
    letter = parse_strand("uptrend\x00\ud800", pm_action())

    assert (letter.pointer, letter.kind) == ("", "uptrend\\u0000\\ud800")
    assert_storable(letter)


def test_a_dead_letter_has_the_id_of_its_whole_payload():
    long = "x" * (MAX_PAYLOAD_CHARACTERS + 5)
    one, other = dead(ACTION, long), dead(ACTION, long + "y")

    assert one.payload == other.payload == long[:MAX_PAYLOAD_CHARACTERS]
    assert one.dead_letter_id == dead(ACTION, long).dead_letter_id != other.dead_letter_id
    assert dead(CLOSED, long).dead_letter_id != one.dead_letter_id


def test_a_document_that_holds_itself_is_a_dead_letter():
    circle: dict[str, Any] = pm_action()
    circle |= {"one": circle, "two": [circle, circle]}

    letter = dead(ACTION, circle)
    assert letter.reason == f"nested deeper than {MAX_DEPTH}"
    assert_storable(letter)


# ---- anything anywhere ----
POINTERS = st.sampled_from([(kind, pointer) for kind in DOCUMENTS for pointer, _ in places(DOCUMENTS[kind]())])
WORDS = st.sampled_from([None, 0, -1, 1e308, "", "S4", "Unknown", "1h", "\ud800", math.nan, [], {}, 10**400, True])


@settings(deadline=None, max_examples=300)
@given(st.lists(st.tuples(POINTERS, WORDS | JSON), min_size=1, max_size=3))
def test_whatever_stands_anywhere_gives_a_strand_or_a_dead_letter(changes):
    kind = changes[0][0][0]
    document = DOCUMENTS[kind]()
    for (of, pointer), value in changes:
        if of is kind and pointer in dict(places(document)):
            document = changed(document, pointer, value)
    before = copy.deepcopy(document)
    found = parse_strand(kind, document)

    assert repr(document) == repr(before)
    if isinstance(found, DeadLetter):
        assert_storable(found)
    else:
        assert strand_id(kind, parse_strand(kind, strand_json(found))) == strand_id(kind, found)
        assert list(problems(strand_content(found), kind)) == []


@given(st.sampled_from(StrandKind) | st.text(max_size=5), st.text() | st.binary() | JSON.map(json.dumps))
def test_whatever_comes_is_a_dead_letter(kind, payload):
    letter = parse_strand(kind, payload)

    assert isinstance(letter, DeadLetter)
    assert_storable(letter)
