"""`/`: what holds now: the switch, A and E of each bucket, the newest rows, the newest trades."""

from datetime import datetime
from typing import Any

import psycopg
from starlette.requests import Request
from starlette.responses import Response

from console.ae_view import ae_facts
from console.pages.asked import asked_of
from console.pages.page_session import reading_page
from console.pages.parameter import timeframe_of
from console.pages.template import page
from console.printing import age
from console.stored_rows import rows_of
from console.switch_commands import switch_facts
from console.trades_view import trades_facts
from domain.vocabulary.cap_bucket import REGIME_BUCKETS
from domain.vocabulary.driver import DEFAULT_BOOK_ID, DRIVERS
from domain.vocabulary.timeframe import Timeframe

TRADES = 12


def overview_page(request: Request) -> Response:
    """Show what holds; with `as_of`, scores and rows as they were known then."""
    asked = asked_of(request, "as_of", "timeframe", "replay")
    as_of_at, timeframe = asked.instant(), timeframe_of(asked)
    with reading_page() as connection:
        facts = {
            "as_of": as_of_at,
            "is_now": asked.text("as_of") is None,
            "switch": switch_facts(connection, 5),
            "scores": ae_facts(connection, as_of_at, timeframe),
            "newest": newest_rows(connection, as_of_at),
            "timeframe": asked.text("timeframe"),
            "replay": asked.text("replay"),
        }
        told = trades_facts(connection, is_open_only=False, most=TRADES, replay=asked.text("replay"))
    shown = {"trades": told["trades"], "n_open": told["open"], "most": TRADES}
    return page("overview", facts | shown, kept=asked.kept)


def newest_rows(connection: psycopg.Connection, as_of_at: datetime) -> list[dict[str, Any]]:
    """Newest row of each table people wait for that was known at an instant, with how long it had been."""
    values: dict[str, Any] = {"timeframes": [frame.value for frame in Timeframe], "book_id": DEFAULT_BOOK_ID}
    values |= {"steps": [frame.duration for frame in Timeframe], "as_of": as_of_at}
    rows = rows_of(connection, "newest_rows", **values, drivers=[*DRIVERS], buckets=[*REGIME_BUCKETS])
    return [row | {"age": None if row["ready"] is None else age(as_of_at - row["ready"])} for row in rows]
