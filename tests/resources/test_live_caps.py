from datetime import timedelta

import polars as pl
import pytest

from resources.candle_source import MARKET_CAP_SCHEMA
from resources.live_config import LiveSymbol, VenueSymbol
from tests.live_services import COINS, LISTED, NOW, PEPE, POOLS, live_services, major, market_of
from tests.loopback_api import Reply

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
LAST_HOURS = (NOW - 4 * HOUR, NOW + MINUTE)
DOWN = Reply({}, 503)
NEW = LiveSymbol(token_contract="NEW", chain="eth", venues=(VenueSymbol(venue="geckoterminal", symbol="eth/0xnew"),))
PERP = LiveSymbol(
    token_contract="PERP", chain="hl", venues=(VenueSymbol(venue="hyperliquid", symbol="PERP"),), coingecko_id="perp"
)


def row(found: pl.DataFrame, token: str) -> dict[str, object]:
    return found.row(by_predicate=pl.col("token_contract") == token, named=True)


def test_a_listed_token_has_the_coins_size_and_its_pools_liquidity():
    with live_services() as (_, api):
        found = market_of(api, lowcaps=(LISTED, NEW, PERP)).market_caps(*LAST_HOURS)

    assert dict(found.schema) == MARKET_CAP_SCHEMA
    assert row(found, "PEPE") == {
        "token_contract": "PEPE",
        "chain": "eth",
        "timestamp": NOW - 3 * MINUTE,
        "market_cap_usd": 4e9,
        "circulating_supply": 420e12,
        "fdv_usd": 5e9,
        "volume_24h_usd": 0.0,
        "liquidity_usd": 4000.5,
        "source": "coingecko_markets",
    }
    assert row(found, "PERP")["liquidity_usd"] is None


def test_a_new_pool_has_an_fdv_and_no_cap():
    with live_services() as (_, api):
        found = market_of(api, lowcaps=(LISTED, NEW)).market_caps(*LAST_HOURS)

    new = row(found, "NEW")
    assert (new["market_cap_usd"], new["circulating_supply"], new["fdv_usd"]) == (None, None, 20565.77)
    assert (new["volume_24h_usd"], new["liquidity_usd"], new["source"]) == (77.0, 4000.5, "geckoterminal_pools")
    assert new["timestamp"] == NOW


def test_a_major_has_a_cap_only_if_its_coin_is_named():
    btc = major("BTC").model_copy(update={"coingecko_id": "bitcoin"})
    with live_services() as (_, api):
        found = market_of(api, majors=(btc, major("ETH"))).market_caps(*LAST_HOURS)

    assert found["token_contract"].to_list() == ["BTC", "PEPE"]


@pytest.mark.parametrize(("service", "left"), [(COINS, "geckoterminal_pools"), (POOLS, "coingecko_markets")])
def test_one_service_that_is_down_leaves_what_the_other_knows(service, left):
    with live_services() as (services, api):
        services.broken(service, DOWN)
        market = market_of(api, lowcaps=(LISTED,))
        found = market.market_caps(*LAST_HOURS)

    assert found["source"].to_list() == [left]
    assert [what for _, what in market.counts.failed] == ["market caps"]


def test_without_both_there_is_no_reading_and_the_next_load_asks_again():
    with live_services() as (services, api):
        services.broken(COINS, DOWN)
        services.broken(POOLS, DOWN)
        market = market_of(api, lowcaps=(LISTED,))
        for _ in range(2):
            assert market.market_caps(*LAST_HOURS).is_empty()

    assert sorted(market.counts.failed.values()) == [2, 2]
    assert len(api.asked) == 8


def test_caps_are_asked_for_as_often_as_configured():
    with live_services() as (_, api):
        market = market_of(api, lowcaps=(LISTED, NEW), cap_minutes=120)
        instants = [NOW + n * MINUTE + timedelta(seconds=5) for n in (1, 60, 119, 121)]
        found = [market.at(instant).market_caps(NOW - HOUR, instant) for instant in instants]

    assert {each.height for each in found} == {2}
    assert [asked.path for asked in api.asked] == [COINS, f"{POOLS}/0xnew,0xpepe"] * 2


def test_a_coin_nobody_knows_is_counted_and_its_pool_speaks_for_it():
    mistyped = LISTED.model_copy(update={"coingecko_id": "unknown"})
    with live_services() as (_, api):
        market = market_of(api, lowcaps=(mistyped,))
        found = market.market_caps(*LAST_HOURS)

    assert found["source"].to_list() == ["geckoterminal_pools"]
    assert dict(market.counts.failed) == {("coingecko_markets", "unknown"): 1}


def test_a_coin_without_an_instant_is_no_reading():
    timeless = {"id": "pepe", "symbol": "pepe", "market_cap": 4e9, "last_updated": None}
    with live_services() as (services, api):
        services.broken(COINS, Reply([timeless]))
        market = market_of(api, lowcaps=(LISTED,))

        assert market.market_caps(*LAST_HOURS)["source"].to_list() == ["geckoterminal_pools"]


def test_nobody_is_asked_when_no_token_has_a_coin_or_a_pool():
    plain = LiveSymbol(token_contract="PEPE", chain="eth", venues=(PEPE.model_copy(update={"venue": "hyperliquid"}),))
    with live_services() as (_, api):
        assert market_of(api, lowcaps=(plain,)).market_caps(*LAST_HOURS).is_empty()

    assert api.asked == []
