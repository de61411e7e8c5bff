"""`lowcap demo`, `lowcap up`, `lowcap down`: the whole product from a terminal."""

from typing import Annotated

import typer
from rich.console import Console

from console.ae_view import ae
from console.demo import make_demo
from console.service import ServiceError
from console.stack import start_stack, stop_stack
from console.states_view import states

Port = Annotated[int, typer.Option(help="Port of the Dagster UI on 127.0.0.1.")]


def demo() -> None:
    """Run the main job from candles to a tick, and show what came of it."""
    console = Console()
    try:
        at = make_demo(console).isoformat()
    except ServiceError as error:
        console.print(f"[red]{error}[/red]")
        raise typer.Exit(1) from None
    console.rule("15 channels")
    states(as_of=at)
    console.rule("A and E")
    ae(as_of=at)


def up(port: Port = 3000) -> None:
    """Start Postgres, Dagster and the runtime in the background."""
    console = Console()
    try:
        url = start_stack(port)
    except ServiceError as error:
        console.print(f"[red]{error}[/red]")
        raise typer.Exit(1) from None
    console.print(f"Dagster: {url}   lineage: {url}/asset-groups   stop everything: make down")


def down() -> None:
    """Stop what `lowcap up` started, and the embedded Postgres."""
    stopped = stop_stack()
    Console().print(f"stopped: {', '.join(stopped) or 'nothing was running'}; Postgres is stopped")
