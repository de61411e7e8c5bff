from datetime import UTC, datetime, timedelta
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
