"""What is a record of what happened is changed by nobody, not even by the owner of the database."""

import re
from pathlib import Path

import psycopg
import pytest

from sql.database import connect
from sql.database_role import DatabaseRole

SCHEMA = (Path(__file__).resolve().parents[2] / "sql" / "schema.sql").read_text(encoding="utf-8")
RECORDS = re.findall(r"_is_append_only BEFORE DELETE OR UPDATE ON (\S+) ", SCHEMA)
CHANGES = ("UPDATE {table} SET {column} = {column}", "DELETE FROM {table}")

pytestmark = pytest.mark.postgres


def column_of(table: str) -> str:
    """Second column of a table: the first may be one that nobody can set."""
    found = re.search(rf"^CREATE TABLE {re.escape(table)} \(\n.*\n +(\w+)", SCHEMA, re.MULTILINE)
    assert found is not None, table
    return found[1]


def test_the_event_log_and_the_fills_are_records():
    assert {"pm.ad_strands", "pm.pm_fill", "pm.trading_switch", "learning.override_step"} <= set(RECORDS)


@pytest.mark.parametrize("role", DatabaseRole)
@pytest.mark.parametrize("table", RECORDS)
def test_no_role_changes_a_record_or_takes_it_back(module_database, table, role):
    for change in CHANGES:
        with connect(role) as session, pytest.raises(psycopg.Error, match=r"append-only|permission denied"):
            session.execute(change.format(table=table, column=column_of(table)).encode())
