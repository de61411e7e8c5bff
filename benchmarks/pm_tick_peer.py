"""What a tick asked of the database, kept, and asked again without the tick: as a whole, or row by row.

Both are done on copies of the database, so that they read and write what the tick read and wrote.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.adapt import Loader
from psycopg.types.json import Json

from domain.portfolio.strict_json import canonical_json
from pm_runtime.ports import Snapshot
from pm_runtime.postgres_store import PostgresStore
from sql.queries import query

Row = Mapping[str, Any]
BY_TOKEN = ("token_bars_at", "cap_buckets_at")
ONE_POSITION = b"SELECT * FROM lowcap_positions WHERE position_id = %(position_id)s"


@dataclass(frozen=True)
class Statement:
    """One statement of a tick: a read with its parameters, or a write of many rows."""

    text: bytes
    rows: Sequence[Row]
    is_write: bool


@dataclass
class Recorder:
    """Statements of one tick, a list a transaction."""

    transactions: list[list[Statement]] = field(default_factory=list)

    def packed(self) -> list[list[Statement]]:
        """Return the statements with documents as the texts they are stored as."""
        return [
            [Statement(each.text, [_packed(row) for row in each.rows], each.is_write) for each in statements]
            for statements in self.transactions
        ]


class RecordingStore(PostgresStore):
    """The store, which notes what it sends."""

    def record(self) -> Recorder:
        """Note what is sent from here on."""
        self._recorder = recorder = Recorder()

        class Cursor(psycopg.Cursor):
            def execute(self, text: Any, values: Any = None, **options: Any) -> Any:
                recorder.transactions[-1].append(Statement(text, [values or {}], is_write=False))
                return super().execute(text, values, **options)

            def executemany(self, text: Any, rows: Any, **options: Any) -> None:
                recorder.transactions[-1].append(Statement(text, rows, is_write=True))
                super().executemany(text, rows, **options)

        self._connection.cursor_factory = Cursor
        return recorder

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """Open a transaction, and a list for it."""
        self._recorder.transactions.append([])
        with super().snapshot() as snapshot:
            yield snapshot


class _AsText(Loader):
    def load(self, data: Any) -> str:
        return bytes(data).decode()


def bare(connection: psycopg.Connection, transactions: Sequence[Sequence[Statement]]) -> None:
    """Send the same statements and fetch what they give, without making anything of it."""
    for oid in (psycopg.adapters.types["json"].oid, psycopg.adapters.types["jsonb"].oid):
        connection.adapters.register_loader(oid, _AsText)
    for statements in transactions:
        with connection.transaction():
            for statement in statements:
                cursor = connection.cursor()
                if statement.is_write:
                    cursor.executemany(statement.text, statement.rows)
                    continue
                cursor.execute(statement.text, statement.rows[0])
                if cursor.description is not None:
                    cursor.fetchall()


def one_by_one(connection: psycopg.Connection, transactions: Sequence[Sequence[Statement]]) -> None:
    """Read each position, bar and tag, and write each row, by a statement of its own."""
    by_token = {query(name).encode() for name in BY_TOKEN}
    for statements in transactions:
        with connection.transaction():
            for statement in statements:
                _one_by_one(connection, statement, by_token)


def _one_by_one(connection: psycopg.Connection, statement: Statement, by_token: set[bytes]) -> None:
    if statement.is_write:
        for row in statement.rows:
            connection.execute(statement.text, row)
        return
    (values,) = statement.rows
    if statement.text in by_token:
        for contract, chain in zip(values["token_contracts"], values["chains"], strict=True):
            one = {**values, "token_contracts": [contract], "chains": [chain]}
            connection.execute(statement.text, one).fetchall()
        return
    cursor = connection.execute(statement.text, values)
    found = cursor.fetchall() if cursor.description is not None else []
    if statement.text == query("positions_of_timeframe").encode():
        for row in found:
            connection.execute(ONE_POSITION, {"position_id": row[0]}).fetchall()


def _packed(row: Row) -> Row:
    return {name: canonical_json(value.obj) if isinstance(value, Json) else value for name, value in row.items()}
