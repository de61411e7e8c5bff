"""A schema of its own with some tables once more, empty: for a replay, and for what is learned from one."""

from collections.abc import Sequence

import psycopg

from sql.queries import query


def make_copied_schema(connection: psycopg.Connection, schema: str, tables: Sequence[str]) -> None:
    """Make a schema with copies of some tables, their checks, keys, triggers and what refers to one another.

    Parameters
    ----------
    connection : psycopg.Connection
        Of the owner, inside the transaction the schema shall appear with.
    schema : str
        Its name; there is none of it yet.
    tables : sequence of str
        Qualified names. What refers to a table that is not among them loses that reference.
    """
    values = {"schema": schema, "tables": list(tables)}
    for (statement,) in connection.execute(query("copied_schema_statements").encode(), values).fetchall():
        connection.execute(statement)
