"""A lineage as a nested list for a page: each row in words, with where it leads to and what made it.

What belongs here: which page is about a row, and how rows are numbered so that one told elsewhere can be jumped to.
What does not: the walk, and HTML.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from console.lineage_printing import beside_words, count_words
from console.lineage_words import begin_at, words_of
from console.pages.asked import instant_text
from domain.vocabulary.timeframe import Timeframe

Facts = Mapping[str, Any]
HOUR = timedelta(hours=1)
_INSTANT = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d):\d\d(?:\.\d+)?\+00:00")
_LONG_ID = re.compile(r"\b([0-9a-f]{8})[0-9a-f]{56}\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """Where a row leads to: the address before its parts, the parts, and parameters."""

    base: str
    parts: tuple[str, ...] = ()
    values: Mapping[str, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """Rows a link leads to, in words how many there are, and whether some are not shown."""

    words: str
    count: str
    is_cut: bool
    rows: tuple["Leaf", ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """A row. number: of its place in the list; of a row that is told elsewhere, the place where it is, or None.

    stands: told, elsewhere or absent. why: words that begin a walk at it, where one can. replay: its world, or None.
    """

    number: int | None
    stands: str
    kind: str
    words: str
    beside: str
    replay: str | None
    page: Lead | None
    why: tuple[str, ...] | None
    made_by: Facts
    doubts: tuple[str, ...]
    branches: tuple[Branch, ...]


def lineage_tree(root: Facts) -> Leaf:
    """Tree of the document of a walk."""
    numbers = {_identity(node): number for number, node in enumerate(_told(root))}
    return _leaf(root, numbers, is_root=True)


def _told(node: Facts) -> Iterator[Facts]:
    if node.get("is_told_elsewhere"):
        return
    yield node
    for link in node.get("links", ()):
        for found in link["found"]:
            yield from _told(found)


def _leaf(node: Facts, numbers: Mapping[Any, int], *, is_root: bool = False) -> Leaf:
    kind, row = node["kind"], node.get("row", {}) | node["key"]
    is_there = "row" in node
    key = ", ".join(str(value) for value in node["key"].values())
    return Leaf(
        number=numbers.get(_identity(node)),
        stands="elsewhere" if node.get("is_told_elsewhere") else "told" if is_there else "absent",
        kind=kind.replace("_", " "),
        words=_readable(words_of(kind, row).removeprefix(f"{kind} ") if is_there else key),
        beside=_readable(beside_words(node.get("beside", {}))),
        replay=node.get("replay"),
        page=page_of(kind, row, node.get("replay")) if is_there else None,
        why=begin_at(kind, row) if is_there and not is_root else None,
        made_by=node.get("made_by", {}),
        doubts=tuple(_readable(doubt) for doubt in node.get("doubts", ())),
        branches=tuple(_branch(link, numbers) for link in node.get("links", ())),
    )


def _readable(text: str) -> str:
    """Text with instants to the minute and the first digits of long ids.

    >>> _readable(f"trade {'ab' * 32} at 2025-06-30T12:00:00+00:00")
    'trade abababab at 2025-06-30 12:00Z'
    """
    return _INSTANT.sub(r"\1 \2Z", _LONG_ID.sub(r"\1", text))


def _branch(link: Facts, numbers: Mapping[Any, int]) -> Branch:
    return Branch(
        words=link["link"],
        count=count_words(link).replace("--most", "most="),
        is_cut=link["shown"] < link["total"],
        rows=tuple(_leaf(found, numbers) for found in link["found"]),
    )


def _identity(node: Facts) -> tuple[Any, ...]:
    return (node.get("replay"), node["kind"], *(str(value) for value in node["key"].values()))


def page_of(kind: str, row: Facts, replay: str | None) -> Lead | None:
    """Page about a row, its key among its columns; None where there is none of its kind."""
    lead = _PAGES.get(kind)
    if lead is None:
        return None
    base, parts, values = lead(row)
    is_of_world = base not in ("/regime", "/config", "/quality/refused")
    return Lead(base=base, parts=parts, values=values | ({"replay": replay} if is_of_world else {}))


def _closed(row: Facts, length: timedelta) -> dict[str, str | None]:
    return {"as_of": instant_text(datetime.fromisoformat(row["timestamp"]) + length)}


def _day(row: Facts) -> dict[str, str | None]:
    return {"day": row["timestamp"][:10]}


_Led = tuple[str, tuple[str, ...], dict[str, str | None]]
_PAGES: dict[str, Callable[[Facts], _Led]] = {
    "override": lambda row: ("/override", (str(row["override_id"]),), {}),
    "lesson": lambda row: ("/lesson", (row["lesson_id"],), _day(row)),
    "trade": lambda row: ("/trade", (row["trade_id"],), {}),
    "fact": lambda row: ("/trade", (row["trade_id"],), {}),
    "action": lambda row: ("/action", (row["order_id"],), {}),
    "fill": lambda row: ("/action", (row["order_id"],), {}),
    "learning_run": lambda row: ("/lessons", (), _day(row)),
    "statistic": lambda row: ("/lessons", (), _day(row) | {"pattern": row["pattern_key"]}),
    "hypothesis": lambda row: ("/lessons", (), _day(row) | {"pattern": row["pattern_key"]}),
    "tuning_state": lambda row: ("/tuning", (), _day(row)),
    "tuning_verdict": lambda row: ("/tuning", (), _day(row)),
    "tuning_rate": lambda row: ("/tuning", (), _day(row) | {"rates": "1"}),
    "config": lambda row: ("/config", (), {"version": str(row["version"])}),
    "score": lambda row: (
        *("/regime", ()),
        _closed(row, Timeframe(row["timeframe"]).duration) | {"timeframe": row["timeframe"]},
    ),
    "context": lambda row: ("/regime", (), _closed(row, HOUR)),
    "driver_state": lambda row: ("/regime", (), _closed(row, Timeframe(row["timeframe"]).duration)),
    "quarantine": lambda row: (
        *("/quality/refused", ()),
        {"table": row["table_name"], "reason": row["reason"]},
    ),
}
