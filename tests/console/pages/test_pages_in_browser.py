"""Every page in a real browser, at the width of a desk and of a phone, with JavaScript and without."""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from console.pages.app import Door
from sql.database import connect
from sql.database_role import DatabaseRole
from sql.trading_switch import switch_history
from tests.console.pages.page_server import serving
from tests.console.pages.page_world import AS_OF_TEXT, TOKEN
from tests.console.pages.test_pages import PAGES
from tests.dagster_browser import FLAGS, Watch, find_chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser

CHROMIUM = find_chromium()
pytestmark = [
    pytest.mark.browser,
    pytest.mark.postgres,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed: apt-get install chromium"),
]
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def url(page_world) -> Iterator[str]:
    with serving(Door(token=TOKEN)) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


def size_of(picture: Path) -> tuple[int, int]:
    """Width and height of a PNG."""
    return struct.unpack(">II", picture.read_bytes()[16:24])


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_each_page_is_drawn_without_an_error_and_no_wider_than_the_screen(browser, url, viewport, tmp_path):
    watch = Watch()
    page = browser.new_page(base_url=url, viewport=viewport)
    watch.over(page)
    for name in PAGES.keys() - {"error"}:
        page.goto(PAGES[name]())
        picture = tmp_path / f"{name}.png"
        page.screenshot(path=picture, full_page=True)

        width, height = size_of(picture)
        assert width == viewport["width"], f"{name} is {width} wide"
        assert height >= viewport["height"]
        assert page.evaluate("getComputedStyle(document.querySelector('nav')).display") == "flex"
        assert page.locator("main").bounding_box()["height"] > 100
    page.close()

    assert watch.requests > len(PAGES)
    assert watch.problems == []


def test_the_policy_stops_a_script_that_got_in(browser, url):
    page = browser.new_page(base_url=url)
    page.goto("/")
    page.evaluate(
        "document.querySelector('main').insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.hit=1\">')"
    )
    page.evaluate(
        "() => { const s = document.createElement('script'); s.text = 'window.hit = 1'; document.body.append(s) }"
    )
    page.wait_for_timeout(200)

    assert page.evaluate("window.hit") is None
    page.close()


def test_a_person_without_javascript_looks_back_and_halts(browser, url):
    context = browser.new_context(base_url=url, java_script_enabled=False, viewport=PHONE)
    page = context.new_page()
    page.goto(f"/regime?as_of={AS_OF_TEXT}")
    page.get_by_text("a day earlier").click()
    assert "2025-05-31" in page.locator("h1").inner_text()
    knob = page.locator("input[type=range]")
    knob.focus()
    knob.press("ArrowLeft")
    page.locator("form.knob button").click()
    assert "2025-05-31 04:00Z" in page.locator("h1").inner_text()

    page.goto("/switch")
    halt = page.locator("form[action='/switch/halt']")
    for name, text in {"author": "ann", "reason": "a browser says so", "token": TOKEN}.items():
        halt.locator(f"[name={name}]").fill(text)
    halt.get_by_role("button").click()
    page.get_by_text("HALTED everywhere, set by ann: a browser says so").first.wait_for()
    context.close()

    with connect(DatabaseRole.CONSOLE, read_only=True) as connection:
        newest = switch_history(connection, limit=1)[0]
    assert (newest.mode, newest.author, newest.reason) == ("HALTED", "ann", "a browser says so")
