"""The decay of an edge as a picture: its snapshots as points, the line and the exponential, and where it has halved."""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from console.pages.time_axis import DAY, HOUR, TimeAxis
from console.pages.value_axis import ValueAxis, axis_over

Facts = Mapping[str, Any]

LEFT, WIDTH, TOP, HEIGHT, BELOW = 62, 640, 18, 230, 66
STEPS = 48
"""Pieces a curve is drawn with."""

AHEAD = 0.25
"""Share of the time seen that the fits are carried on after the last snapshot."""

LINE_HEIGHT = 14
MOST_DATES = 8
DATE_STEPS = (1, 2, 7, 14, 28, 91, 182, 365)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """A fitted curve: over the snapshots, and carried on after them; `is_used` when the multiplier came from it."""

    name: str
    path: str
    carried: str
    is_used: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """Name of a fit, beside its end and apart from the others."""

    name: str
    y: float
    is_used: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class HalfLife:
    """Where the exponential has halved, or doubled: its place, its interval, and the height of the curve there.

    x: None where that is after the end of the picture. low, high: ends of the interval, held inside the picture; None
    where there is no interval. is_open: the interval goes on after the picture.
    """

    x: float | None
    y: float | None
    low: float | None
    high: float | None
    is_open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DecayCurve:
    """What is drawn, and where."""

    axis: TimeAxis
    values: ValueAxis
    points: tuple[tuple[float, float, Facts], ...]
    fits: tuple[Fit, ...]
    labels: tuple[Label, ...]
    half_life: HalfLife | None
    last_x: float
    dates: tuple[tuple[float, datetime], ...]
    ticks: tuple[tuple[float, float], ...]
    height: float


def decay_curve(facts: Facts) -> DecayCurve | None:
    """Picture of a cell as `lowcap decay` tells it.

    Parameters
    ----------
    facts : mapping
        snapshots (day as ISO text, edge_raw in R, n_trades), fit or None, half_life or None, source.

    Returns
    -------
    DecayCurve or None
        None where there is no snapshot. A curve that was not believed is not drawn: it has no numbers.
    """
    snapshots: Sequence[Facts] = facts["snapshots"]
    if not snapshots:
        return None
    instants = [datetime.fromisoformat(each["day"]) for each in snapshots]
    first, last = instants[0], instants[-1]
    axis = TimeAxis(start=first, end=last + max(DAY, AHEAD * (last - first)), left=LEFT, width=WIDTH)
    functions = _functions(facts["fit"])
    edges = [each["edge_raw"] for each in snapshots]
    ends = [function(_hours(at - first)) for function in functions.values() for at in (first, last)]
    values = axis_over([*edges, *ends], top=TOP, bottom=TOP + HEIGHT)
    seen = list(zip(instants, snapshots, strict=True))
    return DecayCurve(
        axis=axis,
        values=values,
        points=tuple((axis.x(at), values.y(each["edge_raw"]), each) for at, each in seen),
        fits=tuple(_fit(name, of, axis, values, last, facts["source"] == name) for name, of in functions.items()),
        labels=_labels(functions, values, _hours(axis.end - first), facts["source"]),
        half_life=_half_life(facts["half_life"], functions.get("exponential"), axis, values),
        last_x=axis.x(last),
        dates=tuple((axis.x(at), at) for at in dates_of(axis)),
        ticks=tuple((values.y(value), value) for value in values.ticks()),
        height=TOP + HEIGHT + BELOW,
    )


def dates_of(axis: TimeAxis) -> list[datetime]:
    """Midnights of an axis, every so many days that there are few of them.

    >>> start = datetime.fromisoformat("2025-06-01T00:00Z")
    >>> [at.day for at in dates_of(TimeAxis(start=start, end=start + 12 * DAY, left=0, width=1))]
    [1, 3, 5, 7, 9, 11, 13]
    """
    days = list(axis.days())
    step = next((each for each in DATE_STEPS if len(days) / each <= MOST_DATES), DATE_STEPS[-1])
    return days[::step]


def _functions(fit: Facts | None) -> dict[str, Callable[[float], float]]:
    """Edge after so many hours since the first snapshot, by the name of the fit that says so."""
    if fit is None:
        return {}
    found: dict[str, Callable[[float], float]] = {}
    if fit["intercept"] is not None and fit["slope_per_hour"] is not None:
        found["line"] = lambda hours: float(fit["intercept"] + fit["slope_per_hour"] * hours)
    if fit["amplitude"] is not None and fit["rate_per_hour"] is not None:
        found["exponential"] = lambda hours: float(fit["amplitude"] * math.exp(fit["rate_per_hour"] * hours))
    return found


def _fit(
    name: str, of: Callable[[float], float], axis: TimeAxis, values: ValueAxis, last: datetime, is_used: bool
) -> Fit:
    return Fit(
        name=name,
        path=_path(of, axis, values, axis.start, last),
        carried=_path(of, axis, values, last, axis.end),
        is_used=is_used,
    )


def _path(of: Callable[[float], float], axis: TimeAxis, values: ValueAxis, first: datetime, last: datetime) -> str:
    """Path of a curve up to where it leaves the picture; empty where it never is in it."""
    instants = (first + step / STEPS * (last - first) for step in range(STEPS + 1))
    heights = ((axis.x(at), of(_hours(at - axis.start))) for at in instants)
    inside = itertools.takewhile(lambda each: values.low <= each[1] <= values.high, heights)
    places = "L".join(f"{x} {values.y(value)}" for x, value in inside)
    return f"M{places}" if places else ""


def _labels(
    functions: Mapping[str, Callable[[float], float]], values: ValueAxis, hours: float, source: str | None
) -> tuple[Label, ...]:
    """Names at the ends of the curves, from above; one too near the one above it is moved down."""
    heights = sorted((values.y(of(hours)) + 4, name) for name, of in functions.items())
    labels: list[Label] = []
    for y, name in heights:
        free = labels[-1].y + LINE_HEIGHT if labels else y
        labels.append(Label(name=name, y=max(y, free), is_used=name == source))
    return tuple(labels)


def _half_life(
    half_life: Facts | None, of: Callable[[float], float] | None, axis: TimeAxis, values: ValueAxis
) -> HalfLife | None:
    if half_life is None or of is None:
        return None
    span = _hours(axis.end - axis.start)
    hours, low, high = half_life["hours"], half_life["low_hours"], half_life["high_hours"]
    is_inside = hours <= span
    return HalfLife(
        x=_x(hours, axis) if is_inside else None,
        y=values.y(of(hours)) if is_inside else None,
        low=None if low is None else _x(min(low, span), axis),
        high=None if low is None else _x(span if high is None else min(high, span), axis),
        is_open=low is not None and (high is None or high > span),
    )


def _x(hours: float, axis: TimeAxis) -> float:
    return axis.x(axis.start + timedelta(hours=hours))


def _hours(span: timedelta) -> float:
    return span / HOUR
