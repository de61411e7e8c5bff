"""`lowcap demo`, `lowcap up`, `lowcap down`: the whole product from a terminal."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from console.ae_view import ae
from console.demo import make_demo
from console.demo_score import demo_facts, print_score, print_where_to_look
from console.forward_view import forward_facts, forward_sentences
from console.regime_commands import show
from console.service import ServiceError
from console.session import reading
from console.stack import STATE, Stack, separate_markets
from console.states_view import states

State = Annotated[
    Path, typer.Option(envvar="LOWCAP_STATE", help="Folder of databases, logs and pid files.", show_default=".lowcap")
]
Port = Annotated[int, typer.Option(help="Port of the Dagster UI on 127.0.0.1.")]
PagesPort = Annotated[int, typer.Option(help="Port of the pages on 127.0.0.1.")]


def open_stack(context: typer.Context, state: State = STATE) -> None:
    """Hand the stack whose state lies in a folder to the command, and its database to all of them."""
    stack = Stack(state.resolve())
    separate_markets(stack.folder)
    context.obj = stack


def demo(context: typer.Context, pages_port: PagesPort = 3010) -> None:
    """Run the main job from candles to what was learned, and show what came of it."""
    console = Console()
    try:
        span = make_demo(console, context.obj)
    except ServiceError as error:
        console.print(f"[red]{error}[/red]")
        raise typer.Exit(1) from None
    at = span.end.isoformat()
    console.rule("Regime: phases and the ladder of the buckets")
    show(as_of=at)
    console.rule("15 channels")
    states(as_of=at)
    console.rule("A and E")
    ae(as_of=at)
    if span.is_simulated:
        _show_score(console, context.obj, span.end, pages_port)


def _show_score(console: Console, stack: Stack, until: datetime, pages_port: int) -> None:
    """Hold what was learned against what was planted, and say where to look."""
    with reading() as connection:
        facts = demo_facts(connection)
        walked = forward_facts(connection, None, has_trades=False, most=0, replay=None)
    console.rule("Learned against planted")
    print_score(console, facts)
    if walked["forward"] is not None:
        console.print(*forward_sentences(walked), sep="\n", highlight=False)
    try:
        pages = stack.start_pages(pages_port)
    except ServiceError as error:
        console.print(f"[red]No pages: {error}[/red] (`lowcap serve --port N` shows them)")
        pages = f"http://127.0.0.1:{pages_port}"
    console.rule("Where to look")
    print_where_to_look(console, facts, pages=pages, until=until)
    console.print("Runs and lineage: `make up`, then the address it prints.")


def up(context: typer.Context, port: Port = 3000, pages_port: PagesPort = 3010) -> None:
    """Start Postgres, Dagster, the runtime and the pages in the background."""
    console = Console()
    try:
        url = context.obj.start(port)
        pages = context.obj.start_pages(pages_port)
    except ServiceError as error:
        console.print(f"[red]{error}[/red]")
        raise typer.Exit(1) from None
    console.print(f"Dagster: {url}   lineage: {url}/asset-groups   pages: {pages}   stop everything: make down")


def down(context: typer.Context) -> None:
    """Stop what `lowcap up` started, and the embedded Postgres."""
    stopped = context.obj.stop()
    Console().print(f"stopped: {', '.join(stopped) or 'nothing was running'}; Postgres is stopped")
