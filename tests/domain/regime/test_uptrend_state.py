"""The arrows of the uptrend state machine, one by one, and what may never happen."""

from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.config.uptrend import UptrendConfig
from domain.regime.uptrend_bar import EmaStack, StackColumns
from domain.regime.uptrend_engine import uptrend_frame
from domain.regime.uptrend_state import (
    NO_STATE,
    REASON,
    STATES,
    fold_states,
    is_all_below_ema333,
    is_bearish_order,
    is_bullish_order,
)
from tests.builders import (
    BEARISH_EMAS,
    BULLISH_EMAS,
    FIRST_BAR_AT,
    MIXED_EMAS,
    random_walk,
    uptrend_bar,
    uptrend_previous,
    uptrend_rows,
)

CONFIG = UptrendConfig()
RECOVERING = MIXED_EMAS | {"ema20": 101.0}
"""Both fast EMAs above EMA60, slow field out of order."""


def after(state: str | None, **values: float) -> dict[str, object]:
    """Row of one bar whose series stood in `state` (S3: since the bar before)."""
    now = FIRST_BAR_AT + timedelta(hours=1)
    s3_start_at = FIRST_BAR_AT if state == "S3" else None
    previous = uptrend_previous(state, at=FIRST_BAR_AT, s3_start_at=s3_start_at) if state else None
    rows = uptrend_bar(history=1, **values)
    return uptrend_frame(rows, previous, key=["token"], config=CONFIG, start=now).row(0, named=True)


ARROWS = [
    (None, "S0", "bootstrap_s0_order", BEARISH_EMAS, 90.0),
    (None, "S3", "bootstrap_s3_order", BULLISH_EMAS, 110.0),
    ("S4", "S0", "bootstrap_s0_order", BEARISH_EMAS, 90.0),
    ("S4", "S3", "bootstrap_s3_order", BULLISH_EMAS, 110.0),
    ("S0", "S1", "fast_band_above_ema60", RECOVERING, 100.5),
    ("S1", "S0", "s1_to_s0_bearish_order", BEARISH_EMAS, 90.0),
    ("S1", "S2", "price_above_ema333", RECOVERING, 101.5),
    ("S2", "S0", "s2_to_s0_bearish_order", BEARISH_EMAS, 90.0),
    ("S2", "S1", "price_below_ema333", RECOVERING, 100.9),
    ("S2", "S3", "bullish_order", BULLISH_EMAS, 110.0),
    ("S3", "S0", "all_emas_below_333", MIXED_EMAS | {"ema333": 103.0}, 110.0),
]


@pytest.mark.parametrize(("before", "state", "reason", "emas", "price"), ARROWS)
def test_each_arrow_is_taken_for_its_reason(before, state, reason, emas, price):
    row = after(before, price=price, **emas)

    assert (row["prev_state"], row["state"], row["transition_reason"]) == (before, state, reason)
    assert row["transition"] == (f"{before}->{state}" if before else None)


STAYS = {
    "S4 needs an order": ("S4", MIXED_EMAS, 150.0),
    "S0 needs both fast EMAs": ("S0", MIXED_EMAS, 150.0),
    "S0 needs the price above EMA60": ("S0", RECOVERING, 100.0),
    "S0 waits for the price even in bullish order": ("S0", BULLISH_EMAS, 103.0),
    "S1 in bullish order needs the price above EMA333": ("S1", BULLISH_EMAS, 94.0),
    "S1 may fall below EMA60": ("S1", RECOVERING, 50.0),
    "S1 on EMA333 stays": ("S1", RECOVERING, 101.0),
    "S2 on EMA333 stays": ("S2", RECOVERING, 101.0),
    "S2 needs the whole order": ("S2", RECOVERING, 150.0),
    "S3 below EMA333 stays": ("S3", BULLISH_EMAS, 50.0),
    "S3 has no fast-band exit": ("S3", BULLISH_EMAS | {"ema20": 96.0, "ema30": 96.0}, 110.0),
    "S3 has no fast-band exit at the very bottom": ("S3", BULLISH_EMAS | {"ema20": 94.0, "ema30": 94.0}, 110.0),
    "S3 in bearish order needs every EMA below": ("S3", BEARISH_EMAS | {"ema333": 102.0, "ema250": 102.0}, 90.0),
}


@pytest.mark.parametrize(("state", "emas", "price"), STAYS.values(), ids=STAYS.keys())
def test_an_absent_arrow_keeps_the_state(state, emas, price):
    row = after(state, price=price, **emas)

    assert (row["state"], row["transition"], row["transition_reason"]) == (state, None, None)


def test_no_state_and_no_order_is_s4():
    row = after(None, price=150.0, **MIXED_EMAS)

    assert (row["state"], row["prev_state"], row["status"]) == ("S4", None, "ok")


def test_a_collapse_leaves_s2_by_its_exit_and_not_by_the_flip():
    row = after("S2", price=90.0, **BEARISH_EMAS)

    assert (row["transition"], row["exit_position"]) == ("S2->S0", True)


def test_an_s2_below_ema333_flips_even_in_bullish_order():
    assert after("S2", price=94.0, **BULLISH_EMAS)["state"] == "S1"


@given(st.lists(st.integers(1, 4), min_size=7, max_size=7))
@settings(deadline=None, max_examples=300)
def test_bullish_and_bearish_order_exclude_each_other(values):
    stack = EmaStack(*map(float, values))

    assert not (is_bullish_order(stack) and is_bearish_order(stack))
    assert not is_bearish_order(stack) or is_all_below_ema333(stack)


@pytest.fixture(scope="module")
def walks() -> pl.DataFrame:
    """Twelve series of 3,000 bars."""
    return pl.concat([uptrend_rows(random_walk(3000, seed), token=f"t{seed:02}") for seed in range(12)])


def test_long_walks_take_only_the_known_arrows(walks):
    states = uptrend_frame(walks, None, key=["token"], config=CONFIG)
    moves = states.filter(pl.col("state") != pl.col("prev_state")).select("prev_state", "state").unique().rows()
    legal = {(STATES[old], STATES[new]) for old, new in REASON if old != NO_STATE}

    assert set(moves) <= legal
    assert len(moves) >= 8


def test_the_state_only_fold_equals_the_full_fold(walks):
    stack = walks.rename({"close_usd": "price"})
    columns = StackColumns(*(stack[name].to_numpy() for name in StackColumns._fields))
    out = np.empty(walks.height, np.int8)

    fold_states(columns, np.arange(13) * 3000, np.full(12, NO_STATE, np.int8), CONFIG.min_bars, out)

    full = uptrend_frame(walks, None, key=["token"], config=CONFIG)
    assert [STATES[code] for code in out] == full["state"].to_list()
