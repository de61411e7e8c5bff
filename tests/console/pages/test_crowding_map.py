"""The crowding map: squares and colours say what the numbers say, and the legend runs from one end to the other."""

import itertools
from typing import Any

import pytest

from console.pages.crowding_map import (
    CELL_HEIGHT,
    CELL_WIDTH,
    GAP,
    HALF,
    LEGEND_WIDTH,
    LEVELS,
    CrowdingMap,
    crowding_map,
    level_of,
)

RULES = {"skew_min": 0.33, "skew_max": 1.33}


def cell(skew: float, share: float | None = 0.25) -> dict[str, Any]:
    return {"skew": skew, "share_frac": share}


def drawn(*lines: list[dict[str, Any]], rules: dict[str, float] = RULES) -> CrowdingMap:
    columns = [f"c{number}" for number in range(len(lines[0]) if lines else 0)]
    grid = {"row_values": [f"r{number}" for number in range(len(lines))], "column_values": columns}
    return crowding_map(grid | {"cells": list(lines)}, rules)


def test_a_square_stands_in_its_row_and_column_and_none_covers_another():
    picture = drawn([cell(1.0), cell(1.0)], [cell(1.0), cell(1.0)])
    first, right, below, _ = picture.squares

    assert (right.x - first.x, right.y) == (CELL_WIDTH + GAP, first.y)
    assert (below.x, below.y - first.y) == (first.x, CELL_HEIGHT + GAP)
    assert right.x + CELL_WIDTH <= picture.width
    assert below.y + CELL_HEIGHT <= picture.height
    assert [name for _, name in picture.rows + picture.columns] == ["r0", "r1", "c0", "c1"]


def test_the_foot_of_a_square_is_filled_by_its_share():
    picture = drawn([cell(1.0, 1.0), cell(1.0, 0.5), cell(1.0, 0.0), cell(1.0, None)])

    assert [each.share_width for each in picture.squares] == [CELL_WIDTH, CELL_WIDTH / 2, 0.0, 0.0]


@pytest.mark.parametrize(
    ("skew", "level"), [(0.33, 0), (0.46, 0), (0.47, 1), (0.999, 4), (1.0, 5), (1.07, 6), (1.33, 9), (0.1, 0), (2.0, 9)]
)
def test_smaller_buys_have_colours_of_the_lower_half_and_larger_ones_of_the_upper(skew, level):
    assert level_of(skew, 0.33, 1.33) == level


def test_the_legend_joins_its_colours_from_one_end_to_the_other_and_marks_both_and_one():
    picture = drawn([cell(1.0)])

    assert picture.swatches[0].x == 0.0
    for before, after in itertools.pairwise(picture.swatches):
        assert before.x + before.width == pytest.approx(after.x, abs=0.11)
    assert picture.swatches[-1].x + picture.swatches[-1].width == pytest.approx(LEGEND_WIDTH, abs=0.11)
    assert picture.marks == ((0.0, 0.33), (pytest.approx(268.0), 1.0), (LEGEND_WIDTH, 1.33))
    assert picture.swatches[HALF].x == pytest.approx(268.0)


@pytest.mark.parametrize("rules", [{"skew_min": 1.0, "skew_max": 1.0}, {"skew_min": 0.5, "skew_max": 1.0}])
def test_ends_that_coincide_with_neutral_are_drawn_too(rules):
    picture = drawn([cell(rules["skew_min"]), cell(1.0)], rules=rules)

    assert all(0 <= each.level < LEVELS for each in picture.squares)
    assert sum(each.width for each in picture.swatches) <= LEGEND_WIDTH + 0.5


def test_an_empty_grid_has_no_square():
    assert drawn().squares == ()
