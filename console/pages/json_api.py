"""The regime API: what the commands print with --json, byte by byte, over HTTP."""

import json
from collections.abc import Mapping
from typing import Any

import psycopg
import typer
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from console.pages.asked import Asked
from console.pages.facts import (
    ae_facts,
    explain_facts,
    forward_facts,
    lessons_facts,
    regime_text,
    sets_facts,
    states_facts,
    switch_facts,
    trades_facts,
)
from console.pages.page_session import reading_page
from console.session import RefusedError
from domain.vocabulary.timeframe import Timeframe

MANY = 100_000
PARTS = ("hypotheses", "weights", "factors")


def json_routes() -> list[Route]:
    """Address of each view; all of them only read."""
    return [
        Route("/api/regime", _regime),
        Route("/api/ae", _ae),
        Route("/api/states", _states),
        Route("/api/trades", _trades),
        Route("/api/explain/{identity}", _explain),
        Route("/api/lessons", _lessons),
        Route("/api/sets", _sets),
        Route("/api/forward", _forward),
        Route("/api/switch", _switch),
    ]


def json_answer(facts: Mapping[str, Any], status: int = 200) -> Response:
    """Answer with facts, written as `console.printing.print_json` prints them."""
    text = json.dumps(facts, indent=2, ensure_ascii=False, allow_nan=False)
    plain = "".join(each if each.isprintable() or each == "\n" else json.dumps(each)[1:-1] for each in text)
    return Response(f"{plain}\n", status, media_type="application/json")


def asked_of(request: Request, *allowed: str) -> Asked:
    """Read the parameters of a request. Raises `typer.BadParameter` if one is not as the page expects it."""
    return Asked(request.query_params.multi_items(), allowed)


def timeframe_of(asked: Asked) -> Timeframe:
    """Return the execution timeframe that is asked for, an hour when none is."""
    text = asked.text("timeframe") or Timeframe.H1.value
    if text not in {each.value for each in Timeframe}:
        raise typer.BadParameter(f"Expected a timeframe, one of {', '.join(Timeframe)}, was {text!r}")
    return Timeframe(text)


def lessons_asked(connection: psycopg.Connection, asked: Asked) -> dict[str, Any]:
    """Facts of the lessons that an address asks for."""
    return lessons_facts(
        connection,
        asked.day(),
        is_all=asked.flag("all"),
        pattern=asked.text("pattern"),
        parts=frozenset(part for part in PARTS if asked.flag(part)),
        most=asked.count("most", default=50, most=MANY),
        replay=asked.text("replay"),
    )


def _regime(request: Request) -> Response:
    as_of_at = asked_of(request, "as_of").instant()
    with reading_page() as connection:
        text = regime_text(connection, as_of_at)
    if text is None:
        raise RefusedError(f"No regime context of an hour that closed in the two hours before {as_of_at.isoformat()}")
    return Response(f"{text}\n", media_type="application/json")


def _ae(request: Request) -> Response:
    asked = asked_of(request, "as_of", "timeframe")
    as_of_at, timeframe = asked.instant(), timeframe_of(asked)
    with reading_page() as connection:
        return json_answer(ae_facts(connection, as_of_at, timeframe))


def _states(request: Request) -> Response:
    as_of_at = asked_of(request, "as_of").instant()
    with reading_page() as connection:
        return json_answer(states_facts(connection, as_of_at))


def _trades(request: Request) -> Response:
    asked = asked_of(request, "open", "most", "replay")
    is_open_only, most = asked.flag("open"), asked.count("most", default=50, most=MANY)
    with reading_page() as connection:
        facts = trades_facts(connection, is_open_only=is_open_only, most=most, replay=asked.text("replay"))
    return json_answer(facts)


def _explain(request: Request) -> Response:
    replay = asked_of(request, "replay").text("replay")
    with reading_page() as connection:
        return json_answer(explain_facts(connection, request.path_params["identity"], replay))


def _lessons(request: Request) -> Response:
    asked = asked_of(request, "day", "all", "pattern", "most", "replay", *PARTS)
    with reading_page() as connection:
        return json_answer(lessons_asked(connection, asked))


def _sets(request: Request) -> Response:
    most = asked_of(request, "most").count("most", default=20, most=10_000)
    with reading_page() as connection:
        return json_answer(sets_facts(connection, most))


def _forward(request: Request) -> Response:
    asked = asked_of(request, "day", "trades", "most", "replay")
    day, most = asked.day(), asked.count("most", default=50, most=MANY)
    with reading_page() as connection:
        facts = forward_facts(connection, day, has_trades=asked.flag("trades"), most=most, replay=asked.text("replay"))
    return json_answer(facts)


def _switch(request: Request) -> Response:
    most = asked_of(request, "most").count("most", default=20, most=1000)
    with reading_page() as connection:
        return json_answer(switch_facts(connection, most))
