"""When it learns: facts as trades close, lessons every six hours, overrides every two, yesterday for good at night.

Order inside a run comes from the asset graph. What is made of today is made again until the day is over.
"""

from collections.abc import Sequence
from datetime import timedelta

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from learning_assets import (
    edge_decay_fit,
    learning_configs,
    learning_edge_history,
    learning_latent_factors,
    learning_lessons,
    learning_regime_weights,
    pattern_scope_stats,
    pattern_trade_events,
    pm_overrides,
    tuning_state,
)
from learning_assets.learning_table import SCHEMA
from resources.table_asset import asset_key

MAX_RUNTIME_S = 7200


def learning_job(name: str, description: str, tables: Sequence[str] = ()) -> UnresolvedAssetJobDefinition:
    """Job over some tables, or over all that is learned, one day or a range of days."""
    chosen = dg.AssetSelection.assets(*map(asset_key, tables)) if tables else dg.AssetSelection.groups(SCHEMA)
    return dg.define_asset_job(
        name, selection=chosen, description=description, tags={"dagster/max_runtime": str(MAX_RUNTIME_S)}
    )


LESSON_TABLES = (
    pattern_scope_stats.TABLE,
    learning_edge_history.TABLE,
    edge_decay_fit.TABLE,
    learning_configs.TABLE,
    learning_lessons.RUN,
    learning_lessons.HYPOTHESIS,
    learning_lessons.TABLE,
    learning_latent_factors.TABLE,
    learning_regime_weights.TABLE,
    tuning_state.RATE,
    tuning_state.VERDICT,
    tuning_state.TABLE,
)
OVERRIDE_TABLES = (pm_overrides.SET, pm_overrides.STEP_TABLE, pm_overrides.TABLE)

LEARN = learning_job("learn", "Everything that is learned, of a day or a range of days: a walk-forward.")
FACTS = learning_job(
    "facts", "Facts of the trades closed on a day, or on a range of days.", (pattern_trade_events.TABLE,)
)
LESSONS = learning_job("lessons", "Statistics, decay, lessons, weights and thresholds of today.", LESSON_TABLES)
OVERRIDES = learning_job("overrides", "Overrides of today, from the lessons of today.", OVERRIDE_TABLES)


def today_schedule(
    job: UnresolvedAssetJobDefinition, cron: str, description: str, *, days_back: int = 0
) -> dg.ScheduleDefinition:
    """Schedule that makes the day of its tick, or one before it."""

    @dg.schedule(
        name=f"{job.name}_schedule",
        job=job,
        cron_schedule=cron,
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=description,
    )
    def _tick(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        at = context.scheduled_execution_time
        day = at - timedelta(days=days_back)
        return dg.RunRequest(run_key=f"{job.name}:{at.isoformat()}", partition_key=f"{day:%Y-%m-%d}")

    return _tick


SCHEDULES: Sequence[dg.ScheduleDefinition] = (
    today_schedule(LESSONS, "40 */6 * * *", "Every six hours: what today's trades say so far."),
    today_schedule(OVERRIDES, "50 */2 * * *", "Every two hours: the set the runtime reads."),
    today_schedule(LEARN, "25 0 * * *", "25 past midnight: yesterday, now that it is over, for good.", days_back=1),
)
