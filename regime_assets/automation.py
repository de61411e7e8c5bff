"""When the chain is made: hourly, daily, every minute, and again where late data changed the past.

Order inside a run comes from the asset graph. Cron stands on the whole chain, never on a step of it.
"""

from collections.abc import Sequence
from datetime import timedelta

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from regime_assets.chain_asset import SCHEMA

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


def chain_schedule(
    name: str,
    job: UnresolvedAssetJobDefinition,
    cron: str,
    description: str,
    *,
    days_back: int = 0,
    status: dg.DefaultScheduleStatus = dg.DefaultScheduleStatus.RUNNING,
) -> dg.ScheduleDefinition:
    """Schedule that makes the partition of the day `days_back` days before the tick."""

    @dg.schedule(
        name=name,
        job=job,
        cron_schedule=cron,
        execution_timezone="UTC",
        default_status=status,
        description=description,
    )
    def _tick(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        at = context.scheduled_execution_time
        return dg.RunRequest(run_key=at.isoformat(), partition_key=f"{at - timedelta(days=days_back):%Y-%m-%d}")

    return _tick


SCHEDULES: Sequence[dg.ScheduleDefinition] = (
    chain_schedule(
        "hourly_chain",
        HOURLY_CHAIN,
        "2 * * * *",
        "Two minutes past each hour: make today's partition again, with the hour that has closed.",
    ),
    chain_schedule(
        "daily_chain",
        DAILY_CHAIN,
        "10 0 * * *",
        "Ten past midnight: make yesterday's partition for good.",
        days_back=1,
    ),
    chain_schedule(
        "micro_chain_by_run",
        HOURLY_CHAIN,
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
