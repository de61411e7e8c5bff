"""What was learned and is not true any more: edges that halved, false positives that doubled, days nobody learned.

A row a time an alarm stood, raised and cleared by a sensor that looks every five minutes.
"""

from datetime import datetime

import dagster as dg
import psycopg

from domain.config.pm_config import PmConfig
from domain.vocabulary.alarm import AlarmKind, Look
from learning_assets import learning_lessons, pm_overrides, tuning_state
from resources.alarm_asset import AlarmRule, alarm_asset, alarm_check, alarm_sensor
from sql.alarm_look import look_at_edges, look_at_false_positives, look_at_tables

TABLE = "learning.learning_alarm"
EVERY_SECONDS = 300


def look_at_learned_days(connection: psycopg.Connection, config: PmConfig, *, at: datetime) -> Look:
    """Look at the newest learned day."""
    return look_at_tables(connection, config, at=at, learned=True)


RULES: tuple[AlarmRule, ...] = (
    AlarmRule(
        AlarmKind.EDGE_HALVED,
        look_at_edges,
        pm_overrides.TABLE,
        "no_live_edge_has_halved",
        "Live overrides whose lesson keeps alarms.edge_kept_frac of the edge it was born with, or less, or turned.",
    ),
    AlarmRule(
        AlarmKind.FPR_DOUBLED,
        look_at_false_positives,
        tuning_state.RATE,
        "no_false_positive_rate_doubled",
        "Cells whose false positives are alarms.fpr_ratio times those of the window before, beyond chance.",
    ),
    AlarmRule(
        AlarmKind.STALE_TABLE,
        look_at_learned_days,
        learning_lessons.RUN,
        "no_learned_day_is_overdue",
        "The newest learned day is as new as its cadence asks.",
    ),
)

ALARM = alarm_asset(
    TABLE, reads=sorted({rule.table for rule in RULES}), owner="team:learning", description=__doc__ or ""
)
ALARM_CHECKS: tuple[dg.AssetChecksDefinition, ...] = tuple(alarm_check(rule) for rule in RULES)


def learning_alarm_sensor(*, status: dg.DefaultSensorStatus) -> dg.SensorDefinition:
    """Sensor that raises and clears the alarms of learning."""
    return alarm_sensor(
        "learning_alarms", "learning", RULES, every_seconds=EVERY_SECONDS, status=status, description=__doc__ or ""
    )
