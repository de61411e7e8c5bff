"""`/decay`: how edges age: all fitted cells, the worst first, and the curve of one of them."""

from collections.abc import Mapping
from typing import Any

import psycopg
from starlette.requests import Request
from starlette.responses import Response

from console.cell_decay import STATES, decay_facts, decays_facts
from console.decay_view import by_state, half_life_words, movement_words
from console.pages.api_address import ApiAddress, Given, from_facts
from console.pages.asked import Asked, asked_of
from console.pages.decay_curve import decay_curve
from console.pages.page_session import reading_page
from console.pages.parameter import DAY, MANY, PATTERN, REPLAY, Flag, Text, most_of
from console.pages.template import page

Facts = Mapping[str, Any]

ASKED = ("day", "pattern", "state", "lessons", "most", "replay")
MOST = 100
BAR_WIDTH = 130.0
LEAST, HIGHEST = 0.33, 1.33
"""Ends of the scale of multipliers: what a multiplier may be at all."""


def decays_page(request: Request) -> Response:
    """Show the fitted cells of a day, of live trades or of a replay's."""
    asked = asked_of(request, *ASKED)
    with reading_page() as connection:
        facts = decays_facts(connection, asked.day(), **_wanted(asked, MOST))
    shown = {
        "counted": by_state(facts["states"]),
        "bars": [bar(each["decay_mult"]) for each in facts["cells"]],
        "neutral": place(1.0),
        "words": [half_life_words(each["half_life"]) for each in facts["cells"]],
        "width": BAR_WIDTH,
        "all_states": STATES,
        "asked": {name: asked.text(name) for name in ASKED} | {"lessons": asked.flag("lessons")},
    }
    return page("decays", facts | shown, kept=asked.kept)


def decay_page(request: Request) -> Response:
    """Show how one cell, or the cell of a lesson, ages."""
    asked = asked_of(request, "day", "replay")
    replay = asked.text("replay")
    with reading_page() as connection:
        facts = decay_facts(connection, request.path_params["identity"], asked.day(), replay=replay)
    fit, half_life = facts["fit"], facts["half_life"]
    moves = None if half_life is None else movement_words("improving" if fit["rate_per_hour"] > 0 else "decaying")
    words = half_life_words(half_life, facts["interval_level"])
    shown = {"curve": decay_curve(facts), "words": words, "moves": moves, "replay": replay}
    return page("decay", facts | shown, kept=asked.kept)


def place(multiplier: float) -> float:
    """Place of a multiplier on its bar, pixels; one outside of the scale is drawn at the nearer end.

    >>> place(0.33), place(1.33), place(0.83), place(9.0)
    (0.0, 130.0, 65.0, 130.0)
    """
    share = (multiplier - LEAST) / (HIGHEST - LEAST)
    return round(BAR_WIDTH * min(1.0, max(0.0, share)), 1)


def bar(multiplier: float) -> dict[str, float | str]:
    """Return where the bar from 1 to a multiplier begins, how long it is, and which way it goes.

    >>> bar(0.83)
    {'x': 65.0, 'width': 22.1, 'kind': 'fall'}
    """
    first, last = sorted((place(1.0), place(multiplier)))
    kind = "same" if multiplier == 1 else "rise" if multiplier > 1 else "fall"
    return {"x": first, "width": round(max(1.5, last - first), 1), "kind": kind}


def _decays(connection: psycopg.Connection, asked: Given) -> Mapping[str, Any]:
    wanted = {name: asked[name] for name in ("pattern", "state", "most", "replay")}
    return decays_facts(connection, asked["day"], is_lessons=asked["lessons"], **wanted)


OF_A_CELL = {"day": "string|null", "as_of": "string|null", "interval_level": "number|null"}

DECAYS = ApiAddress(
    path="/api/decay",
    command="lowcap decay",
    told="Fitted cells of a day, those whose edge is multiplied by least first.",
    answer=from_facts(_decays),
    parameters=(
        *(DAY, PATTERN, REPLAY, most_of(50)),
        Text("state", f"Only cells in this state, one of {', '.join(STATES)}."),
        Flag("lessons", "Only cells with an active lesson."),
    ),
    answers=OF_A_CELL | {"fitted": "integer", "states": "array", "cells": "array"},
)
DECAY = ApiAddress(
    path="/api/decay/{identity}",
    command="lowcap decay",
    told="How one cell ages: its snapshots, both fits, the half-life with its interval.",
    answer=from_facts(
        lambda connection, asked: decay_facts(connection, asked["identity"], asked["day"], replay=asked["replay"])
    ),
    parameters=(DAY, REPLAY),
    parts={"identity": "Id of a lesson or of a cell, or its first 8 digits."},
    answers=OF_A_CELL
    | {"cell": "object", "lessons": "array", "snapshots": "array", "snapshots_needed": "integer|null"}
    | {
        "fit": "object|null",
        "half_life": "object|null",
        "source": "string|null",
        "because": "string",
        "flags": "array",
    },
)


def _wanted(asked: Asked, most: int) -> dict[str, Any]:
    return {
        "pattern": asked.text("pattern"),
        "state": asked.text("state"),
        "is_lessons": asked.flag("lessons"),
        "most": asked.count("most", default=most, most=MANY),
        "replay": asked.text("replay"),
    }
