"""A quantity over instants as a path on a picture, with its zero and both ends of its scale; absent is a gap."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from console.pages.time_axis import DAY, TimeAxis

LEFT, WIDTH, TOP, HEIGHT = 86, 800, 20, 150
ROOM = 0.06
"""Share of the height left free above and below."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A value at an instant, where it is drawn, and its interval where one is known."""

    at: datetime
    value: float
    x: float
    y: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningLine:
    """Points joined where neighbours are known; zero: height of nothing; ends: heights with the values there."""

    axis: TimeAxis
    points: tuple[Point, ...]
    path: str
    zero: float
    ends: tuple[tuple[float, float], ...]
    days: tuple[tuple[float, datetime], ...]

    @property
    def height(self) -> float:
        """Height of the picture."""
        return TOP + HEIGHT + 30


def running_line(
    values: Sequence[tuple[datetime, float | None, float | None, float | None]], *, most_days: int = 14
) -> RunningLine | None:
    """Draw a value with its interval at each instant.

    Parameters
    ----------
    values : sequence of (datetime, float or None, float or None, float or None)
        Instant, value, and the ends of its interval; in order of time. A value of None breaks the line.
    most_days : int
        How many midnights are drawn at most.

    Returns
    -------
    RunningLine or None
        None where no value is known.
    """
    known = [(at, value, low, high) for at, value, low, high in values if value is not None]
    if not known:
        return None
    start, end = values[0][0], values[-1][0]
    axis = TimeAxis(start=start, end=max(end, start + DAY), left=LEFT, width=WIDTH)
    spread = [each for _, *three in known for each in three if each is not None]
    lowest, highest = min(0.0, *spread), max(0.0, *spread)
    room = ((highest - lowest) or 1.0) * ROOM

    def y(value: float) -> float:
        return round(TOP + HEIGHT * (highest + room - value) / (highest - lowest + 2 * room), 1)

    points = tuple(
        Point(at=at, value=value, x=axis.x(at), y=y(value), low=_known(low, y), high=_known(high, y))
        for at, value, low, high in known
    )
    marks = [value for value in (highest, lowest) if value != 0.0]
    return RunningLine(
        axis=axis,
        points=points,
        path=_path(values, axis, y),
        zero=y(0.0),
        ends=tuple((y(value), value) for value in marks),
        days=_days(axis, most_days),
    )


def _known(value: float | None, y: Callable[[float], float]) -> float | None:
    return None if value is None else y(value)


def _path(
    values: Sequence[tuple[datetime, float | None, float | None, float | None]],
    axis: TimeAxis,
    y: Callable[[float], float],
) -> str:
    path, command = [], "M"
    for at, value, *_ in values:
        if value is None:
            command = "M"
            continue
        path.append(f"{command}{axis.x(at)} {y(value)}")
        command = "L"
    return "".join(path)


def _days(axis: TimeAxis, most: int) -> tuple[tuple[float, datetime], ...]:
    days = list(axis.days())
    return tuple((axis.x(day), day) for day in days[:: -(-len(days) // most) or 1])
