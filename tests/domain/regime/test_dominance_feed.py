"""A feed stands still when its newest samples are all one number, for longer than its interval explains."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from domain.regime.dominance_feed import STANDING_SCHEMA, newest_standing
from domain.vocabulary.timeframe import Timeframe

START = datetime(2025, 1, 1, tzinfo=UTC)


def feed(*values: float | None, every: str = "5m", metric: str = "BTC.d") -> pl.DataFrame:
    """One sample an interval."""
    at = [START + i * Timeframe(every).duration for i in range(len(values))]
    rows = {"metric": metric, "timeframe": every, "timestamp": at, "value_pct": list(values)}
    types = {"metric": pl.String, "timeframe": pl.String, "timestamp": pl.Datetime("us", "UTC")}
    return pl.DataFrame(rows, schema_overrides={**types, "value_pct": pl.Float64})


def standing(samples: pl.DataFrame, *, max_static_hours: float = 6.0) -> dict[str, object]:
    (row,) = newest_standing(samples, max_static_hours=max_static_hours).to_dicts()
    return row


def test_a_run_is_told_with_its_value_its_start_and_its_length():
    row = standing(feed(57.3, *[57.24] * 73))

    since = START + timedelta(minutes=5)
    assert (row["value_pct"], row["since"], row["until"]) == (57.24, since, since + timedelta(hours=6))
    assert (row["samples"], row["static_hours"], row["limit_hours"], row["is_static"]) == (73, 6.0, 6.0, True)


def test_a_run_below_the_limit_and_one_that_has_ended_are_no_standing_feed():
    assert not standing(feed(57.3, *[57.24] * 72))["is_static"]
    assert standing(feed(*[57.24] * 500, 57.25))["samples"] == 1


def test_a_value_that_comes_back_begins_a_new_run():
    row = standing(feed(*[57.24] * 100, 57.25, *[57.24] * 10))

    assert (row["samples"], row["since"]) == (10, START + timedelta(minutes=5 * 101))


@pytest.mark.parametrize(
    ("every", "samples", "is_static"),
    [
        *[("1m", 360, False), ("1m", 361, True), ("1h", 6, False), ("1h", 7, True)],
        *[("4h", 2, False), ("4h", 3, True), ("1d", 2, False), ("1d", 3, True)],
    ],
)
def test_a_rarer_sample_is_given_two_intervals(every, samples, is_static):
    assert standing(feed(*[57.24] * samples, every=every))["is_static"] is is_static


def test_two_samples_a_hole_apart_are_no_standing_feed():
    hole = pl.concat([feed(57.24), feed(57.24).with_columns(pl.col("timestamp") + timedelta(days=3))])

    assert not standing(hole)["is_static"]


def test_silence_after_a_run_does_not_lengthen_it():
    row = standing(feed(*[57.24] * 13))

    assert (row["static_hours"], row["until"]) == (1.0, START + timedelta(hours=1))


def test_metrics_and_intervals_are_judged_apart_in_any_order():
    still, moving = feed(*[6.06] * 100, metric="USDT.d"), feed(*np.linspace(57, 58, 100))
    samples = pl.concat([still, moving, feed(*[57.24] * 2, every="1d")])

    told = newest_standing(samples, max_static_hours=6.0)

    assert told.select("metric", "timeframe", "is_static").rows() == [
        ("BTC.d", "1d", False),
        ("BTC.d", "5m", False),
        ("USDT.d", "5m", True),
    ]
    for seed in range(4):
        shuffled = samples.sample(fraction=1.0, shuffle=True, seed=seed)
        assert newest_standing(shuffled, max_static_hours=6.0).equals(told)


def test_what_is_no_number_neither_breaks_nor_makes_a_run():
    row = standing(feed(*[57.24] * 50, None, float("nan"), *[57.24] * 50))

    assert (row["samples"], row["is_static"]) == (100, True)
    assert newest_standing(feed(None, float("nan")), max_static_hours=6.0).is_empty()


def test_a_feed_without_samples_has_no_run():
    told = newest_standing(feed(), max_static_hours=6.0)

    assert (told.height, told.schema) == (0, STANDING_SCHEMA)


@pytest.mark.parametrize("hours", [0.0, -1.0, float("nan"), float("inf")])
def test_a_limit_that_means_nothing_is_refused(hours):
    with pytest.raises(ValueError, match="max_static_hours must be > 0 and finite"):
        newest_standing(feed(57.24), max_static_hours=hours)


@pytest.mark.real_data
@pytest.mark.parametrize("minutes", [1, 5])
def test_four_recorded_days_of_two_decimals_never_stand_still(shared_data, minutes):
    recorded = pl.read_csv(shared_data / "dominance" / "btc_d_1m.csv.gz", try_parse_dates=True)
    samples = recorded.gather_every(minutes).select(
        pl.lit("BTC.d").alias("metric"),
        pl.lit(f"{minutes}m").alias("timeframe"),
        pl.col("ts_utc").dt.cast_time_unit("us").dt.replace_time_zone("UTC").alias("timestamp"),
        pl.col("close").round(2).alias("value_pct"),
    )

    ends = range(1, samples.height + 1, 7)
    longest = max(standing(samples.head(end), max_static_hours=6.0)["static_hours"] for end in ends)

    assert longest < 0.5
