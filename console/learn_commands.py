"""`lowcap learn` and `lowcap rebuild`: learning by Dagster, in a process of its own.

Their options, and their help, are those of `python -m learning_assets`: doors do not import each other.
"""

import sys

import typer


def learn(context: typer.Context) -> None:
    """Learn a range of days, of live trades or of a replay's (`lowcap learn --help`)."""
    _run(context, "backfill")


def rebuild(context: typer.Context) -> None:
    """Make learned state again from the event log; `--verify` only compares (`lowcap rebuild --help`)."""
    _run(context, "rebuild")


def _run(context: typer.Context, command: str) -> None:
    status = context.obj.status_of("learning_assets", command, *context.args)
    if status != 0:
        sys.stdout.flush()
        raise typer.Exit(status if status > 0 else 1)
