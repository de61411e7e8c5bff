"""Runs of a small job in Dagster's own tables of the product's database."""

from pathlib import Path

import dagster as dg
from dagster._core.instance.ref import InstanceRef

from sql.database import connect
from sql.database_role import DatabaseRole

PROJECT = Path(__file__).resolve().parents[1]
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def dagster_in(home: Path) -> dg.DagsterInstance:
    """Instance of the project's dagster.yaml."""
    home.mkdir(exist_ok=True)
    (home / "dagster.yaml").write_text((PROJECT / "dagster.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    return dg.DagsterInstance.from_ref(InstanceRef.from_dir(str(home)))


def run_day(instance: dg.DagsterInstance, day: str) -> str:
    """Materialize a day of a table with a check; returns the run's id."""
    days = dg.DailyPartitionsDefinition("2025-01-01", end_date="2025-02-01")

    @dg.asset(key_prefix="toy", partitions_def=days)
    def table(context: dg.AssetExecutionContext) -> None:
        context.log.info("a line")

    @dg.asset_check(asset=table)
    def is_well() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=True)

    job = dg.define_asset_job("toy", dg.AssetSelection.all(), executor_def=dg.in_process_executor)
    resolved = dg.Definitions([table], asset_checks=[is_well], jobs=[job]).resolve_job_def("toy")
    return resolved.execute_in_process(instance=instance, partition_key=day, run_config=QUIET).run_id


def end_runs_ago(interval: str) -> None:
    """Let every run have ended so long ago."""
    with connect(DatabaseRole.OWNER) as owner:
        owner.execute("UPDATE dagster.runs SET update_timestamp = update_timestamp - %s::interval", (interval,))
