"""Where rows of a lineage do not say the same: numbers of a lesson and its trades, a score and what was read of it.

Rows may be made again after others were made of them. A link by key still holds then, and what it leads to is not what
was seen: that is told at the row. Only a walk to causes can tell.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

Facts = Mapping[str, Any]

COMPOSITE = "composite"
"""Source of a driver's bar that was made of the returns of members."""


def with_doubts(node: dict[str, Any]) -> dict[str, Any]:
    """Add to each row of a document, under `doubts`, what does not agree; nothing where all does."""
    doubts = list(_DOUBTS[node["kind"]](node)) if "row" in node and node["kind"] in _DOUBTS else []
    links = [link | {"found": [with_doubts(found) for found in link["found"]]} for link in node.get("links", ())]
    return node | ({"links": links} if "links" in node else {}) | ({"doubts": doubts} if doubts else {})


def _of_override(node: Facts) -> Iterator[str]:
    if "links" not in node:
        return
    lessons, row = [lesson["row"] for lesson in _linked(node, "lesson")], node["row"]
    if _linked(node, "tuning_state"):
        return
    if not lessons:
        yield f"no lesson {row['lesson_id']} stands in the tables: a person made it, or its rows are gone"
    elif row["as_of"] not in [lesson["as_of"] for lesson in lessons]:
        known = ", ".join(lesson["as_of"] for lesson in lessons)
        yield f"its set is as of {row['as_of']}, the lesson's rows as of {known}: it was learned again since"
    elif row["n_trades"] not in [lesson["n_trades"] for lesson in lessons]:
        yield f"it counts {row['n_trades']} trades and no row of its lesson here does: it was learned again since"


def _of_lesson(node: Facts) -> Iterator[str]:
    told = node["row"]["n_trades"]
    if node["row"]["lesson_type"] == "tuning":
        yield "it was learned from windows of opportunity (pm.pattern_episode_events), not from trades"
        return
    for link in node.get("links", ()):
        for found in link["found"][:1] if link["found"][0]["kind"] == "trade" else ():
            if found["beside"]["with_rr"] != told:
                known = found["beside"]["with_rr"]
                yield f"it was measured on {told} trades, its cell holds {known} with an R/R: facts came or went since"
    for cell in _linked(node, "statistic"):
        if cell["row"]["n_trades"] != told:
            yield f"its statistics now count {cell['row']['n_trades']} trades, it {told}: they were made again since"


def _of_action(node: Facts) -> Iterator[str]:
    seen = node["row"]["regime_states"] or {}
    for score in _linked(node, "score"):
        differ = sorted(name for name, state in seen.items() if score["row"].get(name) != state)
        if differ:
            yield f"the score was made again since; it read other states of {', '.join(differ)}"
    bar = (node["row"]["seen"] or {}).get("bar", {})
    for stored in _linked(node, "token_bar"):
        differ = sorted(name for name in stored["row"] if name in bar and stored["row"][name] != bar[name])
        if differ:
            yield f"the bar was loaded again since; it read another {', '.join(differ)}"


def _of_driver_bar(node: Facts) -> Iterator[str]:
    if node["row"]["source"] != COMPOSITE:
        return
    count, found = node["row"]["component_count"], sum(link["total"] for link in node.get("links", ()))
    if "links" in node and found != count:
        yield f"it was made of {count} components, now there are {found}: tags or bars came or went since"


def _linked(node: Facts, kind: str) -> list[Facts]:
    """Rows of a kind one link away."""
    return [
        found for link in node.get("links", ()) for found in link["found"] if found["kind"] == kind and "row" in found
    ]


_DOUBTS: dict[str, Callable[[Facts], Iterator[str]]] = {
    "override": _of_override,
    "lesson": _of_lesson,
    "action": _of_action,
    "driver_bar": _of_driver_bar,
}
