"""The coverage calendar: a cell a day at its week and weekday, and a hole for a day that is missing."""

from datetime import date, timedelta
from xml.etree import ElementTree

import numpy as np
import polars as pl
import pytest

from regime_assets.coverage_calendar import COLOURS, EDGES, LEFT, MISSING, PITCH, UNKNOWN, coverage_calendar
from resources.picture import LIMIT_BYTES, luminance
from tests.inline_picture import SVG, level_lines, parsed, words

SCHEMA = {"day": pl.Date, "coverage": pl.Float64, "label": pl.String}
WEDNESDAY = date(2025, 1, 1)


def days(*coverages: float | str | None, first: date = WEDNESDAY, label: str | None = None) -> pl.DataFrame:
    """Coverage day by day; "missing" is no row."""
    rows = [(first + timedelta(days=n), given, label) for n, given in enumerate(coverages) if given != "missing"]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def random_days(number: int) -> pl.DataFrame:
    rng = np.random.default_rng(2)
    rows = days(*rng.random(number), first=date(2020, 1, 1))
    unknown = pl.Series(rng.random(number) < 0.3)
    labels = pl.Series(rng.choice(["no source", "warming up", "late"], number))
    kept = rows.with_columns(coverage=pl.when(unknown).then(None).otherwise("coverage"), label=labels)
    return kept.filter(pl.Series(rng.random(number) < 0.7))


def cells(root: ElementTree.Element) -> list[dict[tuple[int, int], str]]:
    """Kind of the cell at each week and weekday (Monday is 0), a mapping a year; the legend is left out."""
    years: dict[float, dict[tuple[int, int], str]] = {}
    for path in root.iterfind(f"{SVG}path"):
        place, scale = path.attrib["transform"].removesuffix(")").split(") scale(")
        x, y = (float(number) for number in place.removeprefix("translate(").split())
        height = float(path.attrib["stroke-width"]) * PITCH / 2
        assert (float(scale), path.attrib["stroke-dasharray"]) == (PITCH, f"{path.attrib['stroke-width']} 1")
        boxes = [(column, line, path.attrib["class"]) for column, line, _ in level_lines(path.attrib["d"])]
        year = years.setdefault(round(y - height), {})
        assert not set(year) & {(int(column), int(line)) for column, line, _ in boxes} or x != LEFT
        year.update({(int(column), int(line)): kind for column, line, kind in boxes})
    return list(years.values())[:-1]


def stroke_of(root: ElementTree.Element, kind: str) -> str:
    return next(path.attrib["stroke"] for path in root.iterfind(f"{SVG}path") if path.attrib["class"] == kind)


def test_each_day_stands_at_its_week_and_weekday():
    (year,) = cells(parsed(coverage_calendar(days(*[1.0] * 7), title="Coverage")))

    assert sorted(year) == [(0, 2), (0, 3), (0, 4), (0, 5), (0, 6), (1, 0), (1, 1)]
    assert set(year.values()) == {"coverage-5"}


@pytest.mark.parametrize(
    ("coverage", "number"),
    [(0.0, 0), (0.1999, 0), (0.2, 1), (0.5, 2), (11 / 15, 3), (12 / 15, 4), (14 / 15, 4), (1.0, 5)],
)
def test_a_day_has_the_colour_of_its_coverage(coverage, number):
    root = parsed(coverage_calendar(days(coverage), title="Coverage"))

    assert cells(root) == [{(0, 2): f"coverage-{number}"}]
    assert stroke_of(root, f"coverage-{number}") == COLOURS[number]


def test_a_fuller_day_is_darker():
    shades = [luminance(colour) for colour in COLOURS]

    assert shades == sorted(shades, reverse=True)
    assert len(shades) == len(EDGES) + 1


@pytest.mark.parametrize("unknown", [None, float("nan")])
def test_a_missing_day_and_an_unknown_coverage_are_not_the_same(unknown):
    root = parsed(coverage_calendar(days(1.0, "missing", unknown, 0.0), title="Coverage"))

    assert cells(root) == [{(0, 2): "coverage-5", (0, 3): MISSING, (0, 4): UNKNOWN, (0, 5): "coverage-0"}]
    assert (stroke_of(root, MISSING), stroke_of(root, UNKNOWN)) == (f"url(#{MISSING})", f"url(#{UNKNOWN})")
    assert {tile.attrib["id"] for tile in root.iterfind(f"{SVG}pattern")} == {MISSING, UNKNOWN}


def test_years_stand_apart_with_their_own_numbers():
    root = parsed(coverage_calendar(days(1.0, 0.5, "missing", None, first=date(2024, 12, 31)), title="Coverage"))

    assert cells(root) == [
        {(52, 1): "coverage-5"},
        {(0, 2): "coverage-2", (0, 3): MISSING, (0, 4): UNKNOWN},
    ]
    said = words(root)
    assert said[said.index("2024") + 1] == "mean 1.000 over 1 day"
    assert said[said.index("2025") + 1] == "mean 0.500 over 1 day, 1 unknown, 1 missing"


def test_a_year_without_a_single_day_is_drawn_missing():
    rows = pl.concat([days(1.0, first=date(2023, 12, 31)), days(1.0, first=date(2025, 1, 1))])
    _, empty, _ = cells(parsed(coverage_calendar(rows, title="Coverage")))

    assert len(empty) == 366
    assert set(empty.values()) == {MISSING}


def test_labels_are_counted_beneath_the_calendar():
    rows = pl.concat([days(None, None, label="no <source>"), days(1.0, first=date(2025, 3, 1), label="late")])

    assert words(parsed(coverage_calendar(rows, title="Coverage")))[-2:] == [
        "no <source>: 2 days, 2025-01-01 .. 2025-01-02",
        "late: 1 day, 2025-03-01",
    ]


def test_an_endless_label_is_cut():
    assert words(parsed(coverage_calendar(days(1.0, label="x" * 99_999), title="Coverage")))[-1] == (
        f"{'x' * 69}…: 1 day, 2025-01-01"
    )


def test_an_instant_stands_for_its_day():
    rows = days(1.0, 0.5)
    instants = rows.with_columns(pl.col("day").cast(pl.Datetime("us", "UTC")))

    assert coverage_calendar(instants, title="Coverage") == coverage_calendar(rows, title="Coverage")


def test_the_rarest_labels_are_only_counted():
    rows = pl.concat([days(1.0, first=WEDNESDAY + timedelta(days=n), label=f"note {n}") for n in range(9)])

    assert words(parsed(coverage_calendar(rows, title="Coverage")))[-1] == "and 3 other labels"


@pytest.mark.parametrize("number", [1826, 3652])
def test_years_of_days_fit_whatever_the_order_of_the_rows(number):
    rows = random_days(number)
    drawn = coverage_calendar(rows, title="Coverage")

    assert len(drawn) <= LIMIT_BYTES
    span = (rows["day"].max() - rows["day"].min()).days + 1
    assert sum(len(year) for year in cells(parsed(drawn))) == span
    assert coverage_calendar(rows.sample(fraction=1.0, shuffle=True, seed=1), title="Coverage") == drawn


def test_a_table_without_days_says_so():
    assert words(parsed(coverage_calendar(days(), title="a & b")))[:2] == ["a & b", "no days"]


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match=r"was 1.5 on 2025-01-02"):
        coverage_calendar(days(1.0, 1.5), title="Coverage")
    with pytest.raises(ValueError, match="one coverage, had two"):
        coverage_calendar(pl.concat([days(1.0), days(0.5)]), title="Coverage")
