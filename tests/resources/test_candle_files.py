from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import polars as pl
import pytest

from domain.config.bar import BarConfig
from domain.regime.bar import validate_bars
from domain.regime.bar_jump import LAST_CLOSE_SCHEMA
from domain.vocabulary.universe import MAJORS, Universe
from resources.candle_files import CandleFiles
from resources.candle_layout import LayoutError
from resources.candle_source import NAIVE_TEXT, SourceTerms

T0 = datetime(2025, 1, 1, tzinfo=UTC)
NO_CLOSE = pl.DataFrame(schema=LAST_CLOSE_SCHEMA)
HEAD = 'source = "s"\nchain = "c"\nvolume_unit = "base"\ntimeframe = "1h"\ncolumns = { symbol = "symbol" }\n'
CSV = "timestamp,symbol,open,high,low,close,volume\n"


def files(folder: Path, csv: str, layout: str = "") -> CandleFiles:
    """A folder with one CSV, and a layout of one entry to which lines are added."""
    (folder / "a.csv").write_text(CSV + csv, encoding="utf-8")
    entry = f'name = "n"\n[[candles]]\npath = "a.csv"\n{HEAD}{layout}'
    (folder / "candles.toml").write_text(entry, encoding="utf-8")
    return CandleFiles(folder)


def lowcaps(source: CandleFiles, hours: int = 24) -> pl.DataFrame:
    return source.candles(Universe.LOWCAP, T0, T0 + timedelta(hours=hours))


def test_naive_times_without_a_declared_zone_end_in_quarantine(tmp_path):
    bars = lowcaps(files(tmp_path, "2025-01-01 00:00:00,X,1,1,1,1,1\n2025-01-03 00:00:00,X,1,1,1,1,1\n"))

    result = validate_bars(bars, NO_CLOSE, as_of=T0 + timedelta(days=9), config=BarConfig())
    assert bars[NAIVE_TEXT].to_list() == ["2025-01-01T00:00:00.000000"]
    assert result.quarantined["reason"].to_list() == ["naive_timestamp"]


def test_what_is_no_number_or_no_time_ends_in_quarantine_and_not_in_an_error(tmp_path):
    source = files(tmp_path, "2025-01-01T00:00:00Z,X,1,1,1,n/a,1\nsoon,X,1,1,1,1,1\n2025-01-01T00:00:00Z,,1,1,1,1,1\n")

    result = validate_bars(lowcaps(source), NO_CLOSE, as_of=T0 + timedelta(days=9), config=BarConfig())

    details = sorted(result.quarantined["detail"])
    assert details == ["missing: close_usd", "missing: timestamp", "missing: token_contract"]


def test_a_multiplier_is_taken_off_the_symbol_the_price_and_the_volume(tmp_path):
    rows = "2025-01-01T00:00:00Z,1000PEPEUSDT,2,2,2,2,5\n2025-01-01T00:00:00Z,1INCHUSDT,2,2,2,2,5\n"
    layout = 'strip_suffix = "USDT"\nmultipliers = { 1000 = 1000.0, 1M = 1e6 }\n'

    bars = lowcaps(files(tmp_path, rows, layout)).sort("token_contract")

    assert bars["token_contract"].to_list() == ["1INCH", "PEPE"]
    assert bars["close_usd"].to_list() == [2.0, 0.002]
    assert bars["volume"].to_list() == [5.0, 5000.0]


def test_volume_in_usd_is_left_as_it_is(tmp_path):
    files(tmp_path, "2025-01-01T00:00:00Z,1000PEPE,2,2,2,2,5\n", "multipliers = { 1000 = 1000.0 }\n")
    declared = tmp_path / "usd.toml"
    declared.write_text((tmp_path / "candles.toml").read_text().replace('"base"', '"usd"'), encoding="utf-8")

    usd = CandleFiles(tmp_path, declared)

    assert usd.terms == (SourceTerms("s", "usd"),)
    assert lowcaps(usd)["volume"].to_list() == [5.0]


def test_symbols_can_be_listed_or_left_out(tmp_path):
    rows = "".join(f"2025-01-01T00:00:00Z,{symbol},1,1,1,1,1\n" for symbol in ("A", "B", "C"))

    assert set(lowcaps(files(tmp_path, rows, 'include = ["A", "B"]\n'))["token_contract"]) == {"A", "B"}
    assert set(lowcaps(files(tmp_path, rows, 'exclude = ["B"]\n'))["token_contract"]) == {"A", "C"}


def test_a_universe_declared_for_an_entry_overrides_the_symbol(tmp_path):
    source = files(tmp_path, "2025-01-01T00:00:00Z,BTC,1,1,1,1,1\n", 'universe = "lowcap"\n')

    assert lowcaps(source)["token_contract"].to_list() == ["BTC"]
    assert source.candles(Universe.MAJORS, T0, T0 + timedelta(days=1)).is_empty()


def test_a_wrong_column_name_is_an_error_that_says_where_and_what(tmp_path):
    (tmp_path / "b.parquet").touch()
    source = files(tmp_path, "2025-01-01T00:00:00Z,X,1,1,1,1,1\n")
    (tmp_path / "a.csv").write_text("time,symbol,open,high,low,close,volume\n", encoding="utf-8")

    with pytest.raises(LayoutError, match=r"a.csv has no column \['timestamp'\], it has \['time'.*candles.toml"):
        lowcaps(source)


def test_a_folder_without_a_single_dated_bar_has_no_span(tmp_path):
    with pytest.raises(LayoutError, match="no file"):
        files(tmp_path, "soon,X,1,1,1,1,1\n").span()


def test_terms_are_ordered_by_priority(tmp_path):
    again = '[[candles]]\npath = "a.csv"\npriority = 1\n' + HEAD.replace('"s"', '"best"')

    source = files(tmp_path, "", again)

    assert source.terms == (SourceTerms("best", "base"), SourceTerms("s", "base"))


CAPS = '[[market_caps]]\npath = "caps.csv"\nsource = "index"\nchain = "c"\n'


def sized(folder: Path, csv: str, layout: str) -> CandleFiles:
    """A folder with a file of caps or supplies beside a candle, and what the layout says of it."""
    (folder / "caps.csv").write_text(csv, encoding="utf-8")
    return files(folder, "2025-01-01T00:00:00Z,X,1,1,1,1,1\n", CAPS + layout)


def test_a_table_without_times_holds_at_every_midnight_of_the_window(tmp_path):
    source = sized(tmp_path, "coin,coins\nX,5\nY,\n", 'columns = { token = "coin", circulating_supply = "coins" }\n')

    found = source.market_caps(T0 - timedelta(hours=1), T0 + timedelta(days=1, hours=1))

    assert found.select("timestamp", "token_contract", "circulating_supply").sort(
        "timestamp", "token_contract"
    ).rows() == [
        (T0 + timedelta(days=day), token, supply) for day in (0, 1) for token, supply in (("X", 5.0), ("Y", None))
    ]
    assert source.market_caps(T0 + timedelta(hours=1), T0 + timedelta(hours=23)).is_empty()


def test_midnights_are_those_of_utc_whatever_the_zone_of_the_window(tmp_path):
    source = sized(tmp_path, "coin,coins\nX,5\n", 'columns = { token = "coin", circulating_supply = "coins" }\n')
    start = T0.astimezone(timezone(timedelta(hours=5, minutes=30)))

    assert source.market_caps(start, start + timedelta(days=1))["timestamp"].to_list() == [T0]


def test_a_supply_counts_coins_whatever_the_prefix_of_its_symbol(tmp_path):
    layout = 'columns = { token = "coin", circulating_supply = "coins" }\nstrip_suffix = "USDT"\n'
    source = sized(tmp_path, "coin,coins\n1000PEPEUSDT,7\nBTCDOMUSDT,1\n", layout + 'multipliers = { 1000 = 1000.0 }\n'
        'exclude = ["BTCDOM"]\n')  # fmt: skip

    found = source.market_caps(T0, T0 + timedelta(days=1))

    assert found.select("token_contract", "circulating_supply").rows() == [("PEPE", 7.0)]


def test_what_is_no_amount_is_unknown_and_what_is_no_token_or_time_is_no_reading(tmp_path):
    rows = "X,2025-01-01T01:00:00Z,n/a\n,2025-01-01T01:00:00Z,1\nX,soon,1\nX,2025-01-01T02:00:00Z,0\n"
    layout = 'columns = { token = "coin", timestamp = "at", market_cap = "cap" }\n'

    found = sized(tmp_path, "coin,at,cap\n" + rows, layout).market_caps(T0, T0 + timedelta(days=1))

    assert found.sort("timestamp")["market_cap_usd"].to_list() == [None, 0.0]


def test_caps_at_times_without_a_zone_are_an_error_that_says_what_to_set(tmp_path):
    source = sized(
        tmp_path,
        "coin,at,cap\nX,2025-01-01,1\n",
        'columns = { token = "coin", timestamp = "at", market_cap = "cap" }\n',
    )

    with pytest.raises(LayoutError, match=r"caps.csv: times in 'at' bear no zone; set time_zone"):
        source.market_caps(T0, T0 + timedelta(days=1))


def test_a_wrong_column_of_a_table_is_named(tmp_path):
    source = sized(tmp_path, "coin\nX\n", 'columns = { token = "coin", circulating_supply = "coins" }\n')

    with pytest.raises(LayoutError, match=r"caps.csv has no column \['coins'\]"):
        source.market_caps(T0, T0 + timedelta(days=1))


@pytest.fixture(scope="module")
def archive(shared_data):
    return CandleFiles(shared_data)


@pytest.mark.real_data
def test_the_recorded_archive_is_recognised_and_spans_years(archive):
    first, end = archive.span()

    assert archive.name == "binance_um_archive"
    assert (first, end) == (datetime(2020, 10, 23, 8, tzinfo=UTC), datetime(2025, 7, 1, tzinfo=UTC))


@pytest.mark.real_data
def test_recorded_symbols_are_coins(archive):
    day = datetime(2025, 5, 31, tzinfo=UTC)
    majors, others = (archive.candles(universe, day, day + timedelta(days=1)) for universe in Universe)

    assert set(majors["token_contract"]) == set(MAJORS)
    assert {"PEPE", "MOG", "BABYDOGE", "1INCH", "SUI"} <= set(others["token_contract"])
    assert "BTCDOM" not in others["token_contract"]
    assert others.filter(token_contract="MOG")["close_usd"].max() < 1e-5


@pytest.mark.real_data
def test_overlapping_recorded_files_agree_but_for_one_volume(archive):
    start, end = datetime(2024, 3, 27, tzinfo=UTC), datetime(2024, 3, 28, tzinfo=UTC)
    config = BarConfig(source_priority=tuple(terms.source for terms in archive.terms))

    result = validate_bars(archive.candles(Universe.MAJORS, start, end), NO_CLOSE, as_of=end, config=config)

    assert result.accepted.height == 4 * 24
    assert result.quarantined.select("token_contract", "reason", "source").rows() == [
        ("BNB", "revision_conflict", "binance_um_1h_2020")
    ]
    assert result.duplicates == 4 * 24 - 1


@pytest.mark.real_data
def test_two_recorded_months_pass_without_a_single_jump(archive):
    start, end = datetime(2025, 5, 1, tzinfo=UTC), datetime(2025, 7, 1, tzinfo=UTC)

    result = validate_bars(archive.candles(Universe.LOWCAP, start, end), NO_CLOSE, as_of=end, config=BarConfig())

    assert result.accepted.height > 600_000
    assert result.quarantined.is_empty()


@pytest.mark.real_data
def test_recorded_dominance_is_daily_and_without_holes(archive):
    samples = archive.dominance(datetime(2024, 1, 1, tzinfo=UTC), datetime(2025, 7, 1, tzinfo=UTC))

    assert samples.group_by("metric").len().sort("metric").rows() == [("BTC.d", 547), ("USDT.d", 547)]
    assert set(samples["timeframe"]) == {"1d"}


@pytest.mark.real_data
def test_recorded_snapshots_stand_at_the_midnight_that_begins_their_day(archive, shared_data):
    coins = pl.read_parquet(shared_data / "coingecko_daily_2021" / "coins_daily.parquet").filter(coin_id="bitcoin")
    start, end = (datetime(2021, 1, day, tzinfo=UTC) for day in (2, 31))
    hours = archive.candles(Universe.MAJORS, start, end).filter(token_contract="BTC")
    opens = hours.filter(pl.col("timestamp").dt.hour() == 0).select(date=pl.col("timestamp").dt.date(), open="open_usd")

    ratio = opens.join(coins, on="date").select(pl.col("price").cast(pl.Float64) / pl.col("open")).to_series()
    assert ratio.len() == 29
    assert (ratio - 1).abs().median() < 0.005


@pytest.mark.real_data
def test_no_recorded_coin_is_a_major_or_pegged_to_one(archive):
    start, end = datetime(2021, 5, 15, tzinfo=UTC), datetime(2021, 5, 16, tzinfo=UTC)
    bars, caps = archive.candles(Universe.LOWCAP, start, end), archive.market_caps(start, end)

    of_coins = caps.filter(chain="coingecko")
    assert not {"bitcoin", "wrapped-bitcoin", "tether", "staked-ether"} & {
        *bars["token_contract"],
        *of_coins["token_contract"],
    }
    assert set(bars["token_contract"]) == set(of_coins["token_contract"])
    assert (of_coins.height, (of_coins["market_cap_usd"] == 0).sum()) == (1628, 204)


@pytest.mark.real_data
def test_recorded_supplies_times_prices_are_the_caps_recorded_beside_them(archive, shared_data):
    day = datetime(2025, 6, 30, tzinfo=UTC)
    listed = pl.read_csv(shared_data / "binance_um_futures" / "symbols_dev.csv")
    told = listed.select(token_contract="base", cap="approx_mcap_2025_06_30").drop_nulls()
    bars = archive.candles(Universe.LOWCAP, day, day + timedelta(days=1)).filter(pl.col("timestamp").dt.hour() == 23)
    supplies = archive.market_caps(day, day + timedelta(days=1))

    caps = bars.join(supplies, on=["token_contract", "chain"]).join(told, on="token_contract")
    made = caps.select(pl.col("circulating_supply") * pl.col("close_usd") / pl.col("cap")).to_series()
    assert {"PEPE", "MOG", "BABYDOGE", "1INCH"} <= set(caps["token_contract"])
    assert (made - 1).abs().max() < 1e-6
