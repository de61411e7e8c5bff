"""The trades behind `lowcap forward`, one by one: the size each had, the neutral one, and the learned one."""

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import psycopg
import typer
from psycopg.rows import dict_row

from console.learned_row import SHORT_ID, number, row_facts
from console.printing import print_table
from sql.queries import query

Facts = Mapping[str, Any]

MONEY = "+,.2f"
CENT_USD = 0.005
"""Totals this far apart are the same: those of the report were added up in another order."""

_SUMS = ("pnl_neutral_usd", "pnl_learned_usd")


def forward_trades(connection: psycopg.Connection, report: Facts | None, most: int) -> dict[str, Any]:
    """Read the trades a report of a day is about, the newest first, with the totals of all of them.

    Parameters
    ----------
    connection : psycopg.Connection
        Looking at the tables of learning.
    report : mapping or None
        Row of `walk_forward`; None while there is none, and no trade then.
    most : int
        How many trades at most.
    """
    if report is None:
        return {"totals": None, "is_as_reported": None, "told": []}
    values = {"as_of": report["as_of"], "most": most}
    cursor = connection.cursor(row_factory=dict_row)
    totals = cursor.execute(query("forward_trades_summed").encode(), values).fetchall()[0]
    told = [row_facts(row) for row in cursor.execute(query("forward_trades_told").encode(), values)]
    is_same = totals["n_trades"] == report["n_trades"] and all(
        math.isclose(totals[name], report[name], rel_tol=1e-9, abs_tol=CENT_USD) for name in _SUMS
    )
    return {"totals": row_facts(totals), "is_as_reported": is_same, "told": told}


def print_forward_trades(trades: Facts) -> None:
    """Print trades with the totals of all of them; that these are not the report's is said."""
    totals, told = trades["totals"], trades["told"]
    columns = ("closed", "trade", "set", "size x", "R", "as traded, USD", "neutral", "learned", "difference", "lessons")
    n_all = totals["n_trades"] + totals["n_unknown"]
    shown = "all" if len(told) == n_all else f"{len(told)} (--most) of"
    print_table(f"{shown} {n_all} trades, the newest first", columns, [_cells(trade) for trade in told])
    unknown = f"; {totals['n_unknown']} of unknown size are in no sum" if totals["n_unknown"] else ""
    traded, neutral, learned = (number(totals[name], MONEY) for name in ("pnl_usd", *_SUMS))
    typer.echo(
        f"All {totals['n_trades']} with a known size made {traded} USD as traded, {neutral} at neutral and {learned} at"
        f" learned size{unknown}."
    )
    if not trades["is_as_reported"]:
        typer.echo("The report says otherwise: these trades were learned again after it was made.", err=True)


def _cells(trade: Facts) -> tuple[str, ...]:
    neutral, learned = trade["pnl_neutral_usd"], trade["pnl_learned_usd"]
    difference = None if neutral is None or learned is None else learned - neutral
    lessons = " ".join(each[:SHORT_ID] for each in trade["lesson_ids"])
    money = (number(amount, MONEY) for amount in (trade["pnl_usd"], neutral, learned, difference))
    return (
        *(f"{datetime.fromisoformat(trade['closed_at']):%Y-%m-%d %H:%M}", trade["trade_id"][:SHORT_ID]),
        *(number(trade["set_id"], "d"), number(trade["multiplier"], ".3f"), number(trade["rr"], "+.2f")),
        *(*money, lessons or "none"),
    )
