"""`lowcap why`: from an override to the candle, or with --down from a candle to the override, by keys alone."""

from collections.abc import Sequence
from typing import Annotated, Any

import psycopg
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

DEPTH, MAX_DEPTH = 3, 20
MOST, MAX_MOST = 8, 500
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
    depth: Annotated[int, typer.Option(min=0, max=MAX_DEPTH, help="How many links to follow.")] = DEPTH,
    most: Annotated[int, typer.Option(min=1, max=MAX_MOST, help="How many rows a link shows at most.")] = MOST,
    replay: Replay = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Ask why a row is as it is: what it was made of, row by row, down to the raw candle and who said so."""
    with reading() as connection:
        document = why_facts(connection, asked, words, is_down=is_down, depth=depth, most=most, replay=replay)
    if as_json:
        print_json(document)
    else:
        print_lineage(document)


def why_facts(
    connection: psycopg.Connection,
    asked: Asked,
    words: Sequence[str],
    *,
    is_down: bool,
    depth: int,
    most: int,
    replay: str | None,
) -> dict[str, Any]:
    """Facts of the view: a walk from a row to what it was made of, or with `is_down` to what was made of it.

    Raises
    ------
    RefusedError
        If there is no such row or replay, or more than one; the message says what to do.
    typer.BadParameter
        If an instant cannot be read.
    """
    look_at(connection, replay)
    source = StoredLineage(connection)
    root = root_of(source, replay or LIVE, asked, words)
    lineage = walk(source, root, edges=DOWN if is_down else UP, depth=depth, most=most, max_rows=MAX_ROWS)
    told = lineage_document(lineage)
    facts = {"direction": "down" if is_down else "up", "depth": depth, "most": most, "rows": len(lineage.nodes)}
    return facts | {"is_cut_at": lineage.is_cut_at, "root": told if is_down else with_doubts(told)}
