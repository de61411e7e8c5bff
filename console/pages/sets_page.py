"""`/sets`: versions of the overrides and which was live; `/sets/NUMBER`: what is in one, and what it changed."""

import re

from starlette.requests import Request
from starlette.responses import Response

from console.learned_row import row_facts
from console.override_set_commands import set_facts, sets_facts
from console.override_set_printing import standing_words
from console.pages.api_address import ApiAddress, from_facts
from console.pages.asked import asked_of
from console.pages.page_session import reading_page
from console.pages.template import page
from console.session import RefusedError
from console.stored_rows import rows_of

MOST = 60
_NUMBER = re.compile(r"[0-9]{1,18}")


def sets_page(request: Request) -> Response:
    """Show what `lowcap sets list` tells."""
    most = asked_of(request, "most").count("most", default=MOST, most=10_000)
    with reading_page() as connection:
        facts = sets_facts(connection, most)
    is_cut = most in (len(facts["sets"]), len(facts["choices"]))
    return page("sets", facts | {"standing": standing_words(facts["live"]), "most": most, "is_cut": is_cut})


def set_page(request: Request) -> Response:
    """Show what `lowcap sets show` tells, with links to the versions beside it."""
    asked_of(request)
    number = number_of(request.path_params["number"])
    with reading_page() as connection:
        facts = set_facts(connection, number)
        beside = rows_of(connection, "sets_beside", set_id=number)[0]
    return page("set", facts | {"beside": row_facts(beside)})


def number_of(text: str) -> int:
    """Return the number of a set in an address. Raises `RefusedError` if it is none."""
    if _NUMBER.fullmatch(text) is None:
        raise RefusedError(f"Expected the number of a set, was {text[:70]!r}")
    return int(text)


SET = ApiAddress(
    path="/api/sets/{number}",
    command="lowcap sets show",
    told="What is in a version of the overrides.",
    answer=from_facts(lambda connection, asked: set_facts(connection, number_of(asked["number"]))),
    parts={"number": "Number of a set."},
    answers={"set": "object", "overrides": "array"},
)
