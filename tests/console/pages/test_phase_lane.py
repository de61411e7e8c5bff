"""Lanes and rungs: spans as long as a phase stood, breaks where an hour is missing."""

from datetime import UTC, datetime, timedelta

import pytest

from console.pages.phase_lane import bucket_rungs, lanes_height, phase_lanes, rung_y
from console.pages.time_axis import HOUR, TimeAxis

END = datetime(2025, 6, 8, tzinfo=UTC)
AXIS = TimeAxis(start=END - timedelta(hours=100), end=END, left=0, width=1000)


def hour(number: int, phase: str = "Good", confidence: float | None = 0.9, **values: str) -> dict[str, object]:
    """The hour that was known so many hours before the end."""
    row = {"subject": "nano", "horizon": "meso", "ts": END - (number + 1) * HOUR}
    return row | {"phase": phase, "confidence": confidence} | values


def test_neighbouring_hours_of_a_phase_are_one_span_from_when_it_was_known():
    (lane,) = phase_lanes([hour(9), hour(8), hour(7), hour(6, "Dip")], AXIS)

    assert [(span.phase, span.x, span.width) for span in lane.spans] == [("Good", 910.0, 30.0), ("Dip", 940.0, 10.0)]
    assert lane.spans[0].confidence == pytest.approx(0.9)


def test_a_missing_hour_is_a_gap_and_the_last_ends_with_the_picture():
    (lane,) = phase_lanes([hour(3), hour(1), hour(0)], AXIS)

    assert [(span.x, span.width) for span in lane.spans] == [(970.0, 10.0), (990.0, 10.0)]


@pytest.mark.parametrize(("confidence", "level"), [(None, 0), (0.0, 1), (0.25, 2), (0.74, 3), (0.75, 4), (1.0, 4)])
def test_a_span_is_as_strong_as_its_confidence(confidence, level):
    (lane,) = phase_lanes([hour(5, confidence=confidence)], AXIS)

    assert lane.spans[0].level == level


def test_lanes_stand_composite_first_and_slow_above_fast():
    rows = [hour(1, subject=subject, horizon=each) for subject in ("nano", "low-cap") for each in ("micro", "macro")]

    lanes = phase_lanes(rows, AXIS)

    told = [(lane.subject, lane.horizon) for lane in lanes]
    assert told == [("low-cap", "macro"), ("low-cap", "micro"), ("nano", "macro"), ("nano", "micro")]
    assert [lane.y for lane in lanes] == sorted({lane.y for lane in lanes})
    assert lanes_height(lanes) > lanes[-1].y


def test_without_rows_there_are_no_lanes_and_no_rungs():
    assert phase_lanes([], AXIS) == []
    assert bucket_rungs([], AXIS) == []


def test_a_rung_goes_through_its_places_and_breaks_where_it_has_none():
    places = [
        {"ts": END - (number + 1) * HOUR, "bucket": "mid", "position": n} for number, n in ((5, 1), (4, 2), (1, 3))
    ]

    (rung,) = bucket_rungs(places, AXIS)

    assert rung.path == f"M950.0 {rung_y(1)}h0L960.0 {rung_y(2)}M990.0 {rung_y(3)}h0"
    assert (rung.bucket, rung.x, rung.y) == ("mid", 990.0, rung_y(3))
