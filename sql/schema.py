"""The schema as text: `schema.sql`, written from a migrated database and read without one.

    python -m sql.schema --write     build a scratch database from the migrations, write what it looks like
    python -m sql.schema --check     only compare

The text is the same on every supported version of Postgres. It shows columns, constraints, indexes, triggers,
functions and comments; of a view its columns and what it reads, because versions spell a view's query differently.
It is for reading, and for the columns of a table where there is no connection; the migrations make databases.
"""

import argparse
import functools
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from sql.queries import query

SCHEMAS = ("regime", "pm", "learning")
SCHEMA_FILE = Path(__file__).resolve().parent / "schema.sql"
HEADER = """\
-- The schema as the migrations build it. Written by `python -m sql.schema --write`: do not edit, do not execute.
"""
_TABLE_LINE = re.compile(r"^CREATE TABLE (?P<schema>\w+)\.(?P<name>\w+) \($")
_COLUMN_LINE = re.compile(
    r'^    (?P<name>"[^"]+"|\S+) (?P<type>.+?)(?P<not_null> NOT NULL)?(?: (?:DEFAULT|GENERATED) .*?)?,?'
    r"(?:  -- (?P<comment>.*))?$"
)
_PRIMARY_KEY = re.compile(r"PRIMARY KEY \((?P<columns>[^)]*)\)")
_PLAIN_NAME = re.compile(r"[a-z_][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table; `type` in Postgres's own words, e.g. timestamp with time zone."""

    name: str
    type: str
    nullable: bool
    comment: str


@dataclass(frozen=True, slots=True)
class TableSchema:
    """Columns of a table, in order, and those of its primary key."""

    name: str
    schema: str
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...]


def table_schema(qualified_name: str) -> TableSchema:
    """Look up a table such as `regime.ae_score`, read from `schema.sql` once per process.

    Raises
    ------
    KeyError
        If there is no such table.
    """
    tables = _committed_tables()
    if qualified_name not in tables:
        raise KeyError(
            f"No table {qualified_name!r} in {SCHEMA_FILE.name}; after a migration: python -m sql.schema --write"
        )
    return tables[qualified_name]


def read_table_schemas(text: str) -> dict[str, TableSchema]:
    """Tables of a schema dump, by qualified name; views are left out.

    >>> tables = read_table_schemas('''CREATE TABLE pm.a (
    ...     b text NOT NULL DEFAULT 'x',  -- What b is.
    ...     CONSTRAINT a_pkey PRIMARY KEY (b)
    ... );''')
    >>> tables["pm.a"].columns
    (Column(name='b', type='text', nullable=False, comment='What b is.'),)
    >>> tables["pm.a"].primary_key
    ('b',)

    Raises
    ------
    ValueError
        If a line inside a table is not understood.
    """
    tables = {}
    lines = iter(text.splitlines())
    for line in lines:
        if opened := _TABLE_LINE.match(line):
            table = _read_table(opened["schema"], opened["name"], lines)
            tables[f"{table.schema}.{table.name}"] = table
    return tables


def dump_schema(connection: psycopg.Connection) -> str:
    """Describe the schemas regime, pm and learning as deterministic text.

    Parameters
    ----------
    connection : psycopg.Connection
        To a migrated database, in any state but a failed transaction; left as it was.
    """
    with connection.transaction():
        (search_path,) = _rows(connection, "SELECT current_setting('search_path')")[0]
        # Otherwise names would be printed with or without their schema, as the session happens to be.
        connection.execute("SELECT set_config('search_path', '', true)")
        parts = [HEADER, *_functions(connection), *_relations(connection)]
        connection.execute("SELECT set_config('search_path', %s, true)", [search_path])
    return "\n".join(parts)


def build_schema_text() -> str:
    """Dump of a scratch database made by the migrations; the owner's login must be able to create databases."""
    # Not at the top: readers of schema.sql do without alembic and SQLAlchemy.
    from sql.database import database_url
    from sql.migrate import migrate
    from sql.scratch_database import scratch_database

    server = database_url()
    with scratch_database(server) as name:
        url = server.with_database(name)
        migrate(url)
        with psycopg.connect(url.libpq()) as connection:
            return dump_schema(connection)


@functools.cache
def _committed_tables() -> dict[str, TableSchema]:
    return read_table_schemas(SCHEMA_FILE.read_text(encoding="utf-8"))


def _read_table(schema: str, name: str, lines: Iterator[str]) -> TableSchema:
    columns: list[Column] = []
    primary_key: tuple[str, ...] = ()
    for line in lines:
        if line.startswith(")"):
            break
        if line.startswith("    CONSTRAINT "):
            if key := _PRIMARY_KEY.search(line):
                primary_key = tuple(column.strip().strip('"') for column in key["columns"].split(","))
        elif column := _COLUMN_LINE.match(line):
            nullable = column["not_null"] is None
            columns.append(Column(column["name"].strip('"'), column["type"], nullable, column["comment"] or ""))
        else:
            raise ValueError(f"Expected a column or constraint of {schema}.{name}, was {line!r}")
    return TableSchema(name, schema, tuple(columns), primary_key)


def _rows(connection: psycopg.Connection, statement: str) -> list[tuple[Any, ...]]:
    return connection.execute(statement.encode()).fetchall()


def _catalog(connection: psycopg.Connection, name: str) -> list[tuple[Any, ...]]:
    return connection.execute(query(name).encode(), {"schemas": list(SCHEMAS)}).fetchall()


def _by_relation(rows: Iterable[tuple[Any, ...]]) -> dict[int, list[tuple[Any, ...]]]:
    grouped: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for relation, *values in rows:
        grouped[relation].append(tuple(values))
    return grouped


def _functions(connection: psycopg.Connection) -> Iterator[str]:
    for _schema, definition in _catalog(connection, "list_functions"):
        yield f"{definition.strip()};\n"


def _relations(connection: psycopg.Connection) -> Iterator[str]:
    columns, constraints, indexes, triggers, sources = (
        _by_relation(_catalog(connection, f"list_{kind}"))
        for kind in ("columns", "constraints", "indexes", "triggers", "view_sources")
    )
    for oid, schema, name, kind, comment, partition_key in _catalog(connection, "list_relations"):
        lines = [f"-- {_one_line(comment)}"] if comment else []
        fields = [_column(*column) for column in columns[oid]]
        fields += [(f"CONSTRAINT {_name(constraint)} {text}", "") for constraint, _type, text in constraints[oid]]
        is_table = kind in {"r", "p"}
        word = "CREATE TABLE" if is_table else "VIEW" if kind == "v" else "MATERIALIZED VIEW"
        lines += [f"{word} {schema}.{_name(name)} (", *_separated(fields)]
        if is_table:
            lines.append(f") PARTITION BY {partition_key};" if partition_key else ");")
        else:
            lines.append(f") READS {', '.join(source for (source,) in sources[oid])};")
        lines += [f"{definition};" for (definition,) in [*indexes[oid], *triggers[oid]]]
        yield "\n".join(lines) + "\n"


def _column(name: str, type_: str, is_not_null: bool, default: str | None, comment: str | None) -> tuple[str, str]:
    words = [_name(name), type_, "NOT NULL" if is_not_null else "", default or ""]
    return " ".join(word for word in words if word), _one_line(comment or "")


def _separated(fields: list[tuple[str, str]]) -> Iterator[str]:
    """Lines of definitions with commas between them, the comment after the comma."""
    for position, (definition, comment) in enumerate(fields, start=1):
        comma = "," if position < len(fields) else ""
        yield f"    {definition}{comma}{f'  -- {comment}' if comment else ''}"


def _name(name: str) -> str:
    """Quote by a rule of our own: what Postgres quotes depends on its version's keywords."""
    return name if _PLAIN_NAME.fullmatch(name) else f'"{name}"'


def _one_line(text: str) -> str:
    return " ".join(text.split())


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m sql.schema", description="Keep schema.sql as the migrations are.")
    group = parser.add_mutually_exclusive_group(required=True)
    group.add_argument("--write", action="store_true", help=f"write {SCHEMA_FILE.name}")
    group.add_argument("--check", action="store_true", help="exit 1 if the file is not what the migrations make")
    given = parser.parse_args(arguments)
    text = build_schema_text()
    if given.write:
        SCHEMA_FILE.write_text(text, encoding="utf-8")
        return 0
    if text != SCHEMA_FILE.read_text(encoding="utf-8"):
        sys.stderr.write(f"{SCHEMA_FILE.name} is not what the migrations make: python -m sql.schema --write\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
