"""Each flag comes up when all its gates pass, and stays down when any one of them is shut."""

from datetime import timedelta

import polars as pl
import pytest

from domain.config.uptrend import UptrendConfig
from domain.regime.uptrend_engine import uptrend_frame
from domain.regime.uptrend_gate import (
    BUY_SIGNAL_GATES,
    DISCOUNT_BUY_GATES,
    FIRST_DIP_GATES,
    GATES,
    RETEST_BUY_GATES,
    TRIM_GATES,
    explain_gates,
)
from tests.builders import BEARISH_EMAS, BULLISH_EMAS, MIXED_EMAS, uptrend_bar, uptrend_previous

CONFIG = UptrendConfig()
RISING = {"rsi_slope_10": 2.0, "adx_slope_10": 0.4}  # TS .65

BUY_SIGNAL = {"price": 101.0, **MIXED_EMAS, "ema333": 105.0, "ema60_slope": 1e-4, "ema144_slope": -1e-4, **RISING}
RETEST = {"price": 101.5, **MIXED_EMAS, "ema250_slope": 1e-4, "ema333_slope": -1e-4, **RISING}
DISCOUNT = {"price": 95.2, **BULLISH_EMAS, "vo_z": -0.5, "d_ema144_slope": 1e-5, "ema250_slope": 1e-4, **RISING}
FIRST_DIP = {"price": 105.5, **BULLISH_EMAS, "ema144_slope": 1e-4, "rsi_slope_10": 0.2}
STRETCHED = {"dsep_fast_5": 0.002, "dsep_mid_5": 0.001}
TRIM_S2 = {"price": 112.0, **MIXED_EMAS, **STRETCHED}
TRIM_S3 = {"price": 112.0, **BULLISH_EMAS, **STRETCHED}


def evaluated(
    state, values, *, s3_bars=1, bootstrapped=False, emergency=False, levels=None, config=CONFIG
) -> dict[str, object]:
    """Row of one bar whose series stands in `state`; in S3 since `s3_bars` bars."""
    history = max(s3_bars, 1)
    rows = uptrend_bar(history=history, **values)
    at = rows["timestamp"][-1]
    s3_start_at = at - timedelta(hours=s3_bars) if state == "S3" else None
    before = at - timedelta(hours=1)
    previous = uptrend_previous(
        state, at=before, s3_start_at=s3_start_at, bootstrapped=bootstrapped, emergency=emergency
    )
    return uptrend_frame(rows, previous, key=["token"], config=config, start=at, levels=levels).row(0, named=True)


def level(price: float, strength: float = 20.0) -> pl.DataFrame:
    return pl.DataFrame({"token": ["a"], "timeframe": ["1h"], "price": [price], "strength": [strength]})


OPEN = {
    "buy_signal in S1": ("S1", BUY_SIGNAL, "buy_signal"),
    "buy_flag in S2": ("S2", RETEST, "buy_flag"),
    "buy_flag in S3": ("S3", DISCOUNT, "buy_flag"),
    "first_dip_buy_flag": ("S3", FIRST_DIP, "first_dip_buy_flag"),
    "trim_flag in S2": ("S2", TRIM_S2, "trim_flag"),
    "trim_flag in S3": ("S3", TRIM_S3, "trim_flag"),
}


@pytest.mark.parametrize(("state", "values", "flag"), OPEN.values(), ids=OPEN.keys())
def test_a_flag_is_up_when_all_its_gates_pass(state, values, flag):
    row = evaluated(state, values)

    assert (row["state"], row[flag]) == (state, True)


SHUT = [
    ("buy_signal in S1", {"price": 102.1}, "near_ema60"),
    ("buy_signal in S1", {"price": 97.9}, "near_ema60"),
    ("buy_signal in S1", {"ema60_slope": 0.0}, "mid_slope_rising"),
    ("buy_signal in S1", {"rsi_slope_10": 0.9}, "trend_strength"),
    ("buy_flag in S2", {"price": 102.1}, "near_ema333"),
    ("buy_flag in S2", {"ema250_slope": 0.0}, "slow_slope_rising"),
    ("buy_flag in S2", {"rsi_slope_10": 0.9}, "trend_strength"),
    ("buy_flag in S3", {"vo_z": 9.0, "d_ema144_slope": 0.0, "atr_mean_20": 3.0, "adx": 10.0}, "discounted"),
    ("buy_flag in S3", {"price": 94.9}, "at_or_above_ema333"),
    ("buy_flag in S3", {"ema250_slope": 0.0, "ema333_slope": -1e-4}, "slow_slope_rising"),
    ("buy_flag in S3", {"rsi_slope_10": 0.9}, "trend_strength"),
    ("first_dip_buy_flag", {"price": 107.1}, "first_dip_in_time_and_near"),
    ("first_dip_buy_flag", {"ema144_slope": 0.0, "ema250_slope": -1e-4}, "first_dip_slope_rising"),
    ("first_dip_buy_flag", {"rsi_slope_10": -0.1}, "first_dip_trend_strength"),
    ("first_dip_buy_flag", {"price": 105.5, "ema333": 105.6}, "at_or_above_ema333"),
    ("trim_flag in S2", {"price": 101.5}, "overextended"),
    ("trim_flag in S3", {"price": 105.0}, "overextended"),
]


@pytest.mark.parametrize(("case", "change", "gate"), SHUT)
def test_a_flag_is_down_when_one_of_its_gates_is_shut(case, change, gate):
    state, values, flag = OPEN[case]
    open_row, shut_row = evaluated(state, values), evaluated(state, values | change)

    assert (shut_row["state"], shut_row[flag]) == (state, False)
    assert explain_gates(open_row["gate_mask"])[gate]
    assert not explain_gates(shut_row["gate_mask"])[gate]


@pytest.mark.parametrize(
    ("case", "flat"),
    [
        ("buy_signal in S1", {"ema60_slope": 0.0, "ema144_slope": 0.0}),
        ("buy_flag in S2", {"ema250_slope": 0.0, "ema333_slope": 0.0}),
        ("buy_flag in S3", {"ema250_slope": 0.0, "ema333_slope": 0.0}),
        ("first_dip_buy_flag", {"ema144_slope": 0.0, "ema250_slope": 0.0}),
    ],
)
def test_the_slower_ema_need_not_rise_only_not_fall(case, flat):
    state, values, flag = OPEN[case]

    assert evaluated(state, values | flat)[flag]


@pytest.mark.parametrize(
    ("case", "score", "threshold"),
    [
        ("buy_signal in S1", "ts_with_boost", "ts_min"),
        ("buy_flag in S2", "ts_with_boost", "ts_min"),
        ("first_dip_buy_flag", "ts_with_boost", "first_dip_ts_min"),
        ("trim_flag in S2", "ox", "trim_ox"),
        ("trim_flag in S3", "ox", "trim_ox"),
    ],
)
def test_a_score_on_its_threshold_passes(case, score, threshold):
    state, values, flag = OPEN[case]
    on_it = evaluated(state, values)[score]

    assert evaluated(state, values, config=UptrendConfig(**{threshold: on_it}))[flag]
    assert not evaluated(state, values, config=UptrendConfig(**{threshold: on_it + 1e-9}))[flag]


def test_a_discount_above_ema144_is_not_bought():
    cheap = CONFIG.model_copy(update={"dx_threshold": 0.0})
    at, above = (evaluated("S3", DISCOUNT | {"price": price}, config=cheap) for price in (100.0, 100.1))

    assert (at["buy_flag"], above["buy_flag"]) == (True, False)
    assert explain_gates(above["gate_mask"])["discounted"]


@pytest.mark.parametrize("case", ["buy_flag in S3", "first_dip_buy_flag"])
def test_a_bootstrapped_s3_does_not_buy(case):
    state, values, flag = OPEN[case]
    row = evaluated(state, values, bootstrapped=True)

    assert (row["bootstrapped"], row[flag]) == (True, False)
    assert not explain_gates(row["gate_mask"])["not_bootstrapped"]


def test_a_bootstrapped_s3_still_trims():
    assert evaluated("S3", TRIM_S3, bootstrapped=True)["trim_flag"]


def test_the_flag_of_being_bootstrapped_ends_with_the_episode():
    assert not evaluated("S3", BEARISH_EMAS | {"price": 90.0}, bootstrapped=True)["bootstrapped"]
    assert not evaluated("S2", BULLISH_EMAS | {"price": 110.0})["bootstrapped"]
    assert evaluated("S4", BULLISH_EMAS | {"price": 110.0})["bootstrapped"]


@pytest.mark.parametrize(
    ("before", "values", "now"),
    [
        ("S1", RETEST, "S2"),
        ("S1", TRIM_S2, "S2"),
        ("S2", {"price": 100.9, **MIXED_EMAS, "ema60_slope": 1e-4, **RISING}, "S1"),
    ],
)
def test_a_flip_between_s1_and_s2_raises_no_flag_on_its_bar(before, values, now):
    flipped, settled = evaluated(before, values), evaluated(now, values)

    flags = ("buy_signal", "buy_flag", "trim_flag")
    assert flipped["state"] == now
    assert not any(flipped[flag] for flag in flags)
    assert any(settled[flag] for flag in flags)


def test_flags_are_raised_on_the_bar_that_enters_s1_and_s3():
    recovering = BUY_SIGNAL | {"ema20": 101.0, "ema30": 101.0}

    assert evaluated("S0", recovering)["buy_signal"]
    assert evaluated("S2", FIRST_DIP)["first_dip_buy_flag"]
    assert evaluated("S2", TRIM_S3)["trim_flag"]


@pytest.mark.parametrize(
    ("price", "bars", "up"), [(105.5, 6, True), (105.5, 7, False), (103.5, 12, True), (103.5, 13, False)]
)
def test_the_first_dip_reaches_the_fast_emas_in_six_bars_and_ema60_in_twelve(price, bars, up):
    row = evaluated("S3", FIRST_DIP | {"price": price}, s3_bars=bars)

    assert (row["bars_since_s3"], row["first_dip_buy_flag"]) == (bars, up)


def test_the_first_dip_stays_up_until_its_consumer_acknowledges():
    assert [evaluated("S3", FIRST_DIP, s3_bars=bars)["first_dip_buy_flag"] for bars in (1, 2, 3)] == [True] * 3


def test_a_level_near_the_anchor_lifts_the_trend_strength_over_its_gate():
    weak = RETEST | {"rsi_slope_10": 0.0, "adx_slope_10": 0.0}
    row = evaluated("S2", weak, levels=level(101.5))

    assert (row["ts"], row["sr_boost"], row["ts_with_boost"]) == pytest.approx((0.5, 0.1875, 0.6875))
    assert row["buy_flag"]
    assert not evaluated("S2", weak)["buy_flag"]


def test_the_boost_is_anchored_on_ema60_in_s1_and_on_ema333_in_s3():
    assert evaluated("S1", BUY_SIGNAL, levels=level(100.0))["sr_boost"] == pytest.approx(0.25)
    assert evaluated("S3", TRIM_S3, levels=level(95.0))["sr_boost"] == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("levels", "required", "up"),
    [
        (None, False, True),
        (None, True, False),
        (level(114.0), False, True),
        (level(114.1), False, False),
        (level(114.0), True, True),
    ],
)
def test_a_trim_needs_a_level_within_one_atr_where_there_are_levels(levels, required, up):
    config = UptrendConfig(trim_requires_sr=required)

    assert evaluated("S3", TRIM_S3, levels=levels, config=config)["trim_flag"] is up


def test_levels_of_another_series_count_for_nothing():
    other = level(95.0).with_columns(token=pl.lit("b"))

    assert evaluated("S3", TRIM_S3, levels=other)["sr_boost"] == 0.0


@pytest.mark.parametrize("before", ["S1", "S2", "S3"])
def test_a_fall_to_s0_is_an_exit_with_its_reason(before):
    row = evaluated(before, BEARISH_EMAS | {"price": 90.0})

    assert (row["state"], row["exit_position"], row["exit_reason"]) == ("S0", True, row["transition_reason"])
    assert row["emergency_exit"] is (before == "S1")


@pytest.mark.parametrize("before", ["S0", "S4"])
def test_an_s0_that_was_not_held_is_no_exit(before):
    row = evaluated(before, BEARISH_EMAS | {"price": 90.0})

    assert (row["state"], row["exit_position"], row["exit_reason"]) == ("S0", False, None)


@pytest.mark.parametrize(("price", "up"), [(94.9, True), (95.0, False), (95.1, False)])
def test_the_emergency_in_s3_lasts_while_price_is_below_ema333(price, up):
    row = evaluated("S3", BULLISH_EMAS | {"price": price}, emergency=True)

    assert (row["state"], row["emergency_exit"], row["reclaimed_ema333"]) == ("S3", up, not up)


def test_ema333_is_reclaimed_only_after_an_emergency():
    assert not evaluated("S3", BULLISH_EMAS | {"price": 96.0})["reclaimed_ema333"]


@pytest.mark.parametrize("state", ["S0", "S4"])
def test_s0_and_s4_raise_nothing_and_ask_no_gate(state):
    row = evaluated(state, MIXED_EMAS | {"price": 99.9} | RISING)
    flags = ("buy_signal", "buy_flag", "first_dip_buy_flag", "trim_flag", "emergency_exit", "exit_position")

    assert (row["state"], row["gate_mask"]) == (state, 0)
    assert not any(row[flag] for flag in flags)


def test_every_gate_serves_a_flag_and_has_its_own_bit():
    served = BUY_SIGNAL_GATES | RETEST_BUY_GATES | DISCOUNT_BUY_GATES | FIRST_DIP_GATES | TRIM_GATES

    assert served == (1 << len(GATES)) - 1
    assert list(explain_gates(served).values()) == [True] * len(set(GATES))


@pytest.mark.parametrize("mask", [-1, 1 << len(GATES)])
def test_a_mask_with_an_unknown_bit_is_refused(mask):
    with pytest.raises(ValueError, match="gate mask"):
        explain_gates(mask)
