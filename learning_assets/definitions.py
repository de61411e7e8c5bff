"""Code location "learning": from closed trades to facts, lessons and overrides, and how these did.

Nothing happens at import: Dagster calls `defs`, which reads the deployment from the environment.
"""

import os
from collections.abc import Mapping
from typing import Any

import dagster as dg

from learning_assets import (
    alarm,
    edge_decay_fit,
    learning_configs,
    learning_edge_history,
    learning_latent_factors,
    learning_lessons,
    learning_regime_weights,
    llm_learning,
    pattern_scope_stats,
    pattern_trade_events,
    pm_overrides,
    tuning_state,
    walk_forward,
)
from learning_assets.automation import FACTS, LEARN, LESSONS, OVERRIDES, SCHEDULES
from learning_assets.checks import SHOWN_CHECKS
from learning_assets.closed_trades import closed_trade_sensors
from learning_assets.learning_table import LearningStep, learning_asset
from learning_assets.upstream import UPSTREAM
from resources.deployment import AS_OF_VARIABLE, DEPLOYMENT_VARIABLE, Deployment, clock_of, parse_deployment
from resources.pm_settings import PmSettings
from resources.tables import Tables
from sql.database_role import DatabaseRole

STEPS: tuple[LearningStep, ...] = (
    pattern_trade_events.STEP,
    pattern_scope_stats.STEP,
    learning_edge_history.STEP,
    edge_decay_fit.STEP,
    learning_lessons.STEP,
    learning_latent_factors.STEP,
    learning_regime_weights.STEP,
    tuning_state.STEP,
    learning_configs.STEP,
    pm_overrides.STEP,
    walk_forward.STEP,
    llm_learning.STEP,
)
"""Steps of learning, each after what it reads."""


def build_definitions(
    deployment: Deployment, *, as_of: str = "", replaced: Mapping[str, Any] | None = None
) -> dg.Definitions:
    """Definitions of the location for one deployment; `replaced` puts other resources in its place."""
    is_live = deployment is not Deployment.TEST and not as_of
    status = dg.DefaultSensorStatus.RUNNING if is_live else dg.DefaultSensorStatus.STOPPED
    return dg.Definitions(
        assets=[*UPSTREAM, *map(learning_asset, STEPS), alarm.ALARM],
        asset_checks=[*SHOWN_CHECKS, *alarm.ALARM_CHECKS, llm_learning.research_answers_are_taken],
        jobs=[LEARN, FACTS, LESSONS, OVERRIDES],
        schedules=SCHEDULES if is_live else (),  # a clock that stands still has no hours
        sensors=[*closed_trade_sensors(LEARN, status=status), alarm.learning_alarm_sensor(status=status)],
        resources={
            "tables": Tables(role=DatabaseRole.LEARNING.value),
            "clock": clock_of(deployment, as_of=as_of),
            "pm_settings": PmSettings(),
            **(replaced or {}),
        },
        executor=dg.in_process_executor,
    )


@dg.definitions
def defs() -> dg.Definitions:
    deployment = parse_deployment(os.environ.get(DEPLOYMENT_VARIABLE, ""))
    return build_definitions(deployment, as_of=os.environ.get(AS_OF_VARIABLE, ""))
