"""Dagster's own tables: in the schema `dagster` of the product's database, whichever that is.

Why not the plain Postgres storage: it cannot find the embedded server, collides when several processes boot it first,
and stores the planned partitions of a range one connection at a time (for 1,700 days of five tables: two minutes).
"""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import dagster as dg
import psycopg
from dagster import DagsterEventType
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable
from dagster._serdes import ConfigurableClassData
from dagster_postgres.event_log import PostgresEventLogStorage
from dagster_postgres.storage import DagsterPostgresStorage

from sql.database import database_url
from sql.queries import query

BATCH_VARIABLE = "DAGSTER_EVENT_BATCH_SIZE"
"""Dagster stores events of one kind together when this environment variable gives a size; our launchers set it."""
BATCH_SIZE = "1000"


class RangeEventLogStorage(PostgresEventLogStorage):
    """Event log that stores the planned partitions of a range in one statement, as it does the materialized ones."""

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Store events of a batch; see the base class. A batch mixes kinds, and only one of them is ours."""
        planned = [event for event in events if _is_planned(event)]
        if planned:
            self._store_planned(planned)
        others = [event for event in events if not _is_planned(event)]
        if others:
            super().store_event_batch(others)

    def _store_planned(self, events: Sequence[EventLogEntry]) -> None:
        statement = self.prepare_insert_event_batch(events).returning(SqlEventLogStorageTable.c.id)
        with self._connect() as connection:
            event_ids = [int(row[0]) for row in connection.execute(statement).fetchall()]
        newest_of_asset = {
            event.get_dagster_event().asset_key: (event, event_id)
            for event, event_id in zip(events, event_ids, strict=True)
        }
        with self.index_transaction() as connection:
            self._store_asset_event_tags(connection, events, event_ids)
            for event, event_id in newest_of_asset.values():
                self._store_asset_event(connection, event, event_id)


def _is_planned(event: EventLogEntry) -> bool:
    return event.get_dagster_event().event_type is DagsterEventType.ASSET_MATERIALIZATION_PLANNED


class ProjectPostgresStorage(DagsterPostgresStorage):
    """Storage that finds its database by itself and keeps to one schema of it."""

    def __init__(self, postgres_url: str, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(postgres_url, True, inst_data)
        self._event_log_storage = RangeEventLogStorage(postgres_url, True)

    @classmethod
    def config_type(cls) -> dict[str, dg.Field]:
        """Name of the schema."""
        return {"schema": dg.Field(str, default_value="dagster", is_required=False)}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]) -> Self:
        """Open the storage; the first process to do so makes the tables, others wait until it has done so.

        A process that looked in the middle would remember for its whole life that indexes are missing.
        """
        schema = config_value["schema"]
        url = database_url()
        with psycopg.connect(url.libpq(), autocommit=True) as connection:
            connection.execute(query("lock_first_boot"))
            if connection.execute(query("dagster_is_installed"), {"schema": schema}).fetchone() == (True,):
                connection.execute(query("unlock_first_boot"))
            else:
                connection.execute(query("create_dagster_schema").format(schema=schema))
            own = url.with_settings(search_path=schema, timezone="UTC")
            return cls(own.sqlalchemy("psycopg2"), inst_data)

    # Built from the parts' own configuration they would look for a URL there; they are reached through this class.
    @property
    def event_storage_data(self) -> None:
        """Nothing: the parts have no configuration of their own."""

    @property
    def run_storage_data(self) -> None:
        """Nothing: the parts have no configuration of their own."""

    @property
    def schedule_storage_data(self) -> None:
        """Nothing: the parts have no configuration of their own."""
