"""Which source a deployment opens, and what it says when that cannot be."""

import logging
from datetime import timedelta

import dagster as dg
import polars as pl
import pytest

from domain.vocabulary.universe import Universe
from domain.vocabulary.window import Window
from resources.candle_files import CandleFiles
from resources.candle_source import CANDLE_SCHEMA
from resources.deployment import Deployment, resources_of
from resources.live_market import LiveMarket
from resources.market import Market
from resources.simulated_market import SimulatedMarket
from tests.live_services import COINGECKO, NOW, live_services
from tests.loopback_api import LoopbackApi, Reply

KEY = "CG-fixture-secret-654"
SERVICES = ("hyperliquid", "binance_usd_m", "binance_spot", "geckoterminal", "coingecko")


@pytest.fixture(autouse=True)
def no_variable(monkeypatch):
    for name in ("LOWCAP_CANDLES", "LOWCAP_CANDLES_LAYOUT", "LOWCAP_LIVE", "LOWCAP_COINGECKO_KEY"):
        monkeypatch.delenv(name, raising=False)


def live_toml(api: LoopbackApi, folder) -> str:
    file = folder / "live.toml"
    urls = [f'{service}_url = "{api.url}"' for service in SERVICES]
    file.write_text("\n".join([*urls, "depth_days = { 1h = 30 }"]), encoding="utf-8")
    return str(file)


def test_a_variable_that_names_a_file_opens_live_venues(monkeypatch, tmp_path):
    with live_services() as (_, api):
        monkeypatch.setenv("LOWCAP_LIVE", live_toml(api, tmp_path))
        source = Market(simulation_allowed=False).source(NOW)

        assert isinstance(source, LiveMarket)
        assert source.candles(Universe.MAJORS, NOW - timedelta(hours=2), NOW).height == 10


def test_the_venues_limits_outlive_the_opening(monkeypatch, tmp_path):
    with live_services() as (_, api):
        monkeypatch.setenv("LOWCAP_LIVE", live_toml(api, tmp_path))
        views = [Market().source(NOW) for _ in range(3)]

    assert len({id(view.services) for view in views}) == 1
    assert len({id(view.services.venues["hyperliquid"].client.rate) for view in views}) == 1


def test_prod_without_a_folder_or_venues_refuses():
    market = resources_of(Deployment.PROD)["market"]

    with pytest.raises(dg.Failure, match=r"set LOWCAP_CANDLES to a folder.* or LOWCAP_LIVE to a file") as refused:
        market.source(NOW)
    assert refused.value.allow_retries is False


def test_a_folder_and_venues_together_are_refused(monkeypatch, tmp_path):
    monkeypatch.setenv("LOWCAP_CANDLES", str(tmp_path))
    monkeypatch.setenv("LOWCAP_LIVE", "live.toml")

    with pytest.raises(dg.Failure, match=r"LOWCAP_CANDLES names the folder .*LOWCAP_LIVE the file live\.toml"):
        Market().source(NOW)


def test_an_empty_variable_counts_as_unset(monkeypatch):
    for name in ("LOWCAP_CANDLES", "LOWCAP_LIVE", "LOWCAP_COINGECKO_KEY"):
        monkeypatch.setenv(name, "")

    assert isinstance(Market().source(NOW), SimulatedMarket)


def test_a_folder_is_opened_as_ever(monkeypatch, tmp_path):
    (tmp_path / "bars.csv").write_text("timestamp,open,high,low,close,volume\n", encoding="utf-8")
    layout = 'path="bars.csv"\nsource="s"\nchain="c"\nvolume_unit="base"\nsymbol="BTC"\ntimeframe="1h"\ntime_zone="UTC"'
    (tmp_path / "candles.toml").write_text(f'name="n"\n[[candles]]\n{layout}\n', encoding="utf-8")
    monkeypatch.setenv("LOWCAP_CANDLES", str(tmp_path))

    assert isinstance(Market().source(NOW), CandleFiles)


@pytest.mark.parametrize("text", ["unknown = 1", "majors = ["])
def test_a_file_that_cannot_be_right_is_named(monkeypatch, tmp_path, text):
    (tmp_path / "live.toml").write_text(text, encoding="utf-8")
    monkeypatch.setenv("LOWCAP_LIVE", str(tmp_path / "live.toml"))

    with pytest.raises(ValueError, match=r"live\.toml: "):
        Market().source(NOW)


def test_the_key_is_sent_and_shown_nowhere(monkeypatch, tmp_path, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("LOWCAP_COINGECKO_KEY", KEY)
    with live_services() as (services, api):
        monkeypatch.setenv("LOWCAP_LIVE", live_toml(api, tmp_path))
        market = Market()
        source = market.source(NOW)
        sent = []
        services.answers[COINGECKO] = lambda asked: sent.append(asked.headers) or Reply(f"no {KEY}".encode(), 401)
        source.dominance(NOW - timedelta(hours=1), NOW)
        source.missing_candles(
            Universe.MAJORS, Window(NOW - timedelta(hours=1), NOW), pl.DataFrame(schema=CANDLE_SCHEMA)
        )
        print(source, market, source.report(), source.config, source.services, source.description())  # noqa: T201

    written = capfd.readouterr()
    told = caplog.text + written.out + written.err + repr([vars(record) for record in caplog.records])
    assert KEY in sent[0].values()
    assert "not_had" in told
    assert "no **********" in told
    assert KEY not in told


def test_a_key_that_is_no_header_value_is_refused_without_being_repeated(monkeypatch, tmp_path):
    monkeypatch.setenv("LOWCAP_COINGECKO_KEY", f"{KEY}\nX-Other: 1")
    with live_services() as (_, api):
        monkeypatch.setenv("LOWCAP_LIVE", live_toml(api, tmp_path))
        with pytest.raises(ValueError, match="printable ASCII") as refused:
            Market().source(NOW)

    assert KEY not in str(refused.value)
