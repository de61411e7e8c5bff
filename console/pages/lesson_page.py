"""`/lesson/ID`: a lesson as a day knew it, how it came to that day by day, and the overrides made of it."""

from datetime import datetime
from typing import Any

import psycopg
from starlette.requests import Request
from starlette.responses import Response

from console.explained_action import config_of
from console.learned_day import look_at_learned
from console.learned_row import row_facts
from console.lineage_root import Asked as Begun
from console.lineage_root import root_of
from console.lineage_rows import LIVE, StoredLineage
from console.pages.asked import asked_of
from console.pages.page_session import reading_page
from console.pages.running_line import running_line
from console.pages.template import page
from console.session import RefusedError
from console.stored_rows import facts_of, rows_of

MOST_DAYS, MOST_OVERRIDES = 400, 30


def lesson_page(request: Request) -> Response:
    """Show a lesson; its id may be its first 8 digits."""
    asked = asked_of(request, "day", "replay")
    day, replay = asked.day(), asked.text("replay")
    with reading_page() as connection:
        look_at_learned(connection, replay)
        root = root_of(StoredLineage(connection), replay or LIVE, Begun.LESSON, [request.path_params["identity"]])
        days = _days(connection, root.key[0], day)
        config = config_of(connection, days[-1]["config_version"])
        known = {"lesson_id": root.key[0], "as_of": days[-1]["as_of"], "most": MOST_OVERRIDES}
        overrides = facts_of(connection, "overrides_of_lesson_known", **known)
    facts = {
        "lesson": row_facts(days[-1]),
        "days": [row_facts(row) for row in reversed(days)],
        "line": running_line([(row["day"], *_effect(row)) for row in days]),
        "overrides": overrides,
        "interval_level": None if config is None else config.learning.lesson.interval_level,
        "is_cut": len(days) == MOST_DAYS,
        "is_cut_overrides": len(overrides) == MOST_OVERRIDES,
        "replay": replay,
    }
    return page("lesson", facts, kept=asked.kept)


def _days(connection: psycopg.Connection, lesson_id: str, day: datetime | None) -> list[dict[str, Any]]:
    """Rows of a lesson up to a day. Raises `RefusedError` if no day so early knew it."""
    (last,) = rows_of(connection, "lesson_last_day", lesson_id=lesson_id, at=day)
    if last["at"] is None:
        raise RefusedError(f"No day up to {day:%Y-%m-%d} knew lesson {lesson_id[:8]}")
    return rows_of(connection, "lesson_days", lesson_id=lesson_id, at=last["at"], most=MOST_DAYS)


def _effect(row: dict[str, Any]) -> tuple[float | None, float | None, float | None]:
    """Effect of a day with its interval; None of a day that did not measure it: its numbers are older."""
    is_own = row["measured_on"] == row["day"].date()
    return (row["effect_rr"], row["effect_low"], row["effect_high"]) if is_own else (None, None, None)
