"""A webhook is told in bounded time, once a call, signed, at its own address only, and never shown."""

import hashlib
import hmac
import json
import logging
import socket
import time
import traceback

import pytest
from pydantic import SecretStr

from resources.notifier import Message, NotTakenError
from resources.webhook import WebhookNotifier
from tests.loopback_api import Reply, in_turn, serving

BODY = '{"subject": "nano 1h", "sentence": "\\u00fc"}'
MESSAGE = Message(key="11111111-2222-3333-4444-555555555555", kind="alarm_raised", body=BODY)
TOKEN = "T0KEN-that-is-secret"
SECRET = "hmac-secret-of-a-test"


def notifier_of(api, *, secret=None, **values):
    url = SecretStr(f"{api.url}/services/{TOKEN}?key={TOKEN}")
    return WebhookNotifier(url, SecretStr(secret) if secret else None, **values)


def refused(notifier):
    with pytest.raises(NotTakenError) as caught:
        notifier.send(MESSAGE)
    return caught.value


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_a_message_is_posted_with_its_key(status):
    with serving(in_turn(Reply(b"", status))) as api:
        assert notifier_of(api).send(MESSAGE) == str(status)

    (asked,) = api.asked
    assert (asked.method, asked.path, asked.query) == ("POST", f"/services/{TOKEN}", {"key": TOKEN})
    assert asked.body == json.loads(BODY)
    assert asked.headers["Idempotency-Key"] == MESSAGE.key
    assert asked.headers["Content-Type"] == "application/json"
    assert "X-Lowcap-Signature" not in asked.headers


def test_a_signature_covers_the_bytes_and_the_time():
    with serving(in_turn(Reply(b"", 200))) as api:
        notifier_of(api, secret=SECRET, now_s=lambda: 1_800_000_000.9).send(MESSAGE)

    headers = api.asked[0].headers
    wanted = hmac.new(SECRET.encode(), b"1800000000." + BODY.encode(), hashlib.sha256).hexdigest()
    assert headers["X-Lowcap-Timestamp"] == "1800000000"
    assert headers["X-Lowcap-Signature"] == f"sha256={wanted}"


def test_a_passing_failure_is_told_once_a_call_and_taken_at_the_next():
    with serving(in_turn(Reply({}, 500), Reply({}, 200))) as api:
        notifier = notifier_of(api)
        error = refused(notifier)
        assert notifier.send(MESSAGE) == "200"

    assert (str(error), error.is_permanent, len(api.asked)) == ("500", False, 2)
    assert {asked.headers["Idempotency-Key"] for asked in api.asked} == {MESSAGE.key}


@pytest.mark.parametrize(
    ("status", "is_permanent"),
    [(400, True), (401, True), (404, True), (410, True), (408, False), (429, False), (503, False)],
)
def test_only_what_cannot_change_is_permanent(status, is_permanent):
    with serving(in_turn(Reply({}, status))) as api:
        error = refused(notifier_of(api))

    assert (str(error), error.is_permanent) == (str(status), is_permanent)


@pytest.mark.parametrize(
    ("header", "wait_s"), [("7", 7.0), ("0", 0.0), ("1000000000", 86_400.0), ("soon", 0.0), ("-5", 0.0), ("", 0.0)]
)
def test_a_wish_to_be_left_alone_is_read(header, wait_s):
    with serving(in_turn(Reply({}, 429, {"Retry-After": header}))) as api:
        assert refused(notifier_of(api)).retry_after_s == wait_s


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_refused_and_not_followed(status):
    with serving(in_turn(Reply(b"", 200))) as other:
        elsewhere = Reply(b"", status, {"Location": f"{other.url}/stolen"})
        with serving(in_turn(elsewhere)) as api:
            error = refused(notifier_of(api, secret=SECRET))

    assert (error.is_permanent, str(error)) == (True, f"{status}: redirects are not followed")
    assert other.asked == []


@pytest.mark.parametrize("manner", ["drip_headers", "reset"])
def test_a_receiver_that_stalls_or_hangs_up_ends_in_time(manner):
    started = time.monotonic()
    with serving(in_turn(Reply(b"", manner=manner))) as api:
        error = refused(notifier_of(api, timeout_s=0.3))

    assert time.monotonic() - started < 3
    assert (error.is_permanent, str(error)) in [
        (False, "timeout"),
        (False, "ReadError"),
        (False, "RemoteProtocolError"),
    ]


def test_a_body_without_end_is_not_read():
    with serving(in_turn(Reply(b"x" * 2_000_000, manner="drip"))) as api:
        assert notifier_of(api, timeout_s=1.0).send(MESSAGE) == "200"


def test_nobody_there_is_told_as_such():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        url = SecretStr(f"http://127.0.0.1:{held.getsockname()[1]}/{TOKEN}")

        assert str(refused(WebhookNotifier(url))) == "ConnectError"


def test_the_environment_sends_it_nowhere_else(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    with serving(in_turn(Reply(b"", 200))) as api:
        assert notifier_of(api).send(MESSAGE) == "200"


def test_no_secret_is_logged_shown_or_raised(caplog):
    caplog.set_level(logging.DEBUG)
    with serving(in_turn(Reply(b"", 200), Reply(TOKEN.encode(), 500), Reply(manner="reset"))) as api:
        notifier = notifier_of(api, secret=SECRET)
        notifier.send(MESSAGE)
        errors = [refused(notifier), refused(notifier)]

    shown = [caplog.text, repr(notifier), str(notifier), *(repr(error) for error in errors)]
    shown += ["".join(traceback.format_exception(error)) for error in errors]
    assert [text for text in shown if TOKEN in text or SECRET in text] == []


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hook.example",
        "ftp://h/x",
        "http://",
        "http:///x",
        "http://h:0/",
        "http://h:99999/",
        f"http://h/ {TOKEN}",
        f"http://u:{TOKEN}@h/",
    ],
)
def test_what_is_no_address_is_refused_and_not_repeated(url):
    with pytest.raises(ValueError, match="webhook's URL") as caught:
        WebhookNotifier(SecretStr(url))

    assert TOKEN not in str(caught.value)
