"""The picture of a decay: points, fits and the half-life stand where the numbers say."""

import math
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from console.cell_decay import half_life
from console.pages.decay_curve import DecayCurve, decay_curve

FIRST = datetime(2025, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)
RATE = -math.log(2) / (8 * 24)
CURVE = {"amplitude": 0.5, "rate_per_hour": RATE, "rate_se_per_hour": -RATE / 10, "half_life_hours": 8 * 24.0}
LINE = {"intercept": 0.4, "slope_per_hour": -0.02 / 24}
NO_CURVE = dict.fromkeys(CURVE)


def facts(edges: list[float], fit: dict[str, Any] | None = None, source: str = "line") -> dict[str, Any]:
    told = [
        {"day": (FIRST + number * DAY).isoformat(), "edge_raw": edge, "n_trades": 40}
        for number, edge in enumerate(edges)
    ]
    return {"snapshots": told, "fit": fit, "half_life": fit and half_life(fit, 0.9), "source": source}


def drawn(edges: list[float], fit: dict[str, Any] | None = None, source: str = "line") -> DecayCurve:
    picture = decay_curve(facts(edges, fit, source))
    assert picture is not None
    return picture


def places(path: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"([\d.]+) ([\d.]+)", path)]


def test_each_snapshot_is_a_point_at_its_day_and_its_edge():
    picture = drawn([0.4, 0.0, -0.4, 0.2, 0.3])

    xs, ys = [x for x, _, _ in picture.points], [y for _, y, _ in picture.points]
    assert xs == pytest.approx([62 + 128 * day for day in range(5)], abs=0.06)
    assert ys[1] == picture.values.y(0.0)
    assert ys[1] - ys[0] == pytest.approx(ys[2] - ys[1], abs=0.11)


def test_a_line_runs_through_its_own_ends_and_is_carried_on_after_the_newest_snapshot():
    picture = drawn([0.4] * 21, LINE | NO_CURVE)
    (fit,) = picture.fits

    solid, dashed = places(fit.path), places(fit.carried)
    assert solid[0] == (picture.axis.x(FIRST), picture.values.y(0.4))
    assert solid[-1] == dashed[0] == (picture.last_x, picture.values.y(0.0))
    assert dashed[-1][0] > picture.last_x
    assert (fit.name, fit.is_used) == ("line", True)


def test_both_fits_are_drawn_and_the_used_one_is_told():
    picture = drawn([0.5 * math.exp(RATE * 24 * day) for day in range(20)], LINE | CURVE, "exponential")

    assert [(each.name, each.is_used) for each in picture.fits] == [("line", False), ("exponential", True)]
    for (x, y), (_, height, _) in zip(places(picture.fits[1].path)[::48], picture.points[::19], strict=True):
        assert y == pytest.approx(height, abs=0.11)
        assert x in {picture.points[0][0], picture.points[-1][0]}


def test_the_half_life_stands_where_the_exponential_has_halved_with_its_interval_around():
    picture = drawn([0.5 * math.exp(RATE * 24 * day) for day in range(20)], LINE | CURVE, "exponential")
    mark = picture.half_life

    assert (mark.x, mark.y) == (picture.axis.x(FIRST + 8 * DAY), picture.values.y(0.25))
    z = 1.6448536
    assert mark.low == picture.axis.x(FIRST + 8 * DAY / (1 + z / 10))
    assert mark.high == picture.axis.x(FIRST + 8 * DAY / (1 - z / 10))
    assert not mark.is_open


@pytest.mark.parametrize(
    ("values", "x", "is_open"),
    [
        ({"half_life_hours": 9999.0, "rate_per_hour": -math.log(2) / 9999}, None, True),
        ({"rate_se_per_hour": -RATE}, 62 + 640 * 8 / 23.75, True),
    ],
    ids=["after the end", "may stand for ever"],
)
def test_what_lies_beyond_the_picture_is_told_to_be_open(values, x, is_open):
    mark = drawn([0.3] * 20, LINE | CURVE | values, "exponential").half_life

    assert mark.x == (None if x is None else pytest.approx(x, abs=0.1))
    assert mark.is_open is is_open
    assert mark.high == 702.0


def test_a_curve_that_was_not_believed_is_not_drawn():
    picture = drawn([0.4, 0.3, 0.2], LINE | NO_CURVE)

    assert [each.name for each in picture.fits] == ["line"]
    assert picture.half_life is None


def test_without_a_fit_there_are_points_and_without_snapshots_no_picture():
    assert drawn([0.4, 0.3]).fits == ()
    assert decay_curve(facts([])) is None
    assert len(drawn([0.1]).points) == 1


def test_a_curve_that_leaves_the_picture_ends_there():
    growing = CURVE | {"amplitude": 0.01, "rate_per_hour": -RATE * 4, "half_life_hours": 48.0}
    picture = drawn([0.01 * math.exp(-RATE * 4 * 24 * day) for day in range(12)], LINE | growing, "exponential")

    dashed = places(picture.fits[1].carried)
    assert 1 <= len(dashed) < 49
    assert min(y for _, y in dashed) >= picture.values.top


def test_names_of_fits_that_end_together_do_not_cover_each_other():
    flat = {"intercept": 0.4, "slope_per_hour": 0.0} | CURVE | {"amplitude": 0.4, "rate_per_hour": -1e-9}
    first, second = drawn([0.4] * 20, flat, "exponential").labels

    assert second.y - first.y >= 14
