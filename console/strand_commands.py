"""`lowcap strand`: the schemas of the event log that learning reads."""

from enum import StrEnum
from typing import Annotated

import typer

from console.printing import print_json

strand_app = typer.Typer(no_args_is_help=True, help="The event log that learning reads.")


class Kind(StrEnum):
    """Kinds of strands, as `domain.portfolio.strand` has them; spelled here, for that one is slow to load."""

    PM_ACTION = "pm_action"
    POSITION_CLOSED = "position_closed"


@strand_app.callback()
def strand() -> None:
    """Keep `schema` a command of its group, which it would not be as the only one."""


@strand_app.command("schema")
def schema(kind: Annotated[Kind, typer.Argument(help="Kind of strand.")]) -> None:
    """Print the JSON Schema of the documents of a kind."""
    from domain.portfolio.strand import StrandKind, strand_schema  # not at the top: it is slow to load

    print_json(strand_schema(StrandKind(kind.value)))
