"""How sources once misled an earlier system: a feed that stood still, and an address that was said not to exist."""

import json
from datetime import UTC, datetime, timedelta

import dagster as dg
import polars as pl
import pytest

from domain.vocabulary.universe import Universe
from resources.candle_memory import CandleMemory
from resources.candle_source import DOMINANCE_SCHEMA
from resources.live_config import LiveSymbol, VenueSymbol
from resources.source_error import SourceError
from tests.chain_runs import configure, given_market, run_chain
from tests.live_services import HYPERLIQUID, NOW, hyperliquid, live_services, market_of
from tests.loopback_api import Asked, Reply

START = datetime(2026, 1, 10, tzinfo=UTC)
STUCK = {"BTC.d": 57.24, "USDT.d": 6.06}
HOUR = timedelta(hours=1)


def feed(hours: float, *, stuck_from: float) -> CandleMemory:
    """Five-minute samples that move a little, and from an hour on repeat one number under fresh times."""
    rows = [
        (metric, START + minute * timedelta(minutes=1), "5m", value + moved, "feed")
        for metric, value in STUCK.items()
        for minute in range(0, int(60 * hours), 5)
        for moved in [0.0 if minute >= 60 * stuck_from else 0.01 + minute / 10_000]
    ]
    return CandleMemory(bars={}, samples=pl.DataFrame(rows, schema=DOMINANCE_SCHEMA, orient="row"))


def dominance_check(source: CandleMemory, *hours: float) -> dg.AssetCheckEvaluation:
    """What the asset's page shows after a run at each of these hours."""
    for hour in hours:
        as_of = START + hour * HOUR
        market = given_market(source)
        result = run_chain(START.date(), as_of.date(), as_of=as_of, market=market, tables=("regime.dominance_sample",))
    (shown,) = [each for each in result.get_asset_check_evaluations() if each.check_name == "dominance_moves"]
    return shown


@pytest.mark.postgres
def test_dominance_that_repeats_one_number_in_every_run_turns_yellow(database):
    shown = dominance_check(feed(30, stuck_from=4), 8, 9, 10, 11, 30)

    assert (shown.passed, shown.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert shown.metadata["standing_still"].value == {
        "BTC.d 5m": "57.24 since 2026-01-10T04:00Z",
        "USDT.d 5m": "6.06 since 2026-01-10T04:00Z",
    }
    assert shown.metadata["static_hours"].value["BTC.d 5m"] == pytest.approx(25.92, abs=0.01)


@pytest.mark.postgres
@pytest.mark.parametrize("stuck_from", [6, 30])
def test_dominance_that_moved_within_six_hours_is_green(database, stuck_from):
    shown = dominance_check(feed(11.9, stuck_from=stuck_from), 12)

    assert shown.passed
    assert shown.metadata["standing_still"].value == {}
    assert set(shown.metadata["static_hours"].value) == {"BTC.d 5m", "USDT.d 5m"}


@pytest.mark.postgres
def test_how_long_dominance_may_rest_is_configured(database):
    configure({"regime": {"driver_bar": {"max_static_hours": 2.0}}})

    assert not dominance_check(feed(11.9, stuck_from=6), 12).passed


@pytest.mark.postgres
def test_no_dominance_at_all_is_no_feed_that_stands_still(database):
    assert dominance_check(CandleMemory(bars={}), 12).passed


def exchange(asked: Asked) -> Reply:
    """As the service answers: one address, one method, and the parameters in `req`."""
    if asked.method != "POST":
        return Reply(b"Method Not Allowed", 405)
    if asked.path != HYPERLIQUID or asked.body.get("type") != "candleSnapshot":
        return Reply(b"Not Found", 404)
    if "req" not in asked.body:
        return Reply(b"Failed to deserialize the JSON body into the target type", 422)
    return hyperliquid(asked)


ONLY_HYPERLIQUID = LiveSymbol(
    token_contract="BTC", chain="majors", venues=(VenueSymbol(venue="hyperliquid", symbol="BTC"),)
)


def test_candles_are_found_at_the_only_address_that_has_them():
    with live_services() as (services, api):
        services.answers[HYPERLIQUID] = exchange
        bars = market_of(api, majors=(ONLY_HYPERLIQUID,)).candles(Universe.MAJORS, NOW - 24 * HOUR, NOW)

    assert bars.group_by("source", "timeframe").len().sort("timeframe").rows() == [
        ("hyperliquid:BTC", "15m", 96),
        ("hyperliquid:BTC", "1h", 24),
    ]
    assert {(asked.method, asked.path, asked.body["type"]) for asked in api.asked} == {
        ("POST", "/info", "candleSnapshot")
    }


@pytest.mark.parametrize("reply", [Reply(b"Not Found", 404), Reply(b"Failed to deserialize", 422)])
def test_an_address_that_refuses_is_an_error_and_never_no_candles(reply):
    with live_services() as (services, api):
        services.broken(HYPERLIQUID, reply)
        market = market_of(api, majors=(ONLY_HYPERLIQUID,))
        with pytest.raises(SourceError, match=str(reply.status)):
            market.candles(Universe.MAJORS, NOW - 24 * HOUR, NOW)

    assert market.counts.failed["hyperliquid", "BTC"] > 0


@pytest.mark.real_data
def test_the_recorded_answer_of_that_address_becomes_bars(shared_data):
    file = shared_data / "api_samples/hyperliquid/rest_candleSnapshot_BTC_1h_2024-06-20.json"
    recorded = json.loads(file.read_text("utf-8"))
    opens = [datetime.fromtimestamp(candle["t"] / 1000, UTC) for candle in recorded]

    def answer(asked: Asked) -> Reply:
        reply = exchange(asked)
        return Reply(recorded) if reply.status == 200 else reply

    with live_services() as (services, api):
        services.answers[HYPERLIQUID] = answer
        market = market_of(api, majors=(ONLY_HYPERLIQUID,), depth_days={"1h": 240}).at(opens[-1] + HOUR)
        bars = market.candles(Universe.MAJORS, opens[0], opens[-1] + HOUR)

    assert bars["timestamp"].to_list() == opens
    assert bars["close_usd"].to_list() == [float(candle["c"]) for candle in recorded]
