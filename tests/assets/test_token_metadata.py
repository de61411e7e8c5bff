"""Token metadata over a real Postgres: from a source's readings and the stored bars to rows, and what refuses them."""

from datetime import UTC, date, datetime, timedelta

import dagster as dg
import polars as pl
import pytest

from domain.vocabulary.universe import Universe
from domain.vocabulary.window import Window
from regime_assets import lowcap_price_data_ohlc, token_metadata
from regime_assets.chain_asset import begin, chain_asset
from resources.candle_memory import CandleMemory
from resources.candle_source import CANDLE_SCHEMA, MARKET_CAP_SCHEMA, SourceTerms
from resources.deployment import Deployment, resources_of
from resources.simulated_market import SimulatedMarket
from resources.stamp import Stamp
from resources.tables import Tables
from sql.database import connect
from sql.database_role import DatabaseRole
from tests.chain_runs import given_market, stored
from tests.stored_rows import insert_rows

pytestmark = pytest.mark.postgres

TABLE = token_metadata.SPEC.table
DAY, MIDNIGHT = date(2026, 3, 9), datetime(2026, 3, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
TERMS = (SourceTerms("venue", "base"), SourceTerms("pool", "usd"))


def minutes(token: str, source: str) -> pl.DataFrame:
    """Twelve hours of minutes, each with a volume of 2 at a price of 3."""
    at = pl.datetime_range(MIDNIGHT, MIDNIGHT + 12 * HOUR, "1m", closed="left", time_unit="us", eager=True)
    rows = pl.DataFrame({"timestamp": at, "volume": 2.0, "source": source}).with_columns(
        *(pl.lit(3.0).alias(f"{name}_usd") for name in ("open", "high", "low", "close")),
        token_contract=pl.lit(token),
        chain=pl.lit("x"),
        timeframe=pl.lit("1m"),
    )
    return rows.select(CANDLE_SCHEMA.keys())


def reading(token: str, at: datetime, **values: float | str) -> dict:
    row = {"token_contract": token, "chain": "x", "timestamp": at, "source": "index"}
    return dict.fromkeys(MARKET_CAP_SCHEMA) | row | values


def market(*readings: dict) -> CandleMemory:
    bars = {Universe.LOWCAP: pl.concat([minutes("coins", "venue"), minutes("dollars", "pool")])}
    caps = pl.DataFrame(readings, schema=MARKET_CAP_SCHEMA)
    return CandleMemory(bars=bars, terms=TERMS, caps=caps, is_simulated=False)


def make(source: object, as_of: datetime, day: date = DAY, *, raise_on_error: bool = True) -> dg.ExecuteInProcessResult:
    """One day of the bars and of the metadata, in one run."""
    return dg.materialize(
        [chain_asset(lowcap_price_data_ohlc.SPEC), chain_asset(token_metadata.SPEC)],
        partition_key=day.isoformat(),
        resources=resources_of(Deployment.TEST, as_of=as_of.isoformat()) | {"market": given_market(source)},
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        raise_on_error=raise_on_error,
    )


def test_bars_give_the_cap_and_the_volume_that_the_source_left_out(database):
    at = MIDNIGHT + 10 * HOUR
    readings = [reading(token, at, circulating_supply=1e6) for token in ("coins", "dollars", "unknown")]

    make(market(*readings, reading("BTC", at, market_cap_usd=1e12)), MIDNIGHT + 12 * HOUR)

    assert stored(TABLE).select("token_contract", "market_cap_usd", "cap_status", "volume_24h_usd").rows() == [
        ("coins", 3e6, "ok", 600 * 2.0 * 3.0),
        ("dollars", 3e6, "ok", 600 * 2.0),
        ("unknown", None, "missing", None),
    ]


def test_a_run_says_how_many_caps_can_be_used_and_what_they_are_based_on(database):
    at = MIDNIGHT + 10 * HOUR
    source = market(reading("coins", at, circulating_supply=1e6), reading("dollars", at, market_cap_usd=0.0))

    made = make(source, MIDNIGHT + 12 * HOUR).asset_materializations_for_node("regime__token_metadata")[0].metadata

    assert made["readings"].value == 2
    assert made["rows_by_cap_status"].value == {"ok": 1, "zero": 1}
    assert made["rows_by_market_cap_basis"].value == {"reported": 1, "supply_times_close": 1}


def test_a_source_that_has_forgotten_the_day_changes_nothing(database):
    source = market(reading("coins", MIDNIGHT + HOUR, market_cap_usd=5.0))
    make(source, MIDNIGHT + 12 * HOUR)
    before = stored(TABLE)

    for later, as_of in ((source, MIDNIGHT + 13 * HOUR), (market(), MIDNIGHT + 50 * HOUR)):
        make(later, as_of)

        assert before.height == 1
        assert stored(TABLE).equals(before)


def test_the_rows_of_a_simulated_market_are_refused_by_a_real_one(database):
    simulated = SimulatedMarket(end=MIDNIGHT + timedelta(days=1), minute_days=0, hour_days=2, n_lowcaps=5)
    make(simulated, MIDNIGHT + timedelta(days=1))
    with connect(DatabaseRole.REGIME) as connection:
        connection.execute("DELETE FROM regime.lowcap_price_data_ohlc")

    result = make(market(), MIDNIGHT + timedelta(days=1), raise_on_error=False)

    assert not result.success
    assert "do not share a database" in str(result.failure_data_for_node("regime__token_metadata"))
    assert stored(TABLE).height == 5


def test_a_window_within_a_day_leaves_its_row_alone_and_asks_nobody(database):
    source = market(*(reading("coins", MIDNIGHT + hour * HOUR, market_cap_usd=float(hour + 1)) for hour in (0, 11)))
    make(source, MIDNIGHT + 2 * HOUR)
    before = stored(TABLE)
    given = resources_of(Deployment.TEST, as_of=(MIDNIGHT + 12 * HOUR).isoformat()) | {"market": given_market(source)}
    doors = {name: given[name] for name in ("tables", "market", "clock", "pm_settings")}
    window = Window(MIDNIGHT + 11 * HOUR, MIDNIGHT + 12 * HOUR)

    made = token_metadata.publish(begin(token_metadata.SPEC, window, stamp=Stamp("micro", "1"), **doors))

    assert "readings" not in made.metadata
    assert before["market_cap_usd"].to_list() == [1.0]
    assert stored(TABLE).equals(before)


GOOD_ROW = {
    "token_contract": "mog",
    "chain": "x",
    "timestamp": MIDNIGHT,
    "market_cap_usd": 1e6,
    "market_cap_basis": "reported",
    "cap_status": "ok",
    "circulating_supply": None,
    "updated_at": MIDNIGHT + HOUR,
    "source": "index",
    "known_at": MIDNIGHT + HOUR,
    "run_id": "run-of-a-test",
    "computed_at": MIDNIGHT + HOUR,
    "code_version": "1",
}


GOOD: list[dict] = [
    {},
    {"circulating_supply": 1.0, "market_cap_basis": "supply_times_close"},
    {"market_cap_usd": None, "market_cap_basis": None, "cap_status": "missing"},
    {"market_cap_usd": 0.0, "cap_status": "zero"},
    {"circulating_supply": 0.0, "cap_status": "zero"},
    {"market_cap_usd": float("nan"), "cap_status": "not_finite"},
    {"market_cap_usd": float("-inf"), "cap_status": "not_finite"},
    {"market_cap_usd": -1.0, "cap_status": "negative"},
    {"cap_status": "stale"},
]


@pytest.mark.parametrize(
    ("check", "values"),
    [
        ("check_readings_lie_in_their_day", {"updated_at": MIDNIGHT - HOUR}),
        ("check_readings_lie_in_their_day", {"updated_at": MIDNIGHT + 24 * HOUR, "known_at": MIDNIGHT + 30 * HOUR}),
        ("check_readings_lie_in_their_day", {"updated_at": None}),
        ("check_readings_lie_in_their_day", {"known_at": MIDNIGHT}),
        ("check_cap_status_fits_the_cap", {"market_cap_usd": None, "market_cap_basis": None}),
        ("check_cap_status_fits_the_cap", {"market_cap_basis": None}),
        ("check_cap_status_fits_the_cap", {"market_cap_usd": 0.0}),
        ("check_cap_status_fits_the_cap", {"market_cap_usd": -1.0, "cap_status": "zero"}),
        ("check_cap_status_fits_the_cap", {"market_cap_usd": float("nan")}),
        ("check_cap_status_fits_the_cap", {"market_cap_usd": float("inf"), "cap_status": "stale"}),
        ("check_cap_status_fits_the_cap", {"circulating_supply": 0.0}),
        ("check_cap_status_fits_the_cap", {"cap_status": "missing"}),
        ("check_cap_status_fits_the_cap", {"cap_status": "zero"}),
        ("check_cap_status_fits_the_cap", {"cap_status": "not_finite"}),
        ("check_cap_status_fits_the_cap", {"cap_status": "negative"}),
    ],
)
def test_a_row_that_cannot_be_right_breaks_a_check(database, check, values):
    window = (MIDNIGHT, MIDNIGHT + timedelta(days=1))
    with connect(DatabaseRole.REGIME) as connection:
        insert_rows(connection, TABLE, [GOOD_ROW | good | {"token_contract": str(i)} for i, good in enumerate(GOOD)])
        connection.commit()
    assert Tables().query(check, window).item() == 0

    with connect(DatabaseRole.REGIME) as connection:
        insert_rows(connection, TABLE, [GOOD_ROW | values | {"chain": "y"}])
        connection.commit()

    assert Tables().query(check, window).item() == 1
