"""Rows of a named query, each by its columns: as they are stored, or as JSON has them."""

from typing import Any

import psycopg
from psycopg.rows import dict_row

from console.learned_row import row_facts
from sql.queries import query


def rows_of(connection: psycopg.Connection, name: str, **values: object) -> list[dict[str, Any]]:
    """Rows of a named query, values as the database gives them."""
    return connection.cursor(row_factory=dict_row).execute(query(name).encode(), values).fetchall()


def facts_of(connection: psycopg.Connection, name: str, **values: object) -> list[dict[str, Any]]:
    """Rows of a named query as JSON has them: instants and days as text, scopes as objects."""
    return [row_facts(row) for row in rows_of(connection, name, **values)]
