from pathlib import Path

import pytest

from resources.candle_layout import BUNDLED_LAYOUTS, CandleLayout, LayoutError, find_layout, read_layout

ENTRY = 'path = "a.csv"\nsource = "s"\nchain = "c"\nvolume_unit = "base"\n'
GOOD = f'name = "own"\n[[candles]]\n{ENTRY}symbol = "BTC"\ntimeframe = "1h"\n'

CAPS = '[[market_caps]]\npath = "a.csv"\nsource = "s"\nchain = "c"\n'


def folder_with(tmp_path: Path, layout: str = "", *files: str) -> Path:
    if layout:
        (tmp_path / "candles.toml").write_text(layout, encoding="utf-8")
    for file in files:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    return tmp_path


def test_the_layout_in_the_folder_is_used(tmp_path):
    layout, found = find_layout(folder_with(tmp_path, GOOD, "a.csv"))

    assert (layout.name, found) == ("own", tmp_path / "candles.toml")


def test_a_layout_named_is_used_before_the_one_in_the_folder(tmp_path):
    named = tmp_path / "elsewhere.toml"
    named.write_text(GOOD.replace("own", "named"), encoding="utf-8")

    assert find_layout(folder_with(tmp_path, GOOD, "a.csv"), named)[0].name == "named"


def test_a_bundled_layout_is_used_when_all_its_files_are_there(tmp_path):
    bundled = read_layout(BUNDLED_LAYOUTS / "binance_um_archive.toml")
    paths = [entry.path for entry in bundled.entries]

    assert find_layout(folder_with(tmp_path, "", *paths))[0] == bundled


def test_a_bundled_layout_is_not_used_when_a_file_of_caps_is_missing(tmp_path):
    bundled = read_layout(BUNDLED_LAYOUTS / "binance_um_archive.toml")
    paths = [entry.path for entry in (*bundled.candles, *bundled.dominance)]

    with pytest.raises(LayoutError, match=r"binance_um_archive lacks \['binance_um_futures/symbols_dev.csv'\]"):
        find_layout(folder_with(tmp_path, "", *paths))


def test_the_coins_left_out_are_the_same_for_prices_and_for_caps():
    bundled = read_layout(BUNDLED_LAYOUTS / "binance_um_archive.toml")
    left_out = {entry.exclude for entry in (*bundled.candles, *bundled.market_caps) if entry.chain == "coingecko"}

    assert [len(names) > 70 for names in left_out] == [True]


def test_a_folder_that_fits_nothing_says_what_was_looked_for_and_what_to_write(tmp_path):
    with pytest.raises(LayoutError, match=r"binance_um_archive lacks .*ohlcv_1h.parquet.*Write candles.toml"):
        find_layout(tmp_path)


def test_a_listed_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(LayoutError, match=r"no file in .* for \['a.csv'\]"):
        find_layout(folder_with(tmp_path, GOOD))


def test_a_folder_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(LayoutError, match="nowhere is not a folder"):
        find_layout(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("layout", "message"),
    [
        (GOOD.replace('symbol = "BTC"\n', ""), "set one of symbol"),
        (GOOD.replace('timeframe = "1h"\n', ""), "set one of timeframe"),
        (GOOD + 'columns = { timeframe = "tf" }\n', "set one of timeframe"),
        (GOOD.replace("1h", "2h"), "timeframe"),
        (GOOD + 'vloume = "x"\n', "vloume"),
        (GOOD.replace("a.csv", "a.txt"), "format"),
        (GOOD.replace("base", "coins"), "volume_unit"),
        (GOOD + '[[dominance]]\npath = "d.csv"\nsource = "d"\nmetrics = { "ETH.d" = "x" }\n', "ETH.d"),
        (GOOD + GOOD.replace('name = "own"\n', "").replace("base", "usd"), "one volume_unit"),
        (GOOD + CAPS + 'columns = { token = "x" }\n', "set columns.market_cap or columns.circulating_supply"),
        (GOOD + CAPS + 'columns = { market_cap = "x" }\n', "token"),
        (GOOD + CAPS + 'timeframe = "1d"\ncolumns = { token = "x", market_cap = "y" }\n', "has no timeframe"),
        (GOOD + CAPS + 'columns = { token = "x", market_cap = "y", supply = "z" }\n', "supply"),
        ("name =", "not a candle layout"),
    ],
)
def test_a_layout_that_cannot_be_right_says_what(tmp_path, layout, message):
    with pytest.raises(LayoutError, match=message):
        find_layout(folder_with(tmp_path, layout, "a.csv"))


@pytest.mark.parametrize("path", sorted(BUNDLED_LAYOUTS.glob("*.toml")), ids=lambda path: path.stem)
def test_every_bundled_layout_is_named_as_its_file(path):
    layout = read_layout(path)

    assert isinstance(layout, CandleLayout)
    assert layout.name == path.stem
