"""`/lessons`: what is believed as of a day, as a tree with intervals, and how few of what was asked is believed."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from console.lessons_view import WHY, lessons_facts
from console.pages.asked import asked_of
from console.pages.lesson_tree import WIDTH, lesson_groves
from console.pages.page_session import reading_page
from console.pages.parameter import MANY
from console.pages.template import page
from console.stored_rows import rows_of

FUNNEL: Mapping[str, str] = {
    "n_trades": "closed trades",
    "cells_found": "frequent cells",
    "cells_mined": "cells kept",
    "n_hypotheses": "cells asked about",
    "n_promoted": "lessons",
}
MOST = 500


def lessons_page(request: Request) -> Response:
    """Show the lessons of a day, of live trades or of a replay's."""
    asked = asked_of(request, "day", "all", "pattern", "most", "replay")
    wanted: dict[str, Any] = {
        "is_all": asked.flag("all"),
        "pattern": asked.text("pattern"),
        "replay": asked.text("replay"),
    }
    most = asked.count("most", default=MOST, most=MANY)
    with reading_page() as connection:
        found = lessons_facts(connection, asked.day(), **wanted, most=most, parts=frozenset())
        counted = lessons_facts(connection, asked.day(), **wanted, most=1, parts=frozenset({"hypotheses"}))
        live = [] if wanted["replay"] else rows_of(connection, "overrides_of_live_set")
    by_lesson: dict[str, list[dict[str, Any]]] = {}
    for each in live:
        by_lesson.setdefault(each["lesson_id"], []).append(each)
    shown = found["lessons"][:most]
    facts = found | {
        "groves": lesson_groves(shown),
        "left_out": len(found["lessons"]) - len(shown),
        "verdicts": counted["verdicts"],
        "why": WHY,
        "funnel": _funnel(found["run"]),
        "overrides": by_lesson,
        "asked": wanted | {"day": asked.text("day")},
        "width": WIDTH,
    }
    return page("lessons", facts, kept=asked.kept)


def _funnel(run: Mapping[str, Any] | None) -> list[tuple[str, int]]:
    return [] if run is None else [(words, run[name]) for name, words in FUNNEL.items()]
