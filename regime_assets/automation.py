"""When the chain is made: hourly, daily, every minute, and again where late data changed the past.

Order inside a run comes from the asset graph. Cron stands on the whole chain, never on a step of it.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from regime_assets.chain_asset import SCHEMA

LATE_DATA_DAYS = 7
MAX_RUNTIME_S = 7200

AC = dg.AutomationCondition
LATE_DATA: dg.AutomationCondition[Any] = (
    AC.in_latest_time_window(timedelta(days=LATE_DATA_DAYS))
    & ~AC.in_latest_time_window()
    & AC.any_deps_updated().since_last_handled()
    & ~AC.in_progress()
).with_label("late data of the last week")
"""A past day whose input changed is made again, and every later day after it; today belongs to the schedules."""


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


@dg.schedule(
    name="hourly_chain",
    job=HOURLY_CHAIN,
    cron_schedule="2 * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Two minutes past each hour: make today's partition again, with the hour that has closed.",
)
def hourly_chain_schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    at = context.scheduled_execution_time
    return dg.RunRequest(run_key=at.isoformat(), partition_key=f"{at:%Y-%m-%d}")


@dg.schedule(
    name="daily_chain",
    job=DAILY_CHAIN,
    cron_schedule="10 0 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Ten past midnight: make yesterday's partition for good.",
)
def daily_chain_schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    at = context.scheduled_execution_time
    return dg.RunRequest(run_key=at.isoformat(), partition_key=f"{at - timedelta(days=1):%Y-%m-%d}")


@dg.schedule(
    name="micro_chain_by_run",
    job=HOURLY_CHAIN,
    cron_schedule="*/5 * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.STOPPED,
    description="Fall-back when the micro_chain sensor is off: a run every five minutes.",
)
def micro_chain_by_run(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    at = context.scheduled_execution_time
    return dg.RunRequest(run_key=at.isoformat(), partition_key=f"{at:%Y-%m-%d}")


SCHEDULES: Sequence[dg.ScheduleDefinition] = (hourly_chain_schedule, daily_chain_schedule, micro_chain_by_run)

AUTOMATION_SENSOR = dg.AutomationConditionSensorDefinition(
    "regime_automation",
    target=dg.AssetSelection.groups(SCHEMA),
    default_status=dg.DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=30,
    description="Makes past days again when their input changed. Its own sensor, because Dagster's starts stopped.",
)
