"""How a rule becomes an asset check and a row: the check shows it in Dagster, a sensor settles it in the database.

Both ask the same rule. The check stands at the table it is about and blocks nothing; the sensor looks every minute or
so, raises once and clears once, and evaluates the checks again when something changed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import dagster as dg
import psycopg

from domain.config.pm_config import PmConfig
from domain.vocabulary.alarm import AlarmKind, AlarmSeverity, Look
from resources.clock import Clock
from resources.pm_settings import PmSettings
from resources.table_asset import ROWS_WRITTEN, asset_key, column_schema
from resources.tables import Tables
from sql.alarm import AlarmSchema, Settled, settle_alarms
from sql.pm_config import VersionedConfig
from sql.schema import table_schema

MOST_SHOWN = 20


class Rule(Protocol):
    """Looks at rows, and says what stands; None where there is nothing to look at."""

    def __call__(self, connection: psycopg.Connection, config: PmConfig, *, at: datetime) -> Look | None:
        """Look as of an instant."""


@dataclass(frozen=True)
class AlarmRule:
    """A rule, and the check that shows it; `name` is empty where another check of the table shows it already."""

    kind: AlarmKind
    look: Rule
    table: str
    name: str
    description: str


def alarm_asset(table: str, *, reads: Sequence[str], owner: str, description: str) -> dg.AssetSpec:
    """Return the asset of a schema's alarms, which a sensor writes."""
    return dg.AssetSpec(
        asset_key(table),
        deps=[asset_key(name) for name in reads],
        description=description,
        group_name=table.partition(".")[0],
        owners=[owner],
        kinds={"postgres"},
        metadata={"dagster/table_name": table, "dagster/column_schema": column_schema(table_schema(table))},
    )


def alarm_check(rule: AlarmRule) -> dg.AssetChecksDefinition:
    """Asset check of a rule; it blocks nothing."""

    @dg.asset_check(asset=asset_key(rule.table), name=rule.name, description=rule.description)
    def _evaluate(tables: Tables, clock: Clock, pm_settings: PmSettings) -> dg.AssetCheckResult:
        with tables.session() as connection:
            look = rule.look(connection, pm_settings.current().config, at=clock.now())
        return dg.AssetCheckResult(**_result(look))

    return _evaluate


def alarm_sensor(
    name: str,
    schema: AlarmSchema,
    rules: Sequence[AlarmRule],
    *,
    every_seconds: int,
    status: dg.DefaultSensorStatus,
    description: str,
) -> dg.SensorDefinition:
    """Sensor that settles the alarms of a schema."""

    @dg.sensor(name=name, minimum_interval_seconds=every_seconds, default_status=status, description=description)
    def _look(tables: Tables, clock: Clock, pm_settings: PmSettings) -> dg.SensorResult | dg.SkipReason:
        settings = pm_settings.current()
        looks, settled = look_and_settle(tables, schema, rules, settings, at=clock.now(), by=name)
        if not settled.raised and not settled.cleared:
            return dg.SkipReason("nothing has changed")
        return dg.SensorResult(asset_events=list(_events(f"{schema}.{schema}_alarm", rules, looks, settled)))

    return _look


def look_and_settle(
    tables: Tables,
    schema: AlarmSchema,
    rules: Sequence[AlarmRule],
    settings: VersionedConfig,
    *,
    at: datetime,
    by: str,
) -> tuple[dict[AlarmKind, Look], Settled]:
    """Look by every rule and settle what was found, in one transaction; what there was to look at, by kind."""
    with tables.session() as connection:
        found = {rule.kind: rule.look(connection, settings.config, at=at) for rule in rules}
        looks = {kind: look for kind, look in found.items() if look is not None}
        settled = settle_alarms(connection, schema, looks.values(), at=at, by=by, config_version=settings.version)
    return looks, settled


def _events(
    table: str, rules: Sequence[AlarmRule], looks: dict[AlarmKind, Look], settled: Settled
) -> Iterator[dg.AssetMaterialization | dg.AssetCheckEvaluation]:
    yield dg.AssetMaterialization(
        asset_key(table),
        metadata={
            ROWS_WRITTEN: len(settled.raised),
            "raised": [alarm.sentence for alarm in settled.raised[:MOST_SHOWN]],
            "cleared": [f"{kind} {subject}" for kind, subject in settled.cleared[:MOST_SHOWN]],
        },
    )
    changed = {alarm.kind for alarm in settled.raised} | {kind for kind, _subject in settled.cleared}
    for rule in rules:
        if rule.name and rule.kind in changed:
            result = _result(looks.get(rule.kind))
            yield dg.AssetCheckEvaluation(asset_key=asset_key(rule.table), check_name=rule.name, **result)


def _result(look: Look | None) -> dict[str, object]:
    """Say what a check shows: it fails while any alarm of its kind stands; without anything to look at it says so."""
    standing = () if look is None else look.standing
    is_bad = any(alarm.severity is AlarmSeverity.ERROR for alarm in standing)
    return {
        "passed": not standing,
        "severity": dg.AssetCheckSeverity.ERROR if is_bad else dg.AssetCheckSeverity.WARN,
        "metadata": {
            "standing": {alarm.subject: alarm.sentence for alarm in standing[:MOST_SHOWN]},
            "alarms": len(standing),
            "judged": "nothing" if look is None else "all" if look.judged is None else len(look.judged),
        },
    }
