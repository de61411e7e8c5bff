"""Roll-ups: one label convention, coverage as data, and the venue's own bars as the judge."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from domain.regime.bar_quarantine import VALUE_COLUMNS
from domain.regime.rollup import TIMESTAMP, roll_up, rollup_disagreements
from domain.vocabulary.timeframe import Timeframe

MIDNIGHT = datetime(2025, 3, 30, tzinfo=UTC)  # Europe changes its clocks on this day; the grid does not
NEXT_DAY = MIDNIGHT + timedelta(days=1)
KEY = ["symbol"]


def random_bars(timeframe: Timeframe, n_bars: int, *, seed: int, symbol: str = "BTC") -> pl.DataFrame:
    """Consecutive bars of a random walk from MIDNIGHT on, shape (n_bars, 9)."""
    rng = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, n_bars)))
    open_ = close * np.exp(rng.normal(0.0, 0.005, n_bars))
    return pl.DataFrame(
        {
            "symbol": symbol,
            "timeframe": timeframe.value,
            "timestamp": [MIDNIGHT + i * timeframe.duration for i in range(n_bars)],
            "open_usd": open_,
            "high_usd": np.maximum(open_, close) * 1.01,
            "low_usd": np.minimum(open_, close) * 0.99,
            "close_usd": close,
            "volume": rng.uniform(0.0, 5.0, n_bars),
            "source": "venue",
        },
        schema_overrides={"timestamp": TIMESTAMP},
    )


@pytest.fixture(scope="module")
def minutes() -> pl.DataFrame:
    return random_bars(Timeframe.M1, 1440, seed=1)


def bars_of(rolled: pl.DataFrame, timeframe: Timeframe) -> pl.DataFrame:
    return rolled.filter(timeframe=timeframe.value)


@pytest.mark.parametrize("timeframe", [each for each in Timeframe if each is not Timeframe.M1])
def test_each_bar_folds_exactly_its_own_minutes(minutes, timeframe):
    rolled = bars_of(roll_up(minutes, key=KEY, as_of=NEXT_DAY), timeframe)

    assert rolled.height == 1440 // timeframe.minutes
    for bar in rolled.iter_rows(named=True):
        assert bar["timestamp"] == timeframe.floor(bar["timestamp"])
        inside = minutes.filter(
            pl.col("timestamp").is_between(bar["timestamp"], bar["timestamp"] + timeframe.duration, closed="left")
        )
        assert bar["open_usd"] == inside["open_usd"][0]
        assert bar["high_usd"] == inside["high_usd"].max()
        assert bar["low_usd"] == inside["low_usd"].min()
        assert bar["close_usd"] == inside["close_usd"][-1]
        assert bar["volume"] == pytest.approx(sum(inside["volume"]), rel=1e-12)
        assert (bar["source"], bar["coverage"], bar["partial"]) == ("rollup:1m", 1.0, False)


def test_output_does_not_depend_on_input_order(minutes):
    bars = pl.concat(
        [minutes, random_bars(Timeframe.H1, 20, seed=2), random_bars(Timeframe.M1, 90, seed=3, symbol="A")]
    )
    rolled = roll_up(bars, key=KEY, as_of=NEXT_DAY)

    for seed in range(5):
        shuffled = bars.sample(fraction=1.0, shuffle=True, seed=seed)
        assert roll_up(shuffled, key=KEY, as_of=NEXT_DAY).equals(rolled)


def test_output_is_sorted_by_series_then_length_then_time(minutes):
    bars = pl.concat([minutes, minutes.with_columns(symbol=pl.lit("A"))])
    rolled = roll_up(bars, key=KEY, as_of=NEXT_DAY)

    order = [(row[0], list(Timeframe).index(Timeframe(row[1])), row[2]) for row in rolled.iter_rows()]
    assert order == sorted(order)
    assert rolled.columns == [*minutes.columns, "coverage", "partial"]


def test_three_closed_boundaries_yield_three_bars(minutes):
    heights = [
        bars_of(roll_up(minutes, key=KEY, as_of=MIDNIGHT + timedelta(minutes=now)), Timeframe.H1).height
        for now in (59, 60, 61, 119, 120, 180)
    ]

    assert heights == [0, 1, 1, 1, 2, 3]


def test_a_bar_never_changes_when_later_minutes_are_cut_off(minutes):
    full = roll_up(minutes, key=KEY, as_of=NEXT_DAY)

    for cut in (61, 300, 777):
        as_of = MIDNIGHT + timedelta(minutes=cut)
        closed = full.filter(
            pl.col("timestamp") + pl.col("timeframe").replace_strict({t.value: t.duration for t in Timeframe}) <= as_of
        )
        assert roll_up(minutes.head(cut), key=KEY, as_of=as_of).equals(closed)


def test_a_bar_is_the_same_to_the_bit_whatever_else_the_window_holds(minutes):
    other = random_bars(Timeframe.M1, 1440, seed=9, symbol="A")
    alone = roll_up(minutes.slice(240, 240), key=KEY, as_of=NEXT_DAY, timeframes=[Timeframe.H4])
    among = roll_up(pl.concat([other, minutes]), key=KEY, as_of=NEXT_DAY, timeframes=[Timeframe.H4])

    assert among.filter(symbol="BTC")[1].equals(alone)


def test_missing_minutes_lower_the_coverage_and_late_ones_make_it_whole(minutes):
    early = minutes.filter(~pl.col("timestamp").is_between(MIDNIGHT, MIDNIGHT + timedelta(minutes=14)))
    first = bars_of(roll_up(early, key=KEY, as_of=NEXT_DAY), Timeframe.H1).row(0, named=True)
    again = bars_of(roll_up(minutes, key=KEY, as_of=NEXT_DAY), Timeframe.H1).row(0, named=True)

    assert (first["coverage"], first["partial"]) == (0.75, True)
    assert first["open_usd"] == minutes["open_usd"][15]
    assert (again["coverage"], again["partial"]) == (1.0, False)
    assert again["open_usd"] == minutes["open_usd"][0]


def test_an_hour_without_minutes_has_no_bar(minutes):
    gapped = minutes.filter(pl.col("timestamp").dt.hour() != 5)
    rolled = roll_up(gapped, key=KEY, as_of=NEXT_DAY)

    assert 5 not in bars_of(rolled, Timeframe.H1)["timestamp"].dt.hour()
    assert bars_of(rolled, Timeframe.D1)["coverage"].to_list() == [23 / 24]


def test_the_venues_own_bar_is_kept_where_it_exists(minutes):
    own = random_bars(Timeframe.H1, 2, seed=4)
    rolled = bars_of(roll_up(pl.concat([minutes, own]), key=KEY, as_of=NEXT_DAY), Timeframe.H1)

    assert rolled["source"].to_list() == ["venue"] * 2 + ["rollup:1m"] * 22
    assert rolled.head(2).select(own.columns).equals(own)
    assert rolled["coverage"].to_list() == [1.0] * 24


def test_the_fullest_candidate_wins_and_ties_go_to_the_finest(minutes):
    quarters = random_bars(Timeframe.M15, 96, seed=5)
    gapped = minutes.filter(pl.col("timestamp") != MIDNIGHT + timedelta(minutes=70))
    rolled = bars_of(roll_up(pl.concat([quarters, gapped]), key=KEY, as_of=NEXT_DAY), Timeframe.H1)

    assert rolled["source"].to_list()[:3] == ["rollup:1m", "rollup:15m", "rollup:1m"]
    assert rolled["open_usd"][1] == quarters["open_usd"][4]


def test_a_missing_value_stays_missing(minutes):
    holed = minutes.with_columns(volume=pl.when(pl.col("timestamp") == MIDNIGHT).then(None).otherwise(pl.col("volume")))
    hours = bars_of(roll_up(holed, key=KEY, as_of=NEXT_DAY), Timeframe.H1)

    assert hours["volume"].is_nan().to_list() == [True] + [False] * 23


def test_no_bars_give_no_bars_of_the_same_shape(minutes):
    empty = roll_up(minutes.clear(), key=KEY, as_of=NEXT_DAY)

    assert empty.height == 0
    assert empty.schema == roll_up(minutes, key=KEY, as_of=NEXT_DAY).schema


def test_what_cannot_be_right_raises(minutes):
    with pytest.raises(ValueError, match="one 1m bar a timestamp"):
        roll_up(pl.concat([minutes, minutes.head(1)]), key=KEY, as_of=NEXT_DAY)
    with pytest.raises(ValueError, match="on their grid"):
        roll_up(minutes.with_columns(timeframe=pl.lit("5m")), key=KEY, as_of=NEXT_DAY)
    with pytest.raises(ValueError, match="Expected timeframes"):
        roll_up(minutes.with_columns(timeframe=pl.lit("2h")), key=KEY, as_of=NEXT_DAY)
    with pytest.raises(ValueError, match="UTC-aware"):
        roll_up(minutes, key=KEY, as_of=datetime(2025, 3, 31))  # noqa: DTZ001 - the naive time is the case
    with pytest.raises(ValueError, match="timestamp must be"):
        roll_up(minutes.with_columns(pl.col("timestamp").dt.replace_time_zone(None)), key=KEY, as_of=NEXT_DAY)


def test_a_disagreement_names_the_bar_and_the_column(minutes):
    own = roll_up(minutes, key=KEY, as_of=NEXT_DAY, timeframes=[Timeframe.H1]).select(minutes.columns)
    wrong = own.with_columns(high_usd=pl.when(pl.col("timestamp") == MIDNIGHT).then(1e4).otherwise("high_usd"))
    found = rollup_disagreements(pl.concat([minutes, wrong]), KEY, relative_tolerance=1e-9)

    assert rollup_disagreements(pl.concat([minutes, own]), KEY, relative_tolerance=0.0).height == 0
    assert found.select("timeframe", "timestamp", "source", "column", "own").rows() == [
        ("1h", MIDNIGHT, "rollup:1m", "high_usd", 1e4)
    ]


def test_partial_roll_ups_are_not_held_against_the_venue(minutes):
    own = random_bars(Timeframe.H1, 24, seed=6)
    found = rollup_disagreements(pl.concat([minutes.slice(1), own]), KEY, relative_tolerance=1e-9)

    assert found["timestamp"].min() == MIDNIGHT + timedelta(hours=1)
    assert rollup_disagreements(own, KEY, relative_tolerance=0.0).columns == found.columns


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("path", "timeframe", "at_least"),
    [("majors_15m.parquet", Timeframe.M15, 13_000), ("ohlcv_1h.parquet", Timeframe.H1, 6_000)],
)
def test_rolled_minutes_equal_the_venues_own_bars(shared_data, path, timeframe, at_least):
    minutes = recorded(shared_data / "minute_1m" / "binance_um_1m.parquet", Timeframe.M1)
    own = recorded(shared_data / "binance_um_futures" / path, timeframe)
    rolled = roll_up(minutes, key=KEY, as_of=datetime(2025, 7, 1, tzinfo=UTC), timeframes=[timeframe])
    both = rolled.filter(~pl.col("partial")).join(own, on=["symbol", "timestamp"], suffix="_own")
    found = rollup_disagreements(pl.concat([minutes, own]), KEY, relative_tolerance=0.0)

    assert both.height > at_least
    for name in VALUE_COLUMNS[:-1]:
        assert both.filter(pl.col(name) != pl.col(f"{name}_own")).height == 0, name
    assert found.filter((pl.col("column") != "volume") | (pl.col("relative_difference") > 1e-9)).height == 0


def recorded(path: Path, timeframe: Timeframe) -> pl.DataFrame:
    """Bars as a venue served them."""
    return pl.read_parquet(path).select(
        "symbol",
        pl.lit(timeframe.value).alias("timeframe"),
        pl.col("ts").dt.replace_time_zone("UTC").alias("timestamp"),
        *[pl.col(name.removesuffix("_usd")).cast(pl.Float64).alias(name) for name in VALUE_COLUMNS],
        pl.lit("binance").alias("source"),
    )
