"""The bucket ladder: ranks at their heights, holes as holes, and a picture that stays small."""

import re
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import numpy as np
import polars as pl
import pytest

from domain.vocabulary.cap_bucket import REGIME_BUCKETS, CapBucket
from regime_assets.bucket_ladder import COLOURS, LEFT, MAX_COLUMNS, PLOT_WIDTH, RULE_Y, RUNG, TOP, bucket_ladder
from resources.picture import LIMIT_BYTES
from tests.inline_picture import SVG, heights, parsed, words

START = datetime(2025, 3, 1, tzinfo=UTC)
SCHEMA = {
    **{"bucket": pl.String, "horizon": pl.String, "ts": pl.Datetime("us", "UTC")},
    **{"phase": pl.String, "score": pl.Float64, "confidence": pl.Float64},
}


def phases(scores: dict[str, list[float | None]], *, horizon: str = "meso", confidence: float | None = 0.5):
    """Scores of each bucket hour by hour; None is no row."""
    rows = [
        (bucket, horizon, START + timedelta(hours=hour), "Good", score, confidence)
        for bucket, series in scores.items()
        for hour, score in enumerate(series)
        if score is not None
    ]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def long_window(hours: int) -> pl.DataFrame:
    rng = np.random.default_rng(5)
    stamps = [START + timedelta(hours=hour) for hour in range(hours)]
    frames = [
        pl.DataFrame({"bucket": bucket.value, "ts": stamps, "score": rng.normal(size=hours)}) for bucket in CapBucket
    ]
    named = pl.concat(frames).with_columns(horizon=pl.lit("meso"), phase=pl.lit("Double-Dip"), confidence=0.987)
    return named.select(SCHEMA.keys()).cast(SCHEMA).filter(pl.Series(rng.random(hours * len(CapBucket)) > 0.1))


def lines(root: ElementTree.Element) -> dict[str, ElementTree.Element]:
    """Line of each bucket."""
    return {path.attrib["class"]: path for path in root.iter(f"{SVG}path") if "class" in path.attrib}


def columns(line: ElementTree.Element) -> list[list[tuple[float, int]]]:
    """Unbroken pieces of a line as x and position."""
    pieces = line.attrib["d"].split("M")[1:]
    points = [re.findall(r"([\d.]+) ([\d.]+)", piece) for piece in pieces]
    return [[(float(x), round((float(y) - TOP) / RUNG) + 1) for x, y in piece] for piece in points]


def positions(markdown: str, bucket: str) -> list[list[int]]:
    return [[place for _, place in piece] for piece in columns(lines(parsed(markdown))[bucket])]


def test_each_bucket_stands_at_its_rank_the_leader_on_top():
    drawn = bucket_ladder(phases({"micro": [0.1, 0.9], "nano": [0.5, 0.4], "mid": [0.3, -0.2]}), title="Ladder")

    assert positions(drawn, "nano") == [[1, 2]]
    assert positions(drawn, "micro") == [[3, 1]]
    assert positions(drawn, "mid") == [[2, 3]]
    assert {bucket: line.attrib["stroke"] for bucket, line in lines(parsed(drawn)).items()} == {
        bucket.value: COLOURS[bucket] for bucket in REGIME_BUCKETS
    }


def test_buckets_as_good_as_each_other_stand_in_bucket_order():
    drawn = bucket_ladder(phases({"large": [0.3], "nano": [0.3]}), title="Ladder")

    assert (positions(drawn, "nano"), positions(drawn, "large")) == ([[1]], [[2]])


def test_an_hour_stands_where_it_ended():
    root = parsed(bucket_ladder(phases({"nano": [0.1] * 4}), title="Ladder"))

    assert [x for x, _ in columns(lines(root)["nano"])[0]] == [LEFT + PLOT_WIDTH * n / 4 for n in (1, 2, 3, 4)]


def test_a_missing_hour_breaks_the_line_of_its_bucket_alone():
    scores = {"nano": [0.5, 0.5, None, 0.5, None], "mid": [0.1] * 5}
    drawn = bucket_ladder(phases(scores), title="Ladder")

    assert positions(drawn, "nano") == [[1, 1], [1]]
    assert positions(drawn, "mid") == [[2, 2, 1, 2, 1]]


def test_an_hour_without_any_row_breaks_every_line():
    drawn = bucket_ladder(phases({"nano": [0.5, None, 0.5], "mid": [0.1, None, 0.1]}), title="Ladder")

    assert (positions(drawn, "nano"), positions(drawn, "mid")) == ([[1], [1]], [[2], [2]])
    assert "h0" in lines(parsed(drawn))["mid"].attrib["d"]


def test_the_newest_hour_is_told_at_the_right_with_what_is_absent_in_it():
    rows = phases({"mid": [0.25, -1.0], "big": [0.5, 0.5], "nano": [0.1, None]})
    root = parsed(bucket_ladder(rows, title="Ladder"))

    told = words(root)
    assert told[told.index("1 big") + 1] == "Good, score +0.50, confidence 0.50"
    assert told[told.index("2 mid") + 1] == "Good, score -1.00, confidence 0.50"
    assert told.count("no score in the newest hour") == 3
    heads = ("1 big", "2 mid", "nano", "micro", "large")
    assert [round((heights(root)[head] - TOP) / RUNG) + 1 for head in heads] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("confidence", [None, float("nan")])
def test_an_unknown_confidence_is_said_to_be_unknown(confidence):
    root = parsed(bucket_ladder(phases({"nano": [0.5]}, confidence=confidence), title="Ladder"))

    assert "Good, score +0.50, confidence unknown" in words(root)


def test_xl_is_drawn_below_the_rule_and_takes_no_rank():
    root = parsed(bucket_ladder(phases({"xl": [9.0, None, 9.0], "nano": [0.1] * 3}), title="Ladder"))

    assert [place for _, place in columns(lines(root)["nano"])[0]] == [1, 1, 1]
    assert {float(y) for y in re.findall(r" ([\d.]+)", lines(root)["xl"].attrib["d"])} == {heights(root)["xl"] + 1}
    assert heights(root)["xl"] > RULE_Y > heights(root)["5"]
    assert len(columns(lines(root)["xl"])) == 2


def test_without_xl_there_is_no_rule():
    assert "xl" not in words(parsed(bucket_ladder(phases({"nano": [0.1]}), title="Ladder")))


def test_only_meso_rows_are_ranked():
    rows = pl.concat([phases({"nano": [0.1], "mid": [0.2]}), phases({"nano": [0.9], "mid": [0.2]}, horizon="macro")])

    assert positions(bucket_ladder(rows, title="Ladder"), "nano") == [[2]]


def test_a_long_window_is_thinned_out_to_the_last_evaluation_of_each_step():
    hours = 3 * MAX_COLUMNS
    rows = phases({"nano": [hour % 3 - 0.5 for hour in range(hours)], "mid": [0.0] * hours})
    drawn = bucket_ladder(rows, title="Ladder")

    assert words(parsed(drawn))[0] == "Ladder (last evaluation of each 3 h)"
    assert positions(drawn, "nano") == [[1] * MAX_COLUMNS]


def test_a_window_that_fits_is_not_thinned_out():
    drawn = bucket_ladder(phases({"nano": [0.1] * MAX_COLUMNS}), title="Ladder")

    assert words(parsed(drawn))[0] == "Ladder"
    assert len(positions(drawn, "nano")[0]) == MAX_COLUMNS


def test_five_years_are_a_small_picture_whatever_the_order_of_the_rows():
    rows = long_window(5 * 365 * 24)
    drawn = bucket_ladder(rows, title="Five years")

    assert len(drawn) < LIMIT_BYTES / 2
    assert len(columns(lines(parsed(drawn))["nano"])) > 1
    assert bucket_ladder(rows.sample(fraction=1.0, shuffle=True, seed=1), title="Five years") == drawn


def test_a_window_without_rows_says_so():
    assert words(parsed(bucket_ladder(phases({}), title="<Ladder> & co")))[0] == "<Ladder> & co"
    assert "no meso rows in this window" in words(parsed(bucket_ladder(phases({}), title="Ladder")))


def test_a_bucket_twice_in_an_hour_is_refused():
    rows = phases({"nano": [0.1]})

    with pytest.raises(ValueError, match="one finite score of nano"):
        bucket_ladder(pl.concat([rows, rows]), title="Ladder")
