"""Time across a picture: few ticks at round instants, whatever the window."""

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from xml.etree import ElementTree

import pytest

from resources.time_axis import MAX_TICKS, TimeAxis, step_hours

START = datetime(2025, 2, 27, 5, tzinfo=UTC)


def ticks(hours: float, first: datetime = START) -> list[str]:
    axis = TimeAxis(first, first + timedelta(hours=hours), 0, 100)
    root = ElementTree.fromstring(f"<g>{axis.drawn(0, 10)}</g>")
    return [element.text or "" for element in root.iter("text")]


def test_an_instant_stands_in_proportion_to_the_window():
    axis = TimeAxis(START, START + timedelta(hours=8), 40, 200)

    assert [axis.x(START + timedelta(hours=hour)) for hour in (0, 2, 8)] == [40, 90, 240]


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        (3, ["27 Feb 05:00", "27 Feb 06:00", "27 Feb 07:00", "27 Feb 08:00"]),
        (30, ["27 Feb 06:00", "27 Feb 12:00", "27 Feb 18:00", "28 Feb 00:00", "28 Feb 06:00"]),
        (24 * 30, ["03 Mar", "10 Mar", "17 Mar", "24 Mar"]),
        (24 * 365 * 5, ["2026", "2027", "2028", "2029", "2030"]),
    ],
)
def test_ticks_stand_at_round_instants(hours, expected):
    assert ticks(hours) == [*expected, "UTC"]


@pytest.mark.parametrize("hours", [1, 7, 25, 100, 1_000, 10_000, 100_000, 500_000])
def test_there_are_few_ticks_and_at_least_one(hours):
    assert 1 <= len(ticks(hours)) - 1 <= MAX_TICKS


def test_steps_grow_without_end_and_each_is_whole_hours():
    steps = list(islice(step_hours(), 40))

    assert all(isinstance(step, int) and later > step for step, later in pairwise(steps))
    assert next(step_hours(6.5)) == 8
    assert next(step_hours(8)) == 8
