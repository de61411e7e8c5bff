"""What is wrong with the regime now: channels not heard, labels that churn, tables whose next row is overdue.

A row a time an alarm stood, raised and cleared by a sensor that looks every minute.
"""

import dagster as dg

from domain.vocabulary.alarm import AlarmKind
from resources.alarm_asset import AlarmRule, alarm_asset, alarm_check, alarm_sensor
from sql.alarm_look import look_at_coverage, look_at_labels, look_at_tables

TABLE = "regime.regime_alarm"
EVERY_SECONDS = 60

RULES: tuple[AlarmRule, ...] = (
    AlarmRule(
        AlarmKind.COVERAGE_LOW,
        look_at_coverage,
        "regime.ae_score",
        "",  # newest_scores_hear_their_channels shows it
        "The newest scores hear as many channels as scores.min_coverage asks.",
    ),
    AlarmRule(
        AlarmKind.LABEL_CHURN,
        look_at_labels,
        "regime.phase_state_bucket",
        "labels_do_not_churn",
        "Phases of a bucket change no more often in a day than a multiple of what is usual.",
    ),
    AlarmRule(
        AlarmKind.STALE_TABLE,
        look_at_tables,
        "regime.ae_score",
        "no_table_is_overdue",
        "The newest row of every main table of the regime is as new as its cadence asks.",
    ),
)

ALARM = alarm_asset(TABLE, reads=sorted({rule.table for rule in RULES}), owner="team:regime", description=__doc__ or "")
ALARM_CHECKS: tuple[dg.AssetChecksDefinition, ...] = tuple(alarm_check(rule) for rule in RULES if rule.name)


def regime_alarm_sensor(*, status: dg.DefaultSensorStatus) -> dg.SensorDefinition:
    """Sensor that raises and clears the alarms of the regime."""
    return alarm_sensor(
        "regime_alarms", "regime", RULES, every_seconds=EVERY_SECONDS, status=status, description=__doc__ or ""
    )
