"""Hashes that say what a replay read and what it wrote, byte by byte, in an order of their own.

Rows come by binary COPY: doubles are their eight bytes, instants are microseconds, whatever the session's settings.
What differs between two runs over the same history is left out: who wrote a row and when, and what a sequence gave.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from psycopg.sql import SQL, Composed, Identifier

from domain.portfolio.strict_json import canonical_json
from domain.vocabulary.cap_bucket import REGIME_BUCKETS
from domain.vocabulary.driver import DEFAULT_BOOK_ID
from pm_runtime.replay.admission import Admission
from pm_runtime.replay.settings import ReplaySettings
from sql.queries import query

HISTORY = ("copy_replayed_token_bars", "copy_replayed_tags", "copy_replayed_scores", "copy_replayed_contexts")
"""Queries that copy what ticks may read."""

KEYS: Mapping[str, tuple[str, ...]] = {
    "ad_strands": ("strand_id",),
    "live_override_set": ("step_id",),
    "lowcap_positions": ("position_id",),
    "override_set": ("set_id",),
    "pattern_episode_events": ("episode_id",),
    "pm_fill": ("fill_id",),
    "pm_order": ("order_id",),
    "pm_overrides": ("override_id",),
    "pm_tick": ("timeframe", "bar_timestamp"),
    "strand_dead_letter": ("dead_letter_id",),
    "trading_switch": ("scope", "set_at"),
}
"""Every table of a replay, and the columns its rows are put in order by."""

UNCOMPARED = frozenset(
    {
        *("holder", "started_at", "finished_at", "updated_at", "written_at", "found_at"),
        *("tick_id", "sequence", "switch_id"),
    }
)
"""Columns that tell one run from another."""

RUN = "replay_run"
"""Table about the replay itself, which is not part of what it wrote."""

SCORES_READ = SQL(
    "(SELECT jsonb_agg(score - 'run_id' ORDER BY place) FROM jsonb_array_elements(scores) "
    "WITH ORDINALITY AS listed (score, place))"
)
"""Scores of a tick without the Dagster run that made them: made again from the same candles they are the same."""


class UnknownTableError(LookupError):
    """A table of the replay is not in KEYS: nobody has said how its rows are put in order."""


def history_hash(connection: psycopg.Connection, settings: ReplaySettings, admissions: Sequence[Admission]) -> str:
    """SHA-256 over everything ticks of the window may read, and over who is admitted when.

    Parameters
    ----------
    connection : psycopg.Connection
        In a transaction on one instant, without a limit of time.
    """
    digest = hashlib.sha256(canonical_json([each.to_json() for each in admissions]).encode())
    tokens = sorted({each.token for each in admissions})
    values = {
        "token_contracts": [contract for contract, _ in tokens],
        "chains": [chain for _, chain in tokens],
        "timeframes": [timeframe.value for timeframe in settings.timeframes],
        "lengths": [timeframe.duration for timeframe in settings.timeframes],
        "from_at": settings.from_at,
        "to_at": settings.to_at,
        "buckets": [bucket.value for bucket in REGIME_BUCKETS],
        "book_id": DEFAULT_BOOK_ID,
    }
    for name in HISTORY:
        digest.update(name.encode())
        _add(digest, connection, SQL(query(name)), values)
    return digest.hexdigest()


def rows_hash(connection: psycopg.Connection, schema: str) -> str:
    """SHA-256 over every row a replay wrote, table by table, in the order of their keys.

    Raises
    ------
    UnknownTableError
        If the schema has a table that nobody has said an order for.
    """
    columns: dict[str, list[str]] = {}
    for table, column in connection.execute(query("columns_of_replay").encode(), {"schema": schema}):
        columns.setdefault(table, []).append(column)
    digest = hashlib.sha256()
    for table in sorted(columns.keys() - {RUN}):
        if table not in KEYS:
            raise UnknownTableError(f"{schema}.{table} has no order of its rows: add it to KEYS")
        compared = [column for column in columns[table] if column not in UNCOMPARED]
        digest.update(f"{table}({','.join(compared)})".encode())
        _add(digest, connection, _copy_of(schema, table, compared), None)
    return digest.hexdigest()


def _copy_of(schema: str, table: str, columns: Sequence[str]) -> Composed:
    told = [SCORES_READ if (table, column) == ("pm_tick", "scores") else Identifier(column) for column in columns]
    return SQL("COPY (SELECT {} FROM {} ORDER BY {}) TO STDOUT (FORMAT binary)").format(
        SQL(", ").join(told), Identifier(schema, table), SQL(", ").join(map(Identifier, KEYS[table]))
    )


def _add(
    digest: "hashlib._Hash", connection: psycopg.Connection, statement: SQL | Composed, values: Mapping[str, Any] | None
) -> None:
    with connection.cursor() as cursor, cursor.copy(statement, values) as rows:
        for block in rows:
            digest.update(block)
