"""No row of the chain that was complete at T changes when the chain runs again and knows what came after T."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache

import dagster as dg
import polars as pl
import pytest

from domain.vocabulary.universe import Universe
from regime_assets import regime_price_data_ohlc
from regime_assets.chain_asset import ChainTable, Work, chain_asset
from resources.candle_memory import CandleMemory
from resources.deployment import Deployment, resources_of
from resources.simulated_market import SimulatedMarket
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
from tests.look_ahead import changed_rows, is_known
from tests.postgres_fixtures import exported, throw_away_database

pytestmark = pytest.mark.postgres

DAY = date(2026, 3, 9)
MIDNIGHT = datetime(2026, 3, 9, tzinfo=UTC)
FIRST = days_before(DAY, 16)
"""Fifteen days of hours make the hourly states warm; minutes begin on the day before DAY."""

INSTANTS = {
    "mid-day": (MIDNIGHT + timedelta(hours=13, minutes=37, seconds=25), MIDNIGHT + timedelta(hours=26, minutes=30)),
    "after midnight": (MIDNIGHT + timedelta(minutes=1, seconds=30), MIDNIGHT + timedelta(hours=6, minutes=15)),
}
"""T, and the later instant at which the chain runs again."""

MARKET = SimulatedMarket(end=MIDNIGHT + timedelta(days=2), minute_days=3, hour_days=25, n_lowcaps=12)


@dataclass(frozen=True)
class Told:
    """What each table said: at T, at T by a market that has no future, and at the later instant."""

    at: datetime
    with_future: dict[str, pl.DataFrame]
    without_future: dict[str, pl.DataFrame]
    later_on_top: dict[str, pl.DataFrame]
    later_at_once: dict[str, pl.DataFrame]


@cache
def candles(at: datetime | None = None) -> CandleMemory:
    """Everything the market prints in its last 25 days, or what of it was known at an instant."""
    start, end = MARKET.end - timedelta(days=25), MARKET.end
    bars = {universe: MARKET.candles(universe, start, end) for universe in Universe}
    samples, caps = MARKET.dominance(start, end), MARKET.market_caps(start, end)
    if at is not None:
        bars = {universe: frame.filter(is_known(frame, at)) for universe, frame in bars.items()}
        samples = samples.filter(is_known(samples, at))
        caps = caps.filter(is_known(caps, at))
    return CandleMemory(bars=bars, samples=samples, terms=MARKET.terms, caps=caps)


def made(source: CandleMemory, as_of: datetime) -> dict[str, pl.DataFrame]:
    """Rows of every table after a run of the last days at an instant, over the history."""
    run_chain(days_before(DAY, 1), as_of.date(), as_of=as_of, market=given_market(source))
    return {table: stored(table) for table in TABLES}


@pytest.fixture(scope="module")
def history(postgres_server, database_template) -> Iterator[str]:
    """Name of a database with the days before DAY, as they were known at its midnight."""
    with scratch_database(postgres_server.url, template=database_template) as name:
        with exported(postgres_server.environment(name)):
            configure(TWO_MEMBERS)
            run_chain(FIRST, days_before(DAY, 1), as_of=MIDNIGHT, market=given_market(candles(MIDNIGHT)))
        yield name


@pytest.fixture(scope="module", params=INSTANTS.values(), ids=INSTANTS.keys())
def told(request, postgres_server, history) -> Iterator[Told]:
    """The runs of one T, each in a copy of the history but the one on top of the first."""
    at, later = request.param
    with throw_away_database(postgres_server, history):
        without_future = made(candles(at), at)
    with throw_away_database(postgres_server, history):
        with_future = made(candles(), at)
        later_on_top = made(candles(), later)
    with throw_away_database(postgres_server, history):
        yield Told(at, with_future, without_future, later_on_top, made(candles(), later))


def changes(then: pl.DataFrame, now: pl.DataFrame, at: datetime, ignored: tuple[str, ...] = ()) -> list[str]:
    """What of the rows complete at `at` is not the same, and which rows were there too early."""
    complete = then.filter(is_known(then, at))
    early = [f"{then.height - complete.height} rows were there before they were complete"]
    changed = changed_rows(complete.drop(ignored), now.filter(is_known(now, at)).drop(ignored), "later")
    return (early if complete.height < then.height else []) + changed


@pytest.mark.parametrize("table", TABLES)
def test_a_market_with_a_future_gives_what_one_without_it_gave(told, table):
    assert told.with_future[table].height > 50
    assert changes(told.with_future[table], told.without_future[table], told.at) == []


@pytest.mark.parametrize("table", TABLES)
def test_a_later_run_leaves_what_was_complete_even_since_when_it_was_known(told, table):
    is_daily = "timeframe" not in told.with_future[table].columns
    assert told.later_on_top[table].height > told.with_future[table].height or is_daily
    assert changes(told.with_future[table], told.later_on_top[table], told.at) == []


@pytest.mark.parametrize("table", TABLES)
def test_a_first_run_that_comes_later_gives_the_same_rows(told, table):
    ignored = ("known_at",) if table in KNOWN_AT_TABLES else ()

    assert changes(told.with_future[table], told.later_at_once[table], told.at, ignored) == []


class PeekingWork(Work):
    """Work that publishes each close one bar too early."""

    def replace(self, frame: pl.DataFrame, **rest: object) -> dg.MaterializeResult:
        close = pl.col("close_usd").shift(-1).over("driver", "timeframe").fill_null(pl.col("close_usd"))
        peeked = frame.with_columns(close).with_columns(
            high_usd=pl.max_horizontal("high_usd", "close_usd"), low_usd=pl.min_horizontal("low_usd", "close_usd")
        )
        return super().replace(peeked, **rest)


def peek(work: Work) -> dg.MaterializeResult:
    return HONEST.publish(PeekingWork(**{field.name: getattr(work, field.name) for field in fields(work)}))


HONEST = replace(regime_price_data_ohlc.SPEC, checks=())
PEEKING = replace(HONEST, publish=peek)


def driver_bars(spec: ChainTable, as_of: datetime) -> pl.DataFrame:
    """Rows of the driver bars after their asset alone made DAY at an instant, over whatever is stored."""
    dg.materialize(
        [chain_asset(spec)],
        partition_key=DAY.isoformat(),
        resources=resources_of(Deployment.TEST, as_of=as_of.isoformat()) | {"market": given_market(candles())},
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
    )
    day = pl.col("timestamp").is_between(MIDNIGHT, MIDNIGHT + timedelta(days=1), closed="left")
    return stored(spec.table).filter(day)


@pytest.mark.parametrize("told", [INSTANTS["mid-day"]], ids=["mid-day"], indirect=True)
@pytest.mark.parametrize(("spec", "is_caught"), [(HONEST, False), (PEEKING, True)], ids=["honest", "peeking"])
def test_an_asset_that_peeks_one_bar_ahead_is_caught_by_the_same_comparison(told, spec, is_caught):
    at, later = INSTANTS["mid-day"]

    complaints = changes(driver_bars(spec, at), driver_bars(spec, later), at)

    assert (complaints != []) is is_caught
