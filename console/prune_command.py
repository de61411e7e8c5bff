"""`lowcap prune`: delete what is past its retention, or only say what that would be."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from console.printing import print_json, print_table, printable
from console.prune import Alive, Pruned, cutoffs, delete_doomed, doomed, oldest_alive
from console.pruned_part import Retained
from console.session import RefusedError, told
from domain.config.pm_config import PmConfig
from domain.config.retention import RetentionConfig
from sql.database import connect
from sql.database_role import DatabaseRole
from sql.migrated import refuse_unmigrated
from sql.pm_config import read_pm_config
from sql.queries import query

LONGEST_LOCK_WAIT, LONGEST_STATEMENT = "5s", "10min"
"""The chain and the runtime never wait for this command for longer than a batch; it gives way."""


def prune(
    is_dry: Annotated[bool, typer.Option("--dry-run", help="Delete nothing, say what may go.")] = False,
    before: Annotated[
        list[str] | None,
        typer.Option(
            "--before",
            metavar="[WHAT=]DAYS",
            help=f"Another age than configured, of {', '.join(Retained)}, or of all. May be repeated.",
        ),
    ] = None,
    strands: Annotated[
        bool, typer.Option("--strands", help="Events too: the log is append-only, so only its owner may.")
    ] = False,
    is_sure: Annotated[bool, typer.Option("--yes", help="Delete. There is no way back.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Delete rows past their retention, and say what they took. What anything open stands on is kept."""
    with told(), connect(DatabaseRole.OWNER, autocommit=True, read_only=is_dry) as connection:
        refuse_unmigrated(connection)
        patience = {"lock": LONGEST_LOCK_WAIT, "statement": LONGEST_STATEMENT}
        connection.execute(query("prune_patience").encode(), patience)
        policy = _policy(read_pm_config(connection).config, before or [])
        if not is_dry and not is_sure:
            raise RefusedError("Nothing was deleted: look with --dry-run, then say --yes")
        alive = oldest_alive(connection)
        limits = cutoffs(policy, datetime.now(UTC), alive)
        if is_dry:
            found = list(doomed(connection, limits))
        else:
            found = list(delete_doomed(connection, limits, with_strands=strands))
    if as_json:
        print_json(_facts(found, alive, is_dry=is_dry))
    else:
        _print(found, alive, is_dry=is_dry, with_strands=strands)


def _policy(config: PmConfig, given: Sequence[str]) -> RetentionConfig:
    changed = config.retention.model_dump()
    for text in given:
        for kind, days in _ages(text).items():
            changed[f"{kind}_days"] = days
    try:
        return RetentionConfig.model_validate(changed)
    except ValidationError as error:
        problems = "; ".join(f"{each['loc'][0]}: {each['msg']}, was {each['input']!r}" for each in error.errors())
        raise RefusedError(problems) from None


def _ages(text: str) -> Mapping[Retained, int]:
    """Days of one or of every kind, as a person types them."""
    name, equals, days = text.rpartition("=")
    if not days.isdecimal() or (equals and name not in list(Retained)):
        raise RefusedError(f"Expected DAYS, or WHAT=DAYS of {', '.join(Retained)}, was {text!r}")
    return dict.fromkeys([Retained(name)] if equals else Retained, int(days))


def _facts(found: Iterable[Pruned], alive: Alive | None, *, is_dry: bool) -> dict[str, Any]:
    parts = [
        {
            "kind": each.part.kind.value,
            "table": each.part.table.replace('"', ""),
            "before": each.before.isoformat(),
            "rows": each.rows,
            "size_before_bytes": each.size_before,
            "size_after_bytes": each.size_after,
        }
        for each in found
    ]
    oldest = None if alive is None else {"what": alive.what, "since": alive.since.isoformat()}
    return {"deleted": not is_dry, "oldest_alive": oldest, "parts": parts, "rows": sum(each["rows"] for each in parts)}


def _print(found: Sequence[Pruned], alive: Alive | None, *, is_dry: bool, with_strands: bool) -> None:
    if alive is not None:
        said = f"The oldest {alive.what} is of {alive.since:%Y-%m-%d}: but for Dagster's, ages count back from it."
        typer.echo(printable(said))
    rows = [
        (
            each.part.table.replace('"', ""),
            each.part.kind.value,
            f"{each.before:%Y-%m-%d}",
            f"{each.rows:,}",
            _mib(each.size_before),
            "" if is_dry else _mib(each.size_after),
        )
        for each in found
    ]
    total = sum(each.rows for each in found)
    title = f"{total:,} rows {'may go; nothing was deleted' if is_dry else 'were deleted'}"
    print_table(title, ("table", "kind", "older than", "rows", "size", "size now"), rows)
    if not with_strands:
        typer.echo("Events (strand) go only with --strands, as the owner: their log is append-only.")


def _mib(size: int) -> str:
    return f"{size / 1024**2:.1f} MiB"
