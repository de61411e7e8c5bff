"""The chain on a small simulated market: real Dagster runs over a real Postgres."""

import json
from datetime import UTC, date, datetime, timedelta

import dagster as dg
import polars as pl
import pytest

from domain.vocabulary.window import Window
from resources.candle_memory import CandleMemory
from resources.candle_source import CANDLE_SCHEMA, DOMINANCE_SCHEMA
from resources.tables import Tables
from sql.database import connect
from sql.database_role import DatabaseRole
from tests.chain_runs import (
    RAW_TABLES,
    TABLES,
    TWO_MEMBERS,
    configure,
    days_before,
    given_market,
    run_chain,
    small_market,
    stored,
)

pytestmark = pytest.mark.postgres

LAST = date(2026, 3, 9)
AS_OF = datetime(2026, 3, 10, tzinfo=UTC)
FIRST = days_before(LAST, 399)
MARKET = small_market(simulation_lowcaps=12)


@pytest.fixture(scope="module")
def made_once(module_database):
    """The chain over 400 days in one run, and its rows."""
    configure(TWO_MEMBERS)
    result = run_chain(FIRST, LAST, as_of=AS_OF, market=MARKET)
    return result, {table: stored(table) for table in TABLES}


def test_every_table_of_the_chain_has_rows(made_once):
    _, rows = made_once

    assert {table for table, frame in rows.items() if frame.is_empty()} == set()


def test_every_partition_of_the_range_is_materialized(made_once):
    result, _ = made_once

    materialized = {
        (event.asset_key.to_user_string(), event.partition)
        for event in result.all_events
        if event.event_type is dg.DagsterEventType.ASSET_MATERIALIZATION
    }

    assert len(materialized) == 400 * len(TABLES)


def test_every_inline_check_is_recorded_as_passed(made_once):
    result, _ = made_once

    evaluations = result.get_asset_check_evaluations()

    assert {e.check_name for e in evaluations if e.blocking and e.passed} >= {
        "bars_had_closed", "samples_were_taken", "btc_copies_its_major", "composite_never_jumps",
        "one_row_per_driver_bar", "one_state_per_indicator_row", "transitions_are_legal", "scores_are_present",
        "every_bucket_is_scored", "coverage_counts_its_channels",
    }  # fmt: skip
    assert all(e.passed for e in evaluations if e.blocking)


def test_materializing_again_gives_the_same_bytes(made_once):
    _, rows = made_once

    run_chain(days_before(LAST, 59), LAST, as_of=AS_OF, market=MARKET)

    for table, before in rows.items():
        assert stored(table).equals(before), table


def test_the_last_days_one_by_one_give_what_the_range_gave(made_once):
    _, rows = made_once

    for back in (3, 2, 1, 0):
        day = days_before(LAST, back)
        run_chain(day, day, as_of=AS_OF, market=MARKET)

    for table, before in rows.items():
        assert stored(table).equals(before), table


def test_refused_rows_are_kept_once_with_their_reason(made_once):
    refused = Tables().query("count_refused_by_reason", ("lowcap_price_data_ohlc",))
    bad_bars = stored("regime.lowcap_price_data_ohlc").filter(pl.col("high_usd") < pl.col("low_usd"))

    assert set(refused["reason"]) <= {"ohlc_order", "price_jump"}
    assert refused["rows"].sum() > 0
    assert bad_bars.is_empty()


def test_a_changed_configuration_is_visible_in_the_rows_it_makes(made_once):
    version = configure({**TWO_MEMBERS, "scores": {"min_coverage": 15}})

    run_chain(LAST, LAST, as_of=AS_OF, market=MARKET, tables=("regime.ae_score",))

    scores = stored("regime.ae_score").filter(pl.col("timestamp") >= AS_OF - timedelta(days=1))
    assert scores["config_version"].unique().to_list() == [version]
    assert (scores["degraded"] == (scores["coverage"] < 15)).all()


def test_every_channel_of_every_bucket_speaks_in_the_end(made_once):
    _, rows = made_once
    newest = rows["regime.ae_score"].filter(
        pl.col("timestamp") == pl.col("timestamp").max().over("timeframe", "bucket")
    )

    assert newest["coverage"].unique().to_list() == [15]
    assert newest["bucket"].n_unique() == 5


def test_every_bucket_has_a_driver_returns_and_phases_of_its_own(made_once):
    _, rows = made_once
    buckets = {"nano", "micro", "mid", "big", "large"}
    phases = rows["regime.phase_state_bucket"]

    assert buckets <= set(rows["regime.regime_price_data_ohlc"]["driver"])
    assert set(rows["regime.bucket_return_series"]["bucket"]) >= buckets
    assert set(phases.select("bucket", "horizon").rows()) >= {
        (b, h) for b in buckets for h in ("macro", "meso", "micro")
    }
    assert rows["regime.phase_state_bucket"]["score"].n_unique() > phases.height * 0.9
    assert rows["regime.composite_return_series"]["weight_nano"].min() == pytest.approx(0.15)


def test_seven_days_of_a_bucket_are_one_query(made_once):
    week = Tables().query("bucket_returns_of_a_week", ("micro", AS_OF))

    assert week["timestamp"].to_list() == [AS_OF - timedelta(hours=hours) for hours in range(168, 0, -1)]
    assert week.columns == ["timestamp", "r_bucket", "resid_btc", "resid_alt", "index_level"]


def test_multipliers_of_the_contexts_move(made_once):
    _, rows = made_once
    documents = [json.loads(text) for text in rows["regime.regime_context"]["context"][-300:]]
    multipliers = {entry["multiplier"] for document in documents for entry in document["bucket_multipliers"].values()}

    assert len(multipliers) > 10
    assert 0.7 <= min(multipliers) < 1 < max(multipliers) <= 1.3


def hours(
    symbol: str, start: datetime, count: int, *, price: float = 100.0, skip: tuple[int, ...] = ()
) -> pl.DataFrame:
    """Minute bars of one major over `count` hours, without the minutes in `skip`."""
    minutes = [i for i in range(60 * count) if i not in skip]
    values = {name: [price + i % 7 for i in minutes] for name in ("open_usd", "high_usd", "low_usd", "close_usd")}
    rows = {"timestamp": [start + timedelta(minutes=i) for i in minutes], **values, "volume": [1.0] * len(minutes)}
    names = {"token_contract": symbol, "chain": "x", "timeframe": "1m", "source": "venue"}
    return pl.DataFrame({**rows, **names}, schema_overrides=CANDLE_SCHEMA).select(CANDLE_SCHEMA.keys())


def memory(bars: pl.DataFrame) -> CandleMemory:
    return CandleMemory(bars={"majors": bars}, samples=pl.DataFrame(schema=DOMINANCE_SCHEMA), terms=())


def test_late_minutes_complete_a_partial_bar_and_keep_what_was_known(database):
    day, at = date(2026, 3, 1), datetime(2026, 3, 1, tzinfo=UTC)
    raw = ("regime.majors_price_data_ohlc",)
    early, late = at + timedelta(hours=1), at + timedelta(hours=3)
    run_chain(day, day, as_of=early, market=given_market(memory(hours("BTC", at, 1, skip=(10, 11, 12)))), tables=raw)
    partial = Tables().read(raw[0], Window(at, late)).filter(pl.col("timeframe") == "1h")

    run_chain(day, day, as_of=late, market=given_market(memory(hours("BTC", at, 1))), tables=raw)

    bars = Tables().read(raw[0], Window(at, late))
    hour = bars.filter(pl.col("timeframe") == "1h")
    assert (partial["coverage"].item(), partial["partial"].item()) == (pytest.approx(57 / 60), True)
    assert (hour["coverage"].item(), hour["partial"].item(), hour["known_at"].item()) == (1.0, False, late)
    minutes = bars.filter(pl.col("timeframe") == "1m").sort("timestamp")
    assert minutes["known_at"][0] == early
    assert minutes["known_at"][10] == late


def test_a_corrected_bar_leaves_the_old_one_in_quarantine(database):
    day, at = date(2026, 3, 1), datetime(2026, 3, 1, tzinfo=UTC)
    raw = ("regime.majors_price_data_ohlc",)
    as_of = at + timedelta(hours=2)
    run_chain(day, day, as_of=as_of, market=given_market(memory(hours("BTC", at, 1))), tables=raw)

    run_chain(day, day, as_of=as_of, market=given_market(memory(hours("BTC", at, 1, price=101.0))), tables=raw)

    with connect(DatabaseRole.CONSOLE) as connection:
        superseded = connection.execute(
            "select count(*) from regime.bar_quarantine where reason = 'superseded' and timeframe = '1m'"
        ).fetchone()
    assert superseded == (60,)


def test_a_day_that_has_not_come_yet_is_empty_and_fails_nothing(database):
    tomorrow = date(2026, 3, 12)

    result = run_chain(tomorrow, tomorrow, as_of=AS_OF, market=small_market())

    assert result.success
    assert all(stored(table).is_empty() for table in RAW_TABLES)
