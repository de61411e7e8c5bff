import json
from datetime import UTC, datetime, timedelta

import pytest

from domain.vocabulary.timeframe import Timeframe
from resources.hyperliquid import Hyperliquid
from resources.source_error import RequestRefusedError, SourceError
from resources.venue_bar import VenueBars
from tests.loopback_api import Asked, LoopbackApi, MovedTime, Reply, client_of, in_turn, serving

T0 = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
HOUR_MS = 3_600_000


def ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def candle(at: datetime, *, volume: str = "190.58479", trades: int = 1789) -> dict[str, object]:
    """A candle as recorded: prices and volume are texts."""
    prices = {"o": "64942.0", "c": "64837.0", "h": "65123.0", "l": "64812.0"}
    return {"t": ms(at), "T": ms(at) + HOUR_MS - 1, "s": "BTC", "i": "1h", **prices, "v": volume, "n": trades}


def exchange(asked: Asked) -> Reply:
    """Without `req` 422; at most 5000 candles of the window."""
    wanted = asked.body.get("req")
    if wanted is None:
        return Reply(b"Failed to deserialize the JSON body into the target type", 422)
    first, last = -(-wanted["startTime"] // HOUR_MS) * HOUR_MS, wanted["endTime"]
    opens = list(range(first, last + 1, HOUR_MS))[-5000:]
    return Reply([candle(datetime.fromtimestamp(each / 1000, UTC)) for each in opens])


def hours(api: LoopbackApi, n: int, *, now_hours: float | None = None) -> VenueBars:
    now = T0 + (n if now_hours is None else now_hours) * HOUR
    return Hyperliquid(client_of(api)).bars("BTC", Timeframe.H1, T0, T0 + n * HOUR, now=now)


def test_the_request_is_wrapped_and_a_candle_becomes_a_bar():
    with serving(exchange) as api:
        (bar,) = hours(api, 1).bars.to_dicts()

    requested = {"coin": "BTC", "interval": "1h", "startTime": ms(T0), "endTime": ms(T0) + HOUR_MS - 1}
    assert (api.asked[0].path, api.asked[0].body) == ("/info", {"type": "candleSnapshot", "req": requested})
    prices = {"open_usd": 64942.0, "high_usd": 65123.0, "low_usd": 64812.0, "close_usd": 64837.0}
    assert bar == {"timestamp": T0, **prices, "volume": 190.58479}


def test_the_reach_is_five_thousand_bars_with_the_forming_one():
    with serving(exchange) as api:
        venue = Hyperliquid(client_of(api))

    now = T0 + 0.5 * HOUR
    assert venue.reach_start(Timeframe.H1, now) == T0 - 4999 * HOUR
    assert now - venue.reach_start(Timeframe.M1, now) < timedelta(days=3.5)


def test_the_forming_bar_is_left_out_and_counted():
    with serving(exchange) as api:
        found = hours(api, 5, now_hours=3.5)

    assert found.bars["timestamp"].to_list() == [T0, T0 + HOUR, T0 + 2 * HOUR]
    assert found.left_out["forming"] == 2


def test_bars_without_a_trade_are_left_out_and_counted_wherever_they_stand():
    listing = [candle(T0 + each * HOUR, volume="0.0", trades=0) for each in range(3)]
    quiet = candle(T0 + 4 * HOUR, volume="0.0", trades=0)
    with serving(in_turn(Reply([*listing, candle(T0 + 3 * HOUR), quiet, candle(T0 + 5 * HOUR)]))) as api:
        found = hours(api, 6)

    assert found.bars["timestamp"].to_list() == [T0 + 3 * HOUR, T0 + 5 * HOUR]
    assert dict(found.left_out) == {"no_trade": 4}


def test_an_answer_that_stops_early_is_asked_on():
    pages = [[candle(T0), candle(T0 + HOUR)], [candle(T0 + 2 * HOUR), candle(T0 + 3 * HOUR)]]
    with serving(in_turn(*map(Reply, pages))) as api:
        assert hours(api, 4).bars.height == 4

    assert api.asked[1].body["req"]["startTime"] == ms(T0 + 2 * HOUR)


def test_an_answer_that_leads_nowhere_is_an_error_and_not_a_loop():
    with serving(in_turn(Reply([candle(T0)]))) as api, pytest.raises(SourceError, match="candles from"):
        hours(api, 9)

    assert len(api.asked) == 2


@pytest.mark.parametrize("body", [[], None])
def test_a_coin_with_nothing_in_the_window_has_no_bar(body):
    with serving(in_turn(Reply(body))) as api:
        assert hours(api, 9).bars.is_empty()


@pytest.mark.parametrize(
    "body", [{"error": 1}, "text", [7], [{"t": 1}], [candle(T0) | {"t": "x"}], [candle(T0) | {"t": None}]]
)
def test_a_body_of_another_shape_is_an_error_that_names_the_url(body):
    with serving(in_turn(Reply(body))) as api, pytest.raises(SourceError, match="/info: expected"):
        hours(api, 2)


def test_a_refusal_is_told_with_its_status():
    reply = Reply(b"Failed to deserialize", 422)
    with serving(in_turn(reply)) as api, pytest.raises(RequestRefusedError, match="status 422"):
        hours(api, 2)


def test_a_long_answer_weighs_more_than_the_call():
    moved = MovedTime()
    with serving(exchange) as api:
        venue = Hyperliquid(client_of(api, moved, per_minute=60))
        for _ in range(2):
            venue.bars("BTC", Timeframe.H1, T0, T0 + 1500 * HOUR, now=T0 + 1500 * HOUR)

    assert moved.slept == [60]


@pytest.mark.real_data
def test_the_recorded_snapshot_is_read_whole(shared_data):
    file = shared_data / "api_samples/hyperliquid/rest_candleSnapshot_BTC_1h_2024-06-20.json"
    body = json.loads(file.read_text("utf-8"))
    first = datetime.fromtimestamp(body[0]["t"] / 1000, UTC)
    with serving(in_turn(Reply(body))) as api:
        found = Hyperliquid(client_of(api)).bars("BTC", Timeframe.H1, first, first + 5 * HOUR, now=first + 4.5 * HOUR)

    assert found.bars["close_usd"].to_list() == [float(each["c"]) for each in body[:4]]
    assert dict(found.left_out) == {"forming": 1}
