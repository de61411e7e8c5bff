"""What a deployment names is what runs: a stranger's source, grouping, venue and notifier, each end to end."""

import json
import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta

import dagster as dg
import polars as pl
import pytest

from domain.config.pm_config import PmConfig
from domain.vocabulary.cap_bucket import CapBucket
from domain.vocabulary.universe import MAJORS
from pm_runtime.named_venue import open_named_venue
from pm_runtime.paper_venue import open_paper_venue
from pm_runtime.portfolio_row import OrderStatus
from resources.market import Market
from resources.named_grouping import read_grouping
from sql.database import connect
from sql.database_role import DatabaseRole
from sql.plugin import PluginError
from tests.alarm_rows import coverage, found, settle
from tests.chain_runs import run_chain, small_market, stored
from tests.portfolio_worlds import MemoryPortfolioWorld
from tests.seams.exchange import ExchangeHarness
from tests.seams.tick_source import TickSource
from tests.trade_life import TradeLife, seen

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
LAST = date(2026, 3, 9)
AS_OF = datetime(2026, 3, 10, tzinfo=UTC)
RAW = ("regime.majors_price_data_ohlc", "regime.lowcap_price_data_ohlc", "regime.dominance_sample")
GROUPED = (
    *RAW, "regime.token_metadata", "regime.token_cap_bucket", "regime.bucket_eligibility",
    "regime.regime_price_data_ohlc", "regime.regime_driver_ta", "regime.regime_driver_state", "regime.ae_score",
    "regime.bucket_return_series",
)  # fmt: skip
SOURCE = "tests.seams.tick_source:open_ticks"


def write_ticks(folder) -> None:
    """Trades of every ten minutes over three days, a sample and a cap an hour."""
    at = pl.datetime_range(AS_OF - 3 * DAY, AS_OF, "10m", closed="left", time_unit="us", eager=True)
    text = at.dt.strftime("%Y-%m-%dT%H:%M:%S+0000")
    tokens = ("BTC", "ETH", "SOL", "BNB", "HYPE", "MOG", "PEPE")
    trades = [
        pl.DataFrame(
            {"time": text, "token": token, "price": 100.0 + number + pl.Series(range(len(at))) / 100, "size": 1.0}
        )
        for number, token in enumerate(tokens)
    ]
    pl.concat(trades).write_csv(folder / "ticks.csv")
    hourly = text.gather_every(6)
    samples = [pl.DataFrame({"time": hourly, "metric": m, "value": v}) for m, v in (("BTC.d", 60.0), ("USDT.d", 5.0))]
    pl.concat(samples).write_csv(folder / "dominance.csv")
    caps = [pl.DataFrame({"time": hourly, "token": token, "cap": 2e6}) for token in ("MOG", "PEPE")]
    pl.concat(caps).write_csv(folder / "caps.csv")


@pytest.fixture
def no_market(monkeypatch):
    for name in ("LOWCAP_CANDLES", "LOWCAP_LIVE", "LOWCAP_SOURCE"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.postgres
def test_a_backfill_reads_the_source_that_is_named(database, no_market, monkeypatch, tmp_path):
    write_ticks(tmp_path)
    monkeypatch.setenv("LOWCAP_SOURCE", SOURCE)
    monkeypatch.setenv("TICK_FOLDER", str(tmp_path))

    assert isinstance(Market().source(AS_OF), TickSource)
    run_chain(LAST - DAY, LAST, as_of=AS_OF, market=Market(), tables=(*RAW, "regime.token_metadata"))

    bars = stored("regime.lowcap_price_data_ohlc").filter(timeframe="1h")
    assert bars.group_by("token_contract").len().sort("token_contract").rows() == [("MOG", 48), ("PEPE", 48)]
    assert set(bars["source"]) == {"ticks"}
    assert stored("regime.token_metadata")["market_cap_usd"].to_list() == [2e6] * 4


def test_two_markets_are_refused(no_market, monkeypatch, tmp_path):
    monkeypatch.setenv("LOWCAP_SOURCE", SOURCE)
    monkeypatch.setenv("LOWCAP_CANDLES", str(tmp_path))

    with pytest.raises(dg.Failure, match="Two markets: LOWCAP_SOURCE names"):
        Market().source(AS_OF)


def test_what_is_no_source_is_refused(no_market, monkeypatch):
    monkeypatch.setenv("LOWCAP_SOURCE", "builtins:str")

    with pytest.raises(PluginError, match="LOWCAP_SOURCE: a str is no CandleSource: it lacks candles, description"):
        Market().source(AS_OF)


@pytest.mark.postgres
def test_the_pipeline_groups_as_is_named_from_tags_to_scores(database, monkeypatch, tmp_path):
    market = small_market(simulation_lowcaps=24)
    caps = market.source(AS_OF).market_caps(AS_OF - 5 * DAY, AS_OF)
    tokens = sorted({token for token in caps.select("token_contract", "chain").iter_rows() if token[0] not in MAJORS})
    pads = ["pump" if number % 2 else "four" for number in range(len(tokens))]
    lines = [f"{contract},{chain},{pad}" for (contract, chain), pad in zip(tokens, pads, strict=True)]
    (tmp_path / "launchpads.csv").write_text("\n".join(["token_contract,chain,launchpad", *lines[5:]]), "utf-8")
    monkeypatch.setenv("LAUNCHPADS", str(tmp_path / "launchpads.csv"))
    monkeypatch.setenv("LOWCAP_GROUPING", "tests.seams.launchpad_grouping:open_launchpads")

    done = run_chain(LAST - 4 * DAY, LAST, as_of=AS_OF, market=market, tables=GROUPED)

    tags = stored("regime.token_cap_bucket")
    assert set(tags["bucket"]) == {CapBucket.NANO, CapBucket.BIG}
    assert not set(tokens[:5]) & set(tags.select("token_contract", "chain").iter_rows())
    made = done.asset_materializations_for_node("regime__token_cap_bucket")[0].metadata
    assert (made["grouping"].value, made["tokens_in_no_group"].value > 0) == ("launchpad", True)
    assert set(stored("regime.bucket_return_series")["bucket"]) == {CapBucket.NANO, CapBucket.BIG}
    drivers = set(stored("regime.regime_price_data_ohlc")["driver"])
    assert {"nano", "big"} <= drivers
    assert not {"micro", "mid", "large"} & drivers
    assert stored("regime.ae_score").height > 0


def test_tokens_are_grouped_by_cap_where_nothing_is_named():
    assert read_grouping({"LOWCAP_GROUPING": " "}).name == "cap"
    with pytest.raises(PluginError, match="LOWCAP_GROUPING: a OrderedDict is no Grouping: it lacks buckets, name"):
        read_grouping({"LOWCAP_GROUPING": "collections:OrderedDict"})


@pytest.fixture
def exchange(monkeypatch):
    harness = ExchangeHarness()
    monkeypatch.setenv("EXCHANGE_URL", harness.exchange.url)
    yield harness
    harness.close()


def test_the_runtime_trades_on_the_venue_that_is_named(exchange):
    open_venue = open_named_venue("tests.seams.http_venue:open_exchange")
    life = TradeLife(MemoryPortfolioWorld()).allow()
    life.watch()
    for state, values in (("S0", {}), ("S1", {"buyable": True, "prev_state": "S0"})):
        life.see(seen(life.bar, state, **values))
        life.tick(open_venue=open_venue)
    (order,) = life.orders
    exchange.fill(order)
    life.see(seen(life.bar))
    life.tick(open_venue=open_venue)

    assert (order.venue, exchange.exchange.taken[order.order_id]) == ("exchange", 1)
    assert life.orders[0].status is OrderStatus.FILLED
    assert life.position.position.quantity == pytest.approx(exchange.ask(order).fills[0].quantity)


def test_an_order_the_exchange_took_without_saying_so_is_done_once(exchange):
    open_venue = open_named_venue("tests.seams.http_venue:open_exchange")
    exchange.exchange.failures = [500]
    life = TradeLife(MemoryPortfolioWorld()).allow()
    life.watch()
    for state, values in (("S0", {}), ("S1", {"buyable": True, "prev_state": "S0"})):
        life.see(seen(life.bar, state, **values))
        outcome = life.tick(open_venue=open_venue)
    (order,) = life.orders
    open_venue(PmConfig()).submit(order)

    assert (outcome.submission.left, order.status) == (1, OrderStatus.PLANNED)
    assert exchange.exchange.taken[order.order_id] == 1


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("http_venue", "LOWCAP_VENUE: expected package.module:factory"),
        ("no_such:make", "LOWCAP_VENUE: cannot import no_such"),
        ("pm_runtime.venue:UnknownOrderError", "is no Venue: it lacks name, settle, submit, wallet_usd"),
        ("pm_runtime.paper_venue:open_paper_venue", "calls itself 'paper'"),
    ],
)
def test_what_is_no_venue_is_refused_at_the_start(name, complaint):
    with pytest.raises(PluginError, match=complaint):
        open_named_venue(name)


def test_without_a_name_it_is_paper():
    assert open_named_venue("") is open_paper_venue


@pytest.mark.postgres
def test_the_notifier_that_is_named_is_told(database, tmp_path):
    with connect(DatabaseRole.REGIME, autocommit=True) as connection:
        ((now,),) = connection.execute("SELECT now()").fetchall()
        settle(connection, found(coverage("nano 1h"), coverage("mid 1h")), at=now)
    file = tmp_path / "lines.jsonl"
    named = {"LOWCAP_NOTIFIER": "tests.seams.line_notifier:open_lines", "LINES_FILE": str(file)}
    command = [sys.executable, "-m", "resources.notify", "--once"]
    done = subprocess.run(command, env=os.environ | named, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (0, "2 new, 2 told by lines, 0 to be tried again, 0 given up\n")
    told = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert [line["subject"] for line in told] == ["coverage_low nano 1h", "coverage_low mid 1h"]
