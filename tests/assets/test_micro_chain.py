"""The last minutes made by the sensor, step by step, beside an ordinary run of the same day."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import dagster as dg
import polars as pl
import pytest
from dagster._core.definitions.sensor_definition import SensorExecutionData

from domain.vocabulary.timeframe import Timeframe
from domain.vocabulary.universe import Universe
from regime_assets.chain_asset import CHAIN, ChainTable
from regime_assets.checks import SHOWN_CHECKS
from regime_assets.definitions import CHAIN_TABLES
from regime_assets.micro_chain import micro_chain_sensor
from resources.candle_memory import CandleMemory
from resources.deployment import Deployment, resources_of
from resources.simulated_market import SimulatedMarket
from resources.tables import Tables
from sql.scratch_database import scratch_database
from tests.chain_runs import (
    KNOWN_AT_TABLES,
    TABLES,
    TWO_MEMBERS,
    configure,
    days_before,
    given_market,
    run_chain,
    stored,
)
from tests.postgres_fixtures import exported, throw_away_database

pytestmark = pytest.mark.postgres

DAY = date(2026, 3, 9)
MIDNIGHT = datetime(2026, 3, 9, tzinfo=UTC)
TICKS = (
    *("00:00:30", "00:03:00", "00:20:10", "00:59:59"),
    *("01:02:00", "01:30:00", "01:31:00", "02:04:59"),
)
HOURLY: dict[str, set[str]] = {
    spec.table: {"1h"} if "return_series" in spec.table else set()
    for spec in CHAIN_TABLES
    if spec.shortest is not Timeframe.M1
}
"""Timeframes of the tables that a micro-batch leaves alone until a bar of theirs has closed."""


def market() -> CandleMemory:
    """Four days of minutes, low-caps with their faults."""
    simulated = SimulatedMarket(end=MIDNIGHT + timedelta(days=1), minute_days=3, hour_days=6, n_lowcaps=12)
    start = simulated.end - timedelta(days=6)
    bars = {universe: simulated.candles(universe, start, simulated.end) for universe in Universe}
    caps = simulated.market_caps(start, simulated.end)
    return CandleMemory(bars, simulated.dominance(start, simulated.end), simulated.terms, caps=caps)


def instant(tick: str) -> datetime:
    return datetime.fromisoformat(f"{DAY}T{tick}+00:00")


def touched(tick: str) -> list[ChainTable]:
    """Tables a tick makes: those of hours and days only just after one has closed."""
    left_alone = {
        Timeframe.H1: tick not in ("00:00:30", "00:03:00", "01:02:00", "02:04:59"),
        Timeframe.D1: tick not in ("00:00:30", "00:03:00"),
    }
    return [spec for spec in CHAIN_TABLES if not left_alone.get(spec.shortest, False)]


def sense(at: datetime, instance: dg.DagsterInstance, cursor: str | None = None) -> SensorExecutionData:
    """One evaluation of the sensor at an instant, as the daemon makes it, its events stored as the daemon does."""
    resources = resources_of(Deployment.TEST, as_of=at.isoformat()) | {"market": MARKET}
    sensor = micro_chain_sensor(CHAIN_TABLES, status=dg.DefaultSensorStatus.RUNNING)
    with dg.build_sensor_context(instance=instance, cursor=cursor, resources=resources) as context:
        told = sensor.evaluate_tick(context)
    for event in told.asset_events:
        instance.report_runless_asset_event(event)
    return told


MARKET = given_market(market())


@pytest.fixture(scope="module")
def history(postgres_server, database_template) -> Iterator[str]:
    """Name of a database with the three days before DAY, as they were known at its midnight."""
    with scratch_database(postgres_server.url, template=database_template) as name:
        with exported(postgres_server.environment(name)):
            configure(TWO_MEMBERS)
            run_chain(days_before(DAY, 3), days_before(DAY, 1), as_of=MIDNIGHT, market=MARKET)
        yield name


@pytest.fixture(scope="module")
def stepped(postgres_server, history):
    """What each tick told, the rows in the end, and the instance with the events."""
    with throw_away_database(postgres_server, history), dg.DagsterInstance.ephemeral() as instance:
        told, cursor = {}, None
        for tick in TICKS:
            told[tick] = sense(instant(tick), instance, cursor)
            cursor = told[tick].cursor
        yield told, {table: stored(table) for table in TABLES}, instance


@pytest.fixture(scope="module")
def by_run(postgres_server, history) -> dict[str, pl.DataFrame]:
    """Rows after an ordinary run of the day at the instant of the last tick."""
    with throw_away_database(postgres_server, history):
        run_chain(DAY, DAY, as_of=instant(TICKS[-1]), market=MARKET)
        return {table: stored(table) for table in TABLES}


@pytest.mark.parametrize("table", TABLES)
def test_steps_of_minutes_give_the_rows_of_a_run(stepped, by_run, table):
    ignored = ("known_at",) if table in KNOWN_AT_TABLES else ()
    rows, wanted = stepped[1][table].drop(ignored), by_run[table].drop(ignored)

    made = wanted.filter(pl.col("timestamp" if "timestamp" in wanted.columns else "ts") >= MIDNIGHT)
    expected = {"regime.dominance_sample": {"5m"}}.get(table, HOURLY.get(table, {"1m", "1h"}))
    assert set(made["timeframe"] if "timeframe" in made.columns else ()) >= expected
    assert made.height > 0
    assert rows.equals(wanted)


def test_each_step_tells_of_every_table_on_each_day_it_touched_and_starts_no_run(stepped):
    told, _, _ = stepped

    for tick, data in told.items():
        days = {"2026-03-08"} if tick == "00:00:30" else {"2026-03-09"}
        days |= {"2026-03-08"} if tick == "00:03:00" else set()
        made = [event for event in data.asset_events if isinstance(event, dg.AssetMaterialization)]
        assert data.run_requests == [], tick
        assert {event.partition for event in made} == days, tick
        assert {event.asset_key.path[-1] for event in made} == {spec.table.split(".")[1] for spec in touched(tick)}, (
            tick
        )
        assert len(made) == len(touched(tick)) * len(days), tick
        checks = sum(len(spec.checks) for spec in touched(tick)) + len(SHOWN_CHECKS)
        assert len(data.asset_events) - len(made) == checks, tick


def test_the_events_of_the_steps_make_the_partition_materialized(stepped):
    _, _, instance = stepped

    for spec in CHAIN_TABLES:
        key = dg.AssetKey(spec.table.split("."))
        assert instance.get_materialized_partitions(key) == {"2026-03-08", "2026-03-09"}
        event = instance.get_latest_materialization_event(key)
        assert event is not None
        assert event.asset_materialization.tags["dagster/data_version"]


def test_a_second_look_in_the_same_minute_is_skipped(stepped):
    told, rows, instance = stepped
    cursor = told[TICKS[-1]].cursor
    assert cursor == Timeframe.M1.floor(instant(TICKS[-1])).isoformat()

    again = sense(instant(TICKS[-1]), instance, cursor)

    assert (again.asset_events, again.run_requests, again.cursor) == ([], [], cursor)
    assert "no minute has closed" in again.skip_message
    assert stored("regime.ae_score").equals(rows["regime.ae_score"])


def test_while_a_run_makes_the_chain_the_step_is_left_to_it(stepped):
    _, rows, instance = stepped

    with Tables().alone(CHAIN):
        told = sense(instant("02:06:00"), instance)

    assert "a run is making the chain" in told.skip_message
    assert told.asset_events == []
    assert stored("regime.ae_score").equals(rows["regime.ae_score"])
