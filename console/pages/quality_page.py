"""`/quality`: what is missing, refused or waiting; each red cell leads to the rows behind it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import typer
from starlette.requests import Request
from starlette.responses import Response

from console.learned_row import row_facts
from console.pages.asked import Asked, instant_text
from console.pages.facts import rows_of
from console.pages.json_api import asked_of
from console.pages.overview_page import newest_rows
from console.pages.page_session import reading_page
from console.pages.template import page
from domain.vocabulary.bar_quarantine import QuarantineReason
from domain.vocabulary.cap_bucket import REGIME_BUCKETS
from domain.vocabulary.driver import CHANNELS, DEFAULT_BOOK_ID
from domain.vocabulary.timeframe import Timeframe
from sql.pm_config import read_pm_config

MOST = 200
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PATIENCE: Mapping[str, timedelta] = {
    "regime.regime_context": 2 * HOUR,
    "regime.phase_state_bucket": 2 * HOUR,
    "regime.regime_driver_state": HOUR,
    "regime.ae_score": HOUR,
    "regime.token_cap_bucket": 2 * DAY,
    "pm.pm_tick": 2 * HOUR,
    "learning.learning_run": 2 * DAY,
}
"""How old the newest row of a table may be before it is red."""

LEADS: Mapping[str, str] = {
    "regime.token_cap_bucket": "/quality",
    "pm.pm_tick": "/switch",
    "learning.learning_run": "/lessons",
}
"""Where the rows of a table are seen; the others at /regime as of then."""


def quality_page(request: Request) -> Response:
    """Show the board."""
    as_of_at = asked_of(request, "as_of").instant()
    with reading_page() as connection:
        least = read_pm_config(connection).config.scores.min_coverage
        values: dict[str, Any] = {"timeframes": [frame.value for frame in Timeframe], "book_id": DEFAULT_BOOK_ID}
        values |= {"newest_opens": [as_of_at - frame.duration for frame in Timeframe], "buckets": [*REGIME_BUCKETS]}
        scores = rows_of(connection, "coverage_board", **values)
        facts = {
            "as_of": as_of_at,
            "buckets": [bucket.value for bucket in REGIME_BUCKETS],
            "coverage": _by_timeframe(scores, least),
            "least": least,
            "channels": len(CHANNELS),
            "newest": [_stale(row, as_of_at) for row in newest_rows(connection, as_of_at)],
            "refused": rows_of(connection, "refused_board"),
            "waiting": rows_of(connection, "waiting_board"),
            "dead": rows_of(connection, "dead_letter_board"),
        }
    return page("quality", facts)


def refused_page(request: Request) -> Response:
    """Show the refused rows of a table and reason."""
    asked = asked_of(request, "table", "reason")
    table = _needed(asked, "table")
    reason = asked.text("reason")
    if reason not in {each.value for each in QuarantineReason}:
        raise typer.BadParameter(f"Expected a reason, one of {', '.join(QuarantineReason)}, was {reason!r}")
    return _rows_page(f"refused as {reason} in {table}", "refused_rows", table=table, reason=reason)


def waiting_page(request: Request) -> Response:
    """Show closed trades that learning could not take."""
    status = _needed(asked_of(request, "status"), "status")
    return _rows_page(f"closed trades that are {status}", "waiting_rows", status=status)


def dead_letters_page(request: Request) -> Response:
    """Show strands that break their schema."""
    kind = asked_of(request, "kind").text("kind") or ""
    return _rows_page(f"strands of kind {kind!r} that break their schema", "dead_letter_rows", kind=kind)


def _rows_page(title: str, name: str, **values: str) -> Response:
    with reading_page() as connection:
        rows = [row_facts(row) for row in rows_of(connection, name, most=MOST, **values)]
    return page("rows", {"title": title, "rows": rows, "most": MOST})


def _needed(asked: Asked, name: str) -> str:
    text = asked.text(name)
    if text is None:
        raise typer.BadParameter(f"Expected {name}; see /quality")
    return text


def _by_timeframe(scores: list[dict[str, Any]], least: int) -> list[tuple[str, list[dict[str, Any]]]]:
    """Cells of each timeframe; red on few channels, and without a score where another bucket has one."""
    made = {row["timeframe"] for row in scores if row["timestamp"] is not None}
    found: dict[str, list[dict[str, Any]]] = {}
    for row in scores:
        at = row["timestamp"]
        known = None if at is None else instant_text(at + Timeframe(row["timeframe"]).duration)
        is_red = row["timeframe"] in made and (row["coverage"] or 0) < least
        found.setdefault(row["timeframe"], []).append(row | {"known_at": known, "is_red": is_red})
    return list(found.items())


def _stale(row: dict[str, Any], as_of_at: datetime) -> dict[str, Any]:
    ready = row["ready"]
    is_red = ready is None or as_of_at - ready > PATIENCE[row["name"]]
    seen = "/regime" if ready is None else f"/regime?as_of={instant_text(ready)}"
    return row | {"is_red": is_red, "link": LEADS.get(row["name"], seen)}
