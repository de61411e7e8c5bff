import logging
from datetime import timedelta

import polars as pl
import pytest
from pydantic import SecretStr

from domain.vocabulary.timeframe import Timeframe
from domain.vocabulary.universe import Universe
from resources.candle_source import DOMINANCE_SCHEMA
from resources.live_config import LiveSymbol, VenueSymbol
from resources.source_error import SourceUnavailableError
from tests.live_services import (
    BINANCE,
    COINGECKO,
    COINS,
    GECKOTERMINAL,
    HYPERLIQUID,
    KPEPE,
    LISTED,
    NOW,
    PEPE,
    live_services,
    major,
    market_of,
    price,
    seconds,
)
from tests.loopback_api import MovedTime, Reply

DAY = timedelta(days=1)
ALL = (NOW - 300 * DAY, NOW + DAY)
TODAY = (NOW - DAY, NOW)
DOWN = Reply({}, 503)
KEY = "CG-fixture-secret-456"


def extent(bars: pl.DataFrame, token: str, timeframe: str = "1h") -> dict[str, tuple[object, object, int]]:
    """First and last open and number of bars of one series, by source."""
    series = bars.filter(token_contract=token, timeframe=timeframe).group_by("source")
    at = pl.col("timestamp")
    return {
        source: (first, last, n)
        for source, first, last, n in series.agg(at.min().alias("first"), at.max().alias("last"), pl.len()).iter_rows()
    }


def test_a_major_is_hyperliquids_as_far_as_it_reaches_and_binances_before():
    with live_services() as (_, api):
        found = extent(market_of(api).candles(Universe.MAJORS, *ALL), "BTC")

    hour = timedelta(hours=1)
    reach = NOW - 4999 * hour
    assert found == {
        "hyperliquid:BTC": (reach, NOW - hour, 4999),
        "binance_usd_m:BTCUSDT": (NOW - 240 * DAY, reach - hour, 240 * 24 - 4999),
    }


def test_the_forming_bar_of_no_venue_is_given():
    with live_services() as (_, api):
        market = market_of(api)
        bars = pl.concat([market.candles(universe, *ALL) for universe in Universe])

    ends = bars.with_columns(length=pl.col("timeframe").replace_strict({"1h": 60, "15m": 15}))
    assert ends.select((pl.col("timestamp") + pl.duration(minutes="length")).max()).item() == NOW


@pytest.mark.parametrize("fault", [DOWN, Reply(b"<html>"), Reply({"no": "list"}), Reply([{"t": "x"}]), Reply({}, 422)])
def test_a_major_is_binances_when_hyperliquid_does_not_answer(fault):
    with live_services() as (services, api):
        services.broken(HYPERLIQUID, fault)
        market = market_of(api)
        bars = market.candles(Universe.MAJORS, *TODAY)

    assert set(bars["source"]) == {"binance_usd_m:BTCUSDT", "binance_usd_m:ETHUSDT"}
    assert bars.filter(token_contract="ETH", timeframe="1h").height == 24
    assert market.counts.failed["hyperliquid", "BTC"] == 2


def test_a_venue_that_is_down_is_not_asked_for_every_symbol():
    moved = MovedTime()
    with live_services() as (services, api):
        services.broken(HYPERLIQUID, DOWN)
        market = market_of(api, moved, majors=tuple(map(major, ("BTC", "ETH", "SOL", "BNB", "HYPE"))))
        market.candles(Universe.MAJORS, *TODAY)

    assert sum(asked.path == HYPERLIQUID for asked in api.asked) == 8
    assert sum(moved.slept) == 7
    assert sum(market.counts.failed.values()) == 10


def test_with_no_venue_left_the_load_fails():
    with live_services() as (services, api):
        services.broken(HYPERLIQUID, DOWN)
        services.broken(BINANCE, Reply({}, 418))
        with pytest.raises(SourceUnavailableError, match="fapi/v1/klines"):
            market_of(api).candles(Universe.MAJORS, *TODAY)


def test_a_pool_that_is_refused_leaves_the_others_and_is_logged(caplog):
    gone = LiveSymbol(
        token_contract="GONE", chain="eth", venues=(VenueSymbol(venue="geckoterminal", symbol="eth/0xgone"),)
    )
    pepe = LiveSymbol(token_contract="PEPE", chain="eth", venues=(PEPE,))
    with live_services() as (services, api):
        answer = services.answers[GECKOTERMINAL]
        services.answers[GECKOTERMINAL] = lambda asked: Reply({}, 404) if "0xgone" in asked.path else answer(asked)
        market = market_of(api, lowcaps=(gone, pepe))
        bars = market.candles(Universe.LOWCAP, *TODAY)

    assert set(bars["token_contract"]) == {"PEPE"}
    assert market.counts.failed == {("geckoterminal", "GONE"): 2}
    assert [record.getMessage()[:38] for record in caplog.records] == [
        "venue_failed: geckoterminal GONE 1h: G",
        "venue_failed: geckoterminal GONE 15m: ",
    ]


def test_a_contract_of_a_thousand_coins_is_priced_and_counted_by_the_coin():
    with live_services() as (_, api):
        market = market_of(api, lowcaps=(LiveSymbol(token_contract="PEPE", chain="hl", venues=(KPEPE,)),))
        bar = market.candles(Universe.LOWCAP, *TODAY).filter(timestamp=TODAY[0], timeframe="1h").to_dicts()[0]

    assert bar["close_usd"] == pytest.approx(price(seconds(TODAY[0])) / 1000)
    assert (bar["volume"], bar["chain"], bar["source"]) == (2000.0, "hl", "hyperliquid:kPEPE/1000")


def test_before_a_listing_the_next_venue_is_asked():
    listed = NOW - timedelta(hours=10)
    venues = (
        VenueSymbol(venue="hyperliquid", symbol="HYPE", listed_at=listed),
        VenueSymbol(venue="binance_usd_m", symbol="HYPEUSDT"),
    )
    hype = LiveSymbol(token_contract="HYPE", chain="majors", venues=venues)
    with live_services() as (_, api):
        found = extent(market_of(api, majors=(hype,)).candles(Universe.MAJORS, *TODAY), "HYPE")

    assert (found["hyperliquid:HYPE"][0], found["binance_usd_m:HYPEUSDT"][1]) == (listed, listed - timedelta(hours=1))


def test_what_is_left_out_is_counted_by_series_and_reason():
    idle = {"t": 1000 * seconds(TODAY[0]), "n": 0, "v": "0.0", **dict.fromkeys("ohlc", "1.0")}
    with live_services() as (services, api):
        services.broken(HYPERLIQUID, Reply([idle, idle | {"t": 1000 * seconds(NOW - timedelta(hours=1)), "v": "1"}]))
        market = market_of(api, depth_days={Timeframe.H1: 5}, majors=(major("BTC"),))
        market.candles(Universe.MAJORS, *TODAY)

    assert market.counts.left_out == {("hyperliquid", "BTC", "1h", "no_trade"): 1}


@pytest.mark.parametrize("fault", [DOWN, Reply(b"<html>"), Reply({"data": {}}), Reply({}, 401)])
def test_dominance_that_cannot_be_had_is_no_row_and_is_counted_and_logged(fault, caplog):
    with live_services() as (services, api):
        services.broken(COINGECKO, fault)
        market = market_of(api)

        assert market.dominance(*TODAY).is_empty()
        assert dict(market.dominance(*TODAY).schema) == DOMINANCE_SCHEMA

    assert market.counts.failed == {("coingecko_global", "dominance"): 2}
    assert "venue_failed: coingecko_global dominance: " in caplog.text


def test_an_old_sample_never_stands_in_for_one_that_failed():
    with live_services() as (services, api):
        market = market_of(api, dominance_minutes=6)
        assert market.dominance(*TODAY).height == 2
        services.broken(COINGECKO, DOWN)

        assert market.at(NOW + timedelta(minutes=5)).dominance(TODAY[0], NOW).height == 2
        assert market.at(NOW + timedelta(minutes=6)).dominance(TODAY[0], NOW).is_empty()


def test_dominance_is_asked_for_as_often_as_configured_whoever_asks():
    with live_services() as (_, api):
        market = market_of(api, dominance_minutes=6)
        for minute in range(20):
            market.at(NOW + timedelta(minutes=minute)).dominance(TODAY[0], NOW + DAY)

    assert sum(asked.path == COINGECKO for asked in api.asked) == 4


def test_the_past_of_dominance_is_not_asked_for():
    with live_services() as (_, api):
        market = market_of(api)
        for window in ((NOW - 2 * DAY, NOW - DAY), (NOW + DAY, NOW + 2 * DAY), (NOW, NOW)):
            assert market.dominance(*window).is_empty()

    assert api.asked == []


def test_a_market_without_a_pool_has_no_low_caps_and_asks_nobody():
    with live_services() as (_, api):
        assert market_of(api, lowcaps=()).candles(Universe.LOWCAP, *ALL).is_empty()

    assert api.asked == []


def test_the_key_is_sent_to_coingecko_alone_and_is_in_no_log_error_or_repr(caplog):
    caplog.set_level(logging.DEBUG)
    with live_services() as (services, api):
        market = market_of(api, coingecko_demo_key=SecretStr(KEY), lowcaps=(LISTED,))
        market.candles(Universe.MAJORS, *TODAY)
        services.broken(COINGECKO, Reply(f"unknown key {KEY}".encode(), 401))
        services.broken(COINS, Reply(f"unknown key {KEY}".encode(), 401))
        assert market.dominance(*TODAY).is_empty()
        market.market_caps(*TODAY)

    sent = {asked.path for asked in api.asked if KEY in asked.headers.values()}
    told = repr(market) + repr(market.report()) + "".join(f"{vars(record)}" for record in caplog.records)
    assert sent == {COINGECKO, COINS}
    assert "unknown key" in told
    assert KEY not in told
