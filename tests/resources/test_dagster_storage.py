"""Dagster's tables in the product's database: first boot, schema, instance, and the events of a range."""

import subprocess
import sys
from pathlib import Path

import dagster as dg
import psycopg
import pytest
from dagster._core.events.log import EventLogEntry
from dagster._core.instance.ref import InstanceRef
from dagster._core.storage.tags import ASSET_PARTITION_RANGE_END_TAG, ASSET_PARTITION_RANGE_START_TAG
from dagster._serdes import deserialize_value, serialize_value
from dagster_postgres.run_storage import PostgresRunStorage
from psycopg.rows import dict_row
from psycopg.sql import SQL, Identifier

from resources.dagster_storage import BATCH_SIZE, BATCH_VARIABLE, ProjectPostgresStorage
from sql.database import database_url
from sql.database_url import DatabaseUrl

pytestmark = pytest.mark.postgres

PROJECT = Path(__file__).resolve().parents[2]
BOOTS = 4
BOOT = """
import sys
from resources.dagster_storage import ProjectPostgresStorage
print("loaded", flush=True)
sys.stdin.readline()
storage = ProjectPostgresStorage.from_config_value(None, {"schema": "dagster"})
print(storage.run_storage.get_runs_count(), storage.event_log_storage.has_secondary_index("asset_key_index_columns"))
"""
LAST_TABLES = {"runs", "event_logs", "jobs"}
"""One of each of the three parts that make their tables one after the other."""
RANGE = {ASSET_PARTITION_RANGE_START_TAG: "2025-01-03", ASSET_PARTITION_RANGE_END_TAG: "2025-01-08"}
DAYS = [f"2025-01-{day:02d}" for day in range(3, 9)]
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def boot_at_once() -> list[tuple[int, str, str]]:
    """Open the storage in four processes at the same moment; exit status, output and complaints of each."""
    command = [sys.executable, "-W", "ignore", "-c", BOOT]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    processes = [subprocess.Popen(command, cwd=PROJECT, text=True, **pipes) for _ in range(BOOTS)]
    try:
        assert [process.stdout.readline() for process in processes] == ["loaded\n"] * BOOTS
        for process in processes:
            process.stdin.write("go\n")
            process.stdin.flush()
        said = [process.communicate(timeout=60) for process in processes]
    finally:
        for process in processes:
            process.kill()
    return [(process.returncode, out, err) for process, (out, err) in zip(processes, said, strict=True)]


def tables_by_schema(url: DatabaseUrl) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    with psycopg.connect(url.libpq()) as connection:
        rows = connection.execute(
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        )
        for schema, table in rows:
            found.setdefault(schema, set()).add(table)
    return found


def instance_in(home: Path, schema: str = "dagster") -> dg.DagsterInstance:
    """Instance of the project's dagster.yaml, its tables in `schema`."""
    text = (PROJECT / "dagster.yaml").read_text()
    assert text.count("schema: dagster") == 1
    home.mkdir()
    (home / "dagster.yaml").write_text(text.replace("schema: dagster", f"schema: {schema}"))
    return dg.DagsterInstance.from_ref(InstanceRef.from_dir(str(home)))


def toy_job() -> dg.JobDefinition:
    """Two assets of days, and a check of one: a run of a range plans events of both kinds."""
    days = dg.DailyPartitionsDefinition("2025-01-01", end_date="2025-02-01")
    in_one_run = dg.BackfillPolicy.single_run()

    @dg.asset(key_prefix="toy", partitions_def=days, backfill_policy=in_one_run)
    def upper() -> None: ...

    @dg.asset(key_prefix="toy", partitions_def=days, backfill_policy=in_one_run, deps=[upper])
    def lower() -> None: ...

    @dg.asset_check(asset=lower)
    def lower_is_well() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=True)

    job = dg.define_asset_job("toy", dg.AssetSelection.all(), executor_def=dg.in_process_executor)
    return dg.Definitions([upper, lower], asset_checks=[lower_is_well], jobs=[job]).resolve_job_def("toy")


def rows_of(url: DatabaseUrl, schema: str, table: str) -> list[dict[str, object]]:
    statement = SQL("SELECT *, xmin::text AS written_by FROM {} ORDER BY id").format(Identifier(schema, table))
    with psycopg.connect(url.libpq(), row_factory=dict_row) as connection:
        return connection.execute(statement).fetchall()


def events_of(url: DatabaseUrl, schema: str) -> list[tuple[object, ...]]:
    """Rows of the event log in order, without what tells one run from another."""
    found = []
    for row in rows_of(url, schema, "event_logs"):
        event = deserialize_value(row["event"], EventLogEntry).get_dagster_event()
        planned = event.event_specific_data if "PLANNED" in event.event_type_value else None
        names = ("dagster_event_type", "step_key", "asset_key", "partition")
        found.append((*(row[name] for name in names), planned))
    return found


def assets_of(url: DatabaseUrl, schema: str, run_id: str) -> list[tuple[object, ...]]:
    """Rows of the asset keys, and whether they name the run and the instant of their newest event."""
    newest = {}
    for event in rows_of(url, schema, "event_logs"):
        if event["asset_key"]:
            newest[event["asset_key"]] = event["timestamp"]
    rows = sorted(rows_of(url, schema, "asset_keys"), key=lambda row: str(row["asset_key"]))
    same = ("asset_key", "asset_details", "wipe_timestamp", "tags", "cached_status_data")
    return [
        (
            *(row[name] for name in same),
            row["last_run_id"] == run_id,
            row["last_materialization_timestamp"] == newest[row["asset_key"]],
            row["last_materialization"] is None,
        )
        for row in rows
    ]


@pytest.mark.parametrize("is_half_made", [False, True], ids=["empty database", "boot that was killed half way"])
def test_four_processes_boot_at_once(empty_database, is_half_made):
    if is_half_made:
        with psycopg.connect(empty_database.libpq()) as connection:
            connection.execute("CREATE SCHEMA dagster")
        PostgresRunStorage(database_url().with_settings(search_path="dagster").sqlalchemy("psycopg2"))

    booted = boot_at_once()

    assert [(status, out) for status, out, _ in booted] == [(0, "0 True\n")] * BOOTS, booted
    assert not any("Retrying" in complaints for *_, complaints in booted)
    assert tables_by_schema(empty_database)["dagster"] >= LAST_TABLES


def test_its_tables_are_in_its_schema_only(database, tmp_path):
    before = tables_by_schema(database)

    with instance_in(tmp_path / "home") as instance:
        toy_job().execute_in_process(QUIET, instance=instance, tags=RANGE)

    after = tables_by_schema(database)
    assert after.pop("dagster") >= LAST_TABLES
    assert after == before


def test_an_instance_is_found_again_by_its_reference(empty_database, tmp_path):
    with instance_in(tmp_path / "home") as instance:
        run_id = toy_job().execute_in_process(QUIET, instance=instance, tags=RANGE).run_id
        packed = serialize_value(instance.get_ref())

    with dg.DagsterInstance.from_ref(deserialize_value(packed, InstanceRef)) as other:
        storage = other.get_ref().storage
        run = other.get_run_by_id(run_id)
        materialized = other.get_materialized_partitions(dg.AssetKey(["toy", "lower"]))

    assert isinstance(storage, ProjectPostgresStorage)
    assert run is not None
    assert run.is_success
    assert materialized == set(DAYS)


def test_planned_events_of_a_range_are_the_same_stored_at_once_or_one_by_one(empty_database, tmp_path, monkeypatch):
    events, assets, writes = {}, {}, {}
    for schema, size in {"one_by_one": "0", "at_once": BATCH_SIZE}.items():
        monkeypatch.setenv(BATCH_VARIABLE, size)
        with instance_in(tmp_path / schema, schema) as instance:
            run_id = instance.create_run_for_job(toy_job(), tags=RANGE).run_id
        events[schema] = events_of(empty_database, schema)
        assets[schema] = assets_of(empty_database, schema, run_id)
        rows = rows_of(empty_database, schema, "event_logs")
        writes[schema] = len({row["written_by"] for row in rows if row["asset_key"]})

    assert events["at_once"] == events["one_by_one"]
    assert len(events["at_once"]) == 2 * len(DAYS) + 1
    assert assets["at_once"] == assets["one_by_one"]
    assert [row[-3:] for row in assets["at_once"]] == [(True, True, True)] * 2
    assert writes == {"one_by_one": 2 * len(DAYS), "at_once": 1}


def test_a_run_of_a_range_leaves_the_same_stored_at_once_or_one_by_one(empty_database, tmp_path, monkeypatch):
    events, assets, materialized = {}, {}, {}
    for schema, size in {"one_by_one": "0", "at_once": BATCH_SIZE}.items():
        monkeypatch.setenv(BATCH_VARIABLE, size)
        with instance_in(tmp_path / schema, schema) as instance:
            run_id = toy_job().execute_in_process(QUIET, instance=instance, tags=RANGE).run_id
            keys = [dg.AssetKey(["toy", name]) for name in ("upper", "lower")]
            materialized[schema] = [instance.get_materialized_partitions(key) for key in keys]
        events[schema] = events_of(empty_database, schema)
        assets[schema] = assets_of(empty_database, schema, run_id)

    assert events["at_once"] == events["one_by_one"]
    assert assets["at_once"] == assets["one_by_one"]
    assert materialized["at_once"] == materialized["one_by_one"] == [set(DAYS)] * 2
