import json
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from resources.candle_source import DOMINANCE_SCHEMA
from resources.coingecko import CAP_SCHEMA, CoinGecko
from resources.source_error import SourceError, SourceUnavailableError
from tests.loopback_api import Asked, Reply, client_of, in_turn, serving

AT = datetime(2026, 1, 1, 12, tzinfo=UTC)


def figures(at: object = None, **shares: object) -> Reply:
    """`/global` as recorded, less what nobody reads."""
    updated_at = int(AT.timestamp()) if at is None else at
    shares = shares or {"btc": 58.18, "eth": 11.57, "usdt": 6.89}
    return Reply({"data": {"markets": 1496, "market_cap_percentage": shares, "updated_at": updated_at}})


def sample(reply: Reply, *, now: datetime = AT + timedelta(minutes=4)) -> pl.DataFrame:
    with serving(in_turn(reply)) as api:
        return CoinGecko(client_of(api)).dominance(now)


def test_a_sample_is_of_the_instant_the_figure_was_updated():
    found = sample(figures())

    assert dict(found.schema) == DOMINANCE_SCHEMA
    assert found.rows() == [
        ("BTC.d", AT, "5m", 58.18, "coingecko_global"),
        ("USDT.d", AT, "5m", 6.89, "coingecko_global"),
    ]


def test_two_samples_of_one_figure_are_the_same_rows():
    assert sample(figures()).equals(sample(figures(), now=AT + timedelta(minutes=9)))


def test_a_share_the_answer_lacks_is_no_row():
    assert sample(figures(btc=58.18))["metric"].to_list() == ["BTC.d"]


def test_an_old_figure_is_refused_with_its_age():
    with pytest.raises(SourceUnavailableError, match=r"updated_at is 2026-01-01T12:00:00.*older than 0:30:00"):
        sample(figures(), now=AT + timedelta(minutes=31))


def test_a_figure_from_the_future_is_refused():
    with pytest.raises(SourceError, match="not after"):
        sample(figures(), now=AT - timedelta(minutes=2))


@pytest.mark.parametrize(
    "reply",
    [
        Reply([]),
        Reply(None),
        Reply({}),
        Reply({"data": []}),
        Reply({"data": {"updated_at": int(AT.timestamp())}}),
        figures("2026-01-01"),
        figures(1e30),
        figures(10**30),
        figures(True),
        figures(btc="sixty"),
        figures(btc=None),
        figures(btc=[58.0]),
    ],
)
def test_a_body_of_another_shape_is_an_error_that_names_the_url(reply):
    with pytest.raises(SourceError, match="/global: expected"):
        sample(reply)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (Reply(b"<!DOCTYPE html>"), "no JSON"),
        (Reply({"status": {"error_code": 429}}, 429), "status 429"),
        (Reply({}, 500), "status 500"),
        (Reply({"data": {"updated_at": 1}}, manner="cut"), "RemoteProtocolError"),
    ],
)
def test_a_lasting_fault_is_an_error_after_four_calls_and_never_an_old_value(fault, message):
    with serving(in_turn(figures(), fault)) as api:
        gecko = CoinGecko(client_of(api))
        assert gecko.dominance(AT).height == 2
        with pytest.raises(SourceUnavailableError, match=message):
            gecko.dominance(AT)

    assert len(api.asked) == 5


def coin(number: int, **changed: object) -> dict[str, object]:
    listed = {"id": f"coin-{number:04}", "symbol": "c", "market_cap": 1e9 - number, "circulating_supply": 10.0}
    listed |= {"fully_diluted_valuation": 2e9, "total_volume": 5.0, "last_updated": "2026-01-01T11:56:10.000Z"}
    return listed | changed


def test_coins_are_read_by_their_ids_250_a_call():
    def answer(asked: Asked) -> Reply:
        return Reply([coin(int(each.removeprefix("coin-"))) for each in asked.query["ids"].split(",")])

    with serving(answer) as api:
        found = CoinGecko(client_of(api)).market_caps([f"coin-{each:04}" for each in range(620)] * 2)

    assert dict(found.schema) == CAP_SCHEMA
    assert found["coin_id"].to_list() == [f"coin-{each:04}" for each in range(620)]
    assert [asked.query["ids"].count(",") for asked in api.asked] == [249, 249, 119]
    assert {asked.query["per_page"] for asked in api.asked} == {"250"}


def caps_of(*coins: object) -> pl.DataFrame:
    with serving(in_turn(Reply(list(coins)))) as api:
        return CoinGecko(client_of(api)).market_caps(["any"])


def test_a_coin_comes_with_its_size_and_the_instant_of_it():
    at = datetime(2026, 1, 1, 11, 56, 10, tzinfo=UTC)

    assert caps_of(coin(1)).row(0) == ("coin-0001", 1e9 - 1, 10.0, 2e9, 5.0, at)


@pytest.mark.parametrize(("told", "read"), [(0, 0.0), (None, None), ("x", None), ("7.5", 7.5), (True, None)])
def test_a_size_is_given_as_it_was_received(told, read):
    row = caps_of(coin(0, market_cap=told, circulating_supply=told, total_volume=told)).to_dicts()[0]

    assert (row["market_cap_usd"], row["circulating_supply"], row["volume_24h_usd"]) == (read, read, read)


@pytest.mark.parametrize("absent", [None, 7, "yesterday", "2026-01-01T11:56:10"])
def test_an_instant_that_cannot_be_read_is_null(absent):
    assert caps_of(coin(0, last_updated=absent))["updated_at"].to_list() == [None]


def test_nobody_is_asked_for_no_coin():
    with serving(in_turn(Reply([]))) as api:
        assert dict(CoinGecko(client_of(api)).market_caps([]).schema) == CAP_SCHEMA

    assert api.asked == []


@pytest.mark.parametrize("body", [{}, [7], [{"id": 7, "symbol": "c"}], [{"symbol": "c"}]])
def test_coins_of_another_shape_are_an_error(body):
    with serving(in_turn(Reply(body))) as api, pytest.raises(SourceError, match=r"/coins/markets.*expected"):
        CoinGecko(client_of(api)).market_caps(["any"])


@pytest.mark.real_data
@pytest.mark.parametrize("year", ["2022-05-08", "2024-03-18", "2025-08-07", "2026-09-12"])
def test_the_recorded_figures_are_read(shared_data, year):
    body = json.loads((shared_data / f"api_samples/coingecko/global_{year}_trimmed.json").read_text("utf-8"))
    at = datetime.fromtimestamp(body["data"]["updated_at"], UTC)

    found = sample(Reply(body), now=at + timedelta(minutes=3))

    shares = body["data"]["market_cap_percentage"]
    assert found["value_pct"].to_list() == [shares["btc"], shares["usdt"]]
    assert at.date().isoformat() == year


@pytest.mark.real_data
@pytest.mark.parametrize("file", ["coins_markets_2023-01-16.json", "coins_markets_2026-09-12_3of9_rows.json"])
def test_the_recorded_markets_are_read(shared_data, file):
    coins = json.loads((shared_data / "api_samples/coingecko" / file).read_text("utf-8"))
    found = caps_of(*coins)

    fields = ("id", "market_cap", "circulating_supply", "fully_diluted_valuation", "total_volume")
    assert found.drop("updated_at").rows() == sorted(tuple(each[field] for field in fields) for each in coins)
    assert found["updated_at"].null_count() == 0
