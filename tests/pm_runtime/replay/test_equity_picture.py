"""The picture of a replay's equity: an SVG that a browser can read, whatever is in it."""

from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

from domain.portfolio.equity_curve import EquityPoint
from pm_runtime.replay.equity_picture import HEIGHT, WIDTH, equity_picture

START = datetime(2025, 4, 1, tzinfo=UTC)
SVG = "{http://www.w3.org/2000/svg}"


def curve(*values: float) -> list[EquityPoint]:
    return [
        EquityPoint(at=START + day * timedelta(days=1), cash_usd=value / 2, held_usd=value / 2, holdings=1)
        for day, value in enumerate(values)
    ]


def points(picture: str, shape: str) -> list[tuple[float, float]]:
    found = ElementTree.fromstring(picture).find(f"{SVG}{shape}")
    assert found is not None
    return [tuple(map(float, pair.split(","))) for pair in found.attrib["points"].split()]


def test_the_line_rises_and_falls_as_the_equity_does():
    (_, first), (_, second), (_, third) = points(equity_picture(curve(100.0, 150.0, 90.0), "t"), "polyline")

    assert second < first < third  # an SVG counts from the top


def test_everything_stands_on_the_paper():
    picture = equity_picture(curve(20_000.0, 1.0, 45_000.0), "t")

    for shape in ("polyline", "polygon"):
        assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in points(picture, shape))


def test_a_curve_that_never_moves_and_one_of_a_single_point_can_be_drawn():
    assert len(points(equity_picture(curve(0.0, 0.0), "t"), "polyline")) == 2
    assert len(points(equity_picture(curve(5.0), "t"), "polyline")) == 1


def test_without_a_point_it_says_so():
    assert "no tick" in equity_picture([], "t")


def test_a_title_cannot_break_the_document():
    root = ElementTree.fromstring(equity_picture(curve(1.0, 2.0), "</svg><script>alert(1)</script>&"))

    assert "</svg><script>alert(1)</script>&" in [text.text for text in root.iter(f"{SVG}text")]
