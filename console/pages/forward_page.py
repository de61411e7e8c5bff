"""`/forward`: what learned sizes made beside neutral ones, walked forward, with the trades behind it."""

from collections.abc import Mapping
from datetime import datetime
from itertools import accumulate
from typing import Any

import psycopg
from starlette.requests import Request
from starlette.responses import Response

from console.forward_view import SAYS, VERDICTS, forward_facts, forward_sentences, ordered_claims
from console.pages.asked import asked_of
from console.pages.page_session import reading_page
from console.pages.parameter import MANY
from console.pages.running_line import RunningLine, running_line
from console.pages.template import page
from console.stored_rows import rows_of

MOST = 50
Facts = Mapping[str, Any]


def forward_page(request: Request) -> Response:
    """Show what `lowcap forward --trades` tells."""
    asked = asked_of(request, "day", "most", "replay")
    day, most = asked.day(), asked.count("most", default=MOST, most=MANY)
    with reading_page() as connection:
        facts = forward_facts(connection, day, has_trades=True, most=most, replay=asked.text("replay"))
        line = None if facts["as_of"] is None else _difference(connection, facts["as_of"])
    report = facts["report"]
    shown = {
        "sentences": [] if facts["forward"] is None else forward_sentences(facts),
        "claims": [] if report is None else ordered_claims(report["claims"]),
        "line": line,
        "says": SAYS,
        "verdicts": VERDICTS,
        "asked": {"day": asked.text("day"), "replay": asked.text("replay")},
    }
    return page("forward", facts | shown, kept=asked.kept)


def _difference(connection: psycopg.Connection, as_of: str) -> RunningLine | None:
    """Line of the running difference, learned less neutral, in USD."""
    days = rows_of(connection, "forward_by_day", as_of=datetime.fromisoformat(as_of))
    running = accumulate(day["difference_usd"] for day in days)
    return running_line([(day["day"], value, None, None) for day, value in zip(days, running, strict=True)])
