"""Phase lanes: one span as long as a phase stands, faint where it is unsure, empty where nothing is known."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from xml.etree import ElementTree

import numpy as np
import polars as pl
import pytest

from domain.vocabulary.cap_bucket import CapBucket
from domain.vocabulary.horizon import Horizon
from domain.vocabulary.phase import Phase
from regime_assets.phase_lanes import (
    COLOURS,
    LEFT,
    MAX_SPANS,
    OPACITIES,
    PLOT_WIDTH,
    THICK,
    TOP,
    coarse,
    merged,
    phase_lanes,
)
from resources.picture import LIMIT_BYTES
from tests.inline_picture import SVG, heights, level_lines, parsed, words

START = datetime(2025, 3, 1, tzinfo=UTC)
SCHEMA = {
    **{"bucket": pl.String, "horizon": pl.String, "ts": pl.Datetime("us", "UTC")},
    **{"phase": pl.String, "confidence": pl.Float64},
}
GOOD, DIP, CHOP = ("Good", 0.9), ("Dip", 0.9), ("Chop", 0.9)


class Span(NamedTuple):
    """What one span shows: hours from START of `hours` drawn, height, colour, opacity or None when hatched."""

    first: float
    end: float
    y: float
    colour: str
    opacity: float | None


def lane(*hours: tuple[str, float | None] | None, bucket: str = "nano", horizon: str = "meso") -> pl.DataFrame:
    """Phase and confidence hour by hour; None is no row."""
    rows = [(bucket, horizon, START + timedelta(hours=n), *hour) for n, hour in enumerate(hours) if hour is not None]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def noisy(hours: int, subjects: list[str]) -> pl.DataFrame:
    """Every lane a new phase and confidence each hour, some hours without one or without a row."""
    rng = np.random.default_rng(7)
    stamps = pl.datetime_range(START, START + timedelta(hours=hours - 1), "1h", eager=True, time_unit="us")
    frames = [
        pl.DataFrame(
            {
                "ts": stamps,
                "phase": rng.choice([phase.value for phase in Phase], hours),
                "confidence": pl.Series(rng.random(hours)).set(pl.Series(rng.random(hours) < 0.1), None),
            }
        ).with_columns(bucket=pl.lit(subject), horizon=pl.lit(horizon.value))
        for subject in subjects
        for horizon in Horizon
    ]
    return pl.concat(frames).select(SCHEMA.keys()).cast(SCHEMA).sample(fraction=0.95, seed=3)


def spans(root: ElementTree.Element, hours: int) -> list[Span]:
    """Spans of a window of so many hours, by height and time; each must have its plain stripe at the foot."""
    paths = {path.attrib["id"]: path.attrib["d"] for path in root.iterfind(f"{SVG}defs/{SVG}path")}
    uses = list(root.iter(f"{SVG}use"))
    found = []
    for box, foot in zip(uses[::2], uses[1::2], strict=True):
        assert box.attrib["href"] == foot.attrib["href"]
        assert float(foot.attrib["y"]) + float(foot.attrib["stroke-width"]) / 2 == THICK / 2
        opacity = float(box.attrib["stroke-opacity"]) if "stroke-opacity" in box.attrib else None
        assert (opacity is None) == box.attrib["stroke"].startswith("url(#h")
        for x, y, length in level_lines(paths[box.attrib["href"][1:]]):
            first, end = ((at - LEFT) * hours / PLOT_WIDTH for at in (x, x + length))
            found.append(Span(round(first, 2), round(end, 2), y, foot.attrib["stroke"], opacity))
    return sorted(found, key=lambda span: (span.y, span.first))


def test_equal_neighbouring_hours_are_one_span():
    found = spans(parsed(phase_lanes(lane(GOOD, GOOD, GOOD, DIP), title="Lanes")), 4)

    y = TOP + THICK / 2
    assert found == [Span(0, 3, y, COLOURS[Phase.GOOD], 1.0), Span(3, 4, y, COLOURS[Phase.DIP], 1.0)]


def test_a_missing_hour_stays_empty_between_equal_phases():
    found = spans(parsed(phase_lanes(lane(GOOD, None, GOOD, GOOD), title="Lanes")), 4)

    assert [(span.first, span.end) for span in found] == [(0, 1), (2, 4)]


@pytest.mark.parametrize(("confidence", "level"), [(0.0, 0), (0.249, 0), (0.25, 1), (0.5, 2), (0.75, 3), (1.0, 3)])
def test_a_span_is_as_opaque_as_its_confidence(confidence, level):
    found = spans(parsed(phase_lanes(lane(("Dip", confidence)), title="Lanes")), 1)

    assert [span.opacity for span in found] == [OPACITIES[level]]


def test_the_opacity_is_that_of_the_mean_confidence():
    found = spans(parsed(phase_lanes(lane(("Dip", 0.0), ("Dip", 1.0), ("Dip", 0.8)), title="Lanes")), 3)

    assert [span.opacity for span in found] == [OPACITIES[2]]


@pytest.mark.parametrize("unknown", [None, float("nan")])
def test_hours_without_a_confidence_are_hatched_apart(unknown):
    found = spans(parsed(phase_lanes(lane(GOOD, ("Good", unknown), ("Good", unknown), GOOD), title="Lanes")), 4)

    assert [(span.first, span.end, span.opacity) for span in found] == [(0, 1, 1.0), (1, 3, None), (3, 4, 1.0)]


def test_a_lane_never_runs_on_into_the_next():
    first, after = lane(GOOD, GOOD, bucket="big"), lane(None, None, GOOD)
    for next_lane in (after, lane(None, None, GOOD, bucket="big", horizon="micro")):
        found = spans(parsed(phase_lanes(pl.concat([first, next_lane]), title="Lanes")), 3)

        assert sorted((span.first, span.end) for span in found) == [(0, 2), (2, 3)]
        assert len({span.y for span in found}) == 2


def test_lanes_stand_in_the_order_of_horizons_and_caps_with_other_subjects_first():
    subjects = ["xl", "big", "composite", "nano"]
    rows = pl.concat([lane(GOOD, bucket=each, horizon=horizon) for each in subjects for horizon in Horizon])
    root = parsed(phase_lanes(rows.rename({"bucket": "subject"}), title="Lanes"))

    assert [word for word in words(root) if word in subjects] == ["composite", "nano", "big", "xl"]
    tops = [heights(root)[name] for name in ("composite", "nano", "big", "xl")]
    assert tops == sorted(tops)
    assert [word for word in words(root) if word in list(Horizon)][:3] == ["macro", "meso", "micro"]


def test_the_legend_names_every_phase_and_its_colour():
    root = parsed(phase_lanes(lane(CHOP), title="Lanes"))

    assert {phase.value for phase in Phase} <= set(words(root))
    assert {"unknown", "empty: no row", "0.75 to 1.00"} <= set(words(root))
    swatches = [path.attrib["stroke"] for path in root.iterfind(f"{SVG}path") if "stroke-opacity" in path.attrib]
    assert swatches[: len(Phase)] == [COLOURS[phase] for phase in Phase]
    assert len(set(COLOURS.values())) == len(Phase)


def test_the_phase_is_written_where_it_fits():
    root = parsed(phase_lanes(lane(*[GOOD] * 90, DIP, *[GOOD] * 90), title="Lanes"))

    inside = [element.text for group in root.iterfind(f"{SVG}g") for element in group.iter(f"{SVG}text")]
    assert inside == ["Good", "Good"]


def test_too_many_spans_are_coarsened_and_the_title_says_so():
    hours = MAX_SPANS * 3
    root = parsed(phase_lanes(lane(*[(GOOD, GOOD, DIP)[n % 3] for n in range(hours)]), title="Lanes"))

    assert words(root)[0] == "Lanes (most frequent phase of each 6 h)"
    assert [(span.first, span.end, span.colour) for span in spans(root, hours)] == [(0, hours, COLOURS[Phase.GOOD])]


def test_as_many_spans_as_may_be_are_not_coarsened():
    root = parsed(phase_lanes(lane(*[(GOOD, DIP)[n % 2] for n in range(MAX_SPANS)]), title="Lanes"))

    assert words(root)[0] == "Lanes"
    assert len(spans(root, MAX_SPANS)) == MAX_SPANS


def test_a_step_takes_its_most_frequent_phase_and_the_stronger_of_two_as_frequent():
    hours = [GOOD, ("Dip", 0.2), ("Dip", 0.4), CHOP, DIP, ("Recover", None), None, None, CHOP]
    rows = coarse(lane(*hours).rename({"bucket": "subject"}), 4)

    assert rows["phase"].to_list() == ["Dip", "Recover", "Chop"]
    assert rows["confidence"].to_list() == [pytest.approx(0.3), None, 0.9]


def test_a_step_without_a_row_stays_empty():
    rows = lane(*[GOOD] * 4, *[None] * 4, *[GOOD] * 5).rename({"bucket": "subject"})
    drawn = merged(coarse(rows, 4), 4)

    assert drawn["start"].to_list() == [START, START + timedelta(hours=8)]
    assert drawn["end"].to_list() == [START + timedelta(hours=4), START + timedelta(hours=16)]


def test_five_years_of_every_lane_fit_whatever_the_order_of_the_rows():
    rows = noisy(5 * 365 * 24, [bucket.value for bucket in CapBucket])
    drawn = phase_lanes(rows, title="Five years")

    assert len(drawn) <= LIMIT_BYTES
    assert words(parsed(drawn))[0].startswith("Five years (most frequent phase of each ")
    assert phase_lanes(rows.sample(fraction=1.0, shuffle=True, seed=1), title="Five years") == drawn


def test_the_order_of_the_rows_changes_nothing():
    rows = noisy(40, ["nano", "big"])
    drawn = phase_lanes(rows.sort("ts", "bucket"), title="Lanes")

    assert words(parsed(drawn))[0] == "Lanes"
    assert phase_lanes(rows, title="Lanes") == drawn
    assert phase_lanes(rows.reverse(), title="Lanes") == drawn


@pytest.mark.parametrize("subjects", [6, 12])
def test_the_most_spans_that_are_drawn_fit_too(subjects):
    names = [f"subject {n:02}" for n in range(subjects)]
    fewest = noisy(MAX_SPANS // (3 * subjects), names)

    assert len(phase_lanes(fewest, title="Lanes")) <= LIMIT_BYTES


def test_names_from_outside_are_text_and_nothing_else():
    hostile = '</text><script>alert("x")</script>'
    root = parsed(phase_lanes(lane(GOOD, bucket=hostile), title=hostile))

    assert words(root)[0] == hostile
    assert "</text><sc…" in words(root)[1:]
    assert root.find(f".//{SVG}script") is None


def test_a_window_without_rows_says_so():
    assert words(parsed(phase_lanes(lane(), title="Lanes"))) == ["Lanes", "no rows in this window"]


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="one row an hour"):
        phase_lanes(pl.concat([lane(GOOD), lane(DIP)]), title="Lanes")
    with pytest.raises(ValueError, match="Splendid"):
        phase_lanes(lane(("Splendid", 1.0)), title="Lanes")
