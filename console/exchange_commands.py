"""`lowcap export` and `lowcap import`: what was learned as a file, by a process of learning.

Their options, and their help, are those of `python -m learning_assets`: doors do not import each other, and this one
loads nothing that writes Parquet.
"""

import sys
from pathlib import Path

import typer


def export(context: typer.Context) -> None:
    """Write lessons, overrides or trades to Parquet, CSV or JSON (`lowcap export --help`)."""
    _run(context, "export")


def import_(context: typer.Context) -> None:
    """Take such a file in, in a schema of its own (`lowcap import --help`)."""
    _run(context, "import")


def _run(context: typer.Context, command: str) -> None:
    here = ("--folder", str(Path.cwd()))  # the other process works in the project's folder
    status = context.obj.status_of("learning_assets", command, *here, *context.args)
    if status != 0:
        sys.stdout.flush()
        raise typer.Exit(status if status > 0 else 1)
