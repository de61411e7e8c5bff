"""The hours in which an earlier system took a chain for 89,000 times too dear, as it recorded them itself.

Two recordings of the same hours: the first has the right prices, the later ones were rewritten by a backfill.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from domain.config.bar import BarConfig
from domain.regime.bar_load import Load
from domain.regime.bar_quarantine import BAR_KEY, RAW_SCHEMA
from tests.bar_loads import loaded, made_of

pytestmark = pytest.mark.real_data

FIRST, REWRITTEN, LAST = "backtester/archive_v2", "backtester/archive_v3/backests/a1", "backtester/v4/backests"
STEP_AT = datetime(2025, 10, 30, 1, tzinfo=UTC)
WRONG_HOURS = 60
"""Hours of the step that are taken from the later recording; the first one ends soon after."""
WRONG = pl.col("timestamp").is_between(STEP_AT, STEP_AT + timedelta(hours=WRONG_HOURS), closed="left")


@pytest.fixture(scope="module")
def recorded(shared_data: Path) -> pl.DataFrame:
    """Every close of every recording, with the EMA that was made of it."""
    return pl.read_parquet(shared_data / "ancestor_system" / "engine_states_1h.parquet").drop_nulls("contract")


def closes(recorded: pl.DataFrame, engine: str, *, chain: str | None = None) -> pl.DataFrame:
    """Flat hour bars of one recording."""
    of_engine = recorded.filter((pl.col("engine") == engine) & ((pl.col("chain") == chain) if chain else True))
    rows = of_engine.unique(["contract", "ts"], keep="first").with_columns(
        pl.col("price").alias(name) for name in ("open_usd", "high_usd", "low_usd", "close_usd")
    )
    named = rows.rename({"contract": "token_contract", "ts": "timestamp"})
    constant = named.with_columns(timeframe=pl.lit("1h"), volume=pl.lit(1.0), source=pl.lit("recorded"))
    return constant.select(RAW_SCHEMA.keys()).sort(BAR_KEY)


def hours(load: Load) -> pl.DataFrame:
    return load.rows.filter(pl.col("timeframe") == "1h").select(*RAW_SCHEMA)


def stepping(recorded: pl.DataFrame, engine: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Right hours with the wrong ones of a later recording between them; and the right ones alone."""
    wrong = closes(recorded, engine, chain="bsc").filter(WRONG)
    right = closes(recorded, FIRST).filter(~WRONG | (pl.col("chain") != "bsc"))
    of_right = right.join(wrong.select("token_contract").unique(), on="token_contract", how="semi")
    return pl.concat([of_right, wrong]), of_right


@pytest.mark.parametrize(("min_tokens", "reason"), [(2, "unit_step"), (3, "price_jump")])
def test_every_recorded_hour_of_the_step_is_quarantined_and_the_true_price_returns(recorded, min_tokens, reason):
    received, right = stepping(recorded, REWRITTEN)

    load = loaded(received, config=BarConfig(unit_step_min_tokens=min_tokens))

    assert_frame_equal(hours(load), right, check_row_order=False)
    assert load.quarantined["reason"].to_list() == [reason] * 2 * WRONG_HOURS
    assert load.quarantined["close_usd"].min() > 500
    assert right["timestamp"].max() > STEP_AT + timedelta(hours=WRONG_HOURS)


@pytest.mark.parametrize("engine", [REWRITTEN, LAST])
def test_averages_and_states_are_those_of_the_hours_with_the_true_price(recorded, engine):
    received, right = stepping(recorded, engine)

    averages, states = made_of(loaded(received))
    expected_averages, expected_states = made_of(loaded(right))

    assert_frame_equal(averages, expected_averages, check_exact=True)
    assert_frame_equal(states, expected_states, check_exact=True)
    poisoned = recorded.filter((pl.col("engine") == engine) & (pl.col("chain") == "bsc"))
    assert poisoned["ema20"].max() > 1000 * averages["ema20"].max()


@pytest.mark.parametrize("engine", [REWRITTEN, LAST])
def test_nothing_of_a_recording_that_stays_wrong_is_let_in_after_the_step(recorded, engine):
    load = loaded(closes(recorded, engine, chain="bsc"))

    assert hours(load)["timestamp"].max() == STEP_AT - timedelta(hours=1)
    assert hours(load)["close_usd"].max() < 3.0


def test_no_later_recording_rewrites_an_hour_by_a_factor(recorded):
    first = loaded(closes(recorded, FIRST))

    after = loaded(closes(recorded, REWRITTEN), first.rows)

    both = hours(after).join(hours(first), on=list(BAR_KEY), suffix="_first")
    revised = both.filter(pl.col("close_usd") != pl.col("close_usd_first"))
    assert both.height == hours(first).height > 4000
    assert both.select((pl.col("close_usd") / pl.col("close_usd_first")).log().abs().max()).item() < 0.05
    kept = after.quarantined.filter(pl.col("reason") == "superseded", pl.col("timeframe") == "1h")
    assert_frame_equal(
        kept.select(*BAR_KEY, "close_usd"), revised.select(*BAR_KEY, close_usd="close_usd_first"), check_row_order=False
    )
    assert revised.height > 0
