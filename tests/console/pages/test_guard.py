"""The door: host names, headers, the token of a public server, and how much a request may send."""

import base64
import hmac
import re

import pytest
from starlette.routing import Route
from starlette.websockets import WebSocketDisconnect

from console.pages import bearer_token
from console.pages.app import Door, build_app
from console.pages.csrf import CsrfKeeper
from console.pages.guard import HEADERS, MAX_BODY_BYTES
from tests.console.pages.page_world import TOKEN, client

ROUTES = [route for route in build_app(Door()).app.routes if isinstance(route, Route)]
ADDRESSES = [re.sub(r"{\w+(:path)?}", "x", route.path) for route in ROUTES]
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND")
PUBLIC = Door(names=frozenset({"Console.example"}), token=TOKEN, is_public=True)


@pytest.mark.parametrize("host", ["127.0.0.1:3010", "localhost", "LOCALHOST:1", "[::1]:3010"])
def test_this_machine_is_answered(host):
    assert client().get("/style.css", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example:3010",
        "localhost@evil.example",
        "",
        "::1",
        "[::1]x",
    ],
)
def test_another_name_is_a_rebound_one_and_refused(host):
    answer = client().get("/style.css", headers={"host": host})

    assert answer.status_code == 400
    assert "host name" in answer.text


def test_a_name_is_answered_to_once_it_is_allowed():
    door = Door(names=frozenset({"Console.example"}))

    assert client(door).get("/style.css", headers={"host": "console.example:80"}).status_code == 200


def test_two_host_headers_are_refused():
    answer = client().get("/style.css", headers=[("host", "localhost"), ("host", "evil.example")])

    assert answer.status_code == 400


@pytest.mark.parametrize("address", ["/style.css", "/nothing", "/api/nothing", "/api/ae?x=1"])
@pytest.mark.parametrize("host", ["localhost", "evil.example"])
def test_every_answer_bears_the_policy(address, host):
    headers = client().get(address, headers={"host": host}).headers

    assert {name: headers[name] for name in HEADERS} == HEADERS
    assert headers["content-security-policy"].startswith("default-src 'none'; style-src 'self'; img-src 'self' data:;")
    assert "unsafe" not in headers["content-security-policy"]


def basic(password: str) -> str:
    return "Basic " + base64.b64encode(f"ann:{password}".encode()).decode()


@pytest.mark.parametrize("header", [f"Bearer {TOKEN}", f"bearer {TOKEN}", basic(TOKEN)])
def test_a_public_server_lets_in_who_has_the_token(header):
    assert client(PUBLIC).get("/style.css", headers={"authorization": header}).status_code == 200


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer x", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", basic("x"), "Basic %%%", "Digest x", TOKEN],
)
@pytest.mark.parametrize("address", ["/style.css", "/", "/api/ae", "/switch", "/nothing"])
def test_a_public_server_tells_nobody_else_anything(address, header):
    answer = client(PUBLIC).get(address, headers={"authorization": header} if header else {})

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Basic")


@pytest.mark.parametrize("size", [MAX_BODY_BYTES + 1, 10_000_000])
def test_a_long_body_is_refused(size):
    assert client().post("/switch/halt", content=b"x" * size).status_code == 413
    assert client().post("/switch/halt", content=iter([b"x" * size])).status_code == 413


@pytest.mark.parametrize("length", ["-1", "1e3", "9" * 40, "x"])
def test_a_length_that_is_none_is_refused(length):
    assert client().post("/switch/halt", headers={"content-length": length}).status_code == 413


def test_no_websocket_is_served():
    with pytest.raises(WebSocketDisconnect), client().websocket_connect("/"):
        pass


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.path)
def test_an_address_takes_its_methods_and_no_other(route):
    address, browser = re.sub(r"{\w+(:path)?}", "x", route.path), client()
    for method in set(METHODS) - (route.methods or set()):
        answer = browser.request(method, address)

        assert answer.status_code == 405, method
        assert set(answer.headers["allow"].split(", ")) == route.methods
    assert route.methods in ({"GET", "HEAD"}, {"POST"})


def test_only_the_switch_is_posted_to():
    assert {route.path for route in ROUTES if "POST" in (route.methods or ())} == {"/switch/halt", "/switch/resume"}


@pytest.mark.parametrize("address", ADDRESSES)
def test_no_method_passes_the_door(address):
    public, own = client(PUBLIC), client()
    for method in METHODS:
        assert public.request(method, address).status_code == 401, method
        assert own.request(method, address, headers={"host": "evil.example"}).status_code == 400, method


@pytest.mark.parametrize("name", ["X-Original-URL", "X-Rewrite-URL", "X-HTTP-Method-Override", "X-Forwarded-Host"])
def test_a_header_moves_a_request_nowhere(name):
    answer = client().get("/style.css", headers={name: "/switch/halt" if "URL" in name else "evil.example"})

    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/css; charset=utf-8")


@pytest.mark.parametrize("first", [f"Bearer {TOKEN}", "Bearer wrong"])
def test_of_two_tokens_neither_opens_the_door(first):
    others = {f"Bearer {TOKEN}", "Bearer wrong"} - {first}
    headers = [("authorization", first), *(("authorization", other) for other in others)]

    assert client(PUBLIC).get("/style.css", headers=headers).status_code == 401


def test_secrets_are_compared_in_constant_time_alone(monkeypatch):
    compared: list[tuple[int, int]] = []
    real = hmac.compare_digest

    def recorded(one: bytes, other: bytes) -> bool:
        compared.append((len(one), len(other)))
        return real(one, other)

    monkeypatch.setattr(bearer_token.hmac, "compare_digest", recorded)
    keeper, cookie = CsrfKeeper(), "a" * 43
    for header in ("Bearer x", f"Bearer {TOKEN}", f"Bearer {TOKEN * 9}"):
        client(PUBLIC).get("/style.css", headers={"authorization": header})
    keeper.is_sealed(cookie, "1." + "0" * 64, 1.0)

    assert compared == [(32, 32)] * 4
