"""`/switch`: what the runtime may do, and two forms that change it: halt and resume.

A change needs the token of the server's file, a form this server made for this browser, an author and a reason. It is
a row of the switch, as the command writes one; that row is the record of who did it.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import typer
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from console.pages.asked import asked_of
from console.pages.bearer_token import is_same, token_of_header
from console.pages.csrf import COOKIE, LIFETIME_S, CsrfKeeper
from console.pages.guard import host_of
from console.pages.page_session import reading_page, writing_page
from console.pages.template import page
from console.scope_option import read_scope, refuse_unseen_names
from console.switch_commands import HaltMode, refuse_what_is_not_halted, switch_facts, write_switch
from domain.portfolio.trading_switch import TradingMode

FORM = "application/x-www-form-urlencoded"
FIELDS = ("token", "csrf", "author", "reason", "scope", "mode", "ahead")
MAX_AUTHOR, MAX_REASON, MAX_SCOPE = 80, 500, 1000


class ForbiddenError(RuntimeError):
    """A change that is not allowed; `status` is 401 where a right token would help, else 403."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(said)
        self.status = status


@dataclass(frozen=True)
class SwitchPage:
    """The page and its forms, with the token that opens them; None where the server was given none."""

    token: str | None
    keeper: CsrfKeeper = field(default_factory=CsrfKeeper)

    def show(self, request: Request) -> Response:
        """Show what holds and who changed what, with forms where a token is known."""
        most = asked_of(request, "most").count("most", default=20, most=1000)
        with reading_page() as connection:
            facts = switch_facts(connection, most)
        cookie = self.keeper.cookie(request.cookies.get(COOKIE))
        made = {"csrf": self.keeper.seal(cookie, time.time()), "can_change": self.token is not None}
        answer = page("switch", {"switch": facts, "modes": [mode.value for mode in HaltMode]} | made)
        answer.set_cookie(COOKIE, cookie, max_age=LIFETIME_S, path="/switch", httponly=True, samesite="strict")
        return answer

    def halt(self, request: Request, body: bytes) -> Response:
        """Stop the runtime from trading, as `lowcap halt`."""
        form = self._checked(request, body)
        mode = form.get("mode", HaltMode.HALTED.value)
        if mode not in {each.value for each in HaltMode}:
            raise typer.BadParameter(f"Expected a mode, one of {', '.join(HaltMode)}, was {mode[:80]!r}")
        scope = read_scope(_lines(form.get("scope", "")))
        with writing_page() as connection:
            if not form.get("ahead"):
                refuse_unseen_names(connection, scope)
            write_switch(connection, scope, author=form["author"], reason=form["reason"], mode=TradingMode(mode))
        return RedirectResponse("/switch", 303)

    def resume(self, request: Request, body: bytes) -> Response:
        """Take a halt back, as `lowcap resume`."""
        form = self._checked(request, body)
        scope = read_scope(_lines(form.get("scope", "")))
        with writing_page() as connection:
            if scope:
                refuse_what_is_not_halted(connection, scope)
            write_switch(connection, scope, author=form["author"], reason=form["reason"], mode=TradingMode.ACTIVE)
        return RedirectResponse("/switch", 303)

    def _checked(self, request: Request, body: bytes) -> dict[str, str]:
        """Form of a request that may change the switch."""
        if self.token is None:
            raise ForbiddenError(403, "This server was started without --token-file; use: lowcap halt, lowcap resume")
        _refuse_other_sites(request.headers)
        form = _form(request.headers, body)
        given = token_of_header(request.headers.get("authorization"))
        if not (is_same(self.token, form.get("token")) or is_same(self.token, given)):
            raise ForbiddenError(401, "The token is missing or wrong")
        if not self.keeper.is_sealed(request.cookies.get(COOKIE), form.get("csrf"), time.time()):
            raise ForbiddenError(403, "This form is not of this server, or too old: open /switch again")
        return form | {
            "author": _text(form, "author", MAX_AUTHOR),
            "reason": _text(form, "reason", MAX_REASON),
        }


def _refuse_other_sites(headers: Headers) -> None:
    """Refuse what a browser says comes from a page of somebody else."""
    origin = headers.get("origin")
    scheme, _, host = (origin or "").partition("://")
    is_own = origin is None or (scheme in ("http", "https") and host.lower() == headers["host"].lower())
    if not is_own or headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise ForbiddenError(403, f"A form of another site ({host_of(host) or 'unknown'}) cannot set the switch")


def _form(headers: Headers, body: bytes) -> dict[str, str]:
    if headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise typer.BadParameter(f"Expected a form as {FORM}")
    try:
        text = body.decode("ascii")
        pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text), errors="strict", max_num_fields=20)
    except ValueError:
        raise typer.BadParameter("The form cannot be read") from None
    form: dict[str, str] = {}
    for name, value in pairs:
        if name not in FIELDS or name in form:
            raise typer.BadParameter(f"The form has a field {name[:80]!r} too many")
        form[name] = value
    return form


def _text(form: Mapping[str, Any], name: str, longest: int) -> str:
    text = str(form.get(name, "")).strip()
    if not text or len(text) > longest or not text.isprintable():
        raise typer.BadParameter(f"Expected {'an' if name[0] == 'a' else 'a'} {name} of 1 to {longest} characters")
    return text


def _lines(text: str) -> list[str]:
    if len(text) > MAX_SCOPE or "\0" in text:
        raise typer.BadParameter(f"Expected a scope of at most {MAX_SCOPE} characters")
    return [line.strip() for line in text.splitlines() if line.strip()]
