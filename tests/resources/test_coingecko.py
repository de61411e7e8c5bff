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
    return listed | {"current_price": 2.0, "last_updated": "2026-01-01T11:56:10.000Z"} | changed


def test_caps_are_read_in_pages_of_250_until_a_short_one():
    def answer(asked: Asked) -> Reply:
        page, size = int(asked.query["page"]), int(asked.query["per_page"])
        return Reply([coin(each) for each in range(620)][(page - 1) * size : page * size])

    with serving(answer) as api:
        found = CoinGecko(client_of(api)).market_caps(pages=9)

    assert dict(found.schema) == CAP_SCHEMA
    assert (found.height, [asked.query["per_page"] for asked in api.asked]) == (620, ["250"] * 3)


def test_a_coin_that_moved_to_the_next_page_is_one_row_the_newer():
    older = coin(1, last_updated="2026-01-01T11:00:00.000Z", market_cap=5.0)
    pages = [Reply([coin(0), older]), Reply([coin(1), coin(2)]), Reply([])]
    with serving(in_turn(*pages)) as api:
        found = CoinGecko(client_of(api), page_limit=2).market_caps(pages=3)

    assert found["coin_id"].to_list() == ["coin-0000", "coin-0001", "coin-0002"]
    assert found["market_cap_usd"].to_list() == [1e9, 1e9 - 1, 1e9 - 2]


@pytest.mark.parametrize("absent", [0, None, "x"])
def test_a_cap_of_zero_is_not_known(absent):
    with serving(in_turn(Reply([coin(0, market_cap=absent, circulating_supply=absent, last_updated=absent)]))) as api:
        (row,) = CoinGecko(client_of(api)).market_caps(pages=1).to_dicts()

    assert (row["market_cap_usd"], row["circulating_supply"], row["updated_at"]) == (None, None, None)


def test_an_empty_list_of_coins_is_an_empty_frame():
    with serving(in_turn(Reply([]))) as api:
        assert dict(CoinGecko(client_of(api)).market_caps(pages=1).schema) == CAP_SCHEMA


@pytest.mark.parametrize("body", [{}, [7], [{"id": 7, "symbol": "c"}], [{"id": "c"}]])
def test_coins_of_another_shape_are_an_error(body):
    with serving(in_turn(Reply(body))) as api, pytest.raises(SourceError, match=r"/coins/markets.*expected"):
        CoinGecko(client_of(api)).market_caps(pages=1)


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
def test_the_recorded_markets_are_read(shared_data):
    coins = json.loads((shared_data / "api_samples/coingecko/coins_markets_2023-01-16.json").read_text("utf-8"))
    with serving(in_turn(Reply(coins))) as api:
        found = CoinGecko(client_of(api)).market_caps(pages=1)

    caps = {each["id"]: each["market_cap"] or None for each in coins}
    assert dict(found.select("coin_id", "market_cap_usd").iter_rows()) == caps
    assert found["updated_at"].null_count() == 0
