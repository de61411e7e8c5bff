"""One contract for every source of candles: the same claims, each on each implementation."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from domain.vocabulary.driver import DOMINANCE_DRIVERS
from domain.vocabulary.timeframe import Timeframe
from domain.vocabulary.universe import MAJORS, Universe
from resources.candle_files import CandleFiles
from resources.candle_memory import CandleMemory
from resources.candle_source import (
    CANDLE_SCHEMA,
    DOMINANCE_SCHEMA,
    MARKET_CAP_SCHEMA,
    CandleSource,
    SourceTerms,
)
from resources.simulated_market import SimulatedMarket
from tests.seams.tick_source import TickSource

END = datetime(2025, 7, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)

LAYOUT = """
name = "contract"
[[candles]]
path = "bars_*.parquet"
source = "venue"
chain = "test"
volume_unit = "base"
columns = { timestamp = "ts", symbol = "symbol", timeframe = "tf" }
time_zone = "UTC"
[[candles]]
path = "bars.csv.gz"
source = "venue"
chain = "test"
volume_unit = "base"
columns = { timestamp = "ts", symbol = "symbol", timeframe = "tf" }
timestamp_unit = "ms"
[[dominance]]
path = "dominance.csv"
source = "index"
timeframe = "1h"
time_zone = "UTC"
timestamp_column = "at"
metrics = { "BTC.d" = "btc", "USDT.d" = "usdt" }
[[market_caps]]
path = "caps.csv"
source = "index"
chain = "test"
time_zone = "UTC"
[market_caps.columns]
token = "coin"
timestamp = "at"
market_cap = "cap"
circulating_supply = "supply"
fdv = "fdv"
volume_24h = "volume"
liquidity = "pools"
"""


def flat_bars(symbols: tuple[str, ...], timeframe: Timeframe, days: int) -> pl.DataFrame:
    """Bars over the days before END, whose close counts the minutes since 1970 so that no two are equal."""
    opens = pl.datetime_range(END - days * DAY, END, timeframe.duration, closed="left", time_unit="us", eager=True)
    price = opens.dt.epoch("s").cast(pl.Float64) / 60
    return pl.concat(
        pl.DataFrame(
            {"token_contract": symbol, "chain": "test", "timeframe": timeframe.value, "timestamp": opens}
            | dict.fromkeys(("open_usd", "high_usd", "low_usd", "close_usd"), price)
            | {"volume": 1.0, "source": "venue"},
            schema=CANDLE_SCHEMA,
        )
        for symbol in symbols
    )


def bars_of(universe: Universe) -> pl.DataFrame:
    symbols = {Universe.MAJORS: ("BTC", "ETH"), Universe.LOWCAP: ("MOG", "PEPE")}[universe]
    return pl.concat([flat_bars(symbols, Timeframe.H1, 3), flat_bars(symbols, Timeframe.M15, 1)])


def samples() -> pl.DataFrame:
    at = pl.datetime_range(END - 3 * DAY, END, HOUR, closed="left", time_unit="us", eager=True)
    frames = [
        pl.DataFrame({"metric": metric, "timestamp": at, "timeframe": "1h", "value_pct": value, "source": "index"})
        for metric, value in (("BTC.d", 60.0), ("USDT.d", 5.0))
    ]
    return pl.concat(frames).select(pl.col(name).cast(dtype) for name, dtype in DOMINANCE_SCHEMA.items())


def readings() -> pl.DataFrame:
    """Caps of a major and two tokens every six hours, some of them unknown, zero or no number."""
    at = pl.datetime_range(END - 3 * DAY, END, 6 * HOUR, closed="left", time_unit="us", eager=True)
    cap = pl.Series([1e6, None, 0.0, float("nan")] * 3)
    frames = [
        pl.DataFrame({"timestamp": at, "market_cap_usd": cap, "circulating_supply": supply}).with_columns(
            token_contract=pl.lit(token), chain=pl.lit("test"), source=pl.lit("index"), liquidity_usd=2.0
        )
        for token, supply in (("BTC", 2e7), ("MOG", 1e15), ("PEPE", None))
    ]
    empty = pl.DataFrame(schema=MARKET_CAP_SCHEMA)
    return pl.concat([empty, *frames], how="diagonal_relaxed").cast(MARKET_CAP_SCHEMA)


def memory(folder: Path) -> CandleSource:
    bars = {universe: bars_of(universe) for universe in Universe}
    return CandleMemory(bars=bars, samples=samples(), terms=(SourceTerms("venue", "base"),), caps=readings())


def files(folder: Path) -> CandleSource:
    """The same rows as in memory, over two Parquet files and a CSV, named and typed otherwise."""
    names = {"token_contract": "symbol", "timestamp": "ts", "timeframe": "tf"}
    names |= {f"{name}_usd": name for name in ("open", "high", "low", "close")}
    every = pl.concat([bars_of(universe) for universe in Universe]).rename(names).drop("chain", "source")
    naive = every.with_columns(pl.col("ts").dt.replace_time_zone(None))
    naive.filter(symbol="BTC").write_parquet(folder / "bars_btc.parquet")
    naive.filter(symbol="MOG").write_parquet(folder / "bars_mog.parquet")
    rest = every.filter(pl.col("symbol").is_in(["ETH", "PEPE"]))
    rest.with_columns(pl.col("ts").dt.epoch("ms")).write_csv(folder / "bars.csv.gz", compression="gzip")
    wide = samples().pivot(on="metric", index="timestamp", values="value_pct")
    wide.rename({"timestamp": "at", "BTC.d": "btc", "USDT.d": "usdt"}).write_csv(folder / "dominance.csv")
    told = {"token_contract": "coin", "timestamp": "at", "market_cap_usd": "cap", "circulating_supply": "supply"}
    told |= {"fdv_usd": "fdv", "volume_24h_usd": "volume", "liquidity_usd": "pools"}
    readings().rename(told).drop("chain", "source").write_csv(folder / "caps.csv")
    (folder / "candles.toml").write_text(LAYOUT, encoding="utf-8")
    return CandleFiles(folder)


def simulated(folder: Path) -> CandleSource:
    return SimulatedMarket(end=END, start=END - 20 * DAY, minute_days=2, hour_days=9, n_lowcaps=7)


def ticks(folder: Path) -> CandleSource:
    """A stranger's source, over the trades whose bars these are."""
    bars = pl.concat([bars_of(universe) for universe in Universe]).filter(timeframe="15m")
    older = pl.concat([bars_of(universe) for universe in Universe]).filter(pl.col("timestamp") < END - DAY)
    at = pl.col("timestamp").dt.strftime("%Y-%m-%dT%H:%M:%S%z")
    trades = pl.concat([bars, older]).select(time=at, token="token_contract", price="close_usd", size="volume")
    trades.write_csv(folder / "ticks.csv")
    samples().select(at.alias("time"), "metric", value="value_pct").write_csv(folder / "dominance.csv")
    readings().select(at.alias("time"), token="token_contract", cap="market_cap_usd").write_csv(folder / "caps.csv")
    return TickSource(folder)


@pytest.fixture(params=[memory, files, simulated, ticks], ids=lambda make: make.__name__)
def source(request: pytest.FixtureRequest, tmp_path: Path) -> CandleSource:
    make: Callable[[Path], CandleSource] = request.param
    return make(tmp_path)


def ordered(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.sort(frame.columns)


@pytest.mark.parametrize("universe", Universe)
def test_candles_have_the_declared_columns_and_known_timeframes(source, universe):
    bars = source.candles(universe, *source.span())

    assert dict(bars.schema) == CANDLE_SCHEMA
    assert bars.height > 0
    assert set(bars["timeframe"]) <= {timeframe.value for timeframe in Timeframe}


@pytest.mark.parametrize("universe", Universe)
def test_a_window_holds_what_a_larger_window_holds_of_it(source, universe):
    first, end = source.span()
    for start, stop in ((END - 30 * HOUR, END - 5 * HOUR), (END - 50 * HOUR, END - 46.5 * HOUR), (END - DAY, END)):
        window = source.candles(universe, start, stop)
        whole = source.candles(universe, first, end)

        within = whole.filter(pl.col("timestamp").is_between(start, stop, closed="left"))
        assert within.height > 0
        assert_frame_equal(ordered(window), ordered(within))


def test_dominance_windows_are_cuts_of_a_larger_one(source):
    window = source.dominance(END - 30 * HOUR, END - 5 * HOUR)

    whole = source.dominance(*source.span())
    within = whole.filter(pl.col("timestamp").is_between(END - 30 * HOUR, END - 5 * HOUR, closed="left"))
    assert within.height > 0
    assert_frame_equal(ordered(window), ordered(within))


def test_dominance_is_a_percentage_of_a_known_metric(source):
    found = source.dominance(*source.span())

    assert dict(found.schema) == DOMINANCE_SCHEMA
    assert set(found["metric"]) == set(DOMINANCE_DRIVERS)
    assert found["value_pct"].is_between(0, 100).all()
    assert found.select("metric", "timestamp", "timeframe").is_unique().all()


@pytest.mark.parametrize("universe", Universe)
def test_no_bar_lies_outside_the_span(source, universe):
    first, end = source.span()
    whole = source.candles(universe, first - 100 * DAY, end + 100 * DAY)

    assert_frame_equal(ordered(whole), ordered(source.candles(universe, first, end)))
    assert whole["timestamp"].min() >= first
    assert whole["timestamp"].max() < end


def test_a_universe_holds_majors_or_the_others(source):
    first, end = source.span()

    assert set(source.candles(Universe.MAJORS, first, end)["token_contract"]) <= set(MAJORS)
    assert not set(source.candles(Universe.LOWCAP, first, end)["token_contract"]) & set(MAJORS)


@pytest.mark.parametrize("at", [END - 10 * HOUR, END + 100 * DAY, END - 10_000 * DAY])
def test_an_empty_window_gives_empty_frames_of_the_same_shape(source, at):
    assert dict(source.candles(Universe.LOWCAP, at, at).schema) == CANDLE_SCHEMA
    assert source.candles(Universe.LOWCAP, at, at).is_empty()
    assert dict(source.dominance(at, at).schema) == DOMINANCE_SCHEMA
    assert source.dominance(at, at).is_empty()


def test_a_window_that_cannot_be_right_raises(source):
    for start, end in ((END.replace(tzinfo=None), END), (END, END.replace(tzinfo=None)), (END, END - HOUR)):
        for ask in (lambda: source.candles(Universe.MAJORS, start, end), lambda: source.dominance(start, end)):  # noqa: B023 - called at once
            with pytest.raises(ValueError, match="must"):
                ask()


def test_market_caps_have_the_declared_columns_and_name_what_they_are_of(source):
    found = source.market_caps(END - DAY, END)

    assert dict(found.schema) == MARKET_CAP_SCHEMA
    assert found.height > 0
    assert found.select("token_contract", "chain", "timestamp", "source").null_count().sum_horizontal().item() == 0


def test_market_cap_windows_are_cuts_of_a_larger_one(source):
    whole = source.market_caps(END - 30 * DAY, END + 30 * DAY)
    for start, stop in ((END - 2.5 * DAY, END - 5 * HOUR), (END - DAY, END), (END - 26 * HOUR, END - 23 * HOUR)):
        within = whole.filter(pl.col("timestamp").is_between(start, stop, closed="left"))

        assert within.height > 0
        assert_frame_equal(ordered(source.market_caps(start, stop)), ordered(within))


@pytest.mark.parametrize("at", [END - 10 * HOUR, END - DAY, END + 100 * DAY])
def test_an_empty_window_has_no_market_caps(source, at):
    found = source.market_caps(at, at)

    assert dict(found.schema) == MARKET_CAP_SCHEMA
    assert found.is_empty()


def test_a_window_of_market_caps_that_cannot_be_right_raises(source):
    for start, end in ((END.replace(tzinfo=None), END), (END, END.replace(tzinfo=None)), (END, END - HOUR)):
        with pytest.raises(ValueError, match="must"):
            source.market_caps(start, end)


def test_every_source_of_the_rows_has_its_terms(source):
    first, end = source.span()
    named = {name for universe in Universe for name in source.candles(universe, first, end)["source"]}

    assert named == {terms.source for terms in source.terms}


def test_asking_twice_gives_the_same_rows_in_the_same_order(source):
    one, two = (source.candles(Universe.LOWCAP, END - 3 * DAY, END) for _ in range(2))

    assert_frame_equal(one, two)


def test_a_source_says_what_it_is(source):
    assert source.name
    assert source.name.split("_")[0] in source.description().lower()
    assert source.is_simulated == (not isinstance(source, CandleFiles | TickSource))


@pytest.mark.parametrize("universe", Universe)
def test_files_give_the_rows_they_were_written_from(tmp_path, universe):
    from_files = files(tmp_path).candles(universe, END - 10 * DAY, END)

    assert_frame_equal(ordered(from_files), ordered(memory(tmp_path).candles(universe, END - 10 * DAY, END)))


def test_files_give_the_market_caps_they_were_written_from(tmp_path):
    from_files = files(tmp_path).market_caps(END - 10 * DAY, END)

    assert_frame_equal(ordered(from_files), ordered(memory(tmp_path).market_caps(END - 10 * DAY, END)))
