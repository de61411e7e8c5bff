"""JSON is read strictly: what a database would not take, or what says two things, is refused with its place."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.portfolio import strict_json
from domain.portfolio.gate import Gate
from domain.portfolio.strict_json import (
    MAX_CHARACTERS,
    MAX_DEPTH,
    StrictJsonError,
    canonical_json,
    check_json,
    json_pointer,
    read_json,
)

STORABLE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | STORABLE
JSON = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(STORABLE, inner, max_size=4))


@pytest.mark.parametrize(
    ("text", "pointer", "reason"),
    [
        ("", "", "no JSON"),
        ('{"a": 1} x', "", "no JSON"),
        (b"\xff", "", "no JSON"),
        ('{"a": [0, NaN]}', "/a/1", "finite"),
        ('{"a": -Infinity}', "/a", "finite"),
        ('{"a": 1e999}', "/a", "finite"),
        ('{"a": {"c": 2, "b": 1, "b": 1}}', "/a/b", "key given twice"),
        ('{"a/b~": "\\ud800"}', "/a~1b~0", "lone surrogate"),
        ('{"\\udfff": 1}', "", "lone surrogate as a key"),
        ('{"a": "x\\u0000"}', "/a", "NUL"),
        ('{"\\u0000": 1}', "", "NUL as a key"),
        ("1" * 5_000, "", "no JSON"),
        ('{"a": 1' + "0" * 400 + "}", "/a", "integer too large"),
        ("[" * 100_000, "", "nested deeper"),
        ('{"a":' * 100_000, "", "nested deeper"),
        ("[" * (MAX_DEPTH + 2) + "]" * (MAX_DEPTH + 2), "/0" * (MAX_DEPTH + 1), "nested deeper"),
        (" " * (MAX_CHARACTERS + 1), "", "at most 4000000 characters"),
    ],
)
def test_what_is_doubtful_is_refused_with_its_place(text, pointer, reason):
    with pytest.raises(StrictJsonError) as caught:
        read_json(text)

    assert caught.value.pointer == pointer
    assert reason in caught.value.reason


@pytest.mark.parametrize("wrong", [{1, 2}, b"x", 1j, {1: "a"}, {"a": object()}, [math.nan], {None: 1}])
def test_what_json_does_not_have_is_refused(wrong):
    with pytest.raises(StrictJsonError):
        check_json(wrong)


def test_a_value_that_holds_itself_is_refused():
    circle: dict[str, object] = {}
    circle |= {"one": circle, "two": circle}

    with pytest.raises(StrictJsonError, match="nested deeper"):
        check_json(circle)


def test_a_value_that_shares_its_parts_beyond_measure_is_refused():
    shared: object = 1
    for _ in range(MAX_DEPTH - 1):
        shared = [shared, shared]

    with pytest.raises(StrictJsonError, match="at most 1000000 values"):
        check_json(shared)


@given(JSON)
def test_anything_else_reads_back_as_it_was_in_one_spelling(document):
    text = canonical_json(document)

    assert read_json(text) == document
    assert read_json(text.encode()) == document
    assert canonical_json(read_json(json.dumps(document, indent=2))) == text


def test_the_canonical_text_knows_no_order_and_no_spaces():
    assert canonical_json({"b": [1.0, 1e-7, True], "a": "ü"}) == '{"a":"ü","b":[1.0,1e-07,true]}'
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json({"a": math.inf})


@given(st.lists(STORABLE))
def test_a_pointer_can_be_followed_back(path):
    pointer = json_pointer(path)

    assert [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]] == path


DOUBTFUL = st.one_of(
    JSON,
    st.integers(-(2**1100), 2**1100),
    st.floats(),
    st.text(st.characters(codec=None)),
    st.sampled_from([b"", (1, "a"), {1: 2}, {"a": {None: 1}}, {"a\x00": 1}, "\x00", ["\ud800"], Gate.HELD, object()]),
)


def has_problem(document: object) -> bool:
    """Whether a look at each value finds something."""
    try:
        strict_json._look_at_each(document)
    except StrictJsonError:
        return True
    return False


@given(st.recursive(DOUBTFUL, lambda part: st.lists(part) | st.dictionaries(st.text(), part), max_leaves=12))
def test_what_is_plain_at_a_glance_is_right_value_by_value(document):
    assert not (strict_json._is_plain(document) and has_problem(document))


@pytest.mark.parametrize("depth", range(MAX_DEPTH - 2, MAX_DEPTH + 3))
def test_a_document_is_as_deep_as_is_allowed_at_a_glance_and_at_length(depth):
    document: list = []
    for _ in range(depth):
        document = [document]

    assert has_problem(document) is (depth > MAX_DEPTH)
    assert not (strict_json._is_plain(document) and has_problem(document))
