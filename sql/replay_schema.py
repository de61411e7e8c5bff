"""A replay's own schema: the runtime's tables once more, made, removed and kept apart from everybody else's.

Made by the owner, written by the role of the runtime. The whole schema appears in one transaction, with the row that
says what its rows are made from; nothing in it refers to a table outside, so it can be dropped at any time.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

import psycopg
from pydantic import StringConstraints

from sql.copied_schema import make_copied_schema
from sql.json_text import stored_json
from sql.learned_schema import LEARNING, has_learned, learned_schema_of
from sql.queries import query

PREFIX = "replay_"
NAME = re.compile(r"[a-z0-9][a-z0-9_]{0,47}")
LEARNED = "learned:"
Overrides = Literal["off", "live"] | int | Annotated[str, StringConstraints(pattern=f"^{LEARNED}{NAME.pattern}$")]
"""Which learned overrides apply: none, those that were live at each instant, one set throughout, or `learned:NAME`,
what was learned from the replay NAME: of its sets at each instant the newest that knows only what was before."""


class ReplayRefusedError(ValueError):
    """What was asked for cannot be replayed; the message says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayRun:
    """What the rows of a replay are made from. settings: as canonical JSON text says them."""

    settings: dict[str, Any]
    config_version: int
    code_version: str
    data_hash: str


def schema_of(name: str) -> str:
    """Return the schema of a replay.

    >>> schema_of("spring")
    'replay_spring'

    Raises
    ------
    ReplayRefusedError
        If the name is not 1 to 48 small letters, digits and underscores.
    """
    if NAME.fullmatch(name) is None:
        raise ReplayRefusedError(f"Expected a name of up to 48 of a-z, 0-9 and _, was {name!r}")
    return PREFIX + name


def make_replay_schema(
    connection: psycopg.Connection,
    schema: str,
    run: ReplayRun,
    *,
    overrides: Overrides,
    from_at: datetime,
    to_at: datetime,
    drop_old: bool = False,
) -> None:
    """Make the schema, with the switch that allows everything and the overrides that shall apply.

    Parameters
    ----------
    connection : psycopg.Connection
        Of the owner, outside a transaction.
    schema : str
        By `schema_of`.
    run : ReplayRun
        Stored in it.
    overrides : Overrides
        Copied into it, so that what is learned later changes nothing.
    from_at, to_at : datetime
        The window.
    drop_old : bool
        Remove the schema first if it is there; whether it may be removed, `has_replay` says.

    Raises
    ------
    ReplayRefusedError
        If there is no such set of overrides; nothing is changed.
    """
    values = {"schema": schema, "from_at": from_at, "to_at": to_at, "set_id": overrides}
    with connection.transaction():
        if drop_old:
            ((statement,),) = connection.execute(query("drop_replay_schema_statement").encode(), values).fetchall()
            connection.execute(statement)
        replayed = [name for (name,) in connection.execute(query("replayed_tables").encode())]
        make_copied_schema(connection, schema, replayed)
        for (statement,) in connection.execute(query("replay_schema_statements").encode(), values).fetchall():
            connection.execute(statement)
        connection.execute(query("search_replay_schema").encode(), values)
        connection.execute(query("insert_replay_switch").encode(), values)
        for statement in _overrides_taken_over(connection, overrides):
            connection.execute(statement, values)
        connection.execute(
            query("insert_replay_run").encode(),
            {
                "settings": stored_json(run.settings),
                "config_version": run.config_version,
                "code_version": run.code_version,
                "data_hash": run.data_hash,
            },
        )


def has_replay(connection: psycopg.Connection, schema: str) -> bool:
    """Whether the schema is there.

    Raises
    ------
    ReplayRefusedError
        If it is there and is no replay: it is somebody's, and is left alone.
    """
    found = connection.execute(query("replay_schema_exists").encode(), {"schema": schema}).fetchall()
    ((is_there, is_replay),) = found
    if is_there and not is_replay:
        raise ReplayRefusedError(f"The schema {schema} holds no replay: give this one another --name")
    return bool(is_there)


def read_replay_run(connection: psycopg.Connection, schema: str, read_json: Callable[[str], Any]) -> ReplayRun:
    """Say what the rows of a schema are made from."""
    with connection.transaction():
        connection.execute(query("search_replay_schema").encode(), {"schema": schema})
        ((settings, *rest),) = connection.execute(query("replay_run").encode()).fetchall()
    config_version, code_version, data_hash = rest
    return ReplayRun(
        settings=read_json(settings), config_version=config_version, code_version=code_version, data_hash=data_hash
    )


def _overrides_taken_over(connection: psycopg.Connection, overrides: Overrides) -> list[bytes]:
    """Statements that copy them."""
    if overrides == "off":
        return []
    learned = _source_of(connection, overrides)
    known, one, all_sets, rows, steps, make_live = (
        query(name).format(learned=learned).encode()
        for name in (
            *("known_override_set", "copy_named_override_set", "copy_live_override_sets"),
            *("copy_overrides_of_sets", "copy_live_override_steps", "make_override_set_live"),
        )
    )
    if not isinstance(overrides, int):
        return [all_sets, rows, steps]
    ((is_known,),) = connection.execute(known, {"set_id": overrides}).fetchall()
    if not is_known:
        raise ReplayRefusedError(f"There is no set of overrides {overrides}")
    return [one, rows, make_live]


def _source_of(connection: psycopg.Connection, overrides: Overrides) -> str:
    """Say which schema sets are copied from."""
    if isinstance(overrides, int) or not overrides.startswith(LEARNED):
        return LEARNING
    name = overrides.removeprefix(LEARNED)
    schema = learned_schema_of(name)
    if not has_learned(connection, schema):
        raise ReplayRefusedError(f"Nothing was learned from a replay {name}; first: lowcap learn --replay {name}")
    return schema
