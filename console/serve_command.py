"""`lowcap serve`: the pages and the regime API on one small server."""

import os
from pathlib import Path
from typing import Annotated

import typer

from console.session import RefusedError, reading, told


def serve(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes any that is free.")] = 3010,
    host: Annotated[str, typer.Option(help="Address to listen at; one that others reach needs a token file.")] = (
        "127.0.0.1"
    ),
    allow_host: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Also answer to this host name; may be repeated.")
    ] = None,
    token_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Token that lets a form set the switch; others enter by it.")
    ] = None,
) -> None:
    """Serve the pages and the regime API until Ctrl-C. It only reads, but for halt and resume by token."""
    # The web server is loaded by this command alone: the others start without it.
    from console.pages.app import Door, build_app
    from console.pages.bearer_token import read_bearer_token
    from console.pages.dagster_url import read_dagster_url
    from console.pages.server import is_loopback, listen, serve_at

    with told():
        is_public = not is_loopback(host)
        if is_public and token_file is None:
            raise RefusedError(f"Others reach {host}: that needs --token-file, and a proxy that speaks TLS before it")
        dagster_url = read_dagster_url(os.environ)
        token = None if token_file is None else read_bearer_token(token_file)
        with reading():
            pass  # a database that is not there, or not migrated, is told now and not to a browser
        listening = listen(host, port)
    named = f"[{host}]" if ":" in host else host
    door = Door(names=frozenset({named, *(allow_host or ())}), token=token, is_public=is_public)
    typer.echo(f"Pages: http://{named}:{listening.getsockname()[1]}/   end: Ctrl-C")
    serve_at(listening, build_app(door, dagster_url))
