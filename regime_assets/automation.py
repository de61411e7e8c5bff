"""When the chain is made: hourly, daily, every minute, and again where late data changed the past.

Order inside a run comes from the asset graph. Cron stands on the whole chain, never on a step of it.
"""

from collections.abc import Sequence
from datetime import timedelta

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition
from dagster._core.storage.tags import ASSET_PARTITION_RANGE_END_TAG, ASSET_PARTITION_RANGE_START_TAG

from regime_assets.chain_asset import SCHEMA
from regime_assets.late_data import LATE_DATA_DAYS
from resources.tables import Tables

MAX_RUNTIME_S = 7200


def chain_job(name: str, description: str) -> UnresolvedAssetJobDefinition:
    """Job over the whole chain, one day or a range of days."""
    return dg.define_asset_job(
        name,
        selection=dg.AssetSelection.groups(SCHEMA),
        description=description,
        tags={"dagster/max_runtime": str(MAX_RUNTIME_S)},
    )


HOURLY_CHAIN = chain_job("hourly_chain", "The chain of today: candles, driver bars, indicators, states, A/E.")
DAILY_CHAIN = chain_job("daily_chain", "The chain of yesterday, once it is complete: its 1d bars and what follows.")
BACKFILL_CHAIN = chain_job("backfill_chain", "The chain of any range of days, made from a terminal.")


def today_schedule(
    name: str,
    cron: str,
    description: str,
    *,
    status: dg.DefaultScheduleStatus = dg.DefaultScheduleStatus.RUNNING,
) -> dg.ScheduleDefinition:
    """Schedule that makes the partition of the tick's own day."""

    @dg.schedule(
        name=name,
        job=HOURLY_CHAIN,
        cron_schedule=cron,
        execution_timezone="UTC",
        default_status=status,
        description=description,
    )
    def _tick(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        at = context.scheduled_execution_time
        return dg.RunRequest(run_key=at.isoformat(), partition_key=f"{at:%Y-%m-%d}")

    return _tick


@dg.schedule(
    name="daily_chain",
    job=DAILY_CHAIN,
    cron_schedule="10 0 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Ten past midnight: make yesterday's partition for good, and with it the days of the last week that"
    " nobody has made since they ended.",
)
def daily_chain_schedule(context: dg.ScheduleEvaluationContext, tables: Tables) -> dg.RunRequest:
    """Ask for yesterday; after days off, for one run from the first day that was left."""
    at = context.scheduled_execution_time
    yesterday = (at - timedelta(days=1)).date()
    left = tables.query("unfinished_days", (yesterday - timedelta(days=LATE_DATA_DAYS - 1), yesterday))["day"]
    first = min(left, default=yesterday)
    if first == yesterday:
        return dg.RunRequest(run_key=at.isoformat(), partition_key=yesterday.isoformat())
    days = {ASSET_PARTITION_RANGE_START_TAG: first.isoformat(), ASSET_PARTITION_RANGE_END_TAG: yesterday.isoformat()}
    return dg.RunRequest(run_key=at.isoformat(), tags=days)


SCHEDULES: Sequence[dg.ScheduleDefinition] = (
    today_schedule(
        "hourly_chain",
        "2 * * * *",
        "Two minutes past each hour: make today's partition again, with the hour that has closed.",
    ),
    daily_chain_schedule,
    today_schedule(
        "micro_chain_by_run",
        "*/5 * * * *",
        "Fall-back when the micro_chain sensor is off: a run every five minutes.",
        status=dg.DefaultScheduleStatus.STOPPED,
    ),
)


def automation_sensor() -> dg.AutomationConditionSensorDefinition:
    """Sensor of the conditions of the assets; one of ours, because the one Dagster adds starts stopped."""
    return dg.AutomationConditionSensorDefinition(
        "regime_automation",
        target=dg.AssetSelection.groups(SCHEMA),
        default_status=dg.DefaultSensorStatus.RUNNING,
        minimum_interval_seconds=30,
        use_user_code_server=True,  # the daemon by itself knows Dagster's own conditions only
        description="Makes past days again, and every later day with them, when their input changed.",
    )
