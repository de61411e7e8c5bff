"""The engine over frames: what a row holds, and that batch, resume and order make no difference."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from domain.config.uptrend import UptrendConfig
from domain.regime.uptrend_engine import HISTORY_ROWS, INPUT_COLUMNS, uptrend_frame
from domain.vocabulary.uptrend import UptrendFlag
from tests.builders import BULLISH_EMAS, FIRST_BAR_AT, random_walk, uptrend_bar, uptrend_previous, uptrend_rows

CONFIG = UptrendConfig()
KEY = ["token"]
SCORES = ("ts", "ts_with_boost", "sr_boost", "ox", "dx", "edx")
SCORES_OF_STATE = {
    "S0": ("ts",),
    "S1": ("ts", "ts_with_boost", "sr_boost"),
    "S2": ("ts", "ts_with_boost", "sr_boost", "ox"),
    "S3": SCORES,
    "S4": (),
}
LEVEL_PRICES = 100.0 * 1.05 ** np.arange(-60.0, 60.0)
LEVELS = pl.DataFrame({"price": LEVEL_PRICES, "strength": [4.0, 12.0, 40.0] * 40}).with_columns(
    token=pl.lit("a"), timeframe=pl.lit("1h")
)


def states_of(rows: pl.DataFrame, previous: pl.DataFrame | None = None, **options: object) -> pl.DataFrame:
    return uptrend_frame(rows, previous, key=KEY, config=CONFIG, **options)


def resumed(rows: pl.DataFrame, cuts: list[int], **options: object) -> pl.DataFrame:
    """States of `rows` in pieces that end at the cuts, each from the row before it and 500 rows of history."""
    parts, previous = [], None
    for first, stop in zip([0, *cuts], [*cuts, rows.height], strict=True):
        window = rows.slice(max(0, first - HISTORY_ROWS), stop - max(0, first - HISTORY_ROWS))
        parts.append(states_of(window, previous, start=rows["timestamp"][first], **options))
        previous = parts[-1].tail(1)
    return pl.concat(parts)


@pytest.fixture(scope="module")
def rows() -> pl.DataFrame:
    """One series of 3,000 bars."""
    return uptrend_rows(random_walk(3000, 4), volume=np.random.default_rng(1).exponential(1000.0, 3000))


@pytest.fixture(scope="module")
def whole(rows) -> pl.DataFrame:
    return states_of(rows, levels=LEVELS)


def test_the_walk_visits_every_state_and_raises_every_flag(whole):
    assert set(whole["state"]) == {"S0", "S1", "S2", "S3", "S4"}
    assert [flag.value for flag in UptrendFlag if not whole[flag.value].any()] == []


def test_every_bar_has_one_row_with_the_same_columns(rows, whole):
    assert whole.columns[:12] == [
        *("token", "timeframe", "timestamp", "status", "state", "prev_state"),
        *("transition", "transition_reason", "bootstrapped", "s3_start_at", "bars_since_s3", "price"),
    ]
    assert whole.columns[12:] == [*(flag.value for flag in UptrendFlag), "exit_reason", *SCORES, "gate_mask"]
    assert whole["timestamp"].equals(rows["timestamp"])
    assert whole["price"].equals(rows["close_usd"])


@pytest.mark.parametrize("state", SCORES_OF_STATE)
def test_each_state_has_exactly_its_scores_on_every_bar(whole, state):
    here = whole.filter(pl.col("state") == state)
    present = [name for name in SCORES if here[name].null_count() == 0]
    absent = [name for name in SCORES if here[name].null_count() == here.height]

    assert tuple(present) == SCORES_OF_STATE[state]
    assert len(present) + len(absent) == len(SCORES)


def test_transition_bars_carry_the_scores_of_the_new_state(whole):
    entered = whole.filter(pl.col("transition") == "S2->S3")

    assert entered.height > 0
    assert entered.select(SCORES).null_count().sum_horizontal().item() == 0
    assert entered["bars_since_s3"].to_list() == [0] * entered.height
    assert entered["s3_start_at"].equals(entered["timestamp"].rename("s3_start_at"))


def test_scores_and_s3_clock_stay_in_bounds(whole):
    scored = whole.select(pl.col("ts", "ox", "dx", "edx").drop_nulls().is_between(0, 1).all())
    s3 = whole.filter(pl.col("state") == "S3")

    assert all(scored.row(0))
    assert (s3["bars_since_s3"] == (s3["timestamp"] - s3["s3_start_at"]).dt.total_hours()).all()
    assert whole.filter(pl.col("state") != "S3")["s3_start_at"].null_count() == whole.height - s3.height


def test_prev_state_is_the_state_of_the_bar_before(whole):
    assert whole["prev_state"].equals(whole["state"].shift().rename("prev_state"))


def test_there_is_no_state_before_333_bars(rows):
    states = states_of(rows.head(340))
    cold = states.head(332)

    assert set(cold["state"]) == {"S4"}
    assert states["status"].to_list() == ["warming_up"] * 332 + ["ok"] * 8
    assert cold.select(SCORES).null_count().row(0) == (332,) * len(SCORES)
    assert not cold.select(pl.any_horizontal(flag.value for flag in UptrendFlag).any()).item()


def test_a_restart_of_the_series_forgets_its_state_and_is_no_transition(rows):
    s3_row = next(i for i, state in enumerate(states_of(rows)["state"]) if state == "S3") + 20
    restarted = rows.with_columns(
        bars_count=pl.when(pl.int_range(pl.len()) < s3_row)
        .then("bars_count")
        .otherwise(pl.int_range(pl.len()) - s3_row + 1)
    )
    row = states_of(restarted).row(s3_row, named=True)

    assert (row["status"], row["state"], row["prev_state"]) == ("warming_up", "S4", "S3")
    assert (row["transition"], row["s3_start_at"], row["exit_position"]) == (None, None, False)


@pytest.mark.parametrize("column", ["bars_count", "close_usd", "ema333"])
def test_a_bar_whose_base_is_missing_has_no_state(column):
    bar = uptrend_bar(**BULLISH_EMAS).with_columns(pl.lit(None).cast(pl.Float64).alias(column))

    assert states_of(bar).select("status", "state").row(0) == ("warming_up", "S4")


@pytest.mark.parametrize(
    ("column", "lost"),
    [("vo_z", {"dx"}), ("rsi_slope_10", {"ts", "ts_with_boost", "dx"}), ("dsep_fast_5", {"ox"}), ("adx", {"dx"})],
)
def test_a_missing_indicator_loses_only_the_scores_that_need_it(column, lost):
    row = states_of(uptrend_bar(**BULLISH_EMAS, **{column: None})).row(0, named=True)

    assert {name for name in SCORES if row[name] is None} == lost
    assert (row["state"], row["buy_flag"]) == ("S3", False)


def test_a_flat_series_has_no_state_and_no_error():
    states = states_of(uptrend_rows(np.full(700, 5.0)))

    assert set(states["state"]) == {"S4"}
    assert states["status"][-1] == "ok"


def test_a_first_s3_is_bootstrapped_and_never_buys_before_s0():
    states = states_of(uptrend_rows(100.0 * np.exp(0.002 * np.arange(900))))
    warm = states.tail(900 - 332)

    assert (warm["state"][0], warm["transition"][0], warm["transition_reason"][0]) == (
        "S3",
        "S4->S3",
        "bootstrap_s3_order",
    )
    assert warm["bootstrapped"].all()
    assert not warm.select(pl.any_horizontal("buy_flag", "first_dip_buy_flag").any()).item()


@given(st.lists(st.integers(1, 2999), max_size=12, unique=True).map(sorted))
@settings(deadline=None, max_examples=25)
def test_resuming_anywhere_gives_the_same_bits(rows, whole, cuts):
    assert_frame_equal(resumed(rows, cuts, levels=LEVELS), whole, check_exact=True)


def test_folding_bar_by_bar_gives_the_same_bits(rows, whole):
    s3_row = next(i for i, state in enumerate(whole["state"]) if state == "S3")
    first = max(600, s3_row - 5)
    bars = resumed(rows.head(first + 60), list(range(first, first + 60)), levels=LEVELS)

    assert_frame_equal(bars, whole.head(first + 60), check_exact=True)


@pytest.mark.parametrize("known", [700, 1999])
def test_later_bars_change_nothing(rows, whole, known):
    assert_frame_equal(states_of(rows.head(known), levels=LEVELS), whole.head(known), check_exact=True)


def test_a_bar_that_has_its_row_is_not_evaluated_again(rows, whole):
    known = whole.slice(1999, 1)

    assert states_of(rows.head(2000), known).height == 0
    assert states_of(rows.head(2001), known)["timestamp"].to_list() == [rows["timestamp"][2000]]


def test_evaluating_a_bar_twice_from_the_same_row_changes_nothing(rows, whole):
    window, before = rows.slice(1499, 502), whole.slice(1999, 1)
    once, twice = (states_of(window, before, start=rows["timestamp"][2000], levels=LEVELS) for _ in range(2))

    assert_frame_equal(once, twice, check_exact=True)
    assert_frame_equal(once, whole.slice(2000, 1), check_exact=True)


def test_the_order_of_rows_and_the_other_series_make_no_difference(rows):
    other = uptrend_rows(random_walk(1200, 12), token="b")
    mixed = pl.concat([other, rows]).sample(fraction=1.0, shuffle=True, seed=3)

    assert_frame_equal(states_of(mixed), pl.concat([states_of(rows), states_of(other)]), check_exact=True)


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_the_unit_of_price_makes_no_difference(scale):
    close = random_walk(2000, 13)
    one, scaled = states_of(uptrend_rows(close)), states_of(uptrend_rows(close * scale))

    assert_frame_equal(scaled.drop("price"), one.drop("price"), rel_tol=1e-6, abs_tol=1e-9)


def test_inputs_are_left_as_they_were(rows, whole):
    copy, before = rows.clone(), whole.slice(1999, 1)
    states_of(rows, before, levels=LEVELS)

    assert_frame_equal(rows, copy, check_exact=True)


def test_no_rows_give_no_rows(rows, whole):
    assert_frame_equal(states_of(rows.clear()), whole.clear())


def test_timeframe_may_stand_in_the_key(rows, whole):
    named = uptrend_frame(rows, None, key=["token", "timeframe"], config=CONFIG, levels=LEVELS)

    assert_frame_equal(named, whole, check_exact=True)


def test_an_s3_without_its_history_is_refused():
    long_ago = FIRST_BAR_AT - timedelta(hours=100)
    rows = uptrend_bar(history=HISTORY_ROWS - 1, **BULLISH_EMAS)
    now, before = rows["timestamp"][-1], rows["timestamp"][-2]
    previous = uptrend_previous("S3", at=before, s3_start_at=long_ago)

    assert states_of(rows, previous, start=now).height == 1
    with pytest.raises(ValueError, match="1 series in S3 lack history"):
        states_of(rows.tail(HISTORY_ROWS - 1), previous, start=now)


def test_two_rows_for_one_bar_are_refused(rows):
    with pytest.raises(ValueError, match="one row a bar"):
        states_of(pl.concat([rows, rows.tail(1)]))


def test_two_previous_rows_are_refused(rows, whole):
    with pytest.raises(ValueError, match="at most one previous row"):
        states_of(rows, whole.head(2))


@pytest.mark.parametrize("start", [datetime(2025, 1, 1), datetime(2025, 1, 1, tzinfo=UTC)])  # noqa: DTZ001
def test_naive_times_are_refused(rows, start):
    naive = rows.with_columns(pl.col("timestamp").dt.replace_time_zone(None)) if start.tzinfo else rows

    with pytest.raises(ValueError, match="in UTC"):
        states_of(naive, start=start)


def test_an_unknown_timeframe_is_refused(rows):
    with pytest.raises(ValueError, match="Expected timeframes"):
        states_of(rows.with_columns(timeframe=pl.lit("2h")))


def test_a_missing_input_column_is_refused(rows):
    with pytest.raises(pl.exceptions.ColumnNotFoundError):
        states_of(rows.drop(INPUT_COLUMNS[-1]))
