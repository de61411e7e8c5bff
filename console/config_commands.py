"""`lowcap config`: look at the configuration and change it, one audited version a change."""

import getpass
import json
from typing import Annotated, Any

import typer

from console.config_key import (
    changes_between,
    flattened,
    parse_assignment,
    parse_key,
    with_override,
    without_override,
)
from console.printing import print_json, print_table, printable
from console.session import reading, writing
from domain.config.pm_config import ConfigError, effective_config
from sql.pm_config import StoredConfig, history, read_stored_config, write_pm_config

config_app = typer.Typer(no_args_is_help=True, help="Look at the configuration, and change it while the system runs.")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Author = Annotated[str, typer.Option(help="Who makes the change. (default: your login)")]
INSTANT = "%Y-%m-%d %H:%M:%SZ"


@config_app.command("show")
def show(
    prefix: Annotated[str, typer.Argument(help="Only keys that begin so, e.g. scores.")] = "",
    version: Annotated[int | None, typer.Option(help="A version (default: the one in force)")] = None,
    as_json: AsJson = False,
) -> None:
    """Show every key with its value, and whether it is the default or overridden."""
    with reading() as connection:
        stored = read_stored_config(connection, version=version)
        effective = effective_config(stored.overrides).model_dump(mode="json")
        values = {key: value for key, value in flattened(effective).items() if key.startswith(prefix)}
        if not values:
            raise ConfigError(f"No key begins with {prefix!r}; there are {', '.join(effective)}")
    overridden = flattened(stored.overrides)
    if as_json:
        print_json(_facts(stored) | {"overrides": stored.overrides, "values": values})
        return
    rows = [(key, _shown(value), _source(key, overridden)) for key, value in values.items()]
    print_table(_title(stored), ("key", "value", "from"), rows)


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
        version = write_pm_config(
            connection, changed, author=author or getpass.getuser(), reason=reason, based_on=stored.version
        )
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
        version = write_pm_config(
            connection,
            changed,
            author=author or getpass.getuser(),
            reason=reason or f"unset {', '.join(keys)}",
            based_on=stored.version,
        )
    _print_change(stored, version, changed, as_json=as_json)


@config_app.command("history")
def history_(
    limit: Annotated[int, typer.Option(min=1, help="How many versions.")] = 20, as_json: AsJson = False
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


def _title(stored: StoredConfig) -> str:
    return f"configuration version {stored.version}, {stored.created_at:{INSTANT}} by {stored.author}: {stored.reason}"


def _source(key: str, overridden: dict[str, Any]) -> str:
    """Where a value comes from; a whole section may be overridden at once."""
    return "override" if any(key == name or key.startswith(f"{name}.") for name in overridden) else "default"


def _change(change: dict[str, Any]) -> str:
    return f"{change['key']}: {_shown(change['before'])} -> {_shown(change['after'])}"


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
