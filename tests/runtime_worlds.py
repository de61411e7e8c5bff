"""Two worlds a runtime store may live in, memory and Postgres, seen alike by the tests of the contract."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from domain.scores.score_reading import PublishedScore, ScoreStatus
from domain.vocabulary.cap_bucket import CapBucket
from domain.vocabulary.timeframe import Timeframe
from pm_runtime.memory_store import MemoryDatabase, MemoryStore
from pm_runtime.ports import RuntimeStore
from pm_runtime.postgres_store import open_postgres_store
from sql.database import connect
from sql.database_role import DatabaseRole
from tests.stored_rows import insert_rows, stored_score

START = datetime(2025, 6, 1, tzinfo=UTC)
LEVERS = {"a": 0.6, "e": 0.4, "coverage": 15, "degraded": False}
PROVENANCE = {"config_version": 1, "code_version": "0.0.0", "run_id": "run-of-a-test"}


def published(bucket: CapBucket, at: datetime, **values: Any) -> PublishedScore:
    """A good score of a bucket, other than in what the test names."""
    return PublishedScore(bucket=bucket, timestamp=at, **(LEVERS | PROVENANCE | values))


class MemoryWorld:
    """Everything in this process; the database's clock stands at `now_at`."""

    def __init__(self, now_at: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self.now_at = now_at
        self.database = MemoryDatabase(now_at=lambda: self.now_at)

    def store(self, holder: str = "a:1:start") -> RuntimeStore:
        return MemoryStore(self.database, holder=holder)

    def publish(self, *scores: PublishedScore, timeframe: Timeframe = Timeframe.H1) -> None:
        for score in scores:
            self.database.publish(timeframe, score)

    def configure(self, overrides: Mapping[str, Any]) -> int:
        return self.database.configure(overrides)

    def ticks(self) -> list[dict[str, Any]]:
        return [
            {
                "timeframe": tick.bar.timeframe.value,
                "bar_timestamp": tick.bar.timestamp,
                "mode": tick.mode.value,
                "mode_reason": tick.mode_reason,
                "scores": [reading.to_json() for reading in tick.scores],
                "scores_fresh": tick.count(ScoreStatus.FRESH),
                "scores_stale": tick.count(ScoreStatus.STALE),
                "scores_degraded": tick.count(ScoreStatus.DEGRADED),
                "config_version": tick.config_version,
                "code_version": tick.code_version,
                "holder": tick.holder,
                **asdict(tick.portfolio),
                "overrides_ignored": list(tick.portfolio.overrides_ignored),
            }
            for tick in self.database.ticks.values()
        ]


class PostgresWorld:
    """A migrated database; scores are written by the role of the assets."""

    def store(self, holder: str = "a:1:start") -> RuntimeStore:
        return open_postgres_store(holder)

    def publish(self, *scores: PublishedScore, timeframe: Timeframe = Timeframe.H1) -> None:
        rows = [_stored(score, timeframe) for score in scores]
        with connect(DatabaseRole.REGIME) as connection:
            insert_rows(connection, "regime.ae_score", rows)

    def configure(self, overrides: Mapping[str, Any]) -> int:
        statement = (
            "INSERT INTO pm.pm_config (config, config_hash, author, reason) VALUES (%s, '', 't', 't') RETURNING version"
        )
        with connect(DatabaseRole.CONSOLE) as connection:
            row = connection.execute(statement, [Jsonb(dict(overrides))]).fetchone()
        assert row is not None
        return int(row[0])

    def ticks(self) -> list[dict[str, Any]]:
        return [{name: row[name] for name in row if name not in OWN_COLUMNS} for row in stored_ticks()]


OWN_COLUMNS = {"tick_id", "started_at", "finished_at"}
"""What only the database says of a tick."""


def stored_ticks() -> list[dict[str, Any]]:
    """Rows of pm.pm_tick in the order they were written."""
    with connect(DatabaseRole.CONSOLE, read_only=True) as connection:
        cursor = connection.cursor(row_factory=dict_row)
        return cursor.execute("SELECT * FROM pm.pm_tick ORDER BY tick_id").fetchall()


def end_sessions_of_runtime(connection: psycopg.Connection) -> int:
    """Kill every session of the role lowcap_pm in this database, as a crash of the server would; returns how many."""
    statement = (
        "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity "
        "WHERE datname = current_database() AND application_name LIKE '%%:%%:%%' AND pid <> pg_backend_pid()"
    )
    row = connection.execute(statement).fetchone()
    assert row is not None
    return int(row[0])


def _stored(score: PublishedScore, timeframe: Timeframe) -> dict[str, Any]:
    values = asdict(score)
    return stored_score(values.pop("bucket").value, values.pop("timestamp"), timeframe=timeframe.value, **values)
