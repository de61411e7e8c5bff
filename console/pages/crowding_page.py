"""`/crowding`: where the exposure of open positions stands, and how much a further buy there is held back."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from console.crowding import crowding_facts
from console.crowding_view import doubts, mask_words, skew_words
from console.pages.api_address import ApiAddress, from_facts
from console.pages.asked import Asked, asked_of
from console.pages.crowding_map import (
    CELL_HEIGHT,
    CELL_WIDTH,
    LEGEND_HEIGHT,
    LEGEND_WIDTH,
    crowding_map,
    level_of,
    share_length,
)
from console.pages.page_session import reading_page
from console.pages.parameter import PATTERN, REPLAY, Text, most_of
from console.pages.template import page
from domain.scopes.pattern_key import PATTERN_KEYS, PREFIX, PatternFlag
from domain.vocabulary.scope_dimension import ScopeDimension

ASKED = ("rows", "columns", "pattern", "most", "replay")
BAR_WIDTH = 90.0
SALES = frozenset({PatternFlag.TRIM_FLAG, PatternFlag.EXIT_POSITION, PatternFlag.EMERGENCY_EXIT})
BUYS = tuple(str(key).removeprefix(f"{PREFIX}.") for key in PATTERN_KEYS if key.flag not in SALES)
"""Patterns a buy is made on, as people type them."""


def crowding_page(request: Request) -> Response:
    """Show the map of what is held now, or at the end of a replay."""
    asked = asked_of(request, *ASKED)
    with reading_page() as connection:
        facts = crowding_facts(connection, **_wanted(asked))
    rules = facts["rules"]
    shown = {
        "map": crowding_map(facts["grid"], rules),
        "sizes": {"cell_width": CELL_WIDTH, "cell_height": CELL_HEIGHT},
        "legend": {"width": LEGEND_WIDTH, "height": LEGEND_HEIGHT},
        "bar_width": BAR_WIDTH,
        "length": lambda cell: share_length(cell, BAR_WIDTH),
        "level": lambda cell: level_of(cell["skew"], rules["skew_min"], rules["skew_max"]),
        "skew_words": skew_words,
        "masks": mask_words(rules["masks"]),
        "doubts": doubts(facts),
        "all_dimensions": [each.value for each in ScopeDimension],
        "all_patterns": BUYS,
        "asked": {name: asked.text(name) for name in ASKED},
    }
    return page("crowding", facts | shown, kept=asked.kept)


CROWDING = ApiAddress(
    path="/api/crowding",
    command="lowcap crowding",
    told="Where the exposure of open positions stands, and how much a further buy there is held back.",
    answer=from_facts(lambda connection, asked: crowding_facts(connection, **asked)),
    parameters=(
        *(Text("rows", "Dimension of the rows."), Text("columns", "Dimension of the columns.")),
        *(PATTERN, most_of(20, 10_000), REPLAY),
    ),
    answers={
        **{"config_version": "integer", "pattern": "string|null"},
        **dict.fromkeys(("rules", "book", "grid"), "object"),
        **dict.fromkeys(("pairs", "dimensions", "largest"), "array"),
    },
)


def _wanted(asked: Asked) -> dict[str, Any]:
    texts = {name: asked.text(name) for name in ("rows", "columns", "pattern", "replay")}
    return texts | {"most": asked.count("most", default=20, most=10_000)}
