from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from domain.config.bar import BarConfig
from domain.regime.bar_load import load_bars, load_samples
from domain.regime.bar_quarantine import RAW_SCHEMA
from domain.vocabulary.window import Window

DAY = Window(datetime(2025, 1, 2, tzinfo=UTC), datetime(2025, 1, 3, tzinfo=UTC))
NO_PREVIOUS = pl.DataFrame(
    schema={**{name: RAW_SCHEMA[name] for name in ("token_contract", "chain", "timeframe", "timestamp")},
            "close_usd": pl.Float64()}
)  # fmt: skip
STORED = {**RAW_SCHEMA, "coverage": pl.Float64(), "partial": pl.Boolean(), "known_at": pl.Datetime("us", "UTC")}


def minutes(first: int, count: int, *, close: float = 10.0, timeframe: str = "1m") -> pl.DataFrame:
    """Flat bars of one token from minute `first` of the day."""
    rows = {
        "token_contract": "t",
        "chain": "c",
        "timeframe": timeframe,
        "timestamp": [DAY.start + timedelta(minutes=first + i) for i in range(count)],
        **dict.fromkeys(("open_usd", "high_usd", "low_usd", "close_usd"), close),
        "volume": 1.0,
        "source": "venue",
    }
    return pl.DataFrame(rows, schema_overrides=RAW_SCHEMA)


def load(raw: pl.DataFrame, stored: pl.DataFrame | None = None, *, as_of: datetime = DAY.end, released=()):
    before = pl.DataFrame(schema=STORED) if stored is None else stored
    return load_bars(raw, before, NO_PREVIOUS, window=DAY, as_of=as_of, config=BarConfig(), released=released)


def bars(frame: pl.DataFrame, timeframe: str) -> pl.DataFrame:
    return frame.filter(pl.col("timeframe") == timeframe)


def test_minutes_are_stored_and_rolled_up():
    rows = load(minutes(0, 60)).rows

    assert bars(rows, "1m").height == 60
    assert bars(rows, "1h").select("source", "coverage", "volume").row(0) == ("rollup:1m", 1.0, 60.0)


def test_late_minutes_roll_the_hour_up_again_and_keep_what_was_stored():
    first = load(minutes(0, 30), as_of=DAY.start + timedelta(hours=2))

    second = load(minutes(30, 30), first.rows.select(STORED.keys()))

    hour = bars(second.rows, "1h")
    assert (hour["coverage"].item(), hour["known_at"].item()) == (1.0, DAY.end)
    assert bars(second.rows, "1m")["known_at"].to_list() == [DAY.start + timedelta(hours=2)] * 30 + [DAY.end] * 30
    assert bars(second.quarantined, "1h")["reason"].to_list() == ["superseded"]


def test_what_a_venue_has_forgotten_stays():
    first = load(minutes(0, 60))

    second = load(minutes(0, 0), first.rows.select(STORED.keys()))

    assert second.rows.equals(first.rows)
    assert second.quarantined.is_empty()


def test_a_refused_bar_reaches_no_roll_up():
    spiked = pl.concat([minutes(0, 30), minutes(30, 1, close=5000.0), minutes(31, 29)])

    result = load(spiked)

    hour = bars(result.rows, "1h")
    assert (hour["high_usd"].item(), hour["coverage"].item()) == (10.0, 59 / 60)
    assert result.quarantined["reason"].to_list() == ["price_jump"]


def test_bars_still_forming_are_left_out_and_counted():
    result = load(minutes(0, 60), as_of=DAY.start + timedelta(minutes=30, seconds=30))

    assert bars(result.rows, "1m").height == 30
    assert bars(result.rows, "1h").is_empty()
    assert result.forming + bars(result.rows, "1m").height + result.quarantined.height == 60


@pytest.mark.parametrize("factor", [1 / 160, 1 / 5, 5.0, 89_000.0])
def test_a_series_loaded_anew_in_another_unit_rewrites_nothing(factor):
    first = load(minutes(0, 30)).rows

    again = load(minutes(0, 30, close=10 * factor), first)

    assert_frame_equal(again.rows, first)
    assert again.quarantined["reason"].to_list() == ["unit_step"] * 30


@pytest.mark.parametrize("factor", [1 / 160, 89_000.0])
def test_minutes_after_a_far_revision_are_judged_by_what_is_stored(factor):
    first = load(minutes(0, 30)).rows

    again = load(pl.concat([minutes(0, 60, close=10 * factor), minutes(60, 5, close=11)]), first)

    assert bars(again.rows, "1m")["close_usd"].to_list() == [10.0] * 30 + [11.0] * 5
    refused = bars(again.quarantined, "1m").sort("timestamp")
    assert refused["reason"].to_list() == ["unit_step"] * 30 + ["price_jump"] * 30


def test_a_load_that_was_refused_is_refused_the_same_way_again():
    first = load(minutes(0, 30)).rows
    in_coins = minutes(0, 60, close=10 / 160)

    once = load(in_coins, first, as_of=DAY.end + timedelta(hours=1))
    twice = load(in_coins, once.rows, as_of=DAY.end + timedelta(hours=2))

    assert_frame_equal(once.rows, first)
    assert_frame_equal(twice.rows, once.rows)
    assert_frame_equal(twice.quarantined, once.quarantined)
    assert (once.received, once.duplicates, once.quarantined.height) == (60, 0, 60)


def test_far_rows_that_repeat_each_other_are_counted_once():
    in_coins = minutes(0, 30, close=10 / 160)
    twice = pl.concat([in_coins, in_coins, in_coins.with_columns(source=pl.lit("other"))])

    result = load(twice, load(minutes(0, 30)).rows)

    assert (result.quarantined.height, result.duplicates, result.received) == (30, 60, 90)


def test_a_true_revision_beside_one_in_another_unit_is_taken():
    both = pl.concat([minutes(0, 30, close=90.0).with_columns(volume=9.0), minutes(0, 30, close=10.1)])

    result = load(both, load(minutes(0, 30)).rows)

    assert set(bars(result.rows, "1m")["close_usd"]) == {10.1}
    assert bars(result.quarantined, "1m").group_by("reason").len().sort("reason").rows() == [
        ("superseded", 30),
        ("unit_step", 30),
    ]


@pytest.mark.parametrize("close", [10 / 160, 60.0, 500.0])
def test_a_person_can_let_a_far_revision_in(close):
    first, revised = load(minutes(0, 30)).rows, minutes(29, 1, close=close)
    refused = load(revised, first).quarantined

    result = load(revised, first, released=refused["quarantine_id"].to_list())

    assert bars(result.rows, "1m")["close_usd"].to_list() == [10.0] * 29 + [close]
    assert bars(result.quarantined, "1m")["reason"].to_list() == ["superseded"]


def samples(*values: float, timeframe: str = "5m", start: datetime = DAY.start) -> pl.DataFrame:
    step = {"5m": timedelta(minutes=5), "1d": timedelta(days=1)}[timeframe]
    rows = {
        "metric": "BTC.d",
        "timestamp": [start + i * step for i in range(len(values))],
        "timeframe": timeframe,
        "value_pct": list(values),
        "source": "s",
    }
    return pl.DataFrame(rows, schema_overrides={"timestamp": pl.Datetime("us", "UTC"), "value_pct": pl.Float64})


def no_samples() -> pl.DataFrame:
    return samples().with_columns(known_at=pl.lit(None, dtype=pl.Datetime("us", "UTC")))


def test_a_quick_sample_is_known_at_its_instant_and_a_daily_one_when_its_day_is_over():
    given = pl.concat([samples(50.0, 51.0), samples(50.0, timeframe="1d")])

    at_once = load_samples(given, no_samples(), as_of=DAY.start + timedelta(minutes=5))
    tomorrow = load_samples(given, no_samples(), as_of=DAY.end)

    assert at_once.rows["timeframe"].to_list() == ["5m", "5m"]
    assert sorted(tomorrow.rows["timeframe"].to_list()) == ["1d", "5m", "5m"]


def test_an_impossible_percentage_is_quarantined():
    result = load_samples(samples(50.0, 0.0, 120.0, float("nan")), no_samples(), as_of=DAY.end)

    assert result.rows["value_pct"].to_list() == [50.0]
    assert result.quarantined["reason"].to_list() == ["out_of_range"] * 3


def test_a_corrected_sample_supersedes_the_old_one():
    first = load_samples(samples(50.0), no_samples(), as_of=DAY.start)

    second = load_samples(samples(51.0), first.rows, as_of=DAY.end)

    assert second.rows.select("value_pct", "known_at").row(0) == (51.0, DAY.end)
    assert second.quarantined["reason"].to_list() == ["superseded"]
