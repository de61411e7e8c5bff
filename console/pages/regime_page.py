"""`/regime`: the regime as it was known at an instant, with the days before it, and links to other instants."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import psycopg
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from console.ae_view import ae_facts
from console.instant import YEARS, within_years
from console.pages.asked import asked_of, instant_text
from console.pages.link import address
from console.pages.page_session import reading_page
from console.pages.parameter import timeframe_of
from console.pages.phase_lane import bucket_rungs, lanes_height, phase_lanes, rung_y
from console.pages.template import page
from console.pages.time_axis import DAY, HOUR, TimeAxis
from console.regime_commands import regime_text
from console.states_view import states_facts
from console.stored_rows import rows_of
from domain.vocabulary.cap_bucket import REGIME_BUCKETS, CapBucket
from domain.vocabulary.horizon import Horizon
from domain.vocabulary.phase import Phase

BACK = 7 * DAY
STEPS: Mapping[str, timedelta] = {
    "7 days earlier": -7 * DAY,
    "a day earlier": -DAY,
    "an hour earlier": -HOUR,
    "an hour later": HOUR,
    "a day later": DAY,
    "7 days later": 7 * DAY,
}
STOP = timedelta(hours=4)
RANGE = 14 * DAY
"""How far the knob of the slider goes, hour by hour."""

LEFT, WIDTH = 120, 760


def regime_page(request: Request) -> Response:
    """Show the heat-map of the channels, the ladder of the buckets and the lanes of the phases.

    A slider that was let go of is answered with the address of its instant.
    """
    asked = asked_of(request, "as_of", "timeframe", "since", "hour")
    if asked.text("since"):
        hours = asked.count("hour", default=1, most=round(RANGE / HOUR) + 1) - 1
        slid = instant_text(within_years(asked.instant("since") + hours * HOUR))
        return RedirectResponse(address("/regime", kept={"as_of": slid}, timeframe=asked.text("timeframe")), 303)
    as_of_at, timeframe = asked.instant(), timeframe_of(asked)
    axis = TimeAxis(start=as_of_at - BACK, end=as_of_at, left=LEFT, width=WIDTH)
    with reading_page() as connection:
        text = regime_text(connection, as_of_at)
        states = states_facts(connection, as_of_at)
        scores = ae_facts(connection, as_of_at, timeframe)
        past = _past(connection, axis)
        (newest,) = rows_of(connection, "newest_regime_hour")
    context = None if text is None else json.loads(text)
    facts = {
        "as_of": as_of_at,
        "context": context,
        "ladder": [] if context is None else _ladder(context),
        "horizons": [horizon.value for horizon in Horizon],
        "timeframes": {horizon.value: horizon.timeframe.value for horizon in Horizon},
        "drivers": _by_driver(states["drivers"]),
        "scores": scores,
        "phases": [phase.value for phase in Phase],
        "slider": _slider(axis),
        "knob": _knob(as_of_at, newest["at"]),
        "steps": [(words, instant_text(at)) for words, step in STEPS.items() if (at := _moved(as_of_at, step))],
        "newest": newest["at"],
        "timeframe": asked.text("timeframe"),
    }
    return page("regime", facts | past, kept=asked.kept)


def _past(connection: psycopg.Connection, axis: TimeAxis) -> dict[str, Any]:
    window = {"from_at": axis.start, "as_of": axis.end}
    lanes = phase_lanes(rows_of(connection, "phases_between", **window), axis)
    rungs = bucket_rungs(rows_of(connection, "ranks_between", **window), axis)
    places = [(n, rung_y(n)) for n in range(1, len(REGIME_BUCKETS) + 1)]
    days = [(axis.x(day), day) for day in axis.days()]
    sizes = {"lanes_height": lanes_height(lanes), "rungs_height": rung_y(len(REGIME_BUCKETS)) + 34}
    return {"lanes": lanes, "rungs": rungs, "places": places, "days": days, "axis": axis} | sizes


def _ladder(context: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Buckets in their order, those without a place after them, each with its phase and what a tick makes of it."""
    order = [*context["bucket_rank"], *(name for name in CapBucket if name not in context["bucket_rank_position"])]
    return [
        {
            "rank": context["bucket_rank_position"].get(name),
            "bucket": str(name),
            "phase": context["bucket_phases"].get(name),
            "tokens": context["bucket_population"].get(name),
            "multiplier": context["bucket_multipliers"][name]["multiplier"],
            "because": context["bucket_skipped"].get(name) or context["bucket_multipliers"][name]["basis"],
        }
        for name in order
    ]


def _by_driver(cells: list[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    drivers: dict[str, list[dict[str, Any]]] = {}
    for cell in cells:
        drivers.setdefault(cell["driver"], []).append(cell)
    return list(drivers.items())


def _slider(axis: TimeAxis) -> list[tuple[float, float, str]]:
    """Left edge and width of each stop of the slider, and the instant it leads to."""
    count = round((axis.end - axis.start) / STOP)
    stops = [axis.start + number * STOP for number in range(1, count + 1)]
    return [(axis.x(at - STOP), round(axis.x(at) - axis.x(at - STOP), 1), instant_text(at)) for at in stops]


def _knob(as_of_at: datetime, newest_at: datetime | None) -> dict[str, Any]:
    """Place a slider of whole hours around an instant; the newest hour is in reach of it."""
    end = as_of_at + RANGE / 2
    if newest_at is not None and as_of_at <= newest_at < end:
        end = newest_at
    since = (end - RANGE).replace(minute=0, second=0, microsecond=0)
    hours = round(RANGE / HOUR) + 1
    place = min(hours, max(1, round((as_of_at - since) / HOUR) + 1))
    days = [number for number in range(1, hours + 1) if (since + (number - 1) * HOUR).hour == 0]
    return {"since": since, "until": since + RANGE, "hours": hours, "place": place, "days": days}


def _moved(at: datetime, step: timedelta) -> datetime | None:
    moved = at + step
    return moved if moved.year in YEARS else None
