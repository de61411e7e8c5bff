"""HTML of the pages: Jinja with autoescape, plain words for numbers and instants, and no way for text to be markup."""

import functools
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import jinja2
from starlette.responses import HTMLResponse, Response

from console.learned_row import interval_words, number, pattern_words, scope_words
from console.pages.asked import instant_text
from console.pages.link import TAKES, address
from console.printing import age, printable

FOLDER = Path(__file__).resolve().parents[1] / "templates"
SHORT_ID = 8


def page(
    name: str, facts: Mapping[str, Any], status: int = 200, *, kept: Mapping[str, str] = MappingProxyType({})
) -> Response:
    """Answer with a page made of facts, whose links keep what it was asked for."""
    return HTMLResponse(_environment().get_template(f"{name}.html").render(facts, kept=kept), status)


@functools.cache
def style_sheet() -> str:
    """Text of the one style sheet."""
    return (FOLDER / "style.css").read_text(encoding="utf-8")


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals |= {"link": _link, "keeps": _keeps}
    environment.filters |= {
        "at": at_words,
        "num": lambda value, spec=".3f": number(value, spec),
        "scope": scope_words,
        "pattern": pattern_words,
        "between": interval_words,
        "instant": instant_text,
        "ago": lambda seconds: age(timedelta(seconds=seconds)),
        "short": lambda text: text[:SHORT_ID],
    }
    return environment


@jinja2.pass_context
def _link(context: jinja2.runtime.Context, base: str, *parts: object, **values: object) -> str:
    """Address of a page, with what this one was asked for where it applies."""
    return address(base, *parts, kept=context.get("kept", {}), **values)


@jinja2.pass_context
def _keeps(context: jinja2.runtime.Context, base: str, *own: str) -> dict[str, str]:
    """Return what a form that leads to a page has to keep beside its own fields."""
    kept = context.get("kept", {})
    return {name: kept[name] for name in sorted(TAKES.get(base, ())) if name in kept and name not in own}


def at_words(at: datetime | str | None) -> str:
    """Write an instant for people, to the minute.

    >>> at_words("2025-06-30T12:00:59+00:00"), at_words(None), at_words("never")
    ('2025-06-30 12:00Z', '-', 'never')
    """
    if at is None:
        return "-"
    try:
        read = datetime.fromisoformat(at) if isinstance(at, str) else at
    except ValueError:
        return str(at)
    return f"{read:%Y-%m-%d %H:%MZ}"


def _shown(value: Any) -> Any:
    """Spell out what would turn text around or hide it; None is a dash. Markup that a template made stays."""
    if value is None:
        return "-"
    return printable(value) if isinstance(value, str) and not hasattr(value, "__html__") else value
