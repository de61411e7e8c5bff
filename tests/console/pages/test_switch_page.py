"""The forms of the switch: who may set it, what is kept, and every way in that is refused."""

import re
from typing import Any

import pytest
from starlette.testclient import TestClient

from console.pages import csrf, switch_page
from console.pages.app import Door
from sql.database import connect
from sql.database_role import DatabaseRole
from sql.trading_switch import SwitchRow, switch_history
from tests.console.pages.page_world import HOSTILE, TOKEN, client

pytestmark = pytest.mark.postgres
DOOR = Door(token=TOKEN)
OTHERS = {"origin": "https://evil.example"}


def history() -> list[SwitchRow]:
    with connect(DatabaseRole.CONSOLE, autocommit=True, read_only=True) as connection:
        return switch_history(connection)


def form(browser: TestClient, **values: Any) -> dict[str, Any]:
    """Fields of the form as this browser was given it."""
    sealed = re.search(r'name="csrf" value="([^"]+)"', browser.get("/switch").text)
    given = {"csrf": sealed[1] if sealed else "", "token": TOKEN, "author": "ann", "reason": "a test"}
    return {name: value for name, value in (given | values).items() if value is not None}


@pytest.fixture
def browser(database) -> TestClient:
    return client(DOOR)


def test_a_halt_is_a_row_with_its_author_and_reason_and_a_resume_another(browser):
    halted = browser.post("/switch/halt", data=form(browser, mode="REDUCE_ONLY", reason="thin <b>"))
    resumed = browser.post("/switch/resume", data=form(browser, author="bob"))

    assert [(answer.status_code, answer.headers["location"]) for answer in (halted, resumed)] == [(303, "/switch")] * 2
    newest, before = history()[:2]
    assert (before.mode, before.author, before.reason, before.scope) == ("REDUCE_ONLY", "ann", "thin <b>", "{}")
    assert (newest.mode, newest.author) == ("ACTIVE", "bob")
    assert "thin &lt;b&gt;" in browser.get("/switch").text


def test_a_scope_is_halted_and_resumed_alone(browser):
    scope = {"scope": "timeframe=1h\r\nmcap_bucket=nano\r\n", "mode": "HALTED"}
    browser.post("/switch/halt", data=form(browser, **scope))

    assert history()[0].scope == '{"mcap_bucket":"nano","timeframe":"1h"}'
    assert browser.post("/switch/resume", data=form(browser, scope="timeframe=4h")).status_code == 409
    assert browser.post("/switch/resume", data=form(browser, scope=scope["scope"])).status_code == 303


def test_the_token_may_stand_in_the_header(browser):
    data = form(browser, token=None)

    answer = browser.post("/switch/halt", data=data, headers={"authorization": f"Bearer {TOKEN}"})

    assert answer.status_code == 303


def test_a_halt_of_a_chain_nobody_has_is_refused_unless_meant_ahead(browser):
    answer = browser.post("/switch/halt", data=form(browser, scope="chain=nowhere"))

    assert (answer.status_code, "No position has the chain" in answer.text) == (409, True)
    assert browser.post("/switch/halt", data=form(browser, scope="chain=nowhere", ahead="1")).status_code == 303


@pytest.mark.parametrize(
    ("values", "headers", "status"),
    [
        ({"token": None}, {}, 401),
        ({"token": ""}, {}, 401),
        ({"token": TOKEN[:-1]}, {}, 401),
        ({"token": TOKEN + "\x00"}, {}, 401),
        ({"token": "ü" * 40}, {}, 401),
        ({"token": None}, {"authorization": "Bearer wrong"}, 401),
        ({"csrf": None}, {}, 403),
        ({"csrf": "1." + "0" * 64}, {}, 403),
        ({"csrf": HOSTILE}, {}, 403),
        ({}, OTHERS, 403),
        ({}, {"origin": "null"}, 403),
        ({}, {"origin": "http://127.0.0.1:3000"}, 403),
        ({}, {"sec-fetch-site": "cross-site"}, 403),
        ({}, {"sec-fetch-site": "same-site"}, 403),
        ({"reason": ""}, {}, 400),
        ({"reason": "  "}, {}, 400),
        ({"reason": "a\x00b"}, {}, 400),
        ({"reason": "a\x1b[31m"}, {}, 400),
        ({"reason": "x" * 501}, {}, 400),
        ({"author": None}, {}, 400),
        ({"author": "x" * 81}, {}, 400),
        ({"mode": "ACTIVE"}, {}, 400),
        ({"mode": "'; DROP TABLE pm.trading_switch; --"}, {}, 400),
        ({"scope": "chain"}, {}, 409),
        ({"scope": "shape=round"}, {}, 409),
        ({"scope": "chain=" + "x" * 990}, {}, 409),
        ({"scope": "x" * 1001}, {}, 400),
        ({"scope": "chain=a\x00"}, {}, 400),
        ({"other": "1"}, {}, 400),
        ({}, {"content-type": "text/plain"}, 400),
        ({}, {"content-type": "application/json"}, 400),
    ],
)
def test_what_is_not_in_order_changes_nothing(browser, values, headers, status):
    before = history()

    answer = browser.post("/switch/halt", data=form(browser, **values), headers=headers)

    assert answer.status_code == status, answer.text
    assert "<script" not in answer.text
    assert history() == before


def test_a_form_of_another_browser_is_refused(browser):
    stolen = form(client(DOOR))

    assert browser.post("/switch/halt", data=form(browser, csrf=stolen["csrf"])).status_code == 403
    assert client(DOOR).post("/switch/halt", data=form(browser)).status_code == 403


def test_a_form_grows_old(browser, monkeypatch):
    data = form(browser)
    now = switch_page.time.time()
    monkeypatch.setattr(switch_page.time, "time", lambda: now + csrf.LIFETIME_S + 2)

    assert browser.post("/switch/halt", data=data).status_code == 403


def test_the_cookie_stays_with_this_server_and_away_from_scripts(browser):
    cookie = browser.get("/switch").headers["set-cookie"]

    assert {"HttpOnly", "SameSite=strict", "Path=/switch"} <= set(cookie.split("; "))


def test_without_a_token_file_there_is_no_form_and_no_way_in(database):
    browser = client()

    page = browser.get("/switch")
    answer = browser.post("/switch/halt", data=form(browser, csrf="1.x", token=""))

    assert "<form" not in page.text
    assert (answer.status_code, "lowcap halt" in answer.text) == (403, True)


@pytest.mark.parametrize("body", [b"\xff=1", b"a=%ff", b"token", b"&".join([b"a=1"] * 30), b"reason=1&reason=2"])
def test_a_form_that_cannot_be_read_is_refused(browser, body):
    headers = {"content-type": "application/x-www-form-urlencoded"}

    assert browser.post("/switch/halt", content=body, headers=headers).status_code == 400


@pytest.mark.parametrize("address", ["/switch/halt", "/switch/resume"])
def test_a_look_changes_nothing(browser, address):
    before = history()

    assert browser.get(address).status_code == 405
    assert history() == before
