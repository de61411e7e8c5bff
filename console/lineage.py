"""Lineage: from one row over keys to the rows it was made of, or to those made of it, level by level.

What belongs here: the walk, and the document of it. What does not: SQL, and words for people. Each row is told once,
where it is first reached; a list is cut at a shown limit, and its whole length is told.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from console.lineage_kind import KEYS, TABLES, Edge

Row = Mapping[str, Any]
Key = tuple[Any, ...]

MADE = ("run_id", "code_version", "config_version", "computed_at")
HIDDEN = frozenset({*MADE, "carry"})
_RUN = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Ref(NamedTuple):
    """One row: of which world (a replay's name, or "" for the runtime's own), its kind and its key."""

    world: str
    kind: str
    key: Key


class Reached(NamedTuple):
    """What a link led to: from the n-th source, of `total` in all; beside: what the link itself knows."""

    n: int
    total: int
    ref: Ref
    beside: Row


class Found(NamedTuple):
    """A row at the end of a link."""

    ref: Ref
    beside: Row


@dataclass(frozen=True, slots=True)
class Link:
    """Rows a link leads to; `total` are there, `found` are shown."""

    edge: Edge
    total: int
    found: tuple[Found, ...]


@dataclass(slots=True)
class Node:
    """A row with its links. row: None where the key leads to nothing. links: None where the walk ended before."""

    ref: Ref
    row: Row | None
    reached_from: Ref | None
    links: tuple[Link, ...] | None = None


class Wanted(NamedTuple):
    """How a row was first reached, and whether it may be absent without a word."""

    reached_from: Ref | None
    is_optional: bool


@dataclass(slots=True)
class Lineage:
    """A walk. is_cut_at: how many rows it stopped at; None where it went as deep as asked."""

    root: Ref
    nodes: dict[Ref, Node] = field(default_factory=dict)
    is_cut_at: int | None = None


class LineageRows(Protocol):
    """Where rows are read: rows as JSON has them, in batches."""

    def rows(self, refs: Sequence[Ref]) -> Mapping[Ref, Row]:
        """Rows of some references of one kind and world; one that is not there is not in it."""

    def follow(self, edge: Edge, world: str, sources: Sequence[Row], most: int) -> Iterable[Reached]:
        """Follow a link from some rows of one kind and world."""


def walk(
    source: LineageRows,
    root: Ref,
    *,
    edges: Mapping[str, Sequence[Edge]],
    depth: int,
    most: int,
    max_rows: int,
) -> Lineage:
    """Walk from a row over links.

    Parameters
    ----------
    source : LineageRows
        Where rows are read.
    root : Ref
        Where to begin.
    edges : mapping of str to sequence of Edge
        Links of each kind.
    depth : int
        Links from the root to the last rows that are read.
    most : int
        Rows a link shows at most.
    max_rows : int
        Rows after which no further level is begun.

    Returns
    -------
    Lineage
        Every row reached, once.
    """
    lineage = Lineage(root)
    level = _read(source, lineage, {root: Wanted(None, is_optional=False)})
    for _ in range(depth):
        if len(lineage.nodes) >= max_rows:
            lineage.is_cut_at = len(lineage.nodes) if level else None
            break
        level = _read(source, lineage, _next_level(source, lineage, level, edges, most))
    return lineage


def _next_level(
    source: LineageRows, lineage: Lineage, level: Sequence[Ref], edges: Mapping[str, Sequence[Edge]], most: int
) -> dict[Ref, Wanted]:
    """Follow every link of a level; returns what is new, each with the row it was first reached from."""
    wanted: dict[Ref, Wanted] = {}
    for world, kind in sorted({(ref.world, ref.kind) for ref in level}):
        nodes = [lineage.nodes[ref] for ref in level if ref[:2] == (world, kind)]
        for node, links in zip(nodes, _links(source, nodes, edges.get(kind, ()), most), strict=True):
            node.links = links
            for ref, is_optional in ((found.ref, each.edge.is_optional) for each in links for found in each.found):
                if ref not in lineage.nodes:
                    first = wanted.get(ref, Wanted(node.ref, is_optional))
                    wanted[ref] = first._replace(is_optional=first.is_optional and is_optional)
    return wanted


def _links(source: LineageRows, nodes: Sequence[Node], edges: Sequence[Edge], most: int) -> list[tuple[Link, ...]]:
    """Links of some nodes of one kind and world, in the order of the edges."""
    rows = [node.row for node in nodes if node.row is not None]
    place = {id(node): n for n, node in enumerate(node for node in nodes if node.row is not None)}
    made: list[list[Link]] = [[] for _ in nodes]
    for edge in edges if rows else ():
        found: dict[int, list[Reached]] = {}
        for reached in source.follow(edge, nodes[0].ref.world, rows, most):
            found.setdefault(reached.n, []).append(reached)
        for links, node in zip(made, nodes, strict=True):
            own = found.get(place.get(id(node), -1), [])
            if own:
                links.append(Link(edge, own[0].total, tuple(Found(each.ref, each.beside) for each in own)))
    return [tuple(links) for links in made]


def _read(source: LineageRows, lineage: Lineage, wanted: Mapping[Ref, Wanted]) -> list[Ref]:
    """Read new rows, kind by kind; the order of `wanted` stays."""
    rows: dict[Ref, Row] = {}
    for world, kind in sorted({(ref.world, ref.kind) for ref in wanted}):
        rows |= source.rows([ref for ref in wanted if ref[:2] == (world, kind)])
    absent = {ref for ref, how in wanted.items() if how.is_optional and ref not in rows}
    for node in lineage.nodes.values() if absent else ():
        if node.links is not None:
            node.links = tuple(link for link in node.links if not {found.ref for found in link.found} <= absent)
    there = [ref for ref in wanted if ref not in absent]
    lineage.nodes |= {ref: Node(ref, rows.get(ref), wanted[ref].reached_from) for ref in there}
    return there


def made_by(row: Row) -> dict[str, Any]:
    """Say what made a row: run with its page in the Dagster UI, code, configuration, as far as it knows them."""
    made = {name: row[name] for name in MADE if row.get(name) is not None}
    if _RUN.fullmatch(str(made.get("run_id", ""))):
        made["run_page"] = f"/runs/{made['run_id']}"
    return made


def facts(row: Row) -> dict[str, Any]:
    """Columns of a row, without those that say what made it."""
    return {name: value for name, value in row.items() if name not in HIDDEN}


def lineage_document(lineage: Lineage) -> dict[str, Any]:
    """Return a walk as JSON has it: each row where it was first reached, elsewhere its key alone."""
    return _document(lineage, lineage.nodes[lineage.root], set())


def _document(lineage: Lineage, node: Node, told: set[Ref]) -> dict[str, Any]:
    told.add(node.ref)
    said = _key(node.ref)
    if node.row is None:
        return said | {"is_there": False}
    said |= {"made_by": made_by(node.row), "row": facts(node.row)}
    if node.links is not None:
        said["links"] = [_linked(lineage, node, link, told) for link in node.links]
    return said


def _linked(lineage: Lineage, node: Node, link: Link, told: set[Ref]) -> dict[str, Any]:
    found = []
    for ref, beside in link.found:
        other = lineage.nodes[ref]
        is_first = other.reached_from == node.ref and ref not in told
        said = _document(lineage, other, told) if is_first else _key(ref) | {"is_told_elsewhere": True}
        found.append(said | {"beside": dict(beside)})
    return {"link": link.edge.words, "total": link.total, "shown": len(found), "found": found}


def _key(ref: Ref) -> dict[str, Any]:
    world = {"replay": ref.world} if ref.world else {}
    return {
        "kind": ref.kind,
        "table": TABLES[ref.kind],
        **world,
        "key": dict(zip(KEYS[ref.kind], ref.key, strict=True)),
    }
