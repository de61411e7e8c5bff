"""`/whatif`: sizes and results of a window under other overrides, with the proof of the method; and as JSON."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import typer
from starlette.requests import Request
from starlette.responses import Response

from console.pages.api_address import ApiAddress, Given, json_answer
from console.pages.asked import LONGEST as LONGEST_TEXT
from console.pages.asked import Asked, asked_of
from console.pages.page_session import reading_page
from console.pages.parameter import REPLAY, Flag, Instant, Parameter, given, most_of
from console.pages.template import page
from console.whatif_printing import FATES, question_words, sum_sentences
from console.whatif_view import MAX_NUMBER, refuse_ambiguous, whatif_facts

MOST = 50
LONGEST = timedelta(days=92)
"""A page is answered within seconds; the command takes any window."""

_NUMBERS = re.compile(r"[0-9]{1,19}(?:[ ,]+[0-9]{1,19})*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers(Parameter[list[int]]):
    """Numbers of rows, with spaces or commas between; at most so many; none when none is given."""

    most: int | None = None

    def _read(self, asked: Asked) -> list[int]:
        text = (asked.text(self.name) or "").strip()
        found = [int(each) for each in re.split(r"[ ,]+", text)] if _NUMBERS.fullmatch(text) else []
        if (text and not found) or len(found) > (self.most or len(found)) or any(each > MAX_NUMBER for each in found):
            raise typer.BadParameter(
                f"Expected numbers of overrides, or the number of one set, was {self.name} {text[:70]!r}"
            )
        return found

    @property
    def schema(self) -> dict[str, Any]:
        """Form of the list."""
        one = "[0-9]{1,19}"
        pattern = f"^ *{one} *$" if self.most == 1 else f"^ *{one}([ ,]+{one})* *$"
        told = f"None larger than {MAX_NUMBER}."
        return {"type": "string", "pattern": pattern, "maxLength": LONGEST_TEXT, "description": told}


PARAMETERS: tuple[Parameter[Any], ...] = (
    Numbers("without", "Numbers of overrides to leave out."),
    Numbers("set", "Number of the set to apply in place of what was.", most=1),
    Flag("neutral", "Leave out all that was learned."),
    Instant("from", "Buys decided after this instant.", is_needed=True),
    Instant("to", "Buys decided by this instant.", is_needed=True),
    most_of(MOST),
    REPLAY,
)
NAMES = tuple(each.name for each in PARAMETERS)


def whatif_page(request: Request) -> Response:
    """Show what `lowcap whatif` tells; without a question, only the form for one."""
    asked = asked_of(request, *NAMES)
    shown: dict[str, Any] = {"given": {name: asked.text(name) for name in NAMES}, "facts": None}
    if any(asked.text(name) for name in ("without", "set", "neutral")):
        facts = _facts(given(asked, PARAMETERS))
        shown |= {"facts": facts, "question": question_words(facts["asked"]), "sums": sum_sentences(facts["sums"])}
    return page("whatif", shown | {"fates": FATES}, kept=asked.kept)


def _facts(asked: Given) -> Mapping[str, Any]:
    """Facts of a question; it is looked at before the database is."""
    set_id = next(iter(asked["set"]), None)
    wanted = {"without": asked["without"], "set_id": set_id, "is_neutral": asked["neutral"]}
    refuse_ambiguous(asked["without"], set_id, is_neutral=asked["neutral"])
    window = asked["from"], asked["to"]
    if not timedelta(0) < window[1] - window[0] <= LONGEST:
        raise typer.BadParameter(
            f"Expected a window of at most {LONGEST.days} days that ends after it begins; longer ones: lowcap whatif"
        )
    with reading_page() as connection:
        return whatif_facts(connection, window, **wanted, most=asked["most"], replay=asked["replay"])


WHATIF = ApiAddress(
    path="/api/whatif",
    command="lowcap whatif",
    told="Sizes and paper results of a window under other overrides: one of without, set and neutral.",
    answer=lambda _, asked: json_answer(_facts(asked)),
    parameters=PARAMETERS,
    answers={**dict.fromkeys(("asked", "told"), "object"), **dict.fromkeys(("buys", "trades"), "array"), "*": ""},
)
