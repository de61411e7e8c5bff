"""Runs of the regime chain in a test: real Dagster, real Postgres, a small market, a clock that stands still."""

from collections.abc import Mapping
from contextlib import nullcontext
from datetime import date, datetime, timedelta
from typing import Any

import dagster as dg
import polars as pl

from domain.vocabulary.window import Window
from regime_assets.automation import BACKFILL_CHAIN
from regime_assets.definitions import CHAIN_TABLES, build_definitions
from resources.candle_source import CandleSource
from resources.deployment import Deployment
from resources.market import Market
from resources.tables import Tables
from sql.database import connect
from sql.database_role import DatabaseRole
from sql.pm_config import write_pm_config

EVERYTHING = Window(datetime.fromisoformat("2020-01-01T00:00:00Z"), datetime.fromisoformat("2100-01-01T00:00:00Z"))
RAW_TABLES = ("regime.majors_price_data_ohlc", "regime.lowcap_price_data_ohlc", "regime.dominance_sample")
TABLES = tuple(spec.table for spec in CHAIN_TABLES)
KNOWN_AT_TABLES = (*RAW_TABLES, "regime.token_metadata")
"""Tables that say when a row was first known: a first run that comes later knows it later."""

TWO_MEMBERS = {
    "regime": {
        "cap_bucket": {"bucket_min_members": 2, "bucket_phase_min_population": 2},
        "driver_bar": {"bucket_min_members": 2},
    }
}
"""Configuration under which twelve low-caps fill every bucket but xl."""


def small_market(**values: Any) -> Market:
    """Simulated market with a few low-caps, minutes on its last two days, hours on its last twenty."""
    days = {"simulation_minute_days": 2, "simulation_hour_days": 20}
    defaults = days | {"simulation_lowcaps": 3, "simulation_breakouts": 0}
    return Market(**{**defaults, **values})


GIVEN: dict[str, CandleSource] = {}


class GivenMarket(Market):
    """A market that was handed over; Dagster copies resources by their configuration, so this one has its name."""

    given_name: str

    def source(self, as_of: datetime) -> CandleSource:
        """Give the source, whatever the instant."""
        return GIVEN[self.given_name]


def given_market(source: CandleSource) -> Market:
    """Resource that opens `source`."""
    name = f"market {len(GIVEN)}"
    GIVEN[name] = source
    return GivenMarket(given_name=name)


def run_chain(
    first: date,
    last: date,
    *,
    as_of: datetime,
    market: Market | None = None,
    instance: dg.DagsterInstance | None = None,
    tables: tuple[str, ...] = TABLES,
    raise_on_error: bool = True,
) -> dg.ExecuteInProcessResult:
    """Materialize a range of days of the chain in one run."""
    definitions = build_definitions(
        Deployment.TEST, as_of=as_of.isoformat(), replaced={"market": market or small_market()}
    )
    job = definitions.resolve_job_def(BACKFILL_CHAIN.name)
    with nullcontext(instance) if instance else dg.DagsterInstance.ephemeral() as used:
        return job.execute_in_process(
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            instance=used,
            raise_on_error=raise_on_error,
            asset_selection=[dg.AssetKey(table.split(".")) for table in tables],
            tags={
                "dagster/asset_partition_range_start": first.isoformat(),
                "dagster/asset_partition_range_end": last.isoformat(),
            },
        )


def stored(table: str) -> pl.DataFrame:
    """Every row of a table, in key order, without the two columns that tell one run from another."""
    return Tables().read(table, EVERYTHING).drop("run_id", "computed_at")


def configure(overrides: Mapping[str, Any]) -> int:
    """Put a configuration into force; returns its version."""
    with connect(DatabaseRole.CONSOLE) as connection:
        return write_pm_config(connection, overrides, author="test", reason="test")


def days_before(day: date, count: int) -> date:
    """Day `count` days earlier."""
    return day - timedelta(days=count)
