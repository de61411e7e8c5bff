"""`lowcap sets`: versions of the overrides, what is in them, and which one the runtime reads.

Choosing one writes a row; neither Dagster nor the runtime has to be up. The next tick obeys.
"""

import getpass
import re
from collections.abc import Mapping
from typing import Annotated, Any

import psycopg
import typer

from console.learned_row import row_facts
from console.override_diff import override_diff
from console.override_set_printing import (
    BY_THE_NEXT_TICK,
    held_words,
    print_diff,
    print_overrides,
    print_sets,
    print_steps,
    standing_words,
)
from console.printing import print_json, printable
from console.session import RefusedError, reading, writing
from console.stored_rows import facts_of, rows_of
from domain.portfolio.override_row import OverrideError, parse_override
from domain.portfolio.strict_json import StrictJsonError, read_json
from domain.portfolio.trading_switch import effective_switch
from sql.queries import query
from sql.trading_switch import read_switch

sets_app = typer.Typer(
    no_args_is_help=True, help="Look at versions of what was learned, and choose the one that is live."
)

MAX_NUMBER = 2**63 - 1
NONE = "none"
_NUMBER = re.compile(r"[0-9]{1,18}")

Number = Annotated[int, typer.Argument(metavar="N", min=0, max=MAX_NUMBER, help="Number of the set.")]
Reason = Annotated[str, typer.Option(help="Why; it is kept.")]
Author = Annotated[str, typer.Option(help="Who says so. (default: your login)")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]

Facts = Mapping[str, Any]


@sets_app.command("list")
def list_(
    most: Annotated[int, typer.Option(min=1, max=10_000, help="How many sets, and choices, at most.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List versions, newest first, with the one that is live, who chose it, and whether it is held."""
    with reading() as connection:
        facts = sets_facts(connection, most)
    if as_json:
        print_json(facts)
        return
    typer.echo(printable(standing_words(facts["live"])))
    if not facts["overrides_on"]:
        typer.echo("Overrides are switched off, so no set applies: lowcap switch")
    print_sets(facts["sets"], facts["choices"], facts["live"])


def sets_facts(connection: psycopg.Connection, most: int) -> dict[str, Any]:
    """Facts of `lowcap sets list`: versions and choices, newest first, at most so many of each."""
    sets = facts_of(connection, "newest_override_sets", most=most)
    changes = facts_of(connection, "live_set_changes", most=most)
    are_on = effective_switch(read_switch(connection), {}).overrides_on
    live = changes[0] if changes else None
    sets = [each | {"is_live": live is not None and live["set_id"] == each["set_id"]} for each in sets]
    return {"live": live, "overrides_on": are_on, "sets": sets, "choices": changes}


@sets_app.command("show")
def show(number: Number, as_json: AsJson = False) -> None:
    """Show the overrides of a version: where each holds, what it multiplies, and until when."""
    with reading() as connection:
        facts = set_facts(connection, number)
    if as_json:
        print_json(facts)
    else:
        print_overrides(facts["set"], facts["overrides"])


def set_facts(connection: psycopg.Connection, number: int) -> dict[str, Any]:
    """Facts of `lowcap sets show`. Raises `RefusedError` if there is no such set; the message says which there are."""
    told, live = _set(connection, number), _standing(connection)
    told |= {"is_live": live is not None and live["set_id"] == number}
    return {"set": told, "overrides": _overrides(connection, number)}


@sets_app.command("diff")
def diff(
    before: Annotated[int, typer.Argument(metavar="A", min=0, max=MAX_NUMBER, help="Number of a set.")],
    after: Annotated[int, typer.Argument(metavar="B", min=0, max=MAX_NUMBER, help="Number of another.")],
    as_json: AsJson = False,
) -> None:
    """Show what B has that A has not, what changed, and what was retired and why."""
    with reading() as connection:
        sets = (_set(connection, before), _set(connection, after))
        rows = facts_of(connection, "override_endings", before=before, after=after)
        endings = {(each["lesson_id"], each["lever"]): each["reason"] for each in rows}
        found = override_diff(_overrides(connection, before), _overrides(connection, after), endings)
    if as_json:
        print_json({"before": sets[0], "after": sets[1], **found})
    else:
        print_diff(*sets, found)


@sets_app.command("live")
def live(
    number: Annotated[str, typer.Argument(metavar="N|none", help="Number of the set, or none.")],
    reason: Reason,
    author: Author = "",
    as_json: AsJson = False,
) -> None:
    """Let the runtime read this version, or none, and hold it there: later ones wait until it is released."""
    wanted = _wanted(number)
    with writing() as connection, connection.transaction():
        before = _locked_standing(connection)
        told = None if wanted is None else _set(connection, wanted)
        chosen = _choose(connection, wanted, holds=True, reason=reason, author=author)
    if as_json:
        print_json({"chosen": chosen, "set": told, "before": before})
    else:
        typer.echo(printable(held_words(told)))


@sets_app.command("release")
def release(reason: Reason, author: Author = "", as_json: AsJson = False) -> None:
    """Stop holding: the newest version as of now is live, and later ones become so by themselves."""
    with writing() as connection, connection.transaction():
        before = _locked_standing(connection)
        if before is None or not before["holds"]:
            raise RefusedError(f"No set is held, so none can be released. {standing_words(before)}")
        newest = connection.execute(query("newest_set_as_of_now").encode()).fetchone()
        number = None if newest is None else newest[0]
        chosen = _choose(connection, number, holds=False, reason=reason, author=author)
    if as_json:
        print_json({"chosen": chosen, "before": before})
        return
    what = "there is no set yet" if number is None else f"set {number}, the newest as of now, is live"
    typer.echo(f"Released: {what}; later ones become so by themselves. {BY_THE_NEXT_TICK}")


@sets_app.command("steps")
def steps(
    lesson: Annotated[str, typer.Option(metavar="ID", help="Only of this lesson; the first digits will do.")] = "",
    most: Annotated[int, typer.Option(min=1, max=100_000, help="How many at most.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Show steps in the life of overrides, newest first: proposed, shadow, live, expired, revoked, and why."""
    with reading() as connection:
        found = [_step(row) for row in facts_of(connection, "override_steps_told", lesson=lesson, most=most)]
        if lesson and not found:
            raise RefusedError(f"No override of a lesson that begins {lesson[:70]!r} took a step; see: lowcap lessons")
    if as_json:
        print_json({"steps": found})
    else:
        print_steps(found)


def _wanted(text: str) -> int | None:
    """Return the number a person typed, None for no set."""
    if text == NONE:
        return None
    if _NUMBER.fullmatch(text) is None:
        raise typer.BadParameter(f"Expected the number of a set, or {NONE}, was {text[:70]!r}")
    return int(text)


def _choose(
    connection: psycopg.Connection, number: int | None, *, holds: bool, reason: str, author: str
) -> dict[str, Any]:
    who = author or getpass.getuser()
    if not who.strip() or not reason.strip():
        raise RefusedError("A choice of the live set needs an author and a reason")
    try:
        values = {"set_id": number, "holds": holds, "author": who, "reason": reason}
        (chosen,) = facts_of(connection, "choose_live_set", **values)
    except UnicodeEncodeError as error:
        raise RefusedError(f"Author and reason must be text: {error}") from None
    return chosen


def _locked_standing(connection: psycopg.Connection) -> dict[str, Any] | None:
    """Latest choice; nobody who asks for the same lock chooses until the transaction ends."""
    connection.execute(query("lock_live_set").encode())
    return _standing(connection)


def _standing(connection: psycopg.Connection) -> dict[str, Any] | None:
    """Latest choice of the live set; None where none was ever chosen."""
    return next(iter(facts_of(connection, "live_set_changes", most=1)), None)


def _set(connection: psycopg.Connection, number: int) -> dict[str, Any]:
    found = facts_of(connection, "override_set_told", set_id=number)
    if found:
        return found[0]
    ((first, last),) = connection.execute(query("override_sets_span").encode()).fetchall()
    there = "there is none yet" if first is None else f"the first is {first}, the last {last}; see: lowcap sets list"
    raise RefusedError(f"No set {number}: {there}")


def _overrides(connection: psycopg.Connection, number: int) -> list[dict[str, Any]]:
    """Read the overrides of a version, each with why the runtime would ignore it, or None."""
    rows = rows_of(connection, "overrides_told", set_id=number)
    return [{**row_facts(row), "problem": _problem(row)} for row in rows]


def _problem(row: Facts) -> str | None:
    try:
        parse_override({**row, "scope_values": row["scope"]})
    except OverrideError as error:
        return f"{error.reason}: {error}"
    return None


def _step(facts: Facts) -> dict[str, Any]:
    try:
        evidence = None if facts["evidence"] is None else read_json(facts["evidence"])
    except StrictJsonError:
        evidence = facts["evidence"]
    return {**facts, "evidence": evidence}
