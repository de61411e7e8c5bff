"""What is learned from a replay, apart from what is learned from live trades: the learning tables once more.

Made by the owner, written by the role of learning. It may be dropped at any time: everything in it follows from the
strands it was made from.
"""

import re

import psycopg

from sql.copied_schema import make_copied_schema
from sql.queries import query

LEARNING = "learning"
"""Schema of what is learned from live trades."""

PREFIX = "learned_"
_NAME = re.compile(r"[a-z0-9][a-z0-9_]{0,47}")


class LearnedSchemaError(ValueError):
    """A name is not that of a learned schema; the message says what is expected."""


def learned_schema_of(name: str) -> str:
    """Return the schema of what is learned from a replay.

    >>> learned_schema_of("spring")
    'learned_spring'

    Raises
    ------
    LearnedSchemaError
        If the name is not 1 to 48 small letters, digits and underscores.
    """
    if _NAME.fullmatch(name) is None:
        raise LearnedSchemaError(f"Expected a name of up to 48 of a-z, 0-9 and _, was {name!r}")
    return PREFIX + name


def has_learned(connection: psycopg.Connection, schema: str) -> bool:
    """Whether the schema is there."""
    ((is_there,),) = connection.execute(query("has_learned_schema").encode(), {"schema": schema}).fetchall()
    return bool(is_there)


def make_learned_schema(connection: psycopg.Connection, schema: str, *, drop_old: bool = False) -> None:
    """Make the schema with every learning table, empty.

    Parameters
    ----------
    connection : psycopg.Connection
        Of the owner, outside a transaction.
    schema : str
        By `learned_schema_of`.
    drop_old : bool
        Remove it first if it is there.
    """
    with connection.transaction():
        if drop_old:
            drop_learned_schema(connection, schema)
        tables = [name for (name,) in connection.execute(query("learned_tables").encode())]
        make_copied_schema(connection, schema, tables)
        statements = connection.execute(query("learned_schema_statements").encode(), {"schema": schema}).fetchall()
        for (statement,) in statements:
            connection.execute(statement)


def drop_learned_schema(connection: psycopg.Connection, schema: str) -> None:
    """Remove the schema, if it is there.

    Raises
    ------
    LearnedSchemaError
        If the name is not that of a learned schema: nothing else is removed.
    """
    if schema != learned_schema_of(schema.removeprefix(PREFIX)):
        raise LearnedSchemaError(f"Expected a schema {PREFIX}..., was {schema!r}")
    ((statement,),) = connection.execute(query("drop_replay_schema_statement").encode(), {"schema": schema}).fetchall()
    connection.execute(statement)
