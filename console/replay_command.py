"""`lowcap replay`: the runtime over a past window, in a process and a schema of its own."""

import signal
import sys
from typing import Any

import typer

PASSED_THROUGH: dict[str, Any] = {"allow_extra_args": True, "ignore_unknown_options": True}
"""Its options, and its help, are those of `python -m pm_runtime.replay`: doors do not import each other."""


def replay(context: typer.Context) -> None:
    """Tick a past window as the runtime would have, and report on it (`lowcap replay --help`)."""
    stack = context.obj
    options = list(context.args)
    if not any(option == "--pictures" or option.startswith("--pictures=") for option in options):
        options += ["--pictures", str(stack.folder / "replays")]
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the replay's to obey, after the tick at hand
    try:
        status = stack.status_of("pm_runtime.replay", *options)
    finally:
        signal.signal(signal.SIGINT, before)
    if status != 0:
        sys.stdout.flush()
        raise typer.Exit(status if status > 0 else 1)
