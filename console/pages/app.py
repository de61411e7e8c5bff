"""The application: every address, and what each expected failure is answered with."""

from collections.abc import Callable
from dataclasses import dataclass

import psycopg
import typer
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, ExceptionHandler

from console.pages.action_page import action_page
from console.pages.api_address import json_answer
from console.pages.config_page import config_page
from console.pages.dagster_url import DAGSTER_URL
from console.pages.forward_page import forward_page
from console.pages.guard import LOOPBACK_NAMES, Guard
from console.pages.json_api import json_routes
from console.pages.lesson_page import lesson_page
from console.pages.lessons_page import lessons_page
from console.pages.notes_page import notes_page
from console.pages.openapi import openapi_answer
from console.pages.override_page import override_page
from console.pages.overview_page import overview_page
from console.pages.page_session import BusyError
from console.pages.picture_routes import picture_routes
from console.pages.quality_page import dead_letters_page, gaps_page, quality_page, refused_page, waiting_page
from console.pages.regime_page import regime_page
from console.pages.sets_page import set_page, sets_page
from console.pages.switch_page import ForbiddenError, SwitchPage
from console.pages.template import page, style_sheet
from console.pages.trades_page import trades_page
from console.pages.tuning_page import tuning_page
from console.pages.whatif_page import whatif_page
from console.pages.why_page import why_page, why_start_page
from console.session import RefusedError, UnreadableError
from domain.config.pm_config import ConfigError
from domain.scores.score_reading import CorruptScoreError
from sql.database import DatabaseConnectionError
from sql.migration_file import MigrationError
from sql.pm_config import UnknownVersionError
from sql.trading_switch import UnreadableSwitchError

IN_THE_WAY = (
    *(DatabaseConnectionError, MigrationError, psycopg.Error, BusyError),
    *(UnreadableSwitchError, UnreadableError, ConfigError, UnknownVersionError, CorruptScoreError),
)
"""What the database may have that stops a page: the answer is 503, and trying again may help."""

Change = Callable[[Request, bytes], Response]


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Who may enter: host names answered to beside this machine's own, the token, and whether others can reach it."""

    names: frozenset[str] = frozenset()
    token: str | None = None
    is_public: bool = False


def build_app(door: Door, dagster_url: str = DAGSTER_URL) -> ASGIApp:
    """Build the guarded application; runs lead to the Dagster UI at `dagster_url`."""
    switch = SwitchPage(door.token)
    routes = [
        Route("/", overview_page),
        Route("/regime", regime_page),
        Route("/lessons", lessons_page),
        Route("/lesson/{identity}", lesson_page),
        Route("/override/{number}", override_page),
        Route("/trades", trades_page),
        Route("/trade/{identity}", action_page),
        Route("/action/{identity}", action_page),
        Route("/forward", forward_page),
        Route("/tuning", tuning_page),
        Route("/whatif", whatif_page),
        Route("/sets", sets_page),
        Route("/sets/{number}", set_page),
        Route("/notes", notes_page),
        Route("/config", config_page),
        Route("/why", why_start_page),
        Route("/why/{words:path}", why_page),
        Route("/quality", quality_page),
        Route("/quality/gaps", gaps_page),
        Route("/quality/refused", refused_page),
        Route("/quality/waiting", waiting_page),
        Route("/quality/dead-letters", dead_letters_page),
        Route("/switch", switch.show),
        Route("/switch/halt", _changing(switch.halt), methods=["POST"]),
        Route("/switch/resume", _changing(switch.resume), methods=["POST"]),
        Route("/style.css", _style),
        *picture_routes(),
        *json_routes(),
        Route("/api/openapi.json", openapi_answer),
    ]
    app = Starlette(routes=routes, exception_handlers=_handlers())
    app.router.redirect_slashes = False
    app.state.dagster_url = dagster_url
    names = LOOPBACK_NAMES | {name.lower() for name in door.names}
    return Guard(app, names=names, token=door.token, is_public=door.is_public)


def _changing(change: Change) -> Callable[[Request], object]:
    """Read the form, then change something in a thread of its own, as all that waits for the database."""

    async def changed(request: Request) -> Response:
        return await run_in_threadpool(change, request, await request.body())

    return changed


def _style(_: Request) -> Response:
    return Response(style_sheet(), media_type="text/css")


def _handlers() -> dict[int | type[Exception], ExceptionHandler]:
    handlers: dict[int | type[Exception], ExceptionHandler] = dict.fromkeys(IN_THE_WAY, _answer_with(503))
    handlers |= {typer.BadParameter: _answer_with(400), RefusedError: _refused}
    return handlers | {HTTPException: _http_failure, ForbiddenError: _forbidden}


def _answer_with(status: int) -> ExceptionHandler:
    def answered(request: Request, error: Exception) -> Response:
        return _told(request, status, getattr(error, "message", None) or str(error))

    return answered


def _refused(request: Request, error: Exception) -> Response:
    """Answer that what was asked for is not there, or that what was to be changed cannot be."""
    return _told(request, 404 if request.method in ("GET", "HEAD") else 409, str(error))


def _forbidden(request: Request, error: Exception) -> Response:
    assert isinstance(error, ForbiddenError)
    return _told(request, error.status, str(error))


def _http_failure(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    said = "There is no such page" if error.status_code == 404 else error.detail
    answer = _told(request, error.status_code, said)
    answer.headers.update(error.headers or {})
    return answer


def _told(request: Request, status: int, said: str) -> Response:
    if request.url.path.startswith("/api/"):
        return json_answer({"error": said}, status)
    return page("error", {"status": status, "said": said}, status)
