"""Everything a runtime has written to Postgres, as two runs of the same bars must have it alike."""

from typing import Any

from psycopg.rows import dict_row

from sql.database import connect
from sql.database_role import DatabaseRole

TABLES = {
    "pm_tick": "timeframe, bar_timestamp",
    "lowcap_positions": "position_id",
    "pm_order": "order_id",
    "pm_fill": "fill_id",
    "ad_strands": "sequence",
    "pattern_episode_events": "episode_id",
    "strand_dead_letter": "dead_letter_id",
}
"""The runtime's tables, and what puts their rows in order."""

OWN_COLUMNS = frozenset(
    {"holder", "tick_id", "started_at", "finished_at", "updated_at", "written_at", "sequence", "found_at"}
)
"""Who wrote a row, and when by the clock: never alike."""

Tables = dict[str, list[dict[str, Any]]]


def runtime_tables(schema: str = "pm") -> Tables:
    """Rows of every table of the runtime, or of a replay, in order, without what is never alike."""
    with connect(DatabaseRole.CONSOLE, read_only=True) as connection:
        cursor = connection.cursor(row_factory=dict_row)
        found = {
            table: cursor.execute(f"SELECT * FROM {schema}.{table} ORDER BY {order}".encode()).fetchall()
            for table, order in TABLES.items()
        }
    return {
        table: [{name: row[name] for name in row if name not in OWN_COLUMNS} for row in rows]
        for table, rows in found.items()
    }


def differing(tables: Tables, others: Tables) -> list[str]:
    """Names of the tables that differ."""
    return [table for table in TABLES if tables[table] != others[table]]
