from datetime import UTC, date, datetime

import polars as pl
import pytest

from resources.candle_layout import FileEntry, LayoutError
from resources.candle_timestamp import timestamp_columns

NOON = datetime(2025, 1, 1, 12, tzinfo=UTC)


def read(values, dtype=None, **entry):
    """Rows of (timestamp, timestamp_text, window_at) of a column of these values."""
    column = pl.Series("t", values, dtype=dtype)
    declared = FileEntry(path="f.csv", source="s", **entry)
    return pl.DataFrame([column]).select(timestamp_columns("t", column.dtype, declared)).rows()


@pytest.mark.parametrize(
    "text",
    ["2025-01-01T12:00:00Z", "2025-01-01 12:00:00+00:00", "2025-01-01T21:00:00+09:00", "2025-01-01T07:00:00.000-0500"],
)
def test_a_text_with_an_offset_is_its_instant_whatever_zone_is_declared(text):
    assert read([text]) == [(NOON, None, NOON)]
    assert read([text], time_zone="Asia/Tokyo") == [(NOON, None, NOON)]


@pytest.mark.parametrize("text", ["2025-01-01 12:00:00", "2025-01-01T12:00", "2025-01-01 12:00:00.000000"])
def test_a_naive_text_is_refused_without_a_zone_and_read_with_one(text):
    assert read([text]) == [(None, "2025-01-01T12:00:00.000000", NOON)]
    assert read([text], time_zone="UTC") == [(NOON, None, NOON)]
    assert read([text], time_zone="Asia/Tokyo")[0][0] == datetime(2025, 1, 1, 3, tzinfo=UTC)


def test_dates_and_naive_times_need_a_zone_too():
    assert read([date(2025, 1, 1)]) == [(None, "2025-01-01T00:00:00.000000", datetime(2025, 1, 1, tzinfo=UTC))]
    assert read([NOON.replace(tzinfo=None)], time_zone="UTC") == [(NOON, None, NOON)]


def test_times_with_a_zone_of_their_own_are_converted():
    tokyo = pl.Series([NOON]).dt.convert_time_zone("Asia/Tokyo")

    assert read(tokyo, time_zone="UTC") == [(NOON, None, NOON)]


def test_an_hour_that_daylight_saving_repeats_is_not_guessed():
    rows = read(["2025-10-26 02:30:00", "2025-10-26 04:30:00"], time_zone="Europe/Berlin")

    assert rows[0][:2] == (None, "2025-10-26T02:30:00.000000")
    assert rows[1][0] == datetime(2025, 10, 26, 3, 30, tzinfo=UTC)


@pytest.mark.parametrize(("unit", "factor"), [("s", 1), ("ms", 10**3), ("us", 10**6), ("ns", 10**9)])
def test_numbers_are_read_in_their_declared_unit(unit, factor):
    number = int(NOON.timestamp()) * factor

    assert read([number], timestamp_unit=unit) == [(NOON, None, NOON)]
    assert read([str(number)], timestamp_unit=unit) == [(NOON, None, NOON)]


def test_numbers_without_a_unit_raise():
    with pytest.raises(LayoutError, match="set timestamp_unit"):
        read([1])


def test_a_column_that_is_no_time_raises():
    with pytest.raises(LayoutError, match="must hold times"):
        read([True])


def test_a_declared_format_is_the_only_one_read():
    assert read(["01.01.2025 12:00"], timestamp_format="%d.%m.%Y %H:%M", time_zone="UTC")[0][0] == NOON
    assert read(["2025-01-01T14:00:00+0200"], timestamp_format="%Y-%m-%dT%H:%M:%S%z")[0][0] == NOON


def test_what_cannot_be_read_is_null():
    assert read(["soon", None], dtype=pl.String) == [(None, None, None)] * 2
