"""`lowcap regime`: the regime context at an instant, and the schema of its document."""

import json
import sys
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import psycopg
import typer
from pydantic import ValidationError

from console.instant import read_instant
from console.printing import print_json, print_table, printable
from console.session import FAILED, UnreadableError, reading
from domain.regime.regime_context import RegimeContext, regime_context_schema
from domain.vocabulary.cap_bucket import CapBucket
from domain.vocabulary.horizon import Horizon
from sql.queries import query

regime_app = typer.Typer(no_args_is_help=True, help="Look at the regime: phases, the ladder of the buckets, label.")


@regime_app.command("show")
def show(
    as_of: Annotated[str | None, typer.Option(metavar="ISO", help="Instant with an offset (default: now)")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the document as it is stored.")] = False,
) -> None:
    """Show the regime as it was known at an instant; the last hour evaluated then must have closed within two hours."""
    as_of_at = read_instant(as_of)
    with reading() as connection:
        text = regime_text(connection, as_of_at)
    if text is None:
        sys.stderr.write(f"No regime context of an hour that closed in the two hours before {as_of_at.isoformat()}\n")
        raise typer.Exit(FAILED)
    if as_json:
        sys.stdout.write(f"{text}\n")
        return
    _print(json.loads(text), as_of_at)


def regime_text(connection: psycopg.Connection, as_of_at: datetime) -> str | None:
    """Document of the regime as it is stored, known at an instant; None when none was.

    Raises
    ------
    UnreadableError
        If it is no regime context.
    """
    row = connection.execute(query("regime_context_as_of").encode(), {"as_of": as_of_at}).fetchone()
    text: str | None = row[0] if row else None
    if text is None:
        return None
    try:
        RegimeContext.model_validate_json(text)
    except ValidationError as error:
        found = f"{error.error_count()} parts are not as lowcap regime schema has them"
        raise UnreadableError(f"The regime context known at {as_of_at.isoformat()} cannot be read: {found}") from None
    return text


@regime_app.command("schema")
def schema() -> None:
    """Print the JSON Schema of the document."""
    print_json(regime_context_schema())


def _print(context: Mapping[str, Any], as_of_at: datetime) -> None:
    hour = datetime.fromisoformat(context["evaluated_at"])
    title = f"regime at {as_of_at:%Y-%m-%d %H:%M:%SZ}, hour {hour:%H:%MZ}, configuration {context['config_version']}"
    columns = ("horizon", "phase", "score", "slope", "curvature", "delta", "confidence", "stands", "next")
    typer.echo(printable(context["regime_label"]))
    print_table(title, columns, [_horizon(context, horizon) for horizon in Horizon])
    ladder = [*context["bucket_rank"], *(name for name in CapBucket if name not in context["bucket_rank_position"])]
    columns = ("rank", "bucket", "phase", "score", "slope", "confidence", "tokens", "multiplier", "because")
    print_table("cap buckets by meso score", columns, [_bucket(context, name) for name in ladder])


def _horizon(context: Mapping[str, Any], horizon: Horizon) -> tuple[str, ...]:
    part = context[horizon]
    if part is None:
        return (horizon.value, *("-" for _ in range(8)))
    measured = [_number(part[name]) for name in ("score", "slope", "curvature", "delta_res", "confidence")]
    return (
        horizon.value,
        part["phase"],
        *measured,
        f"{part['dwell_remaining_hours']:g}h",
        part["pending_label"] or "-",
    )


def _bucket(context: Mapping[str, Any], name: str) -> tuple[str, ...]:
    phase = context["bucket_phases"].get(name)
    measured = [_number(phase[key] if phase else None) for key in ("score", "slope", "confidence")]
    multiplier = context["bucket_multipliers"][name]
    return (
        str(context["bucket_rank_position"].get(name, "-")),
        name,
        phase["phase"] if phase else "-",
        *measured,
        str(context["bucket_population"].get(name, "-")),
        f"{multiplier['multiplier']:.3f}",
        context["bucket_skipped"].get(name) or multiplier["basis"],
    )


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
