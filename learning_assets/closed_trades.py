"""Sensor of closed trades: facts within seconds of a closure, and a sweep every five minutes of what it missed.

Both take in through `process_strand_event`. The cursor is a place in the event log; the sweep looks for trades without
facts, wherever they stand: a row that was committed late has a place before the cursor. One that this code refused for
good is not read again; what waits is, and so is one that was refused because of a rival. The cursor of the sweep says
since when this code looks: another release reads everything once more.
"""

from collections.abc import Iterator
from datetime import datetime

import dagster as dg
import polars as pl
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from domain.learning.trade_intake import RIVAL_REASON, Intake
from domain.vocabulary.release import __version__
from learning_assets.pattern_trade_events import CODE_VERSION, TABLE, process_strand_event, told
from resources.clock import Clock
from resources.pm_settings import PmSettings
from resources.stamp import Stamp
from resources.table_asset import ROWS_WRITTEN, asset_key
from resources.tables import Tables

EVERY_SECONDS = 30
SWEEP_SECONDS = 300


def closed_trade_sensors(
    late_job: UnresolvedAssetJobDefinition, *, status: dg.DefaultSensorStatus
) -> list[dg.SensorDefinition]:
    """Sensor of new closures and sweep of missed ones; a closure of a past day has the days since learned again."""

    @dg.sensor(
        name="closed_trades",
        job=late_job,
        minimum_interval_seconds=EVERY_SECONDS,
        default_status=status,
        description=__doc__,
    )
    def _closed_trades(
        context: dg.SensorEvaluationContext, tables: Tables, clock: Clock, pm_settings: PmSettings
    ) -> dg.SensorResult | dg.SkipReason:
        place = int(context.cursor or 0)
        closed = tables.query("closures_after", (place,))
        if closed.is_empty():
            return dg.SkipReason("no trade was closed since the last look")
        newest = str(closed["sequence"].max())
        return _look(tables, clock, pm_settings, closed, cursor=newest, by="closed_trades")

    @dg.sensor(
        name="closed_trades_sweep",
        job=late_job,
        minimum_interval_seconds=SWEEP_SECONDS,
        default_status=status,
        description="Every five minutes: take in closed trades that have no facts, whatever the sensor has seen.",
    )
    def _sweep(
        context: dg.SensorEvaluationContext, tables: Tables, clock: Clock, pm_settings: PmSettings
    ) -> dg.SensorResult:
        cursor = sweep_cursor(context.cursor, clock.now())
        closed = tables.query("closures_not_taken", (looks_since(cursor), RIVAL_REASON))
        if closed.is_empty():
            said = "every closed trade has its facts, or was refused for good"
            return dg.SensorResult(skip_reason=said, cursor=cursor)
        return _look(tables, clock, pm_settings, closed, cursor=cursor, by="closed_trades_sweep")

    return [_closed_trades, _sweep]


def sweep_cursor(before: str | None, now: datetime) -> str:
    """Code that looks, and since when: as it was before, or from now on where another code looked.

    >>> from datetime import UTC
    >>> first = sweep_cursor(None, datetime(2025, 6, 1, tzinfo=UTC))
    >>> sweep_cursor(first, datetime(2025, 6, 2, tzinfo=UTC)) == first
    True
    """
    code = f"{__version__}/{CODE_VERSION}"
    return before if before is not None and before.split()[0] == code else f"{code} {now.isoformat()}"


def looks_since(cursor: str) -> datetime:
    """Tell since when the code of a sweep's cursor looks."""
    return datetime.fromisoformat(cursor.split()[1])


def _look(
    tables: Tables, clock: Clock, pm_settings: PmSettings, closed: pl.DataFrame, *, cursor: str, by: str
) -> dg.SensorResult:
    now = clock.now()
    stamp = Stamp(f"{by}:{now.isoformat()}", CODE_VERSION)
    park_hours = pm_settings.current().config.learning.park_hours
    intake = process_strand_event(tables, closed, at=now, park_hours=park_hours, stamp=stamp)
    return dg.SensorResult(
        asset_events=list(_events(intake, by)), run_requests=list(_late_runs(intake, now)), cursor=cursor
    )


def _events(intake: Intake, by: str) -> Iterator[dg.AssetMaterialization]:
    """Tell of each day that got facts."""
    for day in sorted({fact.closed_at.date() for fact in intake.facts}):
        rows = sum(fact.closed_at.date() == day for fact in intake.facts)
        yield dg.AssetMaterialization(
            asset_key(TABLE),
            partition=day.isoformat(),
            metadata={ROWS_WRITTEN: rows, "taken_by": by, **told(intake)},
        )


def _late_runs(intake: Intake, now: datetime) -> Iterator[dg.RunRequest]:
    """Ask for the days since a closure of a past day: what was learned on them did not know it."""
    first = min((fact.closed_at.date() for fact in intake.facts), default=now.date())
    if first < now.date():
        yield dg.RunRequest(
            run_key=f"late:{first}:{now.isoformat()}",
            tags={
                "dagster/asset_partition_range_start": first.isoformat(),
                "dagster/asset_partition_range_end": now.date().isoformat(),
            },
        )
