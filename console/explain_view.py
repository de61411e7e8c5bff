"""`lowcap explain`: why an action was taken and how large, or what a trade was, from stored rows alone."""

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import psycopg
import typer

from console.explained_action import explain_action
from console.explained_trade import explain_trade
from console.explanation_printing import print_action, print_trade
from console.printing import print_json, printable
from console.replay import Replay, look_at
from console.session import RefusedError, reading, told
from console.stored_rows import rows_of
from console.stored_strand import UnreadableStrandError, read_content
from console.waterfall import waterfall
from console.waterfall_svg import draw_waterfall, picture_title
from sql.queries import query

_DIGITS = re.compile(r"[0-9a-f]{8,64}")
MOST_FOUND = 21

Row = Mapping[str, Any]


def explain(
    identity: Annotated[
        str, typer.Argument(metavar="ID", help="Of an order, a strand or a trade; its first 8 digits will do.")
    ],
    replay: Replay = None,
    svg: Annotated[str | None, typer.Option(metavar="FILE", help="Draw the steps of an action; - prints.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Explain an action from 0.5 to the fill, with every gate and override, or a trade with its result."""
    with told():
        if svg is not None and as_json:
            raise RefusedError("Expected --svg FILE or --json, not both")
    with reading() as connection:
        facts = explain_facts(connection, identity, replay)
    if svg is not None:
        with told():
            _draw(facts, svg)
    elif as_json:
        print_json(facts)
    elif facts["explained"] == "trade":
        print_trade(facts)
    else:
        print_action(facts)


def _draw(facts: Mapping[str, Any], file: str) -> None:
    """Write the picture of an action to a file, or with - to standard output."""
    if facts["explained"] == "trade":
        ids = ", ".join(action["order_id"][:8] for action in facts["actions"][:MOST_FOUND])
        raise RefusedError(f"A trade has no steps to draw, its actions have: {ids or 'there are none'}")
    picture = draw_waterfall(waterfall(facts), picture_title(facts), is_file=True)
    if file == "-":
        sys.stdout.write(picture)
        return
    try:
        Path(file).write_text(picture, encoding="utf-8")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise RefusedError(f"Cannot write {printable(file)[:200]!r}: {reason}") from None


def explain_facts(connection: psycopg.Connection, identity: str, replay: str | None) -> dict[str, Any]:
    """Facts of the view: an action or a trade, by its id or the first digits of it.

    Raises
    ------
    RefusedError
        If there is no such id or replay, or more than one; the message says what to do.
    """
    look_at(connection, replay)
    kind, found = _found(connection, identity.strip().lower())
    return _of_trade(connection, found) if kind == "trade" else _explained(connection, kind, found)


def _found(connection: psycopg.Connection, prefix: str) -> tuple[str, str]:
    """Kind and whole id of the one thing whose id begins so."""
    if not _DIGITS.fullmatch(prefix):
        raise RefusedError(f"Expected at least 8 digits of an id, 0-9 and a-f, was {prefix[:70]!r}")
    values = {"prefix": prefix, "most": MOST_FOUND}
    found = connection.execute(query("ids_that_begin").encode(), values).fetchall()
    if not found:
        raise RefusedError(f"No order, strand or trade has an id that begins {prefix!r}; see: lowcap trades --json")
    if len(found) > 1:
        shown = ", ".join(f"{kind} {whole}" for kind, whole in found[: MOST_FOUND - 1])
        raise RefusedError(f"More than one id begins {prefix!r}: {shown}")
    kind, whole = found[0]
    return kind, whole


def _explained(connection: psycopg.Connection, kind: str, whole: str) -> dict[str, Any]:
    if kind == "order":
        (order,) = rows_of(connection, "orders_told", order_ids=[whole], trade_ids=[])
        return _of_order(connection, order)
    (strand,) = rows_of(connection, "strands_told", strand_ids=[whole], trade_ids=[])
    if kind == "position_closed":
        return _of_trade(connection, strand["trade_id"])
    content = _checked(strand)
    orders = rows_of(connection, "orders_told", order_ids=[content["order_id"]], trade_ids=[])
    if orders:
        return _of_order(connection, orders[0])
    fills = content["execution_result"]["fills"]
    return explain_action(connection, content, order=None, strand_id=whole, fills=fills)


def _of_order(connection: psycopg.Connection, order: Row) -> dict[str, Any]:
    """Explain an order; the decision is the order's own, which the strand repeats once there is one."""
    strands = rows_of(connection, "strands_told", strand_ids=[], trade_ids=[order["trade_id"]])
    told = (each["strand_id"] for each in strands if each["content"].get("order_id") == order["order_id"])
    fills = rows_of(connection, "fills_told", order_ids=[order["order_id"]], trade_ids=[])
    return explain_action(connection, order["decision"], order=order, strand_id=next(told, None), fills=fills)


def _of_trade(connection: psycopg.Connection, trade_id: str) -> dict[str, Any]:
    return explain_trade(
        connection,
        trade_id,
        orders=rows_of(connection, "orders_told", order_ids=[], trade_ids=[trade_id]),
        strands=rows_of(connection, "strands_told", strand_ids=[], trade_ids=[trade_id]),
        fills=rows_of(connection, "fills_told", order_ids=[], trade_ids=[trade_id]),
    )


def _checked(strand: Row) -> dict[str, Any]:
    try:
        return read_content(strand["kind"], strand["content"])
    except UnreadableStrandError as error:
        raise RefusedError(f"Strand {strand['strand_id']} breaks its schema: {error}") from None
