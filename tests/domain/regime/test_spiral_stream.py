"""Streams stand on one hourly grid; a short silence is bridged and said, a long one is a gap."""

import math
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from domain.regime.rollup import TIMESTAMP
from domain.regime.spiral_stream import stream_frame

START = datetime(2025, 3, 29, tzinfo=UTC)
HOUR = timedelta(hours=1)


def drivers(*silent: int, hours: int = 8) -> pl.DataFrame:
    """BTC and ALT at 100 + the hour's number; BTC without the silent hours."""
    rows = [
        (driver, timeframe, START + hour * HOUR, 100.0 + hour)
        for driver in ("BTC", "ALT", "BTC.d")
        for timeframe in ("1h", "1m")
        for hour in range(hours)
        if driver != "BTC" or hour not in silent
    ]
    schema = {"driver": pl.String, "timeframe": pl.String, "timestamp": TIMESTAMP, "close_usd": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def subjects(**levels: dict[int, float]) -> pl.DataFrame:
    rows = [(name, START + hour * HOUR, level, 0.75) for name, hours in levels.items() for hour, level in hours.items()]
    schema = {"subject": pl.String, "timestamp": TIMESTAMP, "index_level": pl.Float64, "coverage": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def streams(rows: pl.DataFrame, bars: pl.DataFrame, *, longest: int = 1, hours: int = 8) -> pl.DataFrame:
    return stream_frame(rows, bars, start=START, end=START + hours * HOUR, max_missing_bars=longest)


def test_a_stream_is_the_log_of_its_level():
    row = streams(subjects(micro={3: 120.0}), drivers(), hours=4).to_dicts()[0]

    assert row == {
        "subject": "micro",
        "timestamp": START + 3 * HOUR,
        "btc_log_index": math.log(103.0),
        "alt_log_index": math.log(103.0),
        "subject_log_index": math.log(120.0),
        "coverage": 0.75,
    }


@pytest.mark.parametrize(("longest", "hours"), [(0, [0, 5]), (1, [0, 1, 5, 6]), (2, [0, 1, 2, 5, 6, 7])])
def test_a_silence_is_bridged_for_so_long_and_no_longer(longest, hours):
    found = streams(subjects(micro={0: 100.0, 5: 110.0}), drivers(), longest=longest)

    assert [(at - START) // HOUR for at in found["timestamp"]] == hours
    bridged = found.filter(~pl.col("timestamp").is_in([START, START + 5 * HOUR]))
    assert bridged["coverage"].to_list() == [0.0] * bridged.height
    assert found["subject_log_index"].to_list() == pytest.approx(
        [math.log(110 if hour >= 5 else 100) for hour in hours]
    )


def test_a_long_silence_of_btc_is_a_gap_in_every_stream():
    found = streams(subjects(micro=dict.fromkeys(range(8), 100.0)), drivers(2, 3, 4))

    assert found["btc_log_index"].is_null().to_list() == [False] * 3 + [True] * 2 + [False] * 3
    assert found["alt_log_index"].null_count() == 0


def test_subjects_do_not_bridge_into_each_other():
    found = streams(subjects(micro={0: 100.0}, nano={4: 50.0}), drivers(), longest=3)

    assert [(row["subject"], (row["timestamp"] - START) // HOUR) for row in found.to_dicts()] == [
        *(("micro", hour) for hour in range(4)),
        *(("nano", hour) for hour in range(4, 8)),
    ]


def test_nothing_known_gives_nothing():
    assert streams(subjects(), drivers()).is_empty()
