"""`/quality`: what is missing, refused or waiting; each red cell leads to the rows behind it."""

from datetime import datetime
from typing import Any

import typer
from starlette.requests import Request
from starlette.responses import Response

from console.alarm_view import alarm_facts
from console.learned_day import look_at_learned
from console.learned_row import row_facts
from console.pages.asked import Asked, asked_of
from console.pages.overview_page import newest_rows
from console.pages.page_session import reading_page
from console.pages.parameter import timeframe_of
from console.pages.quality_board import (
    BARS,
    GAP_TABLES,
    coverage_lines,
    gap_rows_told,
    late_row,
    refused_told,
    stale_row,
    waiting_told,
)
from console.pages.template import page
from console.stored_rows import rows_of
from domain.vocabulary.bar_quarantine import QuarantineReason
from domain.vocabulary.cap_bucket import REGIME_BUCKETS
from domain.vocabulary.driver import CHANNELS, DEFAULT_BOOK_ID, DOMINANCE_DRIVERS
from domain.vocabulary.timeframe import Timeframe
from domain.vocabulary.universe import MAJORS
from sql.pm_config import read_pm_config

MOST = 200


def quality_page(request: Request) -> Response:
    """Show the board."""
    asked = asked_of(request, "as_of")
    as_of_at = asked.instant()
    with reading_page() as connection:
        least = read_pm_config(connection).config.scores.min_coverage
        values: dict[str, Any] = {"timeframes": [frame.value for frame in Timeframe], "book_id": DEFAULT_BOOK_ID}
        values |= {"newest_opens": [as_of_at - frame.duration for frame in Timeframe], "buckets": [*REGIME_BUCKETS]}
        newest = [stale_row(row, as_of_at) for row in newest_rows(connection, as_of_at)]
        steps = [frame.duration for frame in Timeframe]
        gaps = rows_of(connection, "gap_board", timeframes=values["timeframes"], steps=steps, **_series(as_of_at))
        facts = {
            "as_of": as_of_at,
            "alarms": alarm_facts(connection, at=as_of_at),
            "buckets": [bucket.value for bucket in REGIME_BUCKETS],
            "coverage": coverage_lines(rows_of(connection, "coverage_board", **values), least),
            "least": least,
            "channels": len(CHANNELS),
            "newest": newest + [late_row(row, as_of_at) for row in rows_of(connection, "late_board", as_of=as_of_at)],
            "bars": BARS,
            "gaps": gap_rows_told(gaps),
            "refused": refused_told(rows_of(connection, "refused_board")),
            "waiting": waiting_told(rows_of(connection, "waiting_board")),
            "dead": rows_of(connection, "dead_letter_board"),
        }
    return page("quality", facts, kept=asked.kept)


def gaps_page(request: Request) -> Response:
    """Show the holes of a raw table on a timeframe."""
    asked = asked_of(request, "table", "timeframe", "as_of")
    table, as_of_at, timeframe = _needed(asked, "table"), asked.instant(), timeframe_of(asked)
    if table not in GAP_TABLES:
        raise typer.BadParameter(f"Expected a raw table, one of {', '.join(GAP_TABLES)}, was {table!r}")
    values = {"table": table, "timeframe": timeframe.value, "step": timeframe.duration} | _series(as_of_at)
    return _rows_page(f"holes of {table} on {timeframe} in its last {BARS} bars", "gap_rows", **values)


def _series(as_of_at: datetime) -> dict[str, Any]:
    """Series that are looked at for holes, beside the tagged tokens, and since when."""
    return {"as_of": as_of_at, "bars": BARS, "majors": [*MAJORS], "metrics": [*DOMINANCE_DRIVERS]}


def refused_page(request: Request) -> Response:
    """Show the refused rows of a table and reason."""
    asked = asked_of(request, "table", "reason")
    table = _needed(asked, "table")
    reason = asked.text("reason")
    if reason not in {each.value for each in QuarantineReason}:
        raise typer.BadParameter(f"Expected a reason, one of {', '.join(QuarantineReason)}, was {reason!r}")
    return _rows_page(f"refused as {reason} in {table}", "refused_rows", table=table, reason=reason)


def waiting_page(request: Request) -> Response:
    """Show closed trades that learning could not take, of live trades or of a replay's."""
    asked = asked_of(request, "status", "replay")
    status, replay = _needed(asked, "status"), asked.text("replay")
    return _rows_page(f"closed trades that are {status}", "waiting_rows", replay, status=status)


def dead_letters_page(request: Request) -> Response:
    """Show strands that break their schema."""
    kind = asked_of(request, "kind").text("kind") or ""
    return _rows_page(f"strands of kind {kind!r} that break their schema", "dead_letter_rows", kind=kind)


def _rows_page(title: str, name: str, replay: str | None = None, **values: Any) -> Response:
    with reading_page() as connection:
        look_at_learned(connection, replay)
        rows = [row_facts(row) for row in rows_of(connection, name, most=MOST, **values)]
    return page("rows", {"title": title, "rows": rows, "most": MOST})


def _needed(asked: Asked, name: str) -> str:
    text = asked.text(name)
    if text is None:
        raise typer.BadParameter(f"Expected {name}; see /quality")
    return text
