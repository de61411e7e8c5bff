"""`/override/NUMBER`: the life of an override up to an instant: its steps, its versions, and the lesson behind it."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import psycopg
from starlette.requests import Request
from starlette.responses import Response

from console.learned_day import look_at_learned
from console.learned_row import row_facts
from console.override_set_printing import WHY
from console.pages.asked import asked_of, instant_text
from console.pages.page_session import reading_page
from console.pages.template import page
from console.pages.time_axis import TimeAxis
from console.session import RefusedError
from console.stored_rows import rows_of

_NUMBER = re.compile(r"[0-9]{1,18}")
MOST = 400
LEFT, WIDTH, TOP, HEIGHT = 70, 640, 24, 110
ENDED = ("expired", "revoked")


def override_page(request: Request) -> Response:
    """Show the life of an override."""
    asked = asked_of(request, "as_of", "replay")
    number, as_of_at = _number(request.path_params["number"]), asked.instant()
    with reading_page() as connection:
        look_at_learned(connection, asked.text("replay"))
        override = _override(connection, number, asked.text("replay"))
        values = {name: override[name] for name in ("lesson_id", "lever", "pattern_key", "action_category")}
        values |= {"as_of": as_of_at, "most": MOST}
        versions = rows_of(connection, "versions_of_override", **values)
        steps = rows_of(connection, "override_life_line", **values)
        lessons = rows_of(connection, "lesson_known", **values)
    facts = {
        "override": row_facts(override),
        "as_of": as_of_at,
        "versions": [row_facts(row) for row in versions],
        "steps": [row_facts(row) | {"why": WHY.get(row["reason"])} for row in steps],
        "lesson": row_facts(lessons[0]) if lessons else None,
        "line": _life_line(versions, steps, as_of_at),
        "replay": asked.text("replay"),
        "is_cut": MOST in (len(versions), len(steps)),
    }
    return page("override", facts, kept=asked.kept)


def _number(text: str) -> int:
    if _NUMBER.fullmatch(text) is None:
        raise RefusedError(f"Expected the number of an override, was {text[:70]!r}")
    return int(text)


def _override(connection: psycopg.Connection, number: int, replay: str | None) -> dict[str, Any]:
    found = rows_of(connection, "override_numbered", override_id=number)
    if not found:
        where = "" if replay is None else f" of replay {replay!r}"
        raise RefusedError(f"No override{where} has the number {number}; see /lessons, or: lowcap sets show")
    return found[0]


def _life_line(
    versions: Sequence[Mapping[str, Any]], steps: Sequence[Mapping[str, Any]], as_of_at: datetime
) -> dict[str, Any] | None:
    """Places of the steps and of the multiplier, version by version; None before the first of them."""
    instants = [*(row["as_of"] for row in versions), *(row["stepped_at"] for row in steps)]
    if not instants:
        return None
    start = min(instants)
    stands_to = versions[-1]["expires_at"] if versions else start
    end = max(min(as_of_at, max(*instants, stands_to)), start + timedelta(hours=1))
    axis = TimeAxis(start=start, end=end, left=LEFT, width=WIDTH)
    far = max([abs(row["multiplier"] - 1) for row in versions] or [0.0]) or 0.1
    path = "".join(
        f"{'L' if n else 'M'}{axis.x(row['as_of'])} {_height(row['multiplier'], far)}" for n, row in enumerate(versions)
    )
    return {
        "axis": axis,
        "days": [(axis.x(day), day) for day in axis.days()] if (end - start) < timedelta(days=40) else [],
        "steps": [(axis.x(row["stepped_at"]), instant_text(row["stepped_at"]), row["to_state"]) for row in steps],
        "points": [(axis.x(row["as_of"]), _height(row["multiplier"], far), row) for row in versions],
        "path": path,
        "carried": _carried(versions, steps, axis, far),
        "neutral": _height(1.0, far),
        "ends": [(_height(1 + far, far), 1 + far), (_height(1 - far, far), 1 - far)],
        "height": TOP + HEIGHT + 46,
        "floor": TOP + HEIGHT + 8,
    }


def _carried(
    versions: Sequence[Mapping[str, Any]], steps: Sequence[Mapping[str, Any]], axis: TimeAxis, far: float
) -> str | None:
    """Path from the last version on: it stands until it expires, or the step that ended it."""
    if not versions or (steps and steps[-1]["to_state"] in ENDED and steps[-1]["stepped_at"] >= versions[-1]["as_of"]):
        return None
    last = versions[-1]
    return f"M{axis.x(last['as_of'])} {_height(last['multiplier'], far)}H{axis.x(last['expires_at'])}"


def _height(multiplier: float, far: float) -> float:
    return round(TOP + HEIGHT / 2 * (1 - (multiplier - 1) / far), 1)
