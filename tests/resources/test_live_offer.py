"""What a live market is asked for when some of it is known: spans, sources that follow each other, time."""

from datetime import timedelta

import polars as pl
import pytest

from domain.vocabulary.timeframe import Timeframe
from domain.vocabulary.universe import Universe
from domain.vocabulary.window import Window
from resources.candle_source import CANDLE_SCHEMA
from resources.live_config import LiveSymbol, VenueSymbol
from resources.live_market import LiveMarket
from resources.live_offer import IncrementalSource, Offered
from resources.source_error import SourceUnavailableError
from tests.live_services import (
    BINANCE,
    GECKOTERMINAL,
    HYPERLIQUID,
    KPEPE,
    NOW,
    PEPE,
    live_services,
    major,
    market_of,
)
from tests.loopback_api import Asked, LoopbackApi, MovedTime, Reply

HOUR, DAY, MINUTE = timedelta(hours=1), timedelta(days=1), timedelta(minutes=1)
YESTERDAY = Window(NOW - DAY, NOW)
LAST_HOUR = Window(NOW - HOUR, NOW)
HOURS = {"depth_days": {Timeframe.H1: 30}}
MINUTES = {"depth_days": {Timeframe.M1: 3}}
NOTHING = pl.DataFrame(schema=CANDLE_SCHEMA)
DOWN = Reply({}, 503)


def token(name: str, *venues: VenueSymbol) -> LiveSymbol:
    return LiveSymbol(token_contract=name, chain="eth", venues=venues)


def pool(address: str, **changed: object) -> VenueSymbol:
    return VenueSymbol(venue="geckoterminal", symbol=f"eth/{address}", **changed)


def btc(market: LiveMarket, window: Window, known: pl.DataFrame = NOTHING) -> Offered:
    return market.missing_candles(Universe.MAJORS, window, known)


def asked_spans(api: LoopbackApi) -> list[tuple[float, float]]:
    """Spans Hyperliquid was asked for, in hours before NOW."""
    now_ms = NOW.timestamp() * 1000
    wanted = [asked.body["req"] for asked in api.asked if asked.path == HYPERLIQUID]
    return [((now_ms - req["startTime"]) / 3.6e6, (now_ms - req["endTime"] - 1) / 3.6e6) for req in wanted]


def opens(offered: Offered) -> list[float]:
    """Opens of the bars, in hours before NOW."""
    return sorted((NOW - at) / HOUR for at in offered.bars["timestamp"])


def test_a_live_market_is_asked_only_for_what_is_missing_and_files_are_not():
    with live_services() as (_, api):
        assert isinstance(market_of(api), IncrementalSource)


def test_what_is_known_is_not_asked_for_again_but_the_newest_bars_are():
    with live_services() as (_, api):
        market = market_of(api, majors=(major("BTC"),), **HOURS)
        first = btc(market, YESTERDAY)
        again = btc(market, YESTERDAY, first.bars)

    assert (len(opens(first)), opens(again)) == (24, [1.0, 2.0])
    assert asked_spans(api) == [(24.0, 0.0), (2.0, 0.0)]


def test_a_day_over_and_complete_is_not_asked_for_at_all():
    with live_services() as (_, api):
        market = market_of(api, majors=(major("BTC"),), **HOURS)
        first = btc(market, YESTERDAY)
        later = btc(market.at(NOW + DAY), YESTERDAY, first.bars)

    assert (later.bars.height, len(api.asked)) == (0, 1)


def test_a_gap_is_found_and_filled():
    with live_services() as (_, api):
        market = market_of(api, majors=(major("BTC"),), **HOURS)
        known = btc(market, YESTERDAY).bars.filter(~pl.col("timestamp").is_in([NOW - 12 * HOUR, NOW - 11 * HOUR]))
        filled = btc(market.at(NOW + DAY), YESTERDAY, known)

    assert opens(filled) == [11.0, 12.0]


def test_after_a_week_off_the_days_between_are_brought_by_a_window_of_them():
    with live_services() as (_, api):
        market = market_of(api, majors=(major("BTC"),), **HOURS)
        known = btc(market.at(NOW - 7 * DAY), Window(NOW - 10 * DAY, NOW - 7 * DAY)).bars
        week = btc(market, Window(NOW - 10 * DAY, NOW + DAY), known)

    assert opens(week) == [float(hour) for hour in range(1, 7 * 24 + 1)]


def quiet_pool(*minutes: int):
    """A pool with trades in some minutes before NOW only."""

    def answer(asked: Asked) -> Reply:
        before = int(asked.query["before_timestamp"])
        rows = [[int(NOW.timestamp()) - 60 * each, *[2.0] * 4, 9.0] for each in sorted(minutes)]
        return Reply({"data": {"attributes": {"ohlcv_list": [row for row in rows if row[0] < before]}}})

    return answer


def test_a_minute_nobody_traded_in_is_not_asked_for_every_minute():
    last_minutes = Window(NOW - HOUR, NOW)
    with live_services() as (services, api):
        services.answers[GECKOTERMINAL] = quiet_pool(1, 2, 50, 60)
        market = market_of(api, **MINUTES)
        known = market.missing_candles(Universe.LOWCAP, last_minutes, NOTHING).bars
        market.missing_candles(Universe.LOWCAP, last_minutes, known)
        market.at(NOW + DAY).missing_candles(Universe.LOWCAP, YESTERDAY, known)

    assert [int(asked.query["limit"]) for asked in api.asked if asked.path.endswith("/minute")] == [61, 31, 1000, 1000]


def test_a_venue_that_stood_in_is_compared_and_so_is_the_first_when_it_is_back():
    with live_services() as (services, api):
        market = market_of(api, majors=(major("BTC"),), **HOURS)
        known = btc(market.at(NOW - 4 * HOUR), YESTERDAY).bars
        answer = services.answers[HYPERLIQUID]
        services.broken(HYPERLIQUID, DOWN)
        stood_in = btc(market.at(NOW - HOUR), YESTERDAY, known)
        services.answers[HYPERLIQUID] = answer
        back = btc(market, YESTERDAY, stood_in.bars)

    assert set(stood_in.bars["source"]) == {"binance_usd_m:BTCUSDT"}
    assert set(back.bars["source"]) == {"hyperliquid:BTC"}
    assert (opens(stood_in), opens(back)[:2]) == ([2.0, 3.0, 4.0], [1.0, 5.0])
    assert (stood_in.refused.height, back.refused.height) == (0, 0)


def test_a_venue_in_another_unit_does_not_stand_in():
    pepe = token("PEPE", KPEPE, VenueSymbol(venue="binance_usd_m", symbol="1000PEPEUSDT"))
    with live_services() as (services, api):
        market = market_of(api, lowcaps=(pepe,), **HOURS)
        known = market.at(NOW - 3 * HOUR).missing_candles(Universe.LOWCAP, YESTERDAY, NOTHING).bars
        services.broken(HYPERLIQUID, DOWN)
        offered = market.missing_candles(Universe.LOWCAP, YESTERDAY, known)

    assert (set(known["source"]), offered.bars.height) == ({"hyperliquid:kPEPE/1000"}, 0)
    assert set(offered.refused["reason"]) == {"revision_conflict"}
    assert "is 1000 times that of hyperliquid:kPEPE/1000 over " in offered.refused["detail"][0]


def test_two_venues_of_a_first_load_are_compared_where_the_second_begins():
    pepe = token("PEPE", KPEPE, VenueSymbol(venue="binance_usd_m", symbol="1000PEPEUSDT"))
    with live_services() as (_, api):
        market = market_of(api, lowcaps=(pepe,), depth_days={Timeframe.H1: 240})
        offered = market.missing_candles(Universe.LOWCAP, Window(NOW - 240 * DAY, NOW), NOTHING)

    assert set(offered.bars["source"]) == {"hyperliquid:kPEPE/1000"}
    assert (offered.bars.height, offered.refused.height) == (4999, 240 * 24 - 4999)


@pytest.mark.parametrize(("factor", "is_taken"), [(1.02, True), (1.9, False)])
def test_a_pool_in_place_of_another_is_taken_only_at_the_same_price(factor, is_taken):
    with live_services() as (_, api):
        old, new = (market_of(api, lowcaps=(token("PEPE", pool(each)),), **HOURS) for each in ("0xold", "0xnew"))
        known = old.at(NOW - 3 * HOUR).missing_candles(Universe.LOWCAP, YESTERDAY, NOTHING).bars
        known = known.with_columns(pl.col("close_usd") * factor)
        offered = new.missing_candles(Universe.LOWCAP, YESTERDAY, known)

    assert opens(offered) == ([1.0, 2.0, 3.0] if is_taken else [])
    assert offered.refused.height == (0 if is_taken else 3)


@pytest.mark.parametrize("opens_anew", [False, True])
def test_a_pool_that_opened_as_the_other_closed_is_taken_if_it_is_said_to(opens_anew):
    born = pool("0xnew", listed_at=NOW - 3 * HOUR, opens_anew=opens_anew)
    with live_services() as (_, api):
        old = market_of(api, lowcaps=(token("PEPE", PEPE),), **HOURS)
        known = old.at(NOW - 3 * HOUR).missing_candles(Universe.LOWCAP, YESTERDAY, NOTHING).bars
        new = market_of(api, lowcaps=(token("PEPE", born),), **HOURS)
        offered = new.missing_candles(Universe.LOWCAP, YESTERDAY, known)

    assert (offered.bars.height, offered.refused.height) == ((3, 0) if opens_anew else (0, 3))


def test_a_stored_bar_older_than_the_depth_holds_up_no_source():
    with live_services() as (_, api):
        market = market_of(api, majors=(major("BTC"),), **MINUTES)
        month_ago = btc(market.at(NOW - 30 * DAY), Window(NOW - 30 * DAY - HOUR, NOW - 30 * DAY)).bars
        known = month_ago.with_columns(source=pl.lit("binance_usd_m:BTCUSDT"))

        assert btc(market, LAST_HOUR, known).bars.height == 60


def test_a_day_that_is_over_fails_when_no_venue_answers_and_the_last_minutes_do_not():
    with live_services() as (services, api):
        services.broken(HYPERLIQUID, DOWN)
        services.broken(BINANCE, DOWN)
        market = market_of(api, majors=(major("BTC"),), **MINUTES)
        today = market.at(NOW + HOUR)

        assert btc(today, Window(NOW, NOW + DAY)).bars.is_empty()
        assert btc(market, LAST_HOUR).bars.is_empty()
        with pytest.raises(SourceUnavailableError):
            btc(market, YESTERDAY)


def test_the_last_minutes_wait_for_nobody_and_what_was_not_asked_for_comes_first_in_the_next():
    tokens = tuple(token(f"T{each:02}", pool(f"0x{each:02}")) for each in range(30))
    moved = MovedTime()
    with live_services() as (_, api):
        market = market_of(api, moved, lowcaps=tokens, **MINUTES)
        first = market.missing_candles(Universe.LOWCAP, LAST_HOUR, NOTHING)
        moved.at += 60
        second = market.missing_candles(Universe.LOWCAP, LAST_HOUR, first.bars)

    assert sum(moved.slept) == 0
    had = [set(each.bars["token_contract"]) for each in (first, second)]
    assert had[0] == {each.token_contract for each in tokens[:20]}
    assert had[1] > {each.token_contract for each in tokens[20:]}


def test_a_load_of_minutes_ends_when_its_time_is_up():
    tokens = tuple(token(f"T{each}", pool(f"0x{each}")) for each in range(6))
    moved = MovedTime()

    def slow(asked: Asked) -> Reply:
        moved.at += 3
        return Reply({"data": {"attributes": {"ohlcv_list": []}}})

    with live_services() as (services, api):
        services.answers[GECKOTERMINAL] = slow
        market = market_of(api, moved, lowcaps=tokens, minute_budget_s=8, **MINUTES)
        market.missing_candles(Universe.LOWCAP, LAST_HOUR, NOTHING)

    assert len(api.asked) == 3
    assert dict(market.counts.postponed) == {"T3": 1, "T4": 1, "T5": 1}


def test_a_pool_that_is_gone_does_not_come_first_for_ever():
    tokens = tuple(token(f"T{each}", pool(f"0x{each}")) for each in range(3))
    with live_services() as (services, api):
        answer = services.answers[GECKOTERMINAL]
        services.answers[GECKOTERMINAL] = lambda asked: Reply({}, 404) if "0x0" in asked.path else answer(asked)
        market = market_of(api, lowcaps=tokens, **MINUTES)
        for minute in range(2):
            market.at(NOW + minute * MINUTE).missing_candles(Universe.LOWCAP, LAST_HOUR, NOTHING)

    assert [asked.path.split("/")[4] for asked in api.asked] == ["0x0", "0x1", "0x2"] * 2
    assert set(market.memory.asked_at.values()) == {NOW + MINUTE}


def test_a_view_counts_for_itself_and_shares_the_limits():
    moved = MovedTime()
    with live_services() as (_, api):
        market = market_of(api, moved, majors=(major("BTC"),), **HOURS)
        for view in (market.at(NOW) for _ in range(61)):
            btc(view, YESTERDAY)
            assert view.report()["spans_asked_for"] == {"hyperliquid": 1}

    assert market.report()["spans_asked_for"] == {}
    assert sum(moved.slept) == pytest.approx(60.0)


def test_a_report_says_what_was_not_had():
    idle = {"t": int((NOW - HOUR).timestamp() * 1000), "n": 0, "v": "0.0", **dict.fromkeys("ohlc", "1.0")}
    with live_services() as (services, api):
        services.broken(HYPERLIQUID, Reply([idle]))
        services.broken(GECKOTERMINAL, Reply({}, 404))
        market = market_of(api, majors=(major("BTC"),), **HOURS)
        for universe in Universe:
            market.missing_candles(universe, LAST_HOUR, NOTHING)

    assert market.report() == {
        "spans_asked_for": {"geckoterminal": 1, "hyperliquid": 1},
        "rows_left_out": {"hyperliquid no_trade": 1},
        "not_had": {"geckoterminal PEPE": 1},
        "series_postponed": 0,
    }
