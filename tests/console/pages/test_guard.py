"""The door: host names, headers, the token of a public server, and how much a request may send."""

import base64

import pytest
from starlette.websockets import WebSocketDisconnect

from console.pages.app import Door
from console.pages.guard import HEADERS, MAX_BODY_BYTES
from tests.console.pages.page_world import TOKEN, client

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
