"""`lowcap notify`: tell what happened, in a process of its own; for cron, a timer or a service, without Dagster.

Its options, and its help, are those of `python -m resources.notify`: the console stands on sql and domain only.
"""

import sys

import typer


def notify(context: typer.Context) -> None:
    """Tell alarms and other changes to the notifier that is named (`lowcap notify --help`)."""
    status = context.obj.status_of("resources.notify", *context.args)
    if status != 0:
        sys.stdout.flush()
        raise typer.Exit(status if status > 0 else 1)
