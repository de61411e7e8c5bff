"""Hostile text in every column of a database that holds text nobody looks rows up by."""

import json
from typing import Any

import psycopg
from psycopg.sql import SQL, Identifier

from sql.database import connect
from sql.database_role import DatabaseRole

POISON = (
    '"\'><hostile-mark hostile-mark="1"></title></svg><script>alert(1)</script> {{ 7 * 7 }} [x](javascript:alert(1))'
    " =cmd|' /C calc'!A0 \u202e\x1b[31m\x9b"
)
ROUNDS = 6
"""A column, or a text inside a document, is poisoned in one of them: all at once, nothing would be readable."""

COLUMNS = """
    SELECT n.nspname, c.relname, a.attname, t.typname FROM pg_attribute a
      JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_type t ON t.oid = a.atttypid
    WHERE n.nspname IN ('regime', 'learning', 'pm') AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
      AND t.typname IN ('text', 'varchar', 'json', 'jsonb')
      AND a.attname NOT LIKE '%%\\_id' AND a.attname NOT LIKE '%%hash'
    ORDER BY 1, 2, 3
"""


def poison(number: int) -> int:
    """Poison the columns of a round; returns how many took it."""
    taken = 0
    with connect(DatabaseRole.OWNER) as owner:
        owner.execute("SET session_replication_role = replica")  # records let nobody change them otherwise
        for place, (schema, table, column, kind) in enumerate(owner.execute(COLUMNS.encode()).fetchall()):
            try:
                with owner.transaction():
                    taken += _poisoned(owner, Identifier(schema, table), column, kind, place, number)
            except (psycopg.errors.IntegrityError, psycopg.DataError):
                continue  # the database itself does not hold it
    return taken


def _poisoned(owner: psycopg.Connection, table: Identifier, column: str, kind: str, place: int, number: int) -> bool:
    name, changed = Identifier(column), False
    found = SQL("SELECT ctid::text, {}::text FROM {} WHERE {} IS NOT NULL").format(name, table, name)
    for row, stored in owner.execute(found).fetchall():
        document = _document(stored)
        if document is None and place % ROUNDS != number:
            continue
        told = POISON if document is None else json.dumps(_spoilt(document, [number]))
        if kind in ("json", "jsonb") or told != stored:
            statement = SQL("UPDATE {} SET {} = %s WHERE ctid = %s::tid").format(table, name)
            owner.execute(statement, [told, row])
            changed = True
    return changed


def _document(text: str) -> Any:
    if not text.startswith(("{", "[")):
        return None
    try:
        return json.loads(text)
    except ValueError:
        return None


def _spoilt(value: Any, count: list[int]) -> Any:
    """A document with every sixth of its texts poisoned, beginning where the round does."""
    if isinstance(value, dict):
        return {key: _spoilt(each, count) for key, each in value.items()}
    if isinstance(value, list):
        return [_spoilt(each, count) for each in value]
    if not isinstance(value, str):
        return value
    count[0] += 1
    return POISON if count[0] % ROUNDS == 0 else value
