"""Parts of a picture: text that cannot break out of it, contrast, and the size above which it is refused."""

import re
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.picture import (
    INK,
    LIMIT_BYTES,
    OKABE_ITO,
    PAPER,
    QUIET,
    document,
    ink_on,
    inline_image,
    luminance,
    strokes,
    text,
)
from tests.inline_picture import MARKDOWN, level_lines, parsed, words


def contrast(one: str, other: str, opacity: float = 1.0) -> float:
    """WCAG ratio of a colour and another one of an opacity on white."""
    low, high = sorted((luminance(one), luminance(other, opacity)))
    return (high + 0.05) / (low + 0.05)


@given(label=st.text(st.characters(categories=("L", "N", "P", "S", "Z"))))
def test_any_label_comes_back_as_it_was_given(label):
    root = parsed(inline_image(document(text(1, 2, label), width=10, height=10), "t"))

    assert "".join(words(root)) == label


@given(label=st.text())
def test_what_xml_cannot_hold_does_not_break_the_picture(label):
    root = parsed(inline_image(document(text(1, 2, label), width=10, height=10), "t"))

    assert len(words(root)) == 1


def test_a_forbidden_character_is_shown_to_have_been_there():
    assert words(parsed(inline_image(document(text(1, 2, "a\x01b"), width=1, height=1), "t"))) == ["a\ufffdb"]


@given(title=st.text())
def test_any_title_stays_the_alternative_text_of_one_image(title):
    found = MARKDOWN.fullmatch(inline_image(document("", width=1, height=1), title))

    assert found is not None
    assert "<" not in found["title"]
    assert re.findall(r"[\[\]]", re.sub(r"\\.", "", found["title"])) == []


def test_a_picture_of_more_than_64_kb_is_refused_by_name():
    largest = "x" * 48_000
    size = len(inline_image(largest, "The calendar"))

    assert size <= LIMIT_BYTES
    with pytest.raises(ValueError, match=r"at most 65536 bytes, had \d+: The calendar"):
        inline_image(largest + "x" * 2_000, "The calendar")


def test_size_is_counted_in_bytes_of_what_is_stored():
    overhead = len("![t](data:image/svg+xml;base64,)")
    fits = (LIMIT_BYTES - overhead) // 4 * 3

    assert len(inline_image("x" * fits, "t")) <= LIMIT_BYTES
    with pytest.raises(ValueError, match="had 655"):
        inline_image("x" * (fits + 1), "t")


@pytest.mark.parametrize("opacity", [0.25, 0.45, 0.7, 1.0])
@pytest.mark.parametrize("colour", OKABE_ITO.values(), ids=OKABE_ITO.keys())
def test_words_on_a_colour_are_readable(colour, opacity):
    assert contrast(ink_on(colour, opacity), colour, opacity) >= 4.5


def test_words_on_paper_are_readable():
    assert min(contrast(INK, PAPER), contrast(QUIET, PAPER)) >= 4.5


def test_black_on_white_has_the_contrast_wcag_names():
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


def test_strokes_are_read_back_to_a_hundredth():
    boxes = [(0.0, 7.0, 3.25), (5.501, 7.0, 1.0), (100.0, 260.5, 10.0)]

    assert level_lines(strokes(boxes)) == [(0.0, 7.0, 3.25), (5.5, 7.0, 1.0), (100.0, 260.5, 10.0)]


def test_no_colour_of_the_palette_occurs_twice():
    assert all(one != other for one, other in combinations(OKABE_ITO.values(), 2))
