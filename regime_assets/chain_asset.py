"""How a table of the chain becomes an asset: one function makes a window of it, a run or a micro-batch calls it.

An asset module holds a `publish` function that reads, calls the domain and replaces a window. `chain_asset` wires it
into Dagster; `automation` calls it for the last minutes without a run. Both give the same rows.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import dagster as dg
import polars as pl

from domain.config.pm_config import PmConfig
from domain.vocabulary.timeframe import Timeframe
from domain.vocabulary.window import Window
from regime_assets.partitions import DAYS
from resources.candle_source import CandleSource
from resources.clock import Clock
from resources.failure import UNHELPABLE, permanent_failure
from resources.inline_check import BlockedByCheckError, InlineCheck
from resources.market import Market
from resources.page_link import page_link
from resources.pm_settings import PmSettings
from resources.stamp import Stamp
from resources.table_asset import RETRY, ROWS_WRITTEN, asset_key, column_schema, report_failed_checks
from resources.tables import Replacement, Tables
from sql.schema import table_schema

SCHEMA = "regime"
CHAIN = "regime"
POOL = "regime_chain"
"""Runs that write the chain wait for each other; path-dependent tables fold forward."""

HOURLY_FRESHNESS = dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=3), warn_window=timedelta(hours=2))


@dataclass(frozen=True)
class Work:
    """One window of one table to make: everything its `publish` function may look at."""

    table: str
    window: Window
    as_of: datetime
    tables: Tables
    market: CandleSource
    config: PmConfig
    config_version: int
    stamp: Stamp
    checks: Sequence[InlineCheck]

    @property
    def midnights(self) -> list[datetime]:
        """Days of the window that have begun by `as_of`."""
        return self.window.opens(Timeframe.D1, self.as_of)

    @property
    def usable_end(self) -> datetime:
        """End of the part of the window that has come by `as_of`; a source is asked for nothing later."""
        return max(self.window.start, min(self.window.end, self.as_of))

    def replace(
        self,
        frame: pl.DataFrame,
        *,
        append: Mapping[str, pl.DataFrame] | None = None,
        metadata: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> dg.MaterializeResult:
        """Replace this window by `frame` and tell Dagster what was written; options are those of `Tables.replace`."""
        columns = {column.name for column in table_schema(self.table).columns}
        if "config_version" in columns:
            frame = frame.with_columns(config_version=pl.lit(self.config_version, dtype=pl.Int64))
        done = self.tables.replace(
            self.table, self.window, frame, stamp=self.stamp, checks=self.checks, append=append, **options
        )
        return dg.MaterializeResult(
            asset_key=asset_key(self.table),
            metadata={**_metadata(self, done), **(metadata or {})},
            check_results=[dg.AssetCheckResult(check_name=check.name, passed=True) for check in self.checks],
            data_version=dg.DataVersion(done.content_hash),
        )


Publish = Callable[[Work], dg.MaterializeResult]


@dataclass(frozen=True)
class ChainTable:
    """A table of the chain, how it is made, and what must hold for it."""

    table: str
    publish: Publish
    code_version: str
    checks: Sequence[InlineCheck]
    description: str
    reads: Sequence[str] = ()
    shortest: Timeframe = Timeframe.M1
    """Shortest bar its rows stand on; a micro-batch in which none has closed leaves the table alone."""
    kinds: frozenset[str] = frozenset({"postgres", "polars"})


def chain_asset(spec: ChainTable, *, condition: dg.AutomationCondition[Any] | None = None) -> dg.AssetsDefinition:
    """Asset of a table of the chain: daily partitions, a range is one run, checks inside the transaction."""
    key = asset_key(spec.table)

    @dg.asset(
        key=key,
        description=spec.description,
        deps=[asset_key(table) for table in spec.reads],
        partitions_def=DAYS,
        backfill_policy=dg.BackfillPolicy.single_run(),
        check_specs=[
            dg.AssetCheckSpec(check.name, asset=key, blocking=True, description=check.description)
            for check in spec.checks
        ],
        code_version=spec.code_version,
        automation_condition=condition,
        freshness_policy=HOURLY_FRESHNESS,
        retry_policy=RETRY,
        pool=POOL,
        group_name=SCHEMA,
        owners=["team:regime"],
        kinds=set(spec.kinds),
        metadata={"dagster/table_name": spec.table, "dagster/column_schema": column_schema(table_schema(spec.table))},
    )
    def _asset(
        context: dg.AssetExecutionContext, tables: Tables, market: Market, clock: Clock, pm_settings: PmSettings
    ) -> dg.MaterializeResult:
        start, end = context.partition_time_window
        stamp = Stamp(context.run.run_id, spec.code_version)
        try:
            with tables.alone(CHAIN):
                return spec.publish(begin(spec, Window(start, end), tables, market, clock, pm_settings, stamp))
        except BlockedByCheckError as failed:
            report_failed_checks(context.instance, spec.table, spec.checks, failed)
            raise permanent_failure(failed) from failed
        except UNHELPABLE as error:
            raise permanent_failure(error) from error

    return _asset


def begin(
    spec: ChainTable,
    window: Window,
    tables: Tables,
    market: Market,
    clock: Clock,
    pm_settings: PmSettings,
    stamp: Stamp,
) -> Work:
    """Gather what one window of a table needs: the instant, the source, the configuration in force."""
    as_of = clock.now()
    settings = pm_settings.current()
    return Work(
        table=spec.table,
        window=window,
        as_of=as_of,
        tables=tables,
        market=market.source(as_of),
        config=settings.config,
        config_version=settings.version,
        stamp=stamp,
        checks=spec.checks,
    )


def _metadata(work: Work, done: Replacement) -> dict[str, Any]:
    return {
        ROWS_WRITTEN: done.rows,
        "rows_replaced": done.deleted,
        **({"rows_left_unchanged": done.unchanged} if done.unchanged else {}),
        "window": str(work.window),
        "as_of": work.as_of.isoformat(),
        "newest_bar": done.newest.isoformat() if done.newest else "none",
        "config_version": work.config_version,
        "market": work.market.description(),
        **page_link(work.table, work.usable_end),
        **{f"rows_new_in_{table.split('.')[1]}": rows for table, rows in done.appended.items()},
    }
