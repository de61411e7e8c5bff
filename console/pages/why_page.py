"""`/why/WHAT/WHICH...`: what a row was made of, or with `down=1` what was made of it, as a nested list of links."""

from typing import Any
from urllib.parse import unquote

import typer
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from console.lineage_root import Asked as Begun
from console.lineage_root import root_usage
from console.pages.api_address import ApiAddress, Given, json_answer
from console.pages.asked import asked_of
from console.pages.lineage_tree import lineage_tree
from console.pages.link import address
from console.pages.page_session import reading_page
from console.pages.parameter import AS_OF, REPLAY, Count, Flag, Parameter, given
from console.pages.template import page
from console.session import RefusedError
from console.why_command import DEPTH, MAX_DEPTH, MAX_MOST, MOST, why_facts

DEEPER, WIDER = 2, 4
"""How much further the links of the page go: links of the walk, and times as many rows a link."""

PARAMETERS: tuple[Parameter[Any], ...] = (
    Flag("down", "What was made of it, not what it was made of."),
    Count("depth", "How many links to follow.", default=DEPTH, most=MAX_DEPTH),
    Count("most", "How many rows a link shows at most.", default=MOST, most=MAX_MOST),
    REPLAY,
)


def why_start_page(request: Request) -> Response:
    """Ask what to begin at; a filled form leads to the page of the row."""
    asked = asked_of(request, "kind", "which", "as_of", "replay")
    asked.instant()
    if asked.text("which") is None:
        usage = {begun.value: root_usage(begun) for begun in Begun}
        return page("why_start", {"usage": usage, "kind": asked.text("kind")}, kept=asked.kept)
    words = (asked.text("which") or "").split()
    return RedirectResponse(address("/why", _begun(asked.text("kind") or ""), *words, kept=asked.kept), 303)


def why_page(request: Request) -> Response:
    """Show a walk."""
    asked = asked_of(request, *(each.name for each in PARAMETERS), AS_OF.name)
    asked.instant()
    begun, words = _words(request)
    facts = _facts(given(asked, PARAMETERS), begun, words)
    depth, most = facts["depth"], facts["most"]
    shown = {
        "begun": begun.value,
        "words": words,
        "facts": facts,
        "tree": lineage_tree(facts["root"]),
        "is_down": facts["direction"] == "down",
        "asked": {"depth": asked.text("depth"), "most": asked.text("most"), "down": asked.text("down")},
        "deeper": min(depth + DEEPER, MAX_DEPTH),
        "wider": min(most * WIDER, MAX_MOST),
        "dagster_url": request.app.state.dagster_url,
    }
    return page("why", shown, kept=asked.kept)


def _facts(asked: Given, begun: Begun, words: list[str]) -> dict[str, Any]:
    wanted = {name: asked[name] for name in ("depth", "most", "replay")}
    with reading_page() as connection:
        return why_facts(connection, begun, words, is_down=asked["down"], **wanted)


def _words(request: Request) -> tuple[Begun, list[str]]:
    """Read what an address begins at, and its parts, as bytes: a slash inside a name is no border."""
    path = request.scope["raw_path"].decode("ascii").partition("?")[0]
    try:
        first, *words = [unquote(part, errors="strict") for part in path.partition("/why/")[2].split("/")]
    except UnicodeDecodeError:
        raise typer.BadParameter("The address is no text") from None
    return _begun(first), words


def _begun(text: str) -> Begun:
    if text not in {each.value for each in Begun}:
        raise RefusedError(f"Nothing begins at {text[:70]!r}; there are {', '.join(Begun)}")
    return Begun(text)


def _form(begun: Begun) -> str:
    """Path of a walk as others read it.

    >>> _form(Begun.STATE)
    '/api/why/state/{driver}/{horizon}/{instant}'
    """
    return "/".join(["/api/why", begun.value, *(f"{{{word.lower()}}}" for word in root_usage(begun).split())])


WHY = ApiAddress(
    path="/api/why/{words:path}",
    command="lowcap why",
    told="What a row was made of, or what was made of it, row by row.",
    answer=lambda request, asked: json_answer(_facts(asked, *_words(request))),
    parameters=PARAMETERS,
    parts={
        "number": "Number of an override.",
        "id": "Id of a row, or its first 8 digits.",
        "driver": "Name of a driver, such as BTC.",
        "horizon": "macro, meso or micro.",
        "name": "Name of a series, such as BTC, or TOKEN@CHAIN.",
        "timeframe": "Length of the candle.",
        "instant": "ISO instant with an offset, at which the bar opens.",
    },
    forms=tuple(_form(begun) for begun in Begun),
    answers={
        **{"direction": "string", "is_cut_at": "string|null", "root": "object"},
        **dict.fromkeys(("depth", "most", "rows"), "integer"),
    },
)
