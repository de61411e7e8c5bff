import json
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from domain.vocabulary.timeframe import Timeframe
from resources.geckoterminal import POOL_SCHEMA, GeckoTerminal
from resources.source_error import RequestRefusedError, SourceError, SourceUnavailableError
from resources.venue_bar import VenueBars
from tests.loopback_api import Asked, LoopbackApi, Reply, client_of, in_turn, serving

T0 = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def body(rows: list[list[object]]) -> dict[str, object]:
    """An answer as recorded: the list lies three levels deep."""
    return {"data": {"id": "b5cc", "type": "ohlcv_request_response", "attributes": {"ohlcv_list": rows}}}


def bar(minute: int, close: object = 1.8e-05) -> list[object]:
    return [int(T0.timestamp()) + 60 * minute, 1.6e-05, 1.9e-05, 1.5e-05, close, 941.0332575772828]


def pool(traded: list[int], *, inclusive: bool = False):
    """A pool with bars in some minutes; newest first, up to `limit` before `before_timestamp`."""

    def answer(asked: Asked) -> Reply:
        before = (int(asked.query["before_timestamp"]) - int(T0.timestamp())) // 60 + inclusive
        older = [bar(minute) for minute in sorted(traded, reverse=True) if minute < before]
        return Reply(body(older[: int(asked.query["limit"])]))

    return answer


def minutes(api: LoopbackApi, n: int, *, page_limit: int = 1000, now_minutes: float | None = None) -> VenueBars:
    venue = GeckoTerminal(client_of(api), page_limit=page_limit)
    now = T0 + (n if now_minutes is None else now_minutes) * MINUTE
    return venue.bars("solana/8sLb Pump", Timeframe.M1, T0, T0 + n * MINUTE, now=now)


def opens(found: VenueBars) -> list[int]:
    return [(at - T0) // MINUTE for at in found.bars["timestamp"]]


def test_a_pool_is_asked_for_usd_of_its_base_token_and_comes_out_oldest_first():
    with serving(pool([0, 1, 2])) as api:
        found = minutes(api, 3)

    assert api.asked[0].path == "/networks/solana/pools/8sLb%20Pump/ohlcv/minute"
    assert api.asked[0].query["currency"] + api.asked[0].query["token"] == "usdbase"
    assert opens(found) == [0, 1, 2]
    assert found.bars.row(0) == (T0, 1.6e-05, 1.9e-05, 1.5e-05, 1.8e-05, 941.0332575772828)


@pytest.mark.parametrize(
    ("timeframe", "path", "aggregate"),
    [("1m", "minute", "1"), ("15m", "minute", "15"), ("1h", "hour", "1"), ("4h", "hour", "4"), ("1d", "day", "1")],
)
def test_a_timeframe_is_a_path_and_an_aggregate(timeframe, path, aggregate):
    with serving(in_turn(Reply(body([])))) as api:
        GeckoTerminal(client_of(api)).bars("eth/0xa", Timeframe(timeframe), T0, T0 + timedelta(days=1), now=T0)

    assert (api.asked[0].path.rpartition("/")[2], api.asked[0].query["aggregate"]) == (path, aggregate)


@pytest.mark.parametrize("inclusive", [False, True])
def test_pages_lead_back_whether_or_not_they_share_a_bar(inclusive):
    with serving(pool(list(range(50)), inclusive=inclusive)) as api:
        found = minutes(api, 50, page_limit=20)

    assert opens(found) == list(range(50))
    assert found.left_out["repeated"] == (2 if inclusive else 0)


def test_gaps_stay_gaps():
    traded = [0, 3, 4, 90, 91, 250]
    with serving(pool(traded)) as api:
        assert opens(minutes(api, 300, page_limit=2)) == traded


def test_a_pool_younger_than_the_window_ends_with_an_empty_page():
    with serving(pool([70, 71])) as api:
        assert opens(minutes(api, 100)) == [70, 71]

    assert len(api.asked) == 2


def test_the_forming_bar_that_comes_twice_is_left_out_twice():
    rows = [bar(2, 2.0e-05), bar(2, 2.1e-05), bar(1), bar(0)]
    with serving(in_turn(Reply(body(rows)))) as api:
        found = minutes(api, 3, now_minutes=2.5)

    assert opens(found) == [0, 1]
    assert dict(found.left_out) == {"forming": 2}


def test_a_closed_bar_told_twice_is_one_if_equal_and_two_if_not():
    rows = [bar(2), bar(1, 1.0e-05), bar(1, 1.1e-05), bar(0), bar(0)]
    with serving(in_turn(Reply(body(rows)))) as api:
        found = minutes(api, 3)

    assert opens(found) == [0, 1, 1, 2]
    assert dict(found.left_out) == {"repeated": 1}


def test_a_price_told_as_nan_is_nan():
    with serving(in_turn(Reply(body([bar(0, "NaN")])))) as api:
        (close,) = minutes(api, 1).bars["close_usd"]

    assert close != close


def test_an_empty_list_is_no_bar():
    with serving(in_turn(Reply(body([])))) as api:
        assert minutes(api, 5).bars.is_empty()

    assert len(api.asked) == 1


@pytest.mark.parametrize(
    "shape",
    [[], {}, {"data": None}, {"data": {"attributes": {"ohlcv_list": {}}}}, body([[1]]), body([["x"] * 6]), body([7])],
)
def test_a_body_of_another_shape_is_an_error_that_names_the_url(shape):
    with serving(in_turn(Reply(shape))) as api, pytest.raises(SourceError, match=r"/ohlcv/minute.*expected"):
        minutes(api, 5)


def test_the_free_history_ends_after_180_days():
    with serving(pool([])) as api:
        reach = GeckoTerminal(client_of(api)).reach_start(Timeframe.D1, T0 + timedelta(hours=1))

    assert reach == T0 - timedelta(days=179)


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("file", "timeframe", "n"),
    [("ohlcv_OHLCV_validation_test.json", "15m", 50), ("ohlcv_OHLCV_validation_test_hour.json", "1h", 310)],
)
def test_the_recorded_answers_are_read_whole(shared_data, file, timeframe, n):
    recorded = json.loads((shared_data / "api_samples/geckoterminal" / file).read_text("utf-8"))
    rows = recorded["data"]["attributes"]["ohlcv_list"]
    first, last = (datetime.fromtimestamp(rows[each][0], UTC) for each in (-1, 0))
    frame = Timeframe(timeframe)
    with serving(in_turn(Reply(recorded))) as api:
        end = last + frame.duration
        found = GeckoTerminal(client_of(api)).bars("eth/0xa", frame, first, end, now=end)

    assert found.bars["close_usd"].to_list() == [row[4] for row in reversed(rows)]
    assert not found.left_out


@pytest.mark.real_data
def test_the_recorded_errors_are_told_apart(shared_data):
    recorded = json.loads((shared_data / "api_samples/observed_error_bodies.json").read_text("utf-8"))["geckoterminal"]
    with (
        serving(in_turn(Reply(recorded["bad_page_401"], 401))) as api,
        pytest.raises(RequestRefusedError, match="Upgrade"),
    ):
        minutes(api, 5)
    limited = Reply(recorded["rate_limit_429"], 429, {"Retry-After": "0"})
    with serving(in_turn(limited)) as api, pytest.raises(SourceUnavailableError, match="Rate Limit"):
        minutes(api, 5)

    assert len(api.asked) == 4


def pool_told(address: str, **changed: object) -> dict[str, object]:
    told = {"address": address, "market_cap_usd": None, "fdv_usd": "20565.77", "reserve_in_usd": "0.0"}
    return {"type": "pool", "attributes": told | {"volume_usd": {"h24": "5196.45"}} | changed}


def pools_of(*told: object, symbols: tuple[str, ...] = ("eth/0xAb",), now: datetime = T0) -> pl.DataFrame:
    with serving(in_turn(Reply({"data": list(told)}))) as api:
        return GeckoTerminal(client_of(api)).pools(symbols, now=now)


def test_a_new_pool_has_an_fdv_and_no_cap():
    found = pools_of(pool_told("0xab"), now=T0 + timedelta(seconds=59))

    assert dict(found.schema) == POOL_SCHEMA
    assert found.rows() == [("eth/0xAb", None, 20565.77, 5196.45, 0.0, T0)]


def test_pools_are_asked_for_30_of_a_network_at_a_time():
    symbols = [f"eth/0x{each:02}" for each in range(31)] + ["solana/So Lana"]
    with serving(
        lambda asked: Reply({"data": [pool_told(each) for each in asked.path.split("/")[-1].split(",")]})
    ) as api:
        found = GeckoTerminal(client_of(api)).pools(symbols, now=T0)

    paths = [asked.path for asked in api.asked]
    assert [path.count(",") for path in paths] == [29, 0, 0]
    assert paths[2] == "/networks/solana/pools/multi/So%20Lana"
    assert found["pool"].to_list() == symbols[:31]


def test_an_address_of_solana_is_told_apart_by_case_and_an_unknown_pool_is_no_row():
    assert pools_of(pool_told("aBc"), symbols=("solana/abc",)).is_empty()
    assert pools_of(symbols=("solana/abc",)).is_empty()


@pytest.mark.parametrize("told", [{"volume_usd": None}, {"volume_usd": {}}, {"volume_usd": {"h24": "x"}}])
def test_a_volume_that_is_not_told_is_null(told):
    assert pools_of(pool_told("0xab", **told))["volume_24h_usd"].to_list() == [None]


@pytest.mark.parametrize("body", [[], {}, {"data": {}}, {"data": [7]}, {"data": [{"attributes": {}}]}])
def test_pools_of_another_shape_are_an_error(body):
    with serving(in_turn(Reply(body))) as api, pytest.raises(SourceError, match=r"/pools/multi/.*expected"):
        GeckoTerminal(client_of(api)).pools(["eth/0xab"], now=T0)


@pytest.mark.real_data
@pytest.mark.parametrize("file", ["get_new_pools_by_network.json", "get_top_pools_by_network_dex.json"])
def test_the_recorded_pools_are_read(shared_data, file):
    recorded = json.loads((shared_data / "api_samples/geckoterminal" / file).read_text("utf-8"))
    told = {each["attributes"]["address"]: each["attributes"] for each in recorded["data"]}
    with serving(in_turn(Reply(recorded))) as api:
        found = GeckoTerminal(client_of(api)).pools([f"eth/{each}" for each in told], now=T0)

    assert found.height == len(told) > 10
    for pool, cap_usd, fdv_usd, _, liquidity_usd, _ in found.iter_rows():
        attributes = told[pool.removeprefix("eth/")]
        assert (cap_usd is None) == (attributes["market_cap_usd"] is None)
        assert fdv_usd == float(attributes["fdv_usd"])
        assert liquidity_usd == float(attributes["reserve_in_usd"])
