"""The grid of the crowding map: a square a cell, its colour the skew of a further buy there, and the legend of it."""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Facts = Mapping[str, Any]

LEVELS, HALF = 10, 5
"""Colours, from crowded to free."""

LEFT, TOP, CELL_WIDTH, CELL_HEIGHT, GAP = 150, 34, 92, 50, 3
LEGEND_WIDTH, LEGEND_HEIGHT = 400, 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Square:
    """A cell of the grid and where it is drawn; `share_width` is how much of its foot is filled, its share of all."""

    x: float
    y: float
    level: int
    share_width: float
    cell: Facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Swatch:
    """A colour of the legend."""

    x: float
    width: float
    level: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CrowdingMap:
    """What is drawn, and where: squares, names of rows and columns, the legend with its marks."""

    squares: tuple[Square, ...]
    rows: tuple[tuple[float, str], ...]
    columns: tuple[tuple[float, str], ...]
    swatches: tuple[Swatch, ...]
    marks: tuple[tuple[float, float], ...]
    width: float
    height: float


def crowding_map(grid: Facts, rules: Facts) -> CrowdingMap:
    """Draw the grid.

    Parameters
    ----------
    grid : mapping
        row_values, column_values, and cells by row: skew, share_frac (None while nothing is held).
    rules : mapping
        skew_min and skew_max, the ends of the scale.

    Returns
    -------
    CrowdingMap
        Squares row by row; the legend runs from one end of the scale to the other, with marks at both and at 1.
    """
    low, high = rules["skew_min"], rules["skew_max"]
    columns, rows = grid["column_values"], grid["row_values"]
    step_x, step_y = CELL_WIDTH + GAP, CELL_HEIGHT + GAP
    squares = [
        _square(cell, LEFT + column * step_x, TOP + row * step_y, low, high)
        for row, line in enumerate(grid["cells"])
        for column, cell in enumerate(line)
    ]
    return CrowdingMap(
        squares=tuple(squares),
        rows=tuple((TOP + row * step_y + CELL_HEIGHT / 2 + 4, name) for row, name in enumerate(rows)),
        columns=tuple((LEFT + column * step_x + CELL_WIDTH / 2, name) for column, name in enumerate(columns)),
        swatches=tuple(_swatches(low, high)),
        marks=tuple((legend_x(value, low, high), value) for value in (low, 1.0, high) if low <= value <= high),
        width=LEFT + max(1, len(columns)) * step_x + 8,
        height=TOP + max(1, len(rows)) * step_y + 4,
    )


def level_of(skew: float, low: float, high: float) -> int:
    """Colour of a skew: the lower half of them below 1, where buys are made smaller, the upper half from 1 on.

    >>> [level_of(skew, 0.33, 1.33) for skew in (0.33, 0.5, 0.99, 1.0, 1.33)]
    [0, 1, 4, 5, 9]
    """
    if skew < 1.0:
        return max(0, int(HALF * (skew - low) / (1.0 - low)))
    return min(LEVELS - 1, HALF + (int(HALF * (skew - 1.0) / (high - 1.0)) if high > 1.0 else 0))


def legend_x(value: float, low: float, high: float) -> float:
    """Place of a skew on the legend.

    >>> legend_x(0.33, 0.33, 1.33), legend_x(1.33, 0.33, 1.33)
    (0.0, 400.0)
    """
    return round(LEGEND_WIDTH * (value - low) / (high - low), 1) if high > low else float(LEGEND_WIDTH)


def _swatches(low: float, high: float) -> Iterator[Swatch]:
    """Colours of the legend, each as wide as the skews it stands for."""
    lower = [low + level * (1.0 - low) / HALF for level in range(HALF)]
    upper = [1.0 + level * (high - 1.0) / HALF for level in range(HALF)]
    for level, (first, last) in enumerate(itertools.pairwise([*lower, *upper, high])):
        x = legend_x(first, low, high)
        yield Swatch(x=x, width=round(legend_x(last, low, high) - x, 1), level=level)


def _square(cell: Facts, x: float, y: float, low: float, high: float) -> Square:
    level = level_of(cell["skew"], low, high)
    return Square(x=x, y=y, level=level, share_width=share_length(cell, CELL_WIDTH), cell=cell)


def share_length(cell: Facts, width: float) -> float:
    """Length of the bar of a cell's share, all of it being as long as `width`; nothing while nothing is held.

    >>> share_length({"share_frac": 0.5}, 80.0), share_length({"share_frac": None}, 80.0)
    (40.0, 0.0)
    """
    return round(width * (cell["share_frac"] or 0.0), 1)
