"""`lowcap why`: from an override to the candle, or with --down from a candle to the override, by keys alone."""

from typing import Annotated, Any

import typer

from console.lineage import lineage_document, walk
from console.lineage_doubt import with_doubts
from console.lineage_kind import DOWN, UP
from console.lineage_printing import print_lineage
from console.lineage_root import Asked, root_of
from console.lineage_rows import LIVE, StoredLineage
from console.printing import print_json
from console.replay import Replay, look_at
from console.session import reading

MAX_ROWS = 2_000
"""Rows after which no further level is begun: more than a person reads, and still under a second."""


def why(
    asked: Annotated[Asked, typer.Argument(metavar="WHAT", help=f"{', '.join(Asked)}.")],
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="WHICH...",
            help="An id or its first 8 digits; of a state DRIVER HORIZON INSTANT; of a candle NAME TIMEFRAME INSTANT.",
        ),
    ],
    is_down: Annotated[bool, typer.Option("--down", help="What was made of it, not what it was made of.")] = False,
    depth: Annotated[int, typer.Option(min=0, max=20, help="How many links to follow.")] = 3,
    most: Annotated[int, typer.Option(min=1, max=500, help="How many rows a link shows at most.")] = 8,
    replay: Replay = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Ask why a row is as it is: what it was made of, row by row, down to the raw candle and who said so."""
    with reading() as connection:
        look_at(connection, replay)
        source = StoredLineage(connection)
        root = root_of(source, replay or LIVE, asked, words)
        edges = DOWN if is_down else UP
        lineage = walk(source, root, edges=edges, depth=depth, most=most, max_rows=MAX_ROWS)
    told = lineage_document(lineage)
    told = told if is_down else with_doubts(told)
    document: dict[str, Any] = {"direction": "down" if is_down else "up", "depth": depth, "most": most}
    document |= {"rows": len(lineage.nodes), "is_cut_at": lineage.is_cut_at, "root": told}
    if as_json:
        print_json(document)
    else:
        print_lineage(document)
