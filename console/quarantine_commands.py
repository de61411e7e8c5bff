"""`lowcap quarantine`: look at refused bars, and release one that is right."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer
from psycopg.rows import dict_row

from console.printing import print_json, print_table
from console.session import REFUSED, reading, signed, writing
from domain.vocabulary.bar_quarantine import QuarantineReason
from sql.queries import query

quarantine_app = typer.Typer(no_args_is_help=True, help="Look at refused bars, and release one that is right.")

RELEASABLE = {QuarantineReason.PRICE_JUMP, QuarantineReason.UNIT_STEP}
"""Only a judgement about plausibility can be overruled; a broken bar stays broken."""
SHORT_ID = 12


@quarantine_app.command("list")
def list_(
    reason: Annotated[QuarantineReason | None, typer.Option(help="Only bars refused for this reason.")] = None,
    token: Annotated[str | None, typer.Option(help="Only bars of this contract or symbol.")] = None,
    most: Annotated[int, typer.Option(min=1, max=10_000, help="How many rows at most.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show refused bars, newest first, each with its reason and the numbers behind it."""
    with reading() as connection, connection.cursor(row_factory=dict_row) as cursor:
        parameters = {"reason": reason and reason.value, "token": token, "most": most}
        rows = cursor.execute(query("list_refused_bars"), parameters).fetchall()
    if as_json:
        print_json({"refused": [_facts(row) for row in rows]})
        return
    columns = ("id", "bar", "reason", "detail", "source", "released by")
    print_table(f"{len(rows)} refused bars", columns, [_cells(row) for row in rows])


@quarantine_app.command("release")
def release(
    identity: Annotated[str, typer.Argument(metavar="ID", help="Id of the refused bar, or its beginning.")],
    reason: Annotated[str, typer.Option(help="Why the bar is right; it is kept.")],
    author: Annotated[str, typer.Option(help="Who says so. (default: your login)")] = "",
) -> None:
    """Accept a refused price jump or unit step from the next load of its day on."""
    with writing() as connection, connection.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(query("find_refused_bars"), {"prefix": identity}).fetchall()
        if len(found) != 1:
            raise _refused(f"{'No' if not found else 'More than one'} refused bar has an id that begins {identity!r}")
        (bar,) = found
        if bar["reason"] not in RELEASABLE:
            raise _refused(f"A bar refused as {bar['reason']} is broken; only {', '.join(sorted(RELEASABLE))} can be")
        cursor.execute(query("release_refused_bar"), {**bar, **signed(author, reason)})
    day = f"{bar['loaded_for']:%Y-%m-%d}"
    typer.echo(f"Released. Materialize the partition {day} of {bar['table_name']} and what follows it again.")


def _refused(message: str) -> typer.Exit:
    typer.echo(message, err=True)
    return typer.Exit(REFUSED)


def _facts(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in row.items()}


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    at = f"{row['timestamp']:%Y-%m-%d %H:%MZ}" if row["timestamp"] else "no time"
    bar = f"{row['token_contract']} {row['timeframe']} {at}"
    named = (row["quarantine_id"][:SHORT_ID], bar, row["reason"], row["detail"])
    return (*named, row["source"] or "", row["released_by"] or "")
