"""Raw tables from live venues: real Dagster runs over a real Postgres, the venues on a loopback port."""

from collections.abc import Iterable
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path

import dagster as dg
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from domain.vocabulary.timeframe import Timeframe
from domain.vocabulary.window import Window
from regime_assets import lowcap_price_data_ohlc, majors_price_data_ohlc
from regime_assets.chain_asset import ChainTable, begin
from resources.clock import Clock
from resources.live_config import LiveSymbol, VenueSymbol
from resources.live_market import LiveMarket
from resources.market import Market
from resources.pm_settings import PmSettings
from resources.stamp import Stamp
from resources.tables import Tables
from tests.chain_runs import EVERYTHING, days_before, run_chain, stored
from tests.live_services import COINGECKO, GECKOTERMINAL, NOW, live_services, market_of, price, seconds
from tests.loopback_api import Asked, LoopbackApi, MovedTime, Reply
from tests.postgres_fixtures import throw_away_database

pytestmark = pytest.mark.postgres

HOUR = timedelta(hours=1)
DAY = (NOW - timedelta(days=1)).date()
MIDNIGHT = NOW - timedelta(days=1)
MAJORS, LOWCAP, DOMINANCE = (
    "regime.majors_price_data_ohlc",
    "regime.lowcap_price_data_ohlc",
    "regime.dominance_sample",
)
SERVICES = ("hyperliquid", "binance_usd_m", "binance_spot", "geckoterminal", "coingecko")
KEY = "CG-fixture-secret-987"


def live_market(api: LoopbackApi, folder: Path, *tokens: str, pool: str = "0x") -> Market:
    """Majors and tokens of one chain, minutes of a day and hours of ten."""
    urls = [f'{service}_url = "{api.url}"' for service in SERVICES]
    pools = [
        f'[[lowcaps]]\ntoken_contract = "{token}"\nchain = "eth"\n'
        f'[[lowcaps.venues]]\nvenue = "geckoterminal"\nsymbol = "eth/{pool}{token}"'
        for token in tokens
    ]
    file = folder / "live.toml"
    file.write_text("\n".join([*urls, "depth_days = { 15m = 2, 1h = 10 }", *pools]), encoding="utf-8")
    return Market(live=str(file))


OPEN: dict[str, LiveMarket] = {}


class SeenAt(Market):
    """A live market that was opened by the test, in moved time; Dagster copies resources, so this one has its name."""

    opened: str

    def source(self, as_of: datetime) -> LiveMarket:
        """View it at an instant."""
        return OPEN[self.opened].at(as_of)


def seen_at(market: LiveMarket) -> Market:
    name = f"market {len(OPEN)}"
    OPEN[name] = market
    return SeenAt(opened=name)


def pooled(name: str) -> LiveSymbol:
    venue = VenueSymbol(venue="geckoterminal", symbol=f"eth/0x{name}")
    return LiveSymbol(token_contract=name, chain="eth", venues=(venue,))


def load(
    market: Market, as_of: datetime, *tables: str, first: date = DAY, last: date = DAY
) -> dg.ExecuteInProcessResult:
    return run_chain(first, last, as_of=as_of, market=market, tables=tables)


def load_minutes(spec: ChainTable, market: Market, as_of: datetime) -> None:
    """The hour before an instant, as a micro-batch makes it."""
    window = Window(as_of - HOUR, as_of)
    clock = Clock(as_of=as_of.isoformat())
    stamp = Stamp("test", spec.code_version)
    spec.publish(begin(spec, window, Tables(), market, clock, PmSettings(), stamp))


def metadata(result: dg.ExecuteInProcessResult, table: str) -> dict[str, object]:
    made, *_ = result.asset_materializations_for_node(f"regime__{table.split('.')[1]}")
    return {name: value.value for name, value in made.metadata.items()}


@contextmanager
def counted(api: LoopbackApi):
    """Requests made within the block."""
    before, made = len(api.asked), []
    yield made
    made += api.asked[before:]


def test_a_second_load_asks_for_the_newest_bars_only_and_changes_nothing(database, tmp_path):
    with live_services() as (_, api):
        market = live_market(api, tmp_path, "pepe")
        with counted(api) as first:
            told = load(market, NOW, MAJORS, LOWCAP)
        rows = {table: stored(table) for table in (MAJORS, LOWCAP)}
        with counted(api) as second:
            again = load(market, NOW, MAJORS, LOWCAP)

    assert (len(first), len(second)) == (12, 12)
    assert metadata(told, MAJORS)["rows_received"] == 5 * (24 + 96)
    assert metadata(again, MAJORS)["rows_received"] == 5 * 4
    for table, before in rows.items():
        assert_frame_equal(stored(table), before)


def test_a_day_that_is_over_and_whole_is_not_asked_for_again(database, tmp_path):
    with live_services() as (_, api):
        market = live_market(api, tmp_path, "pepe")
        load(market, NOW, MAJORS, LOWCAP)
        with counted(api) as later:
            told = load(market, NOW + timedelta(days=1), MAJORS, LOWCAP)

    assert later == []
    assert metadata(told, MAJORS)["rows_received"] == 0
    assert metadata(told, MAJORS)["spans_asked_for"] == {}


def test_after_days_off_a_range_brings_what_is_missing_and_keeps_what_is_stored(database, tmp_path):
    with live_services() as (_, api):
        market = live_market(api, tmp_path)
        week_ago = NOW - timedelta(days=6)
        first = week_ago.date() - timedelta(days=1)
        load(market, week_ago, MAJORS, first=first, last=first)
        before = stored(MAJORS)
        told = load(market, NOW, MAJORS, first=first, last=DAY)

    hours = stored(MAJORS).filter(symbol="BTC", timeframe="1h")
    assert hours.height == 7 * 24
    assert_frame_equal(stored(MAJORS).filter(pl.col("known_at") == week_ago), before)
    assert metadata(told, MAJORS)["spans_asked_for"] == {"hyperliquid": 10}


def factor(at: int) -> float:
    """Growth by a million over the day; besides, wrong by x6 from 10:00 on, by x4.5 from 14:00 until 18:00."""
    hour = (at - seconds(MIDNIGHT)) / 3600
    return 1e6 ** (max(hour, 0) / 24) * (6.0 if 10 <= hour < 14 else 4.5 if 14 <= hour < 18 else 1.0)


def stepping_pools(asked: Asked) -> Reply:
    """Pools whose unit steps and fades; a trade every quarter of an hour."""
    step = 900 if asked.path.endswith("minute") else 3600
    before = int(asked.query["before_timestamp"])
    opens = range(before - before % step, before - 1000 * step, -step)
    prices = {at: factor(at) for at in opens if at < before}
    return Reply({"data": {"attributes": {"ohlcv_list": [[at, *[usd] * 4, 5.0] for at, usd in prices.items()]}}})


def rows_after(api: LoopbackApi, steps: Iterable[int], *, are_minutes: bool) -> tuple[pl.DataFrame, int]:
    """Printed bars of a pool, and how many are refused, after loads that end so many hours after midnight."""
    time = MovedTime()
    tokens = tuple(pooled(name) for name in "abcd")
    market = seen_at(market_of(api, time, lowcaps=tokens, depth_days={Timeframe.M15: 2, Timeframe.H1: 10}))
    load(market, MIDNIGHT, LOWCAP, first=days_before(DAY, 1), last=days_before(DAY, 1))
    for hour in steps:
        time.at += 3600
        if are_minutes:
            load_minutes(lowcap_price_data_ohlc.SPEC, market, MIDNIGHT + hour * HOUR)
        else:
            load(market, MIDNIGHT + hour * HOUR, LOWCAP)
    refused = Tables().query("jumps_refused_between", ("lowcap_price_data_ohlc", MIDNIGHT, NOW))
    return stored(LOWCAP).filter(source="geckoterminal:eth/0xa").drop("known_at"), refused.height


@pytest.mark.parametrize(
    ("steps", "are_minutes"), [(range(1, 25), True), ([9, 12, 15, 16, 19, 24], False)], ids=["by hour", "by run"]
)
def test_loads_in_steps_give_what_one_load_of_the_day_gives(postgres_server, database_template, steps, are_minutes):
    with live_services() as (services, api):
        services.answers[GECKOTERMINAL] = stepping_pools
        with throw_away_database(postgres_server, database_template):
            at_once, refused_at_once = rows_after(api, [24], are_minutes=False)
        with throw_away_database(postgres_server, database_template):
            stepped, refused = rows_after(api, steps, are_minutes=are_minutes)

    assert at_once.height > 140
    assert refused_at_once > 100
    assert_frame_equal(stepped, at_once)
    assert refused == refused_at_once


def test_minutes_then_a_run_leave_the_rows_of_a_run(postgres_server, database_template, tmp_path):
    made = {}
    with live_services() as (_, api):
        market = live_market(api, tmp_path, "pepe")
        for name in ("stepped", "at once"):
            with throw_away_database(postgres_server, database_template):
                if name == "stepped":
                    for hour in (1, 2, 3, 7):  # three hours off
                        load_minutes(majors_price_data_ohlc.SPEC, market, MIDNIGHT + hour * HOUR)
                load(market, MIDNIGHT + 7 * HOUR, MAJORS)
                made[name] = stored(MAJORS).drop("known_at")

    assert made["at once"].filter(symbol="BTC", timeframe="1h").height == 7
    assert_frame_equal(made["stepped"], made["at once"])


def test_a_pool_of_another_price_in_place_of_the_first_goes_to_quarantine(database, tmp_path):
    def pools_apart(asked: Asked) -> Reply:
        factor = 1.6 if "0ybad" in asked.path else 1.0
        at = [seconds(NOW) - 3600 * hour for hour in range(1, 24)]
        rows = [[each, *[price(each) * factor] * 4, 5.0] for each in at if each < int(asked.query["before_timestamp"])]
        return Reply({"data": {"attributes": {"ohlcv_list": rows if asked.path.endswith("hour") else []}}})

    with live_services() as (services, api):
        services.answers[GECKOTERMINAL] = pools_apart
        load(live_market(api, tmp_path, "pepe"), NOW - 3 * HOUR, LOWCAP)
        before = stored(LOWCAP).filter(timeframe="1h")
        told = load(live_market(api, tmp_path, "pepe", pool="0ybad"), NOW, LOWCAP)

    assert_frame_equal(stored(LOWCAP).filter(timeframe="1h"), before)
    assert metadata(told, LOWCAP)["quarantined_by_reason"] == {"revision_conflict": 3}
    refused = Tables().query("count_refused_by_reason", ("lowcap_price_data_ohlc",))
    assert refused.rows() == [("revision_conflict", 3)]


def test_the_key_is_in_no_event_of_a_run_and_no_row(database, tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("LOWCAP_COINGECKO_KEY", KEY)
    with live_services() as (services, api), dg.DagsterInstance.ephemeral() as instance:
        services.broken(COINGECKO, Reply(f"no such key {KEY}".encode(), 401))
        market = live_market(api, tmp_path)
        result = run_chain(DAY, NOW.date(), as_of=NOW, market=market, tables=(DOMINANCE,), instance=instance)
        events = "".join(str(entry.to_json()) for entry in instance.all_logs(result.run_id))
        sent = {asked.headers.get("x-cg-demo-api-key") for asked in api.asked}

    assert sent == {KEY}
    assert metadata(result, DOMINANCE)["not_had"] == {"coingecko_global dominance": 1}
    assert "not_had" in events
    assert KEY not in events + "".join(capfd.readouterr()) + str(Tables().read(DOMINANCE, EVERYTHING).rows())
