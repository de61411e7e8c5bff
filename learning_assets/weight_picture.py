"""Picture of regime weights over time: of each component a band from the least regime to the largest, and all."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from domain.learning.regime_weight import ALL_STATES
from resources.picture import INK, OKABE_ITO, PAPER, QUIET, coordinate, document, inline_image, text
from resources.time_axis import TimeAxis

SHOWN_DAYS = timedelta(days=90)
WIDTH, LANE, LEFT, RIGHT, TOP, BOTTOM = 900, 70, 150, 30, 40, 40
COMPONENTS = ("time_efficiency", "field_coherence", "recurrence", "variance")
COLOURS = ("blue", "orange", "green", "purple")
HIGHEST = 2.0
"""Weight at the top of a lane; 0 is at its foot, 1, which changes nothing, in the middle."""


def weight_picture(rows: Sequence[Mapping[str, Any]]) -> str:
    """Markdown image of the weights of entries on the newest `SHOWN_DAYS`; empty with fewer than two days."""
    entries = [row for row in rows if row["action_category"] == "entry"]
    newest = max((row["timestamp"] for row in entries), default=None)
    entries = [row for row in entries if newest - row["timestamp"] < SHOWN_DAYS]
    days = sorted({row["timestamp"] for row in entries})
    if len(days) < 2:
        return ""
    axis = TimeAxis(days[0], days[-1], LEFT, WIDTH - LEFT - RIGHT)
    by_day: defaultdict[datetime, list[Mapping[str, Any]]] = defaultdict(list)
    for row in entries:
        by_day[row["timestamp"]].append(row)
    bottom = TOP + LANE * len(COMPONENTS)
    lanes = [
        _lane(axis, by_day, days, component, OKABE_ITO[colour], TOP + LANE * place)
        for place, (component, colour) in enumerate(zip(COMPONENTS, COLOURS, strict=True))
    ]
    title = f"Weights of entries, all regimes (line) and from the least to the largest (band), to {days[-1]:%Y-%m-%d}"
    body = text(LEFT, 24, title, anchor="start", size=14) + axis.drawn(TOP, bottom) + "".join(lanes)
    return inline_image(document(body, width=WIDTH, height=bottom + BOTTOM, colour=PAPER), title)


def _lane(
    axis: TimeAxis,
    by_day: Mapping[datetime, Sequence[Mapping[str, Any]]],
    days: Sequence[datetime],
    component: str,
    colour: str,
    top: float,
) -> str:
    def point(day: datetime, weight: float) -> str:
        y = top + LANE * (1 - min(max(weight, 0.0), HIGHEST) / HIGHEST)
        return f"{coordinate(axis.x(day))},{coordinate(y)}"

    column = f"w_{component}"
    least = [point(day, min(row[column] for row in by_day[day])) for day in days]
    largest = [point(day, max(row[column] for row in by_day[day])) for day in days]
    of_all = [point(day, row[column]) for day in days for row in by_day[day] if row["regime_signature"] == ALL_STATES]
    middle = top + LANE / 2
    return (
        f'<polygon points="{" ".join([*largest, *reversed(least)])}" fill="{colour}" fill-opacity="0.25"/>'
        f'<polyline points="{" ".join(of_all)}" fill="none" stroke="{colour}" stroke-width="1.5"/>'
        f'<path d="M{LEFT} {coordinate(middle)}H{WIDTH - RIGHT}" stroke="{INK}" stroke-dasharray="2 4"/>'
        + text(LEFT - 6, middle + 4, component, anchor="end", colour=QUIET, size=11)
    )
