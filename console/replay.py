"""Which portfolio a view looks at: the runtime's own, or that of a replay, which has a schema of its own."""

import difflib
import re
from typing import Annotated

import psycopg
import typer

from console.session import RefusedError
from sql.queries import query

Replay = Annotated[
    str | None, typer.Option("--replay", metavar="NAME", help="Look at a replay instead of the runtime.")
]

PREFIX = "replay_"
_NAME = re.compile(r"[a-z0-9_]{1,50}")


def look_at(connection: psycopg.Connection, replay: str | None) -> None:
    """Let the tables of the runtime be those of a replay until the transaction ends; None leaves them.

    The runtime's own schema is off the path then: a table a replay lacks is an error, never the runtime's rows.

    Raises
    ------
    RefusedError
        If there is no such replay; the message says which there are.
    """
    if replay is None:
        return
    schemas = connection.execute(query("schemas_of_replays").encode()).fetchall()
    known = [schema.removeprefix(PREFIX) for (schema,) in schemas]
    if replay not in known or _NAME.fullmatch(replay) is None:
        near = difflib.get_close_matches(replay, known, n=1)
        said = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known) or 'none'}"
        raise RefusedError(f"No replay {replay!r}; {said}")
    path = f"{PREFIX}{replay}, regime, learning, public"
    connection.execute(query("set_search_path").encode(), {"search_path": path})
