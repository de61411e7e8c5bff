"""`lowcap config`: look at the configuration and change it, one audited version a change."""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import psycopg
import typer

from console.config_key import (
    changes_between,
    flattened,
    parse_assignment,
    parse_key,
    with_override,
    without_override,
)
from console.config_origin import origin_facts, origin_of, origins
from console.given_config import read_overrides
from console.printing import print_json, print_table, printable
from console.session import FAILED, RefusedError, reading, signed, told, writing
from domain.config.pm_config import ConfigError, effective_config
from sql.pm_config import StoredConfig, UnknownVersionError, history, read_stored_config, write_pm_config

config_app = typer.Typer(no_args_is_help=True, help="Look at the configuration, and change it while the system runs.")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Author = Annotated[str, typer.Option(help="Who makes the change. (default: your login)")]
INSTANT = "%Y-%m-%d %H:%M:%SZ"
SIDES = ("before_from", "after_from")
EVERY_VERSION = 1_000_000
"""Limit of a history that shall be whole: a value may be as old as the first version."""


@config_app.command("show")
def show(
    prefix: Annotated[str, typer.Argument(help="Only keys that begin so, e.g. scores.")] = "",
    version: Annotated[int | None, typer.Option(help="A version (default: the one in force)")] = None,
    as_json: AsJson = False,
) -> None:
    """Show every key with its value, and where it comes from: the default, or the version that set it."""
    with reading() as connection:
        facts = config_facts(connection, prefix, version)
    if as_json:
        print_json(facts)
        return
    rows = [(key, shown_value(value), source_words(facts["sources"][key])) for key, value in facts["values"].items()]
    print_table(_title(facts), ("key", "value", "from"), rows)


def config_facts(connection: psycopg.Connection, prefix: str, version: int | None) -> dict[str, Any]:
    """Facts of `lowcap config show`: keys that begin so, of a version or the one in force, and where each comes from.

    Raises
    ------
    RefusedError
        If no key begins so, or there is no such version; the message says what there is.
    """
    try:
        stored = read_stored_config(connection, version=version)
    except UnknownVersionError as error:
        raise RefusedError(str(error)) from None
    effective = effective_config(stored.overrides).model_dump(mode="json")
    values = {key: value for key, value in flattened(effective).items() if key.startswith(prefix)}
    if not values:
        raise RefusedError(f"No key begins with {prefix!r:.80}; there are {', '.join(effective)}")
    given = _origins(connection, stored.version)
    sources = {key: origin_facts(origin_of(key, given)) for key in values}
    return _facts(stored) | {"overrides": stored.overrides, "values": values, "sources": sources}


@config_app.command("validate")
def validate(
    given: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE|KEY=VALUE...", help="A JSON or TOML file of overrides, or keys over those in force"
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Say whether a configuration would be accepted, and what it would change. Nothing is written."""
    with told():
        stored, overrides = _given_overrides(given)
        try:
            effective_config(overrides)
        except ConfigError as error:
            _print_invalid(str(error), as_json=as_json)
            raise typer.Exit(FAILED) from None
    changes = [each for each in changes_between(stored, overrides) if each["before"] != each["after"]]
    if as_json:
        print_json({"valid": True, "problem": None, "changes": changes})
        return
    against = "the defaults" if _is_file(given) else "the version in force"
    typer.echo(f"Valid: {len(changes)} keys differ from {against}.")
    for change in changes:
        typer.echo(f"  {printable(_change(change))}")


@config_app.command("diff")
def diff(
    before: Annotated[int, typer.Argument(metavar="A", help="A version")],
    after: Annotated[int, typer.Argument(metavar="B", help="Another version")],
    as_json: AsJson = False,
) -> None:
    """Show every key whose value differs between two versions, and where each value comes from."""
    with reading() as connection:
        one, other = (read_stored_config(connection, version=version) for version in (before, after))
        given = [_origins(connection, version) for version in (before, after)]
    changes = [
        change | {side: origin_facts(origin_of(change["key"], from_)) for side, from_ in zip(SIDES, given, strict=True)}
        for change in changes_between(one.overrides, other.overrides)
        if change["before"] != change["after"]
    ]
    if as_json:
        print_json({"before": _facts(one), "after": _facts(other), "changes": changes})
        return
    rows = [
        (
            change["key"],
            *(shown_value(change[side]) for side in ("before", "after")),
            source_words(change["after_from"]),
        )
        for change in changes
    ]
    title = f"{len(changes)} keys differ between version {before} and version {after}"
    print_table(title, ("key", f"version {before}", f"version {after}", "from"), rows)


@config_app.command("set")
def set_(
    assignments: Annotated[list[str], typer.Argument(metavar="KEY=VALUE...", help="scores.min_coverage=10 ...")],
    reason: Annotated[str, typer.Option(help="Why; it is kept with the version.")],
    author: Author = "",
    as_json: AsJson = False,
) -> None:
    """Override keys; values are JSON. The other overrides stay."""
    with writing() as connection:
        stored = read_stored_config(connection)
        changed = stored.overrides
        for assignment in assignments:
            changed = with_override(changed, *parse_assignment(assignment))
        version = write_pm_config(connection, changed, **signed(author, reason), based_on=stored.version)
    _print_change(stored, version, changed, as_json=as_json)


@config_app.command("unset")
def unset(
    keys: Annotated[list[str], typer.Argument(metavar="KEY...", help="Keys or whole sections.")],
    reason: Annotated[str, typer.Option(help='Why (default: "unset KEY")')] = "",
    author: Author = "",
    as_json: AsJson = False,
) -> None:
    """Take overrides back: the defaults count again."""
    with writing() as connection:
        stored = read_stored_config(connection)
        changed = stored.overrides
        for key in keys:
            changed = without_override(changed, parse_key(key))
        by = signed(author, reason or f"unset {', '.join(keys)}")
        version = write_pm_config(connection, changed, **by, based_on=stored.version)
    _print_change(stored, version, changed, as_json=as_json)


@config_app.command("history")
def history_(
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many versions.")] = 20, as_json: AsJson = False
) -> None:
    """List versions, newest first: who changed what, when and why."""
    with reading() as connection:
        stored = history(connection, limit=limit + 1)
    befores = [*(older.overrides for older in stored[1:]), {}]
    versions = [
        _facts(version) | {"changes": list(changes_between(before, version.overrides))}
        for version, before in zip(stored, befores, strict=True)
    ][:limit]
    if as_json:
        print_json({"versions": versions})
        return
    rows = [
        (
            str(version["version"]),
            f"{stored[index].created_at:{INSTANT}}",
            version["author"],
            version["reason"],
            "; ".join(_change(change) for change in version["changes"]),
        )
        for index, version in enumerate(versions)
    ]
    print_table("configuration versions", ("version", "at", "author", "reason", "changes"), rows)


def _print_change(before: StoredConfig, version: int, overrides: dict[str, Any], *, as_json: bool) -> None:
    changes = list(changes_between(before.overrides, overrides))
    if as_json:
        print_json({"version": version, "changes": changes})
        return
    if version == before.version:
        typer.echo(f"Nothing changed: version {version} already says so.")
        return
    typer.echo(f"Version {version} is in force:")
    for change in changes:
        typer.echo(f"  {printable(_change(change))}")


def _facts(stored: StoredConfig) -> dict[str, Any]:
    return {
        "version": stored.version,
        "author": stored.author,
        "reason": stored.reason,
        "created_at": stored.created_at.isoformat(),
    }


def _title(facts: Mapping[str, Any]) -> str:
    made = f"{_at(facts['created_at'])} by {facts['author']}: {facts['reason']}"
    return f"configuration version {facts['version']}, {made}"


def source_words(source: Mapping[str, Any]) -> str:
    """Say where a value comes from.

    >>> source_words({"from": "default"})
    'default'
    """
    if source["from"] == "default":
        return "default"
    return f"version {source['version']} by {source['author']} at {_at(source['created_at'])}"


def _at(text: str) -> str:
    return f"{datetime.fromisoformat(text):{INSTANT}}"


def _origins(connection: psycopg.Connection, version: int) -> dict[str, StoredConfig]:
    return origins([each for each in history(connection, limit=EVERY_VERSION) if each.version <= version])


def _is_file(given: list[str]) -> bool:
    return len(given) == 1 and "=" not in given[0]


def _given_overrides(given: list[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the overrides that are compared with, and those a person gave."""
    if _is_file(given):
        return {}, read_overrides(Path(given[0]))
    if not all("=" in each for each in given):
        raise RefusedError("Expected one file, or key=value each")
    with reading() as connection:
        stored = read_stored_config(connection).overrides
    changed = stored
    for assignment in given:
        changed = with_override(changed, *parse_assignment(assignment))
    return stored, changed


def _print_invalid(problem: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"valid": False, "problem": problem, "changes": []})
    else:
        typer.echo(printable(f"Not valid: {problem}"))


def _change(change: dict[str, Any]) -> str:
    return f"{change['key']}: {shown_value(change['before'])} -> {shown_value(change['after'])}"


def shown_value(value: Any) -> str:
    """Write a value as it is typed after a key."""
    return json.dumps(value, ensure_ascii=False)
