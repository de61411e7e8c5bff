"""Names, ids, scopes, days and instants that are none, in every part and parameter of every page."""

import re
from urllib.parse import quote

import pytest
from starlette.routing import Route

from console.pages.app import Door, build_app
from tests.console.pages.page_world import client, make_page_world
from tests.console.pages.read_html import ReadHtml
from tests.faults.hostile_values import HOSTILE, values_at
from tests.faults.table_sums import table_sums

pytestmark = pytest.mark.postgres

NO_ADDRESS = ("surrogate",)
"""What no percent sign spells: bytes that are no UTF-8 come as `undecodable`."""
PAGES = [
    route.path
    for route in build_app(Door()).app.routes
    if isinstance(route, Route) and not route.path.startswith("/api/") and "GET" in (route.methods or ())
]


@pytest.fixture(scope="module")
def pages(module_database):
    make_page_world()
    return client()


def spelled(value: str) -> str:
    """A value as it stands in an address."""
    return quote(value.encode("utf-8", "surrogateescape"), safe="")


def checked(answer, told: str) -> None:
    """A page, or a refusal as one, with nothing in it that a value made."""
    assert answer.status_code in (200, 303, 400, 404), told
    if answer.status_code == 303:
        assert answer.headers["location"].startswith("/"), told
        return
    assert answer.headers["content-type"].startswith("text/html"), told
    read = ReadHtml(answer.text)
    assert read.open == [], told
    assert read.forbidden() == [], told
    assert not {"\u202e", "\x1b", "\x9b", "\x07"} & set(answer.text), told


def parameters_of(pages, path: str) -> list[str]:
    """What a page may be asked, in its own words: it tells them to who asks something else."""
    said = ReadHtml(pages.get(f"{path}?no_such_parameter=1").text).text
    found = re.search(r"No parameter 'no_such_parameter'; there are (.*)", said)
    return re.findall(r"\w+", found[1].split("\n")[0]) if found else []


@pytest.mark.parametrize("path", PAGES)
def test_a_page_answers_whatever_stands_in_its_address(pages, path):
    before = table_sums()
    parts = re.findall(r"{(\w+)(?::path)?}", path)
    for place, part in enumerate(parts):
        for name, value in values_at(PAGES.index(path) + place, *NO_ADDRESS).items():
            address = re.sub(rf"{{{part}(:path)?}}", spelled(value).replace("\\", "\\\\"), path)
            checked(pages.get(address), f"{name} at {address}")
    there = re.sub(r"{\w+(:path)?}", "7", path)
    for place, parameter in enumerate(parameters_of(pages, there)):
        for name, value in values_at(PAGES.index(path) + place, *NO_ADDRESS).items():
            checked(pages.get(f"{there}?{parameter}={spelled(value)}"), f"{name} as {parameter} of {there}")

    assert table_sums() == before


def test_most_pages_tell_their_parameters(pages):
    told = {path: parameters_of(pages, re.sub(r"{\w+(:path)?}", "7", path)) for path in PAGES}

    assert sum(len(names) for names in told.values()) > 60, told
    assert {"as_of", "timeframe"} <= set(told["/regime"])


@pytest.mark.parametrize("name", sorted(HOSTILE.keys() - set(NO_ADDRESS)))
def test_an_address_that_is_none_is_refused_whatever_it_says(pages, name):
    answer = pages.get(f"/{spelled(HOSTILE[name]) or 'nothing'}")

    checked(answer, name)
    assert answer.status_code == 404


@pytest.mark.parametrize("name", sorted(HOSTILE.keys() - set(NO_ADDRESS)))
def test_a_parameter_is_known_by_its_whole_name(pages, name):
    answer = pages.get(f"/trades?{spelled(HOSTILE[name])}=1")

    checked(answer, name)
    assert answer.status_code == 400
