"""`lowcap demo`, `lowcap up`, `lowcap down`: the whole product from a terminal."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from console.ae_view import ae
from console.demo import make_demo
from console.regime_commands import show
from console.service import ServiceError
from console.stack import STATE, Stack, separate_markets
from console.states_view import states

State = Annotated[
    Path, typer.Option(envvar="LOWCAP_STATE", help="Folder of databases, logs and pid files.", show_default=".lowcap")
]
Port = Annotated[int, typer.Option(help="Port of the Dagster UI on 127.0.0.1.")]


def open_stack(context: typer.Context, state: State = STATE) -> None:
    """Hand the stack whose state lies in a folder to the command, and its database to all of them."""
    stack = Stack(state.resolve())
    separate_markets(stack.folder)
    context.obj = stack


def demo(context: typer.Context) -> None:
    """Run the main job from candles to a tick, and show what came of it."""
    console = Console()
    try:
        at = make_demo(console, context.obj).isoformat()
    except ServiceError as error:
        console.print(f"[red]{error}[/red]")
        raise typer.Exit(1) from None
    console.rule("Regime: phases and the ladder of the buckets")
    show(as_of=at)
    console.rule("15 channels")
    states(as_of=at)
    console.rule("A and E")
    ae(as_of=at)


def up(context: typer.Context, port: Port = 3000) -> None:
    """Start Postgres, Dagster and the runtime in the background."""
    console = Console()
    try:
        url = context.obj.start(port)
    except ServiceError as error:
        console.print(f"[red]{error}[/red]")
        raise typer.Exit(1) from None
    console.print(f"Dagster: {url}   lineage: {url}/asset-groups   stop everything: make down")


def down(context: typer.Context) -> None:
    """Stop what `lowcap up` started, and the embedded Postgres."""
    stopped = context.obj.stop()
    Console().print(f"stopped: {', '.join(stopped) or 'nothing was running'}; Postgres is stopped")
