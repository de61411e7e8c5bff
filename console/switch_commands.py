"""`lowcap halt`, `resume`, `overrides`, `switch`: what the runtime may do, and whether what was learned applies.

They write and read one table; neither Dagster nor the runtime has to be up. The next tick obeys.
"""

import getpass
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import psycopg
import typer

from console.printing import print_json, print_table, printable
from console.scope_option import ScopeOption, read_scope, refuse_unseen_names
from console.session import RefusedError, reading, writing
from domain.portfolio.strict_json import read_json
from domain.portfolio.trading_switch import EVERYWHERE, DecidingRow, EffectiveSwitch, TradingMode, effective_switch
from domain.scopes.scope import Scope, parse_scope, scope_json
from domain.vocabulary.scope_dimension import ScopeDimension
from sql.trading_switch import SwitchRow, read_switch, set_switch, switch_history

INSTANT = "%Y-%m-%d %H:%M:%SZ"

Reason = Annotated[str, typer.Option(help="Why; it is kept.")]
Author = Annotated[str, typer.Option(help="Who says so. (default: your login)")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Ahead = Annotated[bool, typer.Option("--ahead", help="Also where no position has a named chain or curator yet.")]


class HaltMode(StrEnum):
    """How far a halt goes."""

    HALTED = "HALTED"
    REDUCE_ONLY = "REDUCE_ONLY"


class OnOff(StrEnum):
    """Whether learned overrides apply."""

    ON = "on"
    OFF = "off"


def halt(
    reason: Reason,
    mode: Annotated[
        HaltMode, typer.Option(case_sensitive=False, help="HALTED: exits only. REDUCE_ONLY: trims and exits.")
    ] = HaltMode.HALTED,
    scope: ScopeOption = None,
    ahead: Ahead = False,
    author: Author = "",
    as_json: AsJson = False,
) -> None:
    """Stop the runtime from trading, everywhere or in a scope. Exits always go on."""
    with writing() as connection:
        wanted = read_scope(scope)
        if not ahead:
            refuse_unseen_names(connection, wanted)
        row, effective = write_switch(connection, wanted, author=author, reason=reason, mode=TradingMode(mode.value))
    _print_change(row, effective, as_json=as_json)


def resume(reason: Reason, scope: ScopeOption = None, author: Author = "", as_json: AsJson = False) -> None:
    """Take a halt back, in the scope it was set for. What is halted elsewhere stays so."""
    with writing() as connection:
        wanted = read_scope(scope)
        if wanted:
            refuse_what_is_not_halted(connection, wanted)
        row, effective = write_switch(connection, wanted, author=author, reason=reason, mode=TradingMode.ACTIVE)
    _print_change(row, effective, as_json=as_json)


def overrides(
    state: Annotated[OnOff, typer.Argument(help="Whether what was learned applies.")],
    reason: Reason,
    scope: ScopeOption = None,
    ahead: Ahead = False,
    author: Author = "",
    as_json: AsJson = False,
) -> None:
    """Apply learned overrides, or not: off leaves every size and threshold as it is configured."""
    with writing() as connection:
        wanted = read_scope(scope)
        if not ahead:
            refuse_unseen_names(connection, wanted)
        row, effective = write_switch(connection, wanted, author=author, reason=reason, overrides_on=state is OnOff.ON)
    _print_change(row, effective, as_json=as_json)


def switch(
    most: Annotated[int, typer.Option(min=1, max=1000, help="How many changes at most.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Show what holds now, everywhere and in each scope that was ever set, and who changed what."""
    with reading() as connection:
        facts = switch_facts(connection, most)
    if as_json:
        print_json(facts)
        return
    typer.echo(printable(_said(facts["everywhere"])))
    if scopes := facts["scopes"]:
        print_table("in scopes", ("scope", "mode", "overrides", "because"), [_scope_cells(each) for each in scopes])
    columns = ("at", "author", "scope", "mode", "overrides", "reason")
    print_table("changes, newest first", columns, [_row_cells(row) for row in facts["history"]])


def switch_facts(connection: psycopg.Connection, most: int) -> dict[str, Any]:
    """Facts of the view: what holds everywhere and in each scope that was ever set, and the newest changes."""
    rows, changes = read_switch(connection), switch_history(connection, limit=most)
    scopes = [_scope_facts(text, rows) for text in sorted({row.scope for row in rows} - {EVERYWHERE})]
    facts = {"everywhere": _effective_facts(effective_switch(rows, {})), "scopes": scopes}
    return facts | {"history": [_row_facts(row) for row in changes]}


def holding_in(rows: Sequence[SwitchRow], scope: Scope) -> EffectiveSwitch:
    """Say what holds for every position of a scope: by rows that speak of all of it, and those nobody can read.

    A position in it may be restricted further, by a row of a scope that only some of them are in.
    """
    return effective_switch([row for row in rows if _speaks_of_all(row, scope)], scope)


def _speaks_of_all(row: SwitchRow, scope: Scope) -> bool:
    try:
        parsed = _stored_scope(row.scope)
    except RefusedError:
        return True
    return all(scope.get(dimension) == value for dimension, value in parsed.items())


def _stored_scope(text: str) -> dict[ScopeDimension, str]:
    """Scope of a row. Raises `RefusedError` if it cannot be read."""
    try:
        document = read_json(text)
        if isinstance(document, dict):
            return parse_scope(document)
    except ValueError as error:
        raise RefusedError(str(error)) from None
    raise RefusedError(f"{text!r:.80} is no object")


def write_switch(
    connection: psycopg.Connection, scope: Scope, *, author: str, reason: str, **setting: Any
) -> tuple[SwitchRow, EffectiveSwitch]:
    """Write a row of the switch for a scope; returns it, and what holds in the scope then.

    Raises `RefusedError` if the row cannot be, as without an author or a reason.
    """
    named = {dimension.value: value for dimension, value in scope.items()}
    try:
        row = set_switch(connection, author=author or getpass.getuser(), reason=reason, scope=named, **setting)
    except ValueError as error:
        raise RefusedError(str(error)) from None
    return row, holding_in(read_switch(connection), scope)


def refuse_what_is_not_halted(connection: psycopg.Connection, scope: Scope) -> None:
    """Refuse to resume a scope no halt was set for; the `RefusedError` says which scopes are halted."""
    newest = {row.scope: row.mode for row in read_switch(connection) if row.mode is not None}
    text = scope_json(scope)
    if newest.get(text, TradingMode.ACTIVE) != TradingMode.ACTIVE:
        return
    halted = [f"{_where(where)} ({mode})" for where, mode in newest.items() if mode != TradingMode.ACTIVE]
    raise RefusedError(f"No halt was set for {_where(text)}; there are: {', '.join(halted) or 'none'}")


def _print_change(row: SwitchRow, effective: EffectiveSwitch, *, as_json: bool) -> None:
    if as_json:
        print_json({"set": _row_facts(row), "effective": _effective_facts(effective)})
        return
    what = row.mode or f"overrides {_on_off(row.overrides_on)}"
    typer.echo(printable(f"Set {_where(row.scope)}: {what}. The next tick obeys."))
    typer.echo(printable(f"{_where(row.scope)} now: {_said(_effective_facts(effective))}"))


def _scope_facts(text: str, rows: Sequence[SwitchRow]) -> dict[str, Any]:
    try:
        scope = _stored_scope(text)
    except RefusedError as error:
        return {"scope": text, "unreadable": str(error)}
    named = {dimension.value: value for dimension, value in scope.items()}
    return {"scope": named} | _effective_facts(holding_in(rows, scope))


def _scope_cells(facts: Mapping[str, Any]) -> tuple[str, ...]:
    if "unreadable" in facts:
        return (facts["scope"], "-", "-", f"cannot be read: {facts['unreadable']}")
    return (_named(facts["scope"]), facts["mode"], _on_off(facts["overrides_on"]), facts["said"])


def _effective_facts(effective: EffectiveSwitch) -> dict[str, Any]:
    return {
        "mode": effective.mode.value,
        "said": effective.said,
        "mode_by": _by(effective.mode_by),
        "overrides_on": effective.overrides_on,
        "overrides_by": _by(effective.overrides_by),
    }


def _by(row: DecidingRow | None) -> dict[str, Any] | None:
    if row is None:
        return None
    at = row.set_at.isoformat()
    return {"scope": json.loads(row.scope), "author": row.author, "reason": row.reason, "set_at": at}


def _row_facts(row: SwitchRow) -> dict[str, Any]:
    facts = {"scope": row.scope, "mode": row.mode, "overrides_on": row.overrides_on}
    return facts | {"author": row.author, "reason": row.reason, "set_at": row.set_at.isoformat()}


def _row_cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    overridden = "" if row["overrides_on"] is None else _on_off(row["overrides_on"])
    at = f"{datetime.fromisoformat(row['set_at']):{INSTANT}}"
    return (at, row["author"], _where(row["scope"]), row["mode"] or "", overridden, row["reason"])


def _said(effective: Mapping[str, Any]) -> str:
    by = effective["overrides_by"]
    who = f", set by {by['author']}: {by['reason']}" if by else ""
    return f"{effective['said']}; overrides {_on_off(effective['overrides_on'])}{who}"


def _where(scope: str) -> str:
    try:
        return _named(_stored_scope(scope)) if scope != EVERYWHERE else "everywhere"
    except RefusedError:
        return scope


def _named(scope: Mapping[Any, str]) -> str:
    return " ".join(f"{dimension}={value}" for dimension, value in scope.items())


def _on_off(is_on: bool | None) -> str:
    return "on" if is_on else "off"
