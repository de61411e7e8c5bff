import json
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from domain.vocabulary.timeframe import Timeframe
from resources.binance import SPOT, USD_M, Binance
from resources.source_error import RequestRefusedError, SourceError
from tests.loopback_api import Asked, LoopbackApi, Reply, client_of, in_turn, serving

T0 = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
MINUTE_MS = 60_000


def kline(open_ms: int) -> list[object]:
    """A kline as recorded: prices are texts, times numbers in milliseconds."""
    price = ["92854.24000000", "92874.15000000", "92818.00000000", "92867.01000000", "13.00220000"]
    return [open_ms, *price, open_ms + MINUTE_MS - 1, "1207216.77502340", 4051, "9.39803000", "872577.12320760", "0"]


def exchange(largest_page: int = 1000):
    """A market that never pauses; gives at most `largest_page`, whatever limit is asked for."""

    def answer(asked: Asked) -> Reply:
        first, last = (int(asked.query[name]) for name in ("startTime", "endTime"))
        opens = range(-(-first // MINUTE_MS) * MINUTE_MS, last + 1, MINUTE_MS)
        return Reply([kline(each) for each in opens[: min(int(asked.query["limit"]), largest_page)]])

    return answer


def minutes(api: LoopbackApi, n: int, *, now_minutes: float | None = None, market=SPOT) -> pl.DataFrame:
    """Bars of the first n minutes, asked for at `now_minutes` after the first."""
    now = T0 + (n if now_minutes is None else now_minutes) * MINUTE
    return Binance(client_of(api), market).bars("BTCUSDT", Timeframe.M1, T0, T0 + n * MINUTE, now=now).bars


def test_a_kline_becomes_a_bar_in_usd_and_coins():
    with serving(exchange()) as api:
        (bar,) = minutes(api, 1).to_dicts()

    prices = {"open_usd": 92854.24, "high_usd": 92874.15, "low_usd": 92818.0, "close_usd": 92867.01}
    assert bar == {"timestamp": T0, **prices, "volume": 13.0022}


@pytest.mark.parametrize(
    ("market", "path", "pages"), [(SPOT, "/api/v3/klines", 4), (USD_M, "/fapi/v1/klines", 3)], ids=["spot", "usd_m"]
)
def test_a_long_window_is_read_in_the_largest_pages_without_gap_or_overlap(market, path, pages):
    with serving(exchange(largest_page=1500)) as api:
        found = minutes(api, 3100, market=market)

    expected = pl.datetime_range(T0, T0 + 3099 * MINUTE, MINUTE, time_unit="us", time_zone="UTC", eager=True)
    assert found["timestamp"].to_list() == expected.to_list()
    assert [asked.path for asked in api.asked] == [path] * pages


def test_a_page_smaller_than_asked_for_is_not_the_end():
    with serving(exchange(largest_page=500)) as api:
        assert minutes(api, 1200).height == 1200


def test_the_forming_bar_is_left_out_and_counted():
    with serving(exchange()) as api:
        venue = Binance(client_of(api), SPOT)
        found = venue.bars("BTCUSDT", Timeframe.M1, T0, T0 + 10 * MINUTE, now=T0 + 5.5 * MINUTE)

    assert found.bars["timestamp"].max() == T0 + 4 * MINUTE
    assert found.left_out["forming"] == 5


def test_a_bar_that_was_forming_when_a_cached_answer_was_made_is_left_out():
    late = {"Date": "Thu, 01 Jan 2026 00:02:00 GMT", "Age": "30"}
    with serving(
        in_turn(Reply([kline(int(T0.timestamp() * 1000) + each * MINUTE_MS) for each in (0, 1)], 200, late))
    ) as api:
        assert minutes(api, 2)["timestamp"].to_list() == [T0]


def test_an_empty_list_is_no_bar():
    with serving(in_turn(Reply([]))) as api:
        assert minutes(api, 5).is_empty()


def test_a_service_that_repeats_a_page_is_an_error_and_not_a_loop():
    stuck = Reply([kline(int(T0.timestamp() * 1000))])
    with serving(in_turn(stuck)) as api, pytest.raises(SourceError, match="bars from 2026-01-01T00:01"):
        minutes(api, 1000)

    assert len(api.asked) == 2


def test_a_service_that_gives_one_bar_a_page_is_an_error():
    with serving(exchange(largest_page=1)) as api, pytest.raises(SourceError, match="there are more pages"):
        minutes(api, 1000)

    assert len(api.asked) == 4


@pytest.mark.parametrize(
    "body",
    [{"code": 0}, None, "text", 7, [7], [[]], [{}], [["1", "1", "1", "1", "1", "1"]], [[1e15] * 6], [[True] * 6]],
)
def test_a_body_of_another_shape_is_an_error_that_names_the_url(body):
    with (
        serving(in_turn(Reply(body))) as api,
        pytest.raises(SourceError, match=r"/api/v3/klines\?symbol=BTCUSDT.*expected"),
    ):
        minutes(api, 5)


def test_a_price_that_is_no_number_is_missing_and_its_bar_stays():
    broken = kline(int(T0.timestamp() * 1000))
    broken[1:5] = ["NaN", None, {}, "abc"]
    with serving(in_turn(Reply([broken]))) as api:
        (bar,) = minutes(api, 1).to_dicts()

    assert bar["open_usd"] != bar["open_usd"]
    assert [bar["high_usd"], bar["low_usd"], bar["close_usd"], bar["volume"]] == [None, None, None, 13.0022]


def test_an_unknown_symbol_is_refused_in_the_venues_words():
    reply = Reply({"code": -1121, "msg": "Invalid symbol."}, 400)
    with serving(in_turn(reply)) as api, pytest.raises(RequestRefusedError, match="Invalid symbol"):
        minutes(api, 5)


@pytest.mark.real_data
def test_the_recorded_klines_are_read_whole(shared_data):
    body = json.loads((shared_data / "api_samples/binance/spot_klines_BTCUSDT_1m_2021-10-22.json").read_text("utf-8"))
    first = datetime.fromtimestamp(body[0][0] / 1000, UTC)
    with serving(in_turn(Reply(body))) as api:
        found = Binance(client_of(api), SPOT).bars(
            "BTCUSDT", Timeframe.M1, first, first + 10 * MINUTE, now=first + 9.5 * MINUTE
        )

    assert found.bars["close_usd"].to_list() == [float(row[4]) for row in body[:9]]
    assert dict(found.left_out) == {"forming": 1}
