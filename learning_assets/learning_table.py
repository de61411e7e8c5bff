"""How learning tables become assets: one function makes a range of days of them, each as of its end.

An asset module holds a `publish` function that reads, calls the domain and replaces a window; `learning_asset` wires
it into Dagster. What is learned from a replay is made by the same functions, in a schema of its own.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import dagster as dg
import polars as pl

from domain.config.pm_config import PmConfig
from domain.vocabulary.timeframe import Timeframe
from domain.vocabulary.window import Window
from learning_assets.partitions import DAYS
from resources.clock import Clock
from resources.failure import UNHELPABLE, permanent_failure
from resources.inline_check import BlockedByCheckError, InlineCheck
from resources.page_link import page_link
from resources.pm_settings import PmSettings
from resources.stamp import Stamp
from resources.table_asset import RETRY, ROWS_WRITTEN, asset_key, column_schema, report_failed_checks
from resources.tables import Tables
from sql.schema import table_schema

SCHEMA = "learning"
POOL = "learning"
"""Runs that learn wait for each other: what a day knows stands on the day before."""

FRESHNESS = dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=26), warn_window=timedelta(hours=14))


class Day(NamedTuple):
    """A day of a range, and the instant before which a trade must have closed to be known on it."""

    midnight: datetime
    as_of: datetime

    @property
    def columns(self) -> dict[str, Any]:
        """Columns by which a row tells its day."""
        return {"timestamp": self.midnight, "as_of": self.as_of}

    def rows_of(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Rows of a table that are of this day."""
        return frame.filter(pl.col("timestamp") == self.midnight)


@dataclass(frozen=True)
class Study:
    """A range of days to learn: everything a `publish` function may look at."""

    window: Window
    now: datetime
    tables: Tables
    config: PmConfig
    config_version: int
    stamp: Stamp
    checks: Mapping[str, Sequence[InlineCheck]]

    @property
    def days(self) -> list[Day]:
        """Days of the range that have begun, oldest first."""
        opens = self.window.opens(Timeframe.D1, self.now)
        return [Day(at, min(at + timedelta(days=1), self.now)) for at in opens if at < self.now]

    @property
    def is_live(self) -> bool:
        """Whether live trades are learned from, and not those of a replay."""
        return not self.tables.schemas

    @property
    def max_abs_rr(self) -> float:
        """Limit beyond which an outcome counts as one at it, R."""
        return self.config.portfolio.trade_outcome.max_abs_rr

    def replace(
        self, table: str, frame: pl.DataFrame, *, metadata: Mapping[str, Any] | None = None
    ) -> dg.MaterializeResult:
        """Replace the range in a table, its checks in the same transaction, and tell Dagster what was written."""
        columns = {column.name for column in table_schema(table).columns}
        if "config_version" in columns:
            frame = frame.with_columns(config_version=pl.lit(self.config_version, dtype=pl.Int64))
        checks = self.checks[table]
        done = self.tables.replace(table, self.window, frame, stamp=self.stamp, checks=checks)
        return dg.MaterializeResult(
            asset_key=asset_key(table),
            metadata={
                ROWS_WRITTEN: done.rows,
                "rows_replaced": done.deleted,
                "window": str(self.window),
                "as_of": min(self.window.end, self.now).isoformat(),
                "config_version": self.config_version,
                **page_link(table, min(self.window.end, self.now)),
                **(metadata or {}),
            },
            check_results=[dg.AssetCheckResult(check_name=check.name, passed=True) for check in checks],
            data_version=dg.DataVersion(done.content_hash),
        )


Publish = Callable[[Study], Iterable[dg.MaterializeResult]]


@dataclass(frozen=True)
class LearningTable:
    """A table of what is learned, and what must hold for it."""

    table: str
    description: str
    checks: Sequence[InlineCheck] = ()


@dataclass(frozen=True)
class LearningStep:
    """Tables that are made in one step, and how."""

    tables: Sequence[LearningTable]
    publish: Publish
    code_version: str
    reads: Sequence[str]
    kinds: frozenset[str] = frozenset({"postgres", "polars"})

    @property
    def name(self) -> str:
        """Name of the step: that of its last table, which stands on the others."""
        return f"{SCHEMA}__{self.tables[-1].table.split('.')[1]}"


def learning_asset(step: LearningStep) -> dg.AssetsDefinition:
    """Assets of the tables of a step: daily partitions as of their end, a range is one run."""
    checks = {each.table: each.checks for each in step.tables}

    @dg.multi_asset(
        name=step.name,
        specs=[_spec(step, each) for each in step.tables],
        check_specs=[
            dg.AssetCheckSpec(check.name, asset=asset_key(table), blocking=True, description=check.description)
            for table, its in checks.items()
            for check in its
        ],
        partitions_def=DAYS,
        backfill_policy=dg.BackfillPolicy.single_run(),
        retry_policy=RETRY,
        pool=POOL,
    )
    def _asset(
        context: dg.AssetExecutionContext, tables: Tables, clock: Clock, pm_settings: PmSettings
    ) -> Iterable[dg.MaterializeResult]:
        settings = pm_settings.current()
        study = Study(
            window=Window(*context.partition_time_window),
            now=clock.now(),
            tables=tables,
            config=settings.config,
            config_version=settings.version,
            stamp=Stamp(context.run.run_id, step.code_version),
            checks=checks,
        )
        try:
            with tables.alone(SCHEMA):
                yield from step.publish(study)
        except BlockedByCheckError as failed:
            for table, its in checks.items():
                report_failed_checks(context.instance, table, its, failed)
            raise permanent_failure(failed) from failed
        except UNHELPABLE as error:
            raise permanent_failure(error) from error

    return _asset


def _spec(step: LearningStep, each: LearningTable) -> dg.AssetSpec:
    return dg.AssetSpec(
        asset_key(each.table),
        deps=[asset_key(table) for table in step.reads],
        description=each.description,
        group_name=SCHEMA,
        owners=["team:learning"],
        kinds=set(step.kinds),
        code_version=step.code_version,
        freshness_policy=FRESHNESS,
        metadata={"dagster/table_name": each.table, "dagster/column_schema": column_schema(table_schema(each.table))},
    )
