"""Addresses of pages, with what a reader looks at kept in them where it applies: instant, day and replay."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from urllib.parse import quote, urlencode

from console.instant import YEARS
from console.pages.asked import instant_text

_AS_OF, _DAY, _REPLAY = "as_of", "day", "replay"
TAKES: Mapping[str, frozenset[str]] = {
    "/": frozenset({_AS_OF, _REPLAY}),
    "/regime": frozenset({_AS_OF}),
    "/quality": frozenset({_AS_OF}),
    **dict.fromkeys(("/trades", "/trade", "/action"), frozenset({_REPLAY})),
    **dict.fromkeys(("/override", "/why"), frozenset({_AS_OF, _REPLAY})),
    **dict.fromkeys(("/lessons", "/lesson", "/forward", "/tuning", "/notes"), frozenset({_DAY, _REPLAY})),
    **dict.fromkeys(("/decay", "/funnel", "/api/decay", "/api/funnel"), frozenset({_DAY, _REPLAY})),
    **dict.fromkeys(("/crowding", "/whatif", "/api/whatif", "/api/crowding"), frozenset({_REPLAY})),
    **dict.fromkeys(("/api/regime", "/api/states", "/api/ae"), frozenset({_AS_OF})),
    **dict.fromkeys(("/api/trades", "/api/explain", "/api/why"), frozenset({_REPLAY})),
    **dict.fromkeys(("/api/lessons", "/api/forward", "/api/tuning", "/api/notes"), frozenset({_DAY, _REPLAY})),
}
"""What the pages under an address know; one that is not here keeps nothing."""


def address(base: str, *parts: object, kept: Mapping[str, str], **values: object) -> str:
    """Address of a page.

    Parameters
    ----------
    base : str
        What it begins with, such as `/override`.
    parts : object
        What stands behind it, part by part, as it is: a slash in a part is no end of it.
    kept : mapping of str to str
        What the page with the link was asked for. A day leads to its end where a page knows instants alone.
    values : object
        Further parameters, over what is kept; None takes one away.

    >>> address("/override", 42, kept={"day": "2025-06-30", "replay": "r1"}, most=5)
    '/override/42?as_of=2025-07-01T00:00:00Z&replay=r1&most=5'
    >>> address("/config", kept={"replay": "r1"}), address("/why", "candle", "a/b", kept={})
    ('/config', '/why/candle/a%2Fb')
    """
    known = TAKES.get(base, frozenset())
    if _AS_OF in known and _AS_OF not in kept and _DAY in kept:
        kept = {_AS_OF: _end_of(kept[_DAY]), **kept}
    asked = {name: kept[name] for name in (_AS_OF, _DAY, _REPLAY) if name in known and name in kept} | values
    query = urlencode({name: str(value) for name, value in asked.items() if value is not None}, safe=":")
    path = base + "".join(f"/{quote(str(part), safe='')}" for part in parts)
    return f"{path}?{query}" if query else path


def _end_of(day: str) -> str:
    """Instant at which a day ends, as far as the calendar of the pages goes."""
    last = date.fromisoformat(day)
    midnight = datetime(last.year, last.month, last.day, tzinfo=UTC)
    return instant_text(midnight + timedelta(days=1) if last.year in YEARS[:-1] else midnight)
