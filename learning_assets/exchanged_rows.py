"""Rows read from what was learned, and taken in beside it: an import has a schema of its own, never the live one."""

from dataclasses import dataclass

import psycopg
from psycopg.sql import SQL, Identifier
from psycopg.types.string import TextLoader

from learning_assets.exchanged_kind import Exchanged, ExchangedKind, Row, in_utc
from sql.learned_schema import LEARNING, has_learned, learned_schema_of, make_learned_schema
from sql.queries import query
from sql.replay_schema import has_replay, schema_of
from sql.schema import table_schema

MARK = "Taken in from a file: what others learned. May be dropped."
"""Comment of a schema that an import made."""


class ImportRefusedError(ValueError):
    """The rows cannot be taken in; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did: rows of a schema, and whether they were new there."""

    schema: str
    rows: int
    is_new: bool


def read_exchanged(connection: psycopg.Connection, kind: ExchangedKind, name: str | None = None) -> Exchanged:
    """Read every row of a kind, in one instant.

    Parameters
    ----------
    connection : psycopg.Connection
        Autocommit, of a role that may read what was learned.
    kind : ExchangedKind
        What is read.
    name : str, optional
        Of an import, or of a replay that taught something; by default what live trades taught.

    Raises
    ------
    ImportRefusedError
        If nothing was learned or taken in under this name.
    """
    schema = LEARNING if name is None else learned_schema_of(name)
    if not has_learned(connection, schema):
        raise ImportRefusedError(f"Nothing was learned from a replay {name}, or taken in under this name")
    with connection.transaction():
        connection.execute(query("search_exchanged").encode(), {"schema": schema})
        return Exchanged(kind, _rows(connection, query(f"exported_{kind}"), kind))


def take_in(connection: psycopg.Connection, told: Exchanged, name: str) -> Imported:
    """Store rows in the schema of an import, which is made where it is not there; all of them or none.

    Parameters
    ----------
    connection : psycopg.Connection
        Of the owner, autocommit.
    told : Exchanged
        Rows of a kind that the import has none of, or just these.
    name : str
        Of the import: 1 to 48 small letters, digits and underscores.

    Raises
    ------
    ImportRefusedError
        If the name is a replay's, other rows are there, or a row breaks a rule of its table.
    LearnedSchemaError
        If the name is none.
    """
    schema = learned_schema_of(name)
    with connection.transaction():
        _prepare(connection, schema, name)
        stored = read_exchanged(connection, told.kind, name)
        if stored.rows:
            if not _are_equal(stored, told):
                raise ImportRefusedError(
                    f"{schema} holds other {told.kind} already: take these in under another --name"
                )
            return Imported(schema, len(stored.rows), is_new=False)
        for table in told.kind.tables:
            _store(connection, schema, table, told.rows_of(table))
        if not _are_equal(read_exchanged(connection, told.kind, name), told):
            raise ImportRefusedError("Rows of the file contradict each other: it cannot be read back as it is")
        return Imported(schema, len(told.rows), is_new=True)


def _prepare(connection: psycopg.Connection, schema: str, name: str) -> None:
    if has_replay(connection, schema_of(name)):
        raise ImportRefusedError(f"{name} is a replay: what it teaches stands in {schema}. Give another --name")
    values = {"schema": schema, "mark": MARK}
    if not has_learned(connection, schema):
        make_learned_schema(connection, schema)
        ((statement,),) = connection.execute(query("mark_imported_schema_statement").encode(), values).fetchall()
        connection.execute(statement)
        return
    ((is_imported,),) = connection.execute(query("is_imported_schema").encode(), values).fetchall()
    if not is_imported:
        raise ImportRefusedError(f"{schema} holds what a replay taught, no import: give another --name")


def _store(connection: psycopg.Connection, schema: str, table: str, rows: list[Row]) -> None:
    known = table_schema(table)
    statement = SQL("COPY {} ({}) FROM STDIN").format(
        Identifier(schema, known.name), SQL(", ").join(Identifier(column.name) for column in known.columns)
    )
    try:
        with connection.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
    except (psycopg.IntegrityError, psycopg.DataError) as error:
        raise ImportRefusedError(f"A row breaks a rule of {known.name}: {str(error).splitlines()[0]}") from None


def _rows(connection: psycopg.Connection, statement: str, kind: ExchangedKind) -> list[Row]:
    """Rows of a statement in the order of the kind's columns, JSON as its text."""
    cursor = connection.cursor()
    cursor.adapters.register_loader("json", TextLoader)
    cursor.execute(statement.encode())
    names = [column.name for column in cursor.description or ()]
    places = [names.index(column.name) for column in kind.columns]
    return [in_utc(tuple(row[place] for place in places)) for row in cursor]


def _are_equal(one: Exchanged, other: Exchanged) -> bool:
    """Whether two hold the same rows, in whatever order; NaN is equal to itself."""
    return sorted(map(repr, one.rows)) == sorted(map(repr, other.rows))
