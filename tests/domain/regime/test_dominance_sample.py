"""Dominance: a sample belongs to the minute it was taken in, is carried a while, and rolls up like any bar."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from domain.config.driver_bar import DriverBarConfig
from domain.regime.driver_bar import DRIVER_BAR_SCHEMA, DominanceBars, dominance_bars
from domain.regime.rollup import TIMESTAMP

START = datetime(2025, 1, 1, tzinfo=UTC)
NEXT_DAY = START + timedelta(days=1)
CONFIG = DriverBarConfig()


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def sample(
    taken_at: datetime, value_pct: float | None, *, every: str = "5m", metric: str = "BTC.d"
) -> dict[str, object]:
    return {
        "metric": metric,
        "timestamp": taken_at,
        "timeframe": every,
        "value_pct": value_pct,
        "source": "coingecko",
    }


def frame(*samples: dict[str, object]) -> pl.DataFrame:
    types = {"metric": pl.String, "timestamp": TIMESTAMP, "timeframe": pl.String, "value_pct": pl.Float64}
    return pl.DataFrame(samples, schema={**types, "source": pl.String})


def day_of_samples(*, step: int = 5) -> pl.DataFrame:
    """One sample every `step` minutes, twenty seconds past the minute, rising by 0.01."""
    return frame(*[sample(at(minute + 1 / 3), 50 + minute / 500) for minute in range(0, 1440, step)])


def dominance(samples: pl.DataFrame, *, as_of: datetime = NEXT_DAY, end: datetime = NEXT_DAY) -> DominanceBars:
    return dominance_bars(samples, start=START, end=end, as_of=as_of, config=CONFIG)


def minutes_of(made: DominanceBars) -> pl.DataFrame:
    return made.bars.filter(timeframe="1m")


def test_a_sample_fills_its_minute_and_is_carried_to_the_next_one():
    made = minutes_of(dominance(frame(sample(at(2.9), 50.0), sample(at(5.1), 51.0))))

    assert made["timestamp"].to_list()[:4] == [at(2), at(3), at(4), at(5)]
    assert made["close_usd"].to_list()[:4] == [50.0, 50.0, 50.0, 51.0]
    assert made["carried"].to_list()[:4] == [False, True, True, False]


def test_a_sample_is_carried_at_most_fifteen_minutes():
    made = minutes_of(dominance(frame(sample(at(0), 50.0), sample(at(60), 51.0))))

    assert made["timestamp"].to_list() == [at(minute) for minute in (*range(16), *range(60, 76))]


def test_the_last_sample_in_a_minute_wins_in_any_order():
    samples = frame(sample(at(0.1), 50.0), sample(at(0.9), 52.0), sample(at(0.5), 51.0))

    for seed in range(4):
        made = dominance(samples.sample(fraction=1.0, shuffle=True, seed=seed))
        assert minutes_of(made)["open_usd"][0] == 52.0


def test_a_day_of_five_minute_samples_makes_full_bars_of_every_length():
    made = dominance(day_of_samples()).bars

    counts = made.group_by("timeframe", maintain_order=True).len().rows()
    assert counts == [("1m", 1440), ("5m", 288), ("15m", 96), ("1h", 24), ("4h", 6), ("1d", 1)]
    assert made.schema == DRIVER_BAR_SCHEMA
    assert made.select("driver", "volume", "component_count", "coverage", "partial").unique().rows() == [
        ("BTC.d", 0.0, 1, 1.0, False)
    ]
    day = made.row(-1, named=True)
    assert [day[name] for name in ("timestamp", "open_usd", "high_usd", "low_usd", "close_usd", "carried")] == [
        START, 50.0, 52.87, 50.0, 52.87, False,
    ]  # fmt: skip


def test_a_bar_is_carried_only_when_all_its_minutes_are():
    made = dominance(frame(sample(at(0), 50.0), sample(at(13), 51.0))).bars

    flags = made.filter(timeframe="5m").select("timestamp", "carried").rows()
    assert flags[:4] == [(at(0), False), (at(5), True), (at(10), False), (at(15), True)]
    assert not made.filter(pl.col("timeframe").is_in(["15m", "1h"]) & (pl.col("timestamp") == START))["carried"].any()


def test_a_clock_over_three_boundaries_yields_three_bars_labelled_by_their_open():
    samples = day_of_samples()
    made = [dominance(samples, as_of=at(now)).bars.filter(timeframe="1h") for now in (59, 60, 119, 120, 180)]

    assert [bars.height for bars in made] == [0, 1, 1, 2, 3]
    assert made[-1]["timestamp"].to_list() == [at(0), at(60), at(120)]


def test_later_samples_change_no_bar_closed_before_them():
    samples = day_of_samples()

    for now in (1, 61, 487):
        known = samples.filter(pl.col("timestamp") < at(now))
        assert dominance(known, as_of=at(now)).bars.equals(dominance(samples, as_of=at(now)).bars)


def test_windows_with_a_look_back_join_to_the_whole():
    samples = day_of_samples(step=15).filter(pl.col("timestamp").dt.hour() != 3)
    whole = dominance(samples).bars.filter(pl.col("timeframe").is_in(["1m", "5m", "15m", "1h"]))
    parts = [
        dominance_bars(
            samples.filter(pl.col("timestamp").is_between(at(60 * hour - 16), at(60 * hour + 60))),
            start=at(60 * hour),
            end=at(60 * hour + 60),
            as_of=NEXT_DAY,
            config=CONFIG,
        ).bars
        for hour in range(24)
    ]

    assert (
        pl.concat(parts)
        .sort(pl.col("timeframe").str.len_bytes(), "timeframe", "timestamp")
        .equals(whole.sort(pl.col("timeframe").str.len_bytes(), "timeframe", "timestamp"))
    )


def test_daily_and_hourly_samples_are_bars_of_their_interval_and_roll_up():
    daily = dominance(frame(sample(START, 50.0, every="1d"))).bars
    hourly = dominance(frame(*[sample(at(60 * hour + 5), 50.0 + hour, every="1h") for hour in range(24)])).bars

    assert daily.select("timeframe", "timestamp", "open_usd", "source").rows() == [("1d", START, 50.0, "coingecko")]
    assert hourly.group_by("timeframe", maintain_order=True).len().rows() == [("1h", 24), ("4h", 6), ("1d", 1)]
    assert hourly.row(-1, named=True)["close_usd"] == 73.0
    assert hourly["source"].unique(maintain_order=True).to_list() == ["coingecko", "rollup:1h"]


def test_full_minutes_beat_a_single_daily_sample_and_partial_ones_do_not():
    daily = frame(sample(START, 10.0, every="1d"))
    full = dominance(pl.concat([day_of_samples(), daily])).bars.filter(timeframe="1d")
    half = dominance(pl.concat([day_of_samples().head(100), daily])).bars.filter(timeframe="1d")

    assert full.select("source", "open_usd").rows() == [("rollup:1m", 50.0)]
    assert half.select("source", "open_usd", "coverage").rows() == [("coingecko", 10.0, 1.0)]


def test_what_is_no_percentage_is_refused_and_makes_no_bar():
    values = (0.0, 100.0, -3.0, float("nan"), float("inf"), None, 60.0)
    made = dominance(frame(*[sample(at(20 * i), value) for i, value in enumerate(values)]))

    assert minutes_of(made)["close_usd"].unique().to_list() == [60.0]
    assert made.refused.select("metric", "timestamp", "reason").rows() == [
        ("BTC.d", at(20 * i), "not_between_0_and_100") for i in range(6)
    ]


def test_two_metrics_are_two_series():
    both = [sample(at(0), 50.0), sample(at(3), 6.0, metric="USDT.d")]
    made = minutes_of(dominance(frame(*both)))

    assert made.group_by("driver", maintain_order=True).agg(pl.len(), pl.col("close_usd").first()).rows() == [
        ("BTC.d", 16, 50.0),
        ("USDT.d", 16, 6.0),
    ]


def test_no_samples_make_no_bars_and_unknown_words_raise():
    assert dominance(frame()).bars.schema == DRIVER_BAR_SCHEMA
    assert dominance(frame()).bars.height == 0
    with pytest.raises(ValueError, match="Expected metric"):
        dominance(frame(sample(START, 50.0, metric="ETH.d")))
    with pytest.raises(ValueError, match="Expected timeframe"):
        dominance(frame(sample(START, 50.0, every="2h")))
