"""Every bad manner of a service ends in bounded time, in a bounded number of calls, in an error that says what came."""

import logging
import pickle
import time
import traceback
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from pydantic import SecretStr

from resources.http_client import HttpClient
from resources.rate_limit import RateLimit
from resources.source_error import RequestRefusedError, SourceError, SourceUnavailableError
from tests.loopback_api import QUICK, MovedTime, Reply, client_of, in_turn, serving

GOOD = Reply({"fine": True})
HTML = Reply(b"<!DOCTYPE html><title>Just a moment...</title>", headers={"Content-Type": "text/html"})
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
KEY = "CG-fixture-secret-123"


def test_a_json_answer_comes_back_with_its_url():
    with serving(in_turn(GOOD)) as api:
        answer = client_of(api).get("/a", {"x": 1, "y": "b c"})

    assert (answer.body, answer.url) == ({"fine": True}, f"{api.url}/a?x=1&y=b+c")
    assert api.asked[0].query == {"x": "1", "y": "b c"}


def test_a_post_sends_its_body_as_json():
    with serving(in_turn(GOOD)) as api:
        client_of(api).post("/info", {"type": "t", "req": {"n": 1}})

    assert (api.asked[0].method, api.asked[0].body) == ("POST", {"type": "t", "req": {"n": 1}})


PASSING = {
    "429": Reply({}, 429),
    "500": Reply({}, 500),
    "503": Reply(b"", 503),
    "html": HTML,
    "empty": Reply(b""),
    "cut": Reply({"fine": [1] * 100}, manner="cut"),
    "reset": Reply(manner="reset"),
    "brackets": Reply(b"[" * 200_000),
    "latin1": Reply(b'"\xe9"'),
}


@pytest.mark.parametrize("fault", PASSING)
def test_a_passing_fault_is_tried_again(fault):
    moved = MovedTime()
    with serving(in_turn(PASSING[fault], GOOD)) as api:
        assert client_of(api, moved).get("/").body == {"fine": True}

    assert moved.slept == [0.5]


@pytest.mark.parametrize("fault", PASSING)
def test_a_lasting_fault_ends_after_four_tries_with_growing_waits(fault):
    moved = MovedTime()
    with serving(in_turn(PASSING[fault])) as api, pytest.raises(SourceUnavailableError) as caught:
        client_of(api, moved).get("/x")

    assert (len(api.asked), moved.slept) == (4, [0.5, 1.0, 2.0])
    assert f"GET {api.url}/x" in str(caught.value)
    assert caught.value.url == f"{api.url}/x"


@pytest.mark.parametrize("manner", ["drip", "drip_headers"])
def test_a_server_that_drips_is_left_at_the_deadline(manner):
    began = time.monotonic()
    with serving(in_turn(Reply({"a": "x" * 1000}, manner=manner), GOOD)) as api:
        assert client_of(api).get("/").body == {"fine": True}

    assert 0.4 < time.monotonic() - began < 3


def test_no_server_at_all_is_told():
    with serving(in_turn(GOOD)) as api:
        client = client_of(api)
    with pytest.raises(SourceUnavailableError, match="ConnectError"):
        client.get("/")


def test_retry_after_in_seconds_is_waited_for_by_everybody():
    moved = MovedTime()
    with serving(in_turn(Reply({}, 429, {"Retry-After": "7"}), GOOD)) as api:
        client_of(api, moved).get("/")

    assert moved.slept == [7.5]


def test_retry_after_as_a_date_counts_from_the_answers_own_date():
    dates = {"Date": format_datetime(NOON, usegmt=True)}
    dates["Retry-After"] = format_datetime(NOON.replace(second=9), usegmt=True)
    moved = MovedTime()
    with serving(in_turn(Reply({}, 503, dates), GOOD)) as api:
        client_of(api, moved).get("/")

    assert moved.slept == [9.5]


@pytest.mark.parametrize("text", ["0", "soon", "-3", "²"])
def test_a_retry_after_that_says_nothing_leaves_the_backoff(text):
    moved = MovedTime()
    with serving(in_turn(Reply({}, 429, {"Retry-After": text}), GOOD)) as api:
        client_of(api, moved).get("/")

    assert moved.slept == [0.5]


def test_a_retry_after_beyond_the_budget_is_not_waited_for_and_later_calls_do_not_ask():
    moved = MovedTime()
    with serving(in_turn(Reply({}, 429, {"Retry-After": "3600"}), GOOD)) as api:
        client = client_of(api, moved)
        with pytest.raises(SourceUnavailableError) as caught:
            client.get("/")
        with pytest.raises(SourceUnavailableError, match="rate limit opens in 3600 s"):
            client.get("/")

    assert (caught.value.retry_after_s, moved.slept, len(api.asked)) == (3600, [], 1)


@pytest.mark.parametrize(("headers", "closed_s"), [({}, 120), ({"Retry-After": "5000"}, 5000)])
def test_a_ban_is_not_tried_again_and_nobody_asks_while_it_lasts(headers, closed_s):
    body = {"code": -1003, "msg": "Way too much request weight used; IP banned until 1620286253180."}
    moved = MovedTime()
    with serving(in_turn(Reply(body, 418, headers), GOOD)) as api:
        client = client_of(api, moved)
        for _ in range(3):
            with pytest.raises(SourceUnavailableError):
                client.get("/")
        asked = len(api.asked)
        moved.at += closed_s
        assert client.get("/").body == {"fine": True}

    assert (asked, moved.slept) == (1, [])


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 422])
def test_a_refusal_is_not_tried_again_and_a_rerun_is_known_not_to_help(status):
    reply = Reply({"code": -1121, "msg": "Invalid symbol."}, status, {"Location": "http://127.0.0.1:9/"})
    with serving(in_turn(reply)) as api, pytest.raises(RequestRefusedError) as caught:
        client_of(api).get("/")

    assert len(api.asked) == 1
    assert isinstance(caught.value, ValueError)
    assert (caught.value.status, "Invalid symbol" in str(caught.value)) == (status, True)


@pytest.mark.parametrize("status", [200, 500])
def test_a_body_beyond_the_cap_is_not_read_to_its_end(status):
    limits = type(QUICK)(max_bytes=10_000, attempts=1)
    with serving(in_turn(Reply(b'"' + b"x" * 5_000_000, status))) as api:
        client = HttpClient(api.url, RateLimit(100, MovedTime().stopwatch), limits=limits)
        with pytest.raises(SourceError) as caught:
            client.get("/")

    assert len(str(caught.value)) < 500


def test_an_error_shows_how_the_body_starts_on_one_line():
    with serving(in_turn(Reply(b"<html>\r\n" + b"x" * 1000, 500))) as api, pytest.raises(SourceError) as caught:
        client_of(api).get("/")

    assert r"status 500, body starts '<html>\r\nxxx" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_an_error_survives_being_pickled():
    error = SourceUnavailableError("GET /: not now", url="/", status=429, retry_after_s=3.0)

    copy = pickle.loads(pickle.dumps(error))

    assert (str(copy), copy.url, copy.status, copy.retry_after_s) == ("GET /: not now", "/", 429, 3.0)


def test_an_answer_out_of_a_cache_is_as_old_as_it_says():
    headers = {"Date": format_datetime(NOON, usegmt=True), "Age": "90"}
    with serving(in_turn(Reply({}, headers=headers), Reply({}))) as api:
        client = client_of(api)
        assert client.get("/").made_at == NOON.replace(hour=11, minute=58, second=30)
        assert client.get("/").made_at is None


def with_key(url: str) -> HttpClient:
    return HttpClient(url, RateLimit(100, MovedTime().stopwatch), {"x-cg-demo-api-key": SecretStr(KEY)}, QUICK)


@pytest.mark.parametrize("status", [200, 401, 429, 418, 500])
def test_a_key_is_in_no_log_error_or_repr_even_if_the_service_echoes_it(status, caplog):
    caplog.set_level(logging.DEBUG)
    reply = Reply(f"<p>bad key {KEY} and again {KEY}".encode(), status)
    with serving(in_turn(reply)) as api, pytest.raises(SourceError) as caught:
        with_key(api.url).get("/global")

    told = "".join(traceback.format_exception(caught.value)) + repr(caught.value) + repr(vars(caught.value))
    records = "".join(f"{record.getMessage()} {vars(record)}" for record in caplog.records)
    assert api.asked[0].headers["x-cg-demo-api-key"] == KEY
    assert KEY not in told + records + repr(with_key(api.url)) + repr(vars(with_key(api.url)))
    assert "bad key **********" in told


def test_a_key_does_not_follow_a_redirect():
    with (
        serving(in_turn(GOOD)) as elsewhere,
        serving(in_turn(Reply({}, 302, {"Location": elsewhere.url}))) as api,
        pytest.raises(RequestRefusedError),
    ):
        with_key(api.url).get("/")

    assert elsewhere.asked == []


@pytest.mark.parametrize("key", [f"{KEY}\n", f" {KEY}", f"{KEY}\u00e9", f"{KEY}\x00"])
def test_a_key_that_no_header_can_carry_is_refused_without_showing_it(key):
    with pytest.raises(ValueError, match="printable ASCII") as caught:
        HttpClient("http://127.0.0.1", RateLimit(1), {"k": SecretStr(key)})

    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    "url", [f"https://me:{KEY}@h", f"https://h/?key={KEY}", f"https://h/#{KEY}", f"ftp://h/{KEY}", f"{KEY}", "https://"]
)
def test_a_base_url_that_would_be_logged_with_a_secret_is_refused_without_showing_it(url):
    with pytest.raises(ValueError, match="base_url must be") as caught:
        HttpClient(url, RateLimit(1))

    assert KEY not in str(caught.value)
