"""The last minutes without a run: the chain's own functions, called from a sensor, one event a table.

A Dagster run a minute would cost about 25 KB of event log and more than a second of start-up. Lineage, freshness and
downstream conditions see these events all the same, and a later run of the day gives the same rows.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import dagster as dg

from domain.vocabulary.timeframe import Timeframe
from domain.vocabulary.window import Window
from regime_assets.chain_asset import CHAIN, ChainTable, begin
from regime_assets.checks import SHOWN_CHECKS
from regime_assets.partitions import DAYS
from resources.clock import Clock
from resources.inline_check import BlockedByCheckError
from resources.market import Market
from resources.pm_settings import PmSettings
from resources.stamp import Stamp
from resources.table_asset import asset_key, report_failed_checks
from resources.tables import Tables

LATE_MINUTES = timedelta(minutes=5)
"""How long after a bar of an hour or four its minutes are still made anew, so that late ones complete it."""

LONGEST_BAR = Timeframe.H4
"""Longest bar a micro-batch completes; the day's own bar is left to the daily run."""

EVERY_SECONDS = 5
"""How often the sensor looks whether a minute has closed: a tick 20 s after the close finds its score."""

AssetEvent = dg.AssetMaterialization | dg.AssetCheckEvaluation


def micro_window(now: datetime) -> Window | None:
    """Window the micro-batch makes: the hour so far; just after a bar of one or four hours has closed, that bar too.

    >>> from datetime import UTC
    >>> str(micro_window(datetime(2025, 1, 1, 11, 3, 30, tzinfo=UTC)))
    '2025-01-01T10:00Z .. 2025-01-01T11:03Z'
    >>> str(micro_window(datetime(2025, 1, 1, 12, 3, 30, tzinfo=UTC)))
    '2025-01-01T08:00Z .. 2025-01-01T12:03Z'
    """
    end, a_little_ago = Timeframe.M1.floor(now), now - LATE_MINUTES
    has_just_closed = LONGEST_BAR.floor(now) != LONGEST_BAR.floor(a_little_ago)
    start = (LONGEST_BAR if has_just_closed else Timeframe.H1).floor(a_little_ago)
    return Window(start, end) if end > start else None


def micro_chain_sensor(chain: Sequence[ChainTable], *, status: dg.DefaultSensorStatus) -> dg.SensorDefinition:
    """Sensor that makes the last minutes of every table of the chain, once per closed minute."""

    @dg.sensor(
        name="micro_chain",
        minimum_interval_seconds=EVERY_SECONDS,
        default_status=status,
        description=__doc__,
    )
    def _micro_chain(
        context: dg.SensorEvaluationContext, tables: Tables, market: Market, clock: Clock, pm_settings: PmSettings
    ) -> dg.SensorResult | dg.SkipReason:
        window = micro_window(clock.now())
        if window is None or context.cursor == window.end.isoformat():
            return dg.SkipReason("no minute has closed since the last batch")
        with tables.alone(CHAIN, wait=False) as is_alone:
            if not is_alone:
                return dg.SkipReason("a run is making the chain; it brings these minutes too")
            events = list(_make(context.instance, chain, window, tables, market, clock, pm_settings))
        return dg.SensorResult(asset_events=events, cursor=window.end.isoformat())

    return _micro_chain


def _make(
    instance: dg.DagsterInstance,
    chain: Sequence[ChainTable],
    window: Window,
    tables: Tables,
    market: Market,
    clock: Clock,
    pm_settings: PmSettings,
) -> Iterator[AssetEvent]:
    for spec in chain:
        if spec.shortest.floor(window.end) <= window.start:
            continue  # no bar of it has closed in this window
        stamp = Stamp(f"micro_chain:{window.end.isoformat()}", spec.code_version)
        try:
            result = spec.publish(begin(spec, window, tables, market, clock, pm_settings, stamp))
        except BlockedByCheckError as failed:
            report_failed_checks(instance, spec.table, spec.checks, failed)
            return
        yield from _events(spec, window, result)
    for check in SHOWN_CHECKS:  # a materialization makes what they said before it stale
        shown = check.evaluate(tables)
        yield dg.AssetCheckEvaluation(
            asset_key=asset_key(check.table),
            check_name=check.name,
            passed=shown.passed,
            severity=shown.severity,
            metadata=dict(shown.metadata),
        )


def _events(spec: ChainTable, window: Window, result: dg.MaterializeResult) -> Iterator[AssetEvent]:
    key = asset_key(spec.table)
    tags = {"dagster/data_version": result.data_version.value} if result.data_version else {}
    last = window.end - Timeframe.M1.duration  # a window that ends at midnight holds no minute of the day it opens
    for day in DAYS.get_partition_keys_in_time_window(
        dg.TimeWindow(Timeframe.D1.floor(window.start), Timeframe.D1.floor(last) + Timeframe.D1.duration)
    ):
        yield dg.AssetMaterialization(asset_key=key, partition=day, metadata=dict(result.metadata or {}), tags=tags)
    for check in spec.checks:
        yield dg.AssetCheckEvaluation(asset_key=key, check_name=check.name, passed=True, blocking=True)
