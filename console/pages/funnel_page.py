"""`/funnel`: how evidence thins out on a day, each step as a bar, with what was left out and links to its rows."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import typer
from starlette.requests import Request
from starlette.responses import Response

from console.evidence_funnel import funnel_facts
from console.funnel_view import standing_words
from console.learned_day import learned_day, look_at_learned, nothing_learned
from console.lessons_view import WHY
from console.pages.api_address import ApiAddress, from_facts
from console.pages.asked import asked_of
from console.pages.evidence_funnel import WIDTH, evidence_bars, evidence_scale
from console.pages.page_session import reading_page
from console.pages.parameter import DAY, REPLAY
from console.pages.template import page
from console.session import RefusedError
from console.stored_rows import facts_of

MOST = 200


def funnel_page(request: Request) -> Response:
    """Show the funnel of a day, of live trades or of a replay's."""
    asked = asked_of(request, "day", "replay")
    replay = asked.text("replay")
    with reading_page() as connection:
        facts = funnel_facts(connection, asked.day(), replay=replay)
    scale = evidence_scale(facts["steps"])
    shown = {
        "bars": evidence_bars(facts["steps"], scale),
        "marks": scale.marks(),
        "width": WIDTH,
        "rows_at": lambda left: rows_address(left, facts["day"], replay),
        "standing": standing_words(facts),
        "asked": {"day": asked.text("day"), "replay": replay},
    }
    return page("funnel", facts | shown, kept=asked.kept)


FUNNEL = ApiAddress(
    path="/api/funnel",
    command="lowcap funnel",
    told="How evidence thins out on a day, and what was left out at each step.",
    answer=from_facts(lambda connection, asked: funnel_facts(connection, asked["day"], replay=asked["replay"])),
    parameters=(DAY, REPLAY),
    answers={
        **dict.fromkeys(("day", "as_of", "promotion"), "string|null"),
        **{"set_id": "integer|null", "is_live": "boolean|null", "steps": "array"},
    },
)


def hypotheses_page(request: Request) -> Response:
    """Show the cells of a day that one verdict stopped."""
    asked = asked_of(request, "day", "verdict", "replay")
    verdict, replay = asked.text("verdict"), asked.text("replay")
    if verdict is None:
        raise typer.BadParameter("Expected verdict; see /funnel")
    with reading_page() as connection:
        look_at_learned(connection, replay)
        run = learned_day(connection, "learning_run", asked.day(), replay)
        if run is None:
            raise RefusedError(nothing_learned(replay))
        rows = facts_of(connection, "hypotheses_of_verdict", at=run["timestamp"], verdict=verdict, most=MOST)
    day = f"{run['timestamp']:%Y-%m-%d}"
    told = {"rows": rows, "verdict": verdict, "why": WHY.get(verdict, verdict), "day": day, "most": MOST}
    return page("hypotheses", told | {"replay": replay}, kept=asked.kept)


def rows_address(left: Mapping[str, Any], day: str, replay: str | None) -> str | None:
    """Address of the rows that were left out; None where they have no page.

    >>> rows_address({"kind": "verdict", "value": "too_many"}, "2025-06-30", None)
    '/funnel/asked?day=2025-06-30&verdict=too_many'
    """
    rest = {} if replay is None else {"replay": replay}
    if left["kind"] == "verdict":
        return f"/funnel/asked?{urlencode({'day': day, 'verdict': left['value']} | rest)}"
    if left["kind"] == "intake":
        return f"/quality/waiting?{urlencode({'status': left['value']} | rest)}"
    return f"/quality/dead-letters?{urlencode({'kind': left['value']})}" if left["kind"] == "dead_letter" else None
