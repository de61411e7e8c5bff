"""What the whole database holds, as one number a table: equal before and after what must not change anything."""

from sql.database import connect
from sql.database_role import DatabaseRole


def table_sums() -> dict[str, tuple[int, int]]:
    """How many rows each table has, and a sum of all they hold."""
    with connect(DatabaseRole.OWNER) as owner:
        found = owner.execute(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
            " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        )
        each = " UNION ALL ".join(
            f"SELECT '{table}', count(*), coalesce(sum(hashtextextended(t::text, 0)), 0) FROM {table} t"
            for (table,) in found.fetchall()
        )
        return {table: (rows, total) for table, rows, total in owner.execute(each.encode()).fetchall()}
