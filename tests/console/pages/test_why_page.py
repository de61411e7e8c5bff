"""`/why`: a walk as a list of links, from an override to the candle and back, of the runtime and of a replay."""

from collections.abc import Callable
from urllib.parse import quote, urljoin, urlsplit

import pytest
from starlette.testclient import TestClient

from console.pages.app import Door, build_app
from tests.console.pages.page_world import HOSTILE, ORIGIN, client
from tests.console.pages.read_html import ReadHtml
from tests.learned_world import rows
from tests.lineage_world import RUN, copy_to_learned, copy_to_replay, make_lineage_world

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def override(module_database) -> int:
    """Number of an override of nano caps, in a world that goes down to candles, and stands as a replay too."""
    make_lineage_world()
    copy_to_replay("spring")
    copy_to_learned("spring", multiplier=2.5)
    (row,) = rows(
        "SELECT max(override_id) AS number FROM learning.pm_overrides WHERE scope_values ->> 'mcap_bucket' = 'nano'"
    )
    return int(row["number"])


def read(browser: TestClient, address: str) -> ReadHtml:
    answer = browser.get(address)
    assert answer.status_code == 200, answer.text
    return ReadHtml(answer.text)


def follow(browser: TestClient, address: str, is_next: Callable[[str], bool]) -> str:
    """Address of the first link of a page that is asked for; it must lead to a page."""
    found = next(link for link in read(browser, address).links(address) if is_next(link))
    read(browser, found)
    return found


def begins(start: str) -> Callable[[str], bool]:
    return lambda link: link.startswith(start)


def test_clicks_lead_from_an_override_to_a_raw_candle_and_back(override):
    browser, at = client(), f"/override/{override}"
    for start in ("/why/override/", "/why/lesson/", "/why/trade/", "/why/action/", "/why/state/"):
        at = follow(browser, at, begins(start))
    at = follow(browser, f"{urlsplit(at).path}?depth=6", lambda link: link.startswith("/why/candle/majors"))
    down = follow(browser, at, lambda link: "down=1" in link and urlsplit(link).path == urlsplit(at).path)

    back = read(browser, f"{urlsplit(down).path}?down=1&depth=12").links("/why")
    assert any(link.startswith(f"/override/{override}") for link in back)


def test_a_run_leads_to_its_page_in_the_dagster_ui(override):
    browser = TestClient(build_app(Door(), "https://dagster.example/ui"), base_url=ORIGIN)
    read_page = read(browser, f"/why/override/{override}?depth=9&most=2")

    hrefs = {each.get("href") for tag, each in read_page.elements if tag == "a"}
    assert f"https://dagster.example/ui/runs/{RUN}" in hrefs


def test_a_place_that_is_jumped_to_is_there_once(override):
    elements = read(client(), f"/why/override/{override}?depth=9&most=3").elements

    places = [each["id"] for _, each in elements if "id" in each]
    jumps = {each["href"][1:] for tag, each in elements if tag == "a" and (each.get("href") or "").startswith("#")}
    assert jumps
    assert jumps <= set(places)
    assert len(places) == len(set(places))


def test_what_is_cut_is_told(override):
    text = " ".join(read(client(), f"/why/override/{override}?depth=3&most=1").text.split())

    assert "shown (most=)" in text
    assert "1 of " in text


def test_links_of_a_walk_in_a_replay_stay_in_it_but_for_what_no_replay_has(override):
    links = read(client(), "/why/trade/" + trade() + "?replay=spring&depth=3").links("/why")

    of_replay = [link for link in links if link.startswith(("/action/", "/override/", "/trade/", "/why/action/"))]
    assert of_replay
    assert all("replay=spring" in link for link in of_replay)
    assert not any("replay" in link for link in links if link.startswith(("/regime", "/config")))


def test_a_form_leads_to_the_walk_it_names(override):
    browser = client()

    answer = browser.get("/why", params={"kind": "state", "which": "nano meso  2025-06-01T00:00Z", "replay": "spring"})
    assert answer.status_code == 303
    assert answer.headers["location"] == "/why/state/nano/meso/2025-06-01T00%3A00Z?replay=spring"
    assert browser.get("/why", params={"kind": "poem", "which": "1"}).status_code == 404


@pytest.mark.parametrize("word", [HOSTILE, "a/b", "..", "%", "\x00", "x" * 300])
@pytest.mark.parametrize("kind", ["override", "lesson", "trade", "action"])
def test_a_word_that_names_nothing_is_refused_as_text(override, kind, word):
    answer = client().get(urljoin(f"{ORIGIN}/why/{kind}/", quote(word, safe="")))

    assert answer.status_code == 404
    assert "<script" not in answer.text


def trade() -> str:
    (row,) = rows("SELECT DISTINCT trade_id FROM replay_spring.pm_order LIMIT 1")
    return str(row["trade_id"])
