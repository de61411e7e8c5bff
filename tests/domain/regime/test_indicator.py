"""Indicator frames: resume from stored rows, restarts, what is null, what is refused."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from domain.config.indicator import IndicatorConfig
from domain.regime.indicator import CARRY_LENGTH, LOOKBACK_ROWS, TA_COLUMNS, TA_SCHEMA, indicator_frame
from domain.regime.indicator_kernel import PANEL_COLUMNS
from domain.regime.indicator_panel import indicator_panel

KEY = ("token", "timeframe")
FIRST_AT = datetime(2025, 1, 1, tzinfo=UTC)
CONFIG = IndicatorConfig()


def series(token, n_bars, *, seed=0, start=0, timeframe="1h", minutes=60):
    """Bars of one random walk; `start` bars are missing before the first."""
    rng = np.random.default_rng([seed, n_bars, start])
    close = np.exp(np.cumsum(0.02 * rng.standard_t(4, n_bars)))
    return pl.DataFrame(
        {
            "token": token,
            "timeframe": timeframe,
            "timestamp": [FIRST_AT + timedelta(minutes=minutes * (start + bar)) for bar in range(n_bars)],
            "high_usd": close * 1.01,
            "low_usd": close * 0.98,
            "close_usd": close,
            "volume": np.exp(rng.normal(8.0, 1.0, n_bars)),
        },
        schema_overrides={"timestamp": pl.Datetime("us", "UTC")},
    )


def ragged_bars(seed=0):
    """Four series: full, late, short, and one with a hole that is skipped and one that restarts it."""
    holed = series("holed", 420, seed=seed).with_row_index("bar")
    holed = holed.filter(~pl.col("bar").is_between(40, 90) & ~pl.col("bar").is_between(200, 350)).drop("bar")
    late = series("late", 170, seed=seed, start=55, timeframe="15m", minutes=15)
    return pl.concat([holed, series("full", 300, seed=seed), late, series("short", 12, seed=seed)])


def in_parts(bars, bounds):
    """Rows made window by window, each from the stored rows before it, cut at the timestamps `bounds`."""
    stored = whole(bars.clear())
    edges = [datetime.min.replace(tzinfo=UTC), *bounds, datetime.max.replace(tzinfo=UTC)]
    for begin, end in pairwise(edges):
        window = bars.filter((pl.col("timestamp") >= begin) & (pl.col("timestamp") < end))
        previous = stored.group_by(KEY, maintain_order=True).tail(LOOKBACK_ROWS)
        rows = indicator_frame(window, previous, key=KEY, config=CONFIG)
        stored = pl.concat([stored, rows]).sort(*KEY, "timestamp")
    return stored


def whole(bars, config=CONFIG):
    return indicator_frame(bars, None, key=KEY, config=config)


def test_bar_by_bar_from_stored_rows_gives_the_bits_of_one_call():
    bars = ragged_bars()
    times = sorted(bars["timestamp"].unique())

    stepped = in_parts(bars, times[:150] + times[-100:])  # the hole that restarts a series lies between

    assert_frame_equal(stepped, whole(bars), check_exact=True)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10**6), cuts=st.sets(st.integers(0, 440 * 4), min_size=1, max_size=6))
def test_any_split_gives_the_bits_of_one_call(seed, cuts):
    bars = ragged_bars(seed)

    parts = in_parts(bars, [FIRST_AT + timedelta(minutes=15 * cut) for cut in sorted(cuts)])

    assert_frame_equal(parts, whole(bars), check_exact=True)


def test_the_order_of_rows_and_columns_does_not_matter():
    bars = ragged_bars()
    previous = whole(bars.filter(pl.col("timestamp") < FIRST_AT + timedelta(hours=60)))
    new = bars.filter(pl.col("timestamp") >= FIRST_AT + timedelta(hours=60))

    shuffled = indicator_frame(
        new.sample(fraction=1.0, shuffle=True, seed=1).select(reversed(new.columns)),
        previous.sample(fraction=1.0, shuffle=True, seed=2).select(reversed(previous.columns)),
        key=KEY,
        config=CONFIG,
    )

    assert_frame_equal(shuffled, indicator_frame(new, previous, key=KEY, config=CONFIG), check_exact=True)


def test_a_frame_holds_the_panel_columns_of_each_series():
    bars = series("a", 200)
    columns = [bars[name].to_numpy()[:, np.newaxis] for name in ("high_usd", "low_usd", "close_usd", "volume")]
    panel = indicator_panel(*(np.ascontiguousarray(values) for values in columns))

    rows = whole(bars)

    for name in set(PANEL_COLUMNS) & set(TA_COLUMNS):
        values = rows[name].cast(pl.Float64).fill_null(np.nan).to_numpy()
        np.testing.assert_array_equal(values, panel[PANEL_COLUMNS.index(name), :, 0], err_msg=name)
    assert rows["latest_price"].equals(bars["close_usd"].alias("latest_price"))
    assert len(set(TA_COLUMNS) - set(PANEL_COLUMNS)) == 4


def test_the_frame_has_its_schema_whether_or_not_there_are_bars():
    bars = series("a", 40)
    rows = whole(bars)

    empty = whole(bars.clear())

    assert dict(rows.drop(*KEY, "timestamp").schema) == dict(TA_SCHEMA)
    assert empty.schema == rows.schema
    assert empty.height == 0
    assert indicator_frame(bars, rows.clear(), key=KEY, config=CONFIG).equals(rows)
    assert rows["carry"].list.len().unique().to_list() == [CARRY_LENGTH]


def test_an_undefined_value_is_null_and_never_nan():
    rows = whole(series("a", 60))
    floats = rows.select(pl.col(pl.Float64))

    assert rows["atr_mean_20"].null_count() == 33
    assert rows["vo_z_cluster"].null_count() == 29
    assert rows.null_count().select("ema333", "sep_mid", "vo_z", "carry").row(0) == (0, 0, 0, 0)
    assert not floats.select(pl.all().is_nan().any()).row(0).count(True)


def test_a_series_is_warm_from_its_thousandth_bar_less_one():
    rows = whole(series("a", 1001, timeframe="1m", minutes=1))

    assert rows.filter("warm")["bars_count"].to_list() == [999, 1000, 1001]


@pytest.mark.parametrize(("missing", "is_restart"), [(0, False), (144, False), (145, True)])
def test_a_hole_of_more_than_144_bars_restarts_the_series(missing, is_restart):
    before = series("a", 60)
    after = series("a", 60, start=60 + missing)

    together = whole(pl.concat([before, after]))
    resumed = indicator_frame(after, whole(before), key=KEY, config=CONFIG)

    assert resumed["bars_count"][0] == (1 if is_restart else 61)
    assert_frame_equal(together.tail(60), resumed, check_exact=True)
    assert resumed.equals(whole(after)) == is_restart


def test_the_hole_is_counted_in_bars_of_the_timeframe():
    day = [series("a", 2, timeframe="1d", minutes=1440), series("a", 2, start=12, timeframe="1d", minutes=1440)]
    minute = [series("a", 2, timeframe="1m", minutes=1), series("a", 2, start=302, timeframe="1m", minutes=1)]

    counts = whole(pl.concat([*day, *minute]), IndicatorConfig(max_gap_bars=10))["bars_count"].to_list()

    assert counts == [1, 2, 3, 4, 1, 2, 1, 2]


def test_rows_before_a_restart_are_not_read():
    bars = pl.concat([series("a", 60), series("a", 8, start=500)])
    more = series("a", 5, start=508)

    resumed = indicator_frame(more, whole(bars), key=KEY, config=CONFIG)

    assert_frame_equal(resumed, whole(pl.concat([bars, more])).tail(5), check_exact=True)


def test_previous_rows_of_other_series_are_ignored():
    rows = whole(pl.concat([series("a", 40), series("b", 40)]))
    more = series("b", 3, start=40)

    resumed = indicator_frame(more, rows, key=KEY, config=CONFIG)

    assert resumed["token"].to_list() == ["b"] * 3
    assert resumed["bars_count"].to_list() == [41, 42, 43]


def test_the_config_is_closed_and_bounded():
    assert (CONFIG.warm_bars, CONFIG.max_gap_bars) == (999, 144)
    assert all(field.description for field in IndicatorConfig.model_fields.values())
    for wrong in ({"max_gap_bars": -1}, {"warm_bars": 0}, {"minimum_bars": 333}):
        with pytest.raises(ValueError, match="validation error"):
            IndicatorConfig(**wrong)


def test_inputs_are_left_as_they_were():
    bars, rows = series("a", 5, start=40), whole(series("a", 40))
    bars_before, rows_before = bars.clone(), rows.clone()

    indicator_frame(bars, rows, key=KEY, config=CONFIG)

    assert_frame_equal(bars, bars_before, check_exact=True)
    assert_frame_equal(rows, rows_before, check_exact=True)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("close_usd", np.nan),
        ("close_usd", None),
        ("low_usd", 0.0),
        ("high_usd", np.inf),
        ("volume", -1.0),
        ("token", None),
    ],
)
def test_a_bar_that_cannot_have_been_accepted_is_refused(name, value):
    bars = series("a", 5)
    broken = pl.when(pl.int_range(pl.len()) == 2).then(pl.lit(value)).otherwise(pl.col(name))

    with pytest.raises(ValueError, match="1 rows are not"):
        whole(bars.with_columns(broken.alias(name)))


def test_bars_that_do_not_fit_the_contract_are_refused():
    bars = series("a", 5)
    naive = bars.with_columns(pl.col("timestamp").dt.replace_time_zone(None))

    with pytest.raises(ValueError, match="one bar a timestamp"):
        whole(pl.concat([bars, bars.tail(1)]))
    with pytest.raises(ValueError, match="timeframe must be one of"):
        whole(bars.with_columns(timeframe=pl.lit("7m")))
    with pytest.raises(ValueError, match="must be Datetime in UTC"):
        whole(naive)
    with pytest.raises(ValueError, match="lack"):
        whole(bars.drop("volume"))
    with pytest.raises(ValueError, match="key must contain timeframe"):
        indicator_frame(bars, None, key=["token"], config=CONFIG)


def test_previous_rows_that_are_late_or_incomplete_are_refused():
    bars = series("a", 60)
    rows, more = whole(bars), series("a", 3, start=60)

    with pytest.raises(ValueError, match="must end before the bars"):
        indicator_frame(bars.tail(1), rows, key=KEY, config=CONFIG)
    with pytest.raises(ValueError, match="lacks some of"):
        indicator_frame(more, rows.tail(LOOKBACK_ROWS - 1), key=KEY, config=CONFIG)
    with pytest.raises(ValueError, match="lacks some of"):
        indicator_frame(more, pl.concat([rows.head(50), rows.tail(5)]), key=KEY, config=CONFIG)
    with pytest.raises(ValueError, match="previous must have the columns"):
        indicator_frame(more, rows.drop("carry"), key=KEY, config=CONFIG)
    with pytest.raises(ValueError, match="carry must hold"):
        indicator_frame(more, rows.with_columns(pl.col("carry").list.head(3)), key=KEY, config=CONFIG)
