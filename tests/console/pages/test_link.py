"""Addresses with what a reader looks at kept in them."""

from urllib.parse import parse_qsl, unquote, urlsplit

import pytest

from console.pages.link import TAKES, address
from tests.console.pages.page_world import AS_OF_TEXT, HOSTILE

ALL = {"as_of": "2025-06-30T12:00:00Z", "day": "2025-06-29", "replay": "r1"}


def asked(text: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(text).query))


@pytest.mark.parametrize("base", sorted(TAKES))
def test_a_page_is_given_what_it_knows_and_nothing_else(base):
    assert asked(address(base, kept=ALL)) == {name: ALL[name] for name in TAKES[base]}


def test_a_day_leads_to_its_end_where_a_page_knows_instants():
    assert asked(address("/regime", kept={"day": "2025-06-30"})) == {"as_of": "2025-07-01T00:00:00Z"}
    assert asked(address("/regime", kept={"day": "2200-12-31"})) == {"as_of": "2200-12-31T00:00:00Z"}
    assert asked(address("/lessons", kept={"as_of": ALL["as_of"]})) == {}


def test_a_value_of_the_link_counts_more_than_what_is_kept_and_none_takes_it_away():
    assert asked(address("/override", 7, kept=ALL, replay=None, as_of="x")) == {"as_of": "x"}
    assert address("/lessons", kept=ALL, day=None, replay=None) == "/lessons"


@pytest.mark.parametrize("part", [HOSTILE, "a/b", "../x", "%2F", "?replay=x", "#", "ü"])
def test_a_part_stays_one_part_whatever_it_holds(part):
    made = urlsplit(address("/why", "candle", part, kept={}))

    assert [unquote(each) for each in made.path.split("/")[2:]] == ["candle", part]
    assert (made.query, made.fragment, made.path.isascii()) == ("", "", True)


def test_a_value_is_escaped():
    assert address("/lessons", kept={}, pattern="a&b=<c>") == "/lessons?pattern=a%26b%3D%3Cc%3E"


@pytest.mark.postgres
@pytest.mark.parametrize("base", sorted(TAKES))
def test_a_page_knows_what_its_links_are_given(pages, base):
    kept = {"as_of": AS_OF_TEXT, "day": "2025-06-10", "replay": "none"}
    part = () if pages.get(base).status_code in (200, 503) else ("x",)

    answer = pages.get(address(base, *part, kept=kept))

    assert answer.status_code in (200, 404), answer.text
