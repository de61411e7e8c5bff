"""The buy check is the engine's rule where nothing was learned, and moves within its bounds where something was."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.config.plan import PlanConfig, TuningBoundsConfig
from domain.config.uptrend import UptrendConfig
from domain.portfolio.buy_check import GATE_LEVER, GateTuning, check_buy, discount_threshold, tuned_threshold
from domain.portfolio.gate import Gate, blocking_gates, is_open
from domain.portfolio.token_bar import TokenBar
from domain.vocabulary.uptrend import UptrendFlag, UptrendState
from tests.domain.portfolio.token_bars import any_bar, simulated, token_bar

UPTREND, PLAN = UptrendConfig(), PlanConfig()
BUY_STATES = ["S1", "S2", "S3"]


def check(bar: TokenBar, **mults: float) -> tuple:
    return check_buy(bar, uptrend=UPTREND, config=PLAN, tuning=GateTuning(**mults))


def reading(bar: TokenBar, gate: str, **mults: float):
    return next(each for each in check(bar, **mults) if each.name == gate)


def is_flagged(bar: TokenBar) -> bool:
    return bool({UptrendFlag.BUY_SIGNAL, UptrendFlag.BUY_FLAG} & bar.flags)


def agreement(config: UptrendConfig, seeds: range) -> tuple[int, int]:
    """Flags of simulated bars, and bars on which the check says otherwise."""
    bars = [bar for seed in seeds for bar in simulated(seed, config=config)]
    wrong = [bar for bar in bars if is_open(check_buy(bar, uptrend=config, config=PLAN)) != is_flagged(bar)]
    return sum(map(is_flagged, bars)), len(wrong)


def test_untuned_the_check_agrees_with_the_engine_on_every_bar():
    flags, wrong = agreement(UPTREND, range(12))

    assert flags > 50
    assert wrong == 0


@pytest.mark.parametrize(
    "changed",
    [{"ts_min": 0.30, "entry_halo_atr": 0.4}, {"ts_min": 0.45, "dx_threshold": 0.20, "retest_halo_atr": 2.5}],
)
def test_it_agrees_under_another_configuration_too_even_beyond_the_bounds_of_tuning(changed):
    flags, wrong = agreement(UptrendConfig(**changed), range(4))

    assert flags > 80
    assert wrong == 0


def test_each_state_with_a_rule_is_among_what_agrees():
    flagged = {bar.state for seed in range(12) for bar in simulated(seed) if is_flagged(bar)}

    assert flagged == {UptrendState.S1, UptrendState.S2, UptrendState.S3}


@pytest.mark.parametrize("state", BUY_STATES)
def test_the_bars_of_these_tests_pass_every_gate(state):
    assert blocking_gates(check(token_bar(state))) == ()
    assert is_open(check(token_bar(state)))


SHUT = [
    ("S1", {"close_usd": 102.1}, Gate.NEAR_EMA60),
    ("S1", {"ema60_slope": 0.0, "ema144_slope": -1e-9}, Gate.MID_SLOPE_RISING),
    ("S1", {"ts_with_boost": math.nextafter(0.6, 0)}, Gate.TREND_STRENGTH),
    ("S1", {"prev_state": UptrendState.S2}, Gate.NOT_ON_A_FLIP),
    ("S2", {"close_usd": 102.1}, Gate.NEAR_EMA333),
    ("S2", {"ema250_slope": 0.0, "ema333_slope": -1e-9}, Gate.SLOW_SLOPE_RISING),
    ("S2", {"prev_state": UptrendState.S1}, Gate.NOT_ON_A_FLIP),
    ("S3", {"dx": 0.5}, Gate.DISCOUNTED),
    ("S3", {"close_usd": 100.1, "dx": 0.9}, Gate.AT_OR_BELOW_EMA144),
    ("S3", {"close_usd": 94.9}, Gate.AT_OR_ABOVE_EMA333),
    ("S3", {"ema250_slope": 0.0, "ema333_slope": -1e-9}, Gate.SLOW_SLOPE_RISING),
    ("S3", {"ts_with_boost": 0.59}, Gate.TREND_STRENGTH),
    ("S3", {"bootstrapped": True}, Gate.NOT_BOOTSTRAPPED),
]


@pytest.mark.parametrize(("state", "changed", "gate"), SHUT)
def test_one_shut_gate_is_named_and_closes_the_check(state, changed, gate):
    assert blocking_gates(check(token_bar(state, **changed))) == (gate,)


@pytest.mark.parametrize("state", BUY_STATES)
def test_the_slower_ema_need_not_rise_only_not_fall(state):
    flat = dict.fromkeys(("ema60_slope", "ema144_slope", "ema250_slope", "ema333_slope"), 0.0)

    assert is_open(check(token_bar(state, **flat)))


@pytest.mark.parametrize(
    ("state", "edge"),
    [
        ("S1", {"close_usd": 102.0}),
        ("S2", {"close_usd": 102.0}),
        ("S3", {"close_usd": 100.0}),
        ("S1", {"ts_with_boost": 0.6}),
    ],
)
def test_on_its_threshold_a_gate_is_open(state, edge):
    assert is_open(check(token_bar(state, **edge)))


@pytest.mark.parametrize(
    ("state", "name"),
    [
        *[("S1", name) for name in ("ema60", "atr", "ema60_slope", "ema144_slope", "ts_with_boost")],
        *[("S2", name) for name in ("ema333", "atr", "ema250_slope", "ema333_slope", "ts_with_boost")],
        *[("S3", name) for name in ("ema144", "ema333", "dx", "edx", "ema250_slope", "ts_with_boost")],
    ],
)
def test_a_missing_value_shuts_its_gate_and_says_so(state, name):
    shut = [gate for gate in check(token_bar(state, **{name: None}), halo_mult=3.0, ts_min_mult=0.1) if not gate.passed]

    assert shut
    assert all(gate.value is None and gate.margin is None and "missing" in gate.detail for gate in shut)


@pytest.mark.parametrize("state", ["S0", "S4"])
def test_states_without_a_buy_rule_have_no_gates_and_no_buy(state):
    assert check(token_bar(state, close_usd=100.0)) == ()
    assert not is_open(())


def test_margins_are_in_units_of_the_gates_scale():
    bar = token_bar("S1", close_usd=101.0, ts_with_boost=0.65, ema60_slope=1e-4)

    assert reading(bar, "near_ema60").value == 0.5
    assert reading(bar, "near_ema60").margin == pytest.approx((1.0 - 0.5) / 0.20)
    assert reading(bar, "trend_strength").margin == pytest.approx((0.65 - 0.60) / 0.10)
    assert reading(bar, "mid_slope_rising").margin == pytest.approx(1e-4 / 0.0005)


@given(any_bar(), st.floats(0.3, 3), st.floats(0.3, 3), st.floats(0.3, 3))
def test_the_sign_of_a_margin_is_the_verdict(bar, ts, halo, dx):
    for gate in check(bar, ts_min_mult=ts, halo_mult=halo, dx_min_mult=dx):
        if gate.margin is not None:
            assert math.isfinite(gate.margin)
            assert (gate.margin >= 0) is gate.passed


@pytest.mark.parametrize(
    ("edx", "close", "expected"),
    [
        (0.4, 95.0, 0.60 - 0.10),
        (0.4, 100.0, 0.60 + 0.05),
        (0.4, 97.5, 0.60 - 0.025),
        (0.6, 95.0, 0.60 + 0.05 - 0.10),
        (0.699999, 95.0, 0.60 + 0.0999995 - 0.10),
        (0.7, 95.0, 0.60 + 0.15 - 0.10),
    ],
)
def test_the_discount_needed_grows_with_decay_and_falls_towards_ema333(edx, close, expected):
    assert discount_threshold(token_bar("S3", edx=edx, close_usd=close), 0.60) == pytest.approx(expected)


def test_a_hallway_without_width_moves_no_threshold():
    assert discount_threshold(token_bar("S3", ema144=95.2, ema333=95.2), 0.60) == pytest.approx(0.60)


def test_looser_thresholds_buy_where_the_engine_does_not():
    weak, far = token_bar("S1", ts_with_boost=0.55), token_bar("S1", close_usd=102.2)
    dear = token_bar("S3", dx=0.5)

    assert (is_open(check(weak)), is_open(check(weak, ts_min_mult=0.9))) == (False, True)
    assert (is_open(check(far)), is_open(check(far, halo_mult=1.2))) == (False, True)
    assert (is_open(check(dear)), is_open(check(dear, dx_min_mult=0.9))) == (False, True)


def test_tighter_thresholds_refuse_what_the_engine_flags():
    bar, cheap = token_bar("S1", "buy_signal", ts_with_boost=0.62), token_bar("S3", "buy_flag", dx=0.52)

    assert is_open(check(bar))
    assert blocking_gates(check(bar, ts_min_mult=1.1)) == (Gate.TREND_STRENGTH,)
    assert blocking_gates(check(token_bar("S1", close_usd=101.7), halo_mult=0.8)) == (Gate.NEAR_EMA60,)
    assert is_open(check(cheap))
    assert blocking_gates(check(cheap, dx_min_mult=1.1)) == (Gate.DISCOUNTED,)


@pytest.mark.parametrize(
    ("state", "gate", "lever", "low", "high"),
    [
        ("S1", "trend_strength", "ts_min_mult", 0.45, 0.75),
        ("S1", "near_ema60", "halo_mult", 0.5, 2.0),
        ("S2", "near_ema333", "halo_mult", 0.5, 2.0),
        ("S3", "trend_strength", "ts_min_mult", 0.45, 0.75),
    ],
)
def test_however_far_learning_goes_a_threshold_stays_within_its_bounds(state, gate, lever, low, high):
    bar = token_bar(state)
    base = reading(bar, gate).threshold_base

    assert reading(bar, gate, **{lever: 1e-3}).threshold == low
    assert reading(bar, gate, **{lever: 1e3}).threshold == high
    assert reading(bar, gate, **{lever: 1e3}).threshold_base == base == reading(bar, gate).threshold


def test_the_bounds_of_the_discount_hold_before_decay_and_position_move_it():
    bar = token_bar("S3", close_usd=97.5)

    assert reading(bar, "discounted", dx_min_mult=1e-3).threshold == pytest.approx(0.45 - 0.025)
    assert reading(bar, "discounted", dx_min_mult=1e3).threshold == pytest.approx(0.75 - 0.025)
    assert reading(bar, "discounted", dx_min_mult=1e3).threshold_base == pytest.approx(0.60 - 0.025)


@given(st.floats(0.01, 2), st.floats(0.01, 100), st.floats(0.01, 1), st.floats(0, 1))
def test_a_neutral_multiplier_moves_nothing_and_a_larger_one_never_lowers(base, mult, low, width):
    bounds = {"low": low, "high": low + width}

    assert tuned_threshold(base, 1.0, **bounds) == base
    assert tuned_threshold(base, mult, **bounds) <= tuned_threshold(base, mult * 2, **bounds)
    assert min(low, base) <= tuned_threshold(base, mult, **bounds) <= max(low + width, base)


near_its_thresholds = st.builds(
    lambda state, ts, dx, move: token_bar(state, ts_with_boost=ts, dx=dx, close_usd=101.2 if state != "S3" else move),
    st.sampled_from(BUY_STATES),
    st.floats(0.55, 0.80),
    st.floats(0.40, 0.90),
    st.floats(95, 100),
)


@given(near_its_thresholds, st.floats(0.3, 1), st.floats(1, 3), st.floats(0.3, 1))
def test_loosening_never_shuts_a_gate_nor_tightening_opens_one(bar, ts, halo, dx):
    loose = check(bar, ts_min_mult=ts, halo_mult=halo, dx_min_mult=dx)
    tight = check(bar, ts_min_mult=1 / ts, halo_mult=1 / halo, dx_min_mult=1 / dx)

    for tighter, base, looser in zip(tight, check(bar), loose, strict=True):
        assert tighter.passed <= base.passed <= looser.passed


def test_other_bounds_are_obeyed():
    config = PlanConfig(tuning_bounds=TuningBoundsConfig(ts_min_low=0.58))
    gates = check_buy(token_bar("S1"), uptrend=UPTREND, config=config, tuning=GateTuning(ts_min_mult=0.5))

    assert {gate.name: gate.threshold for gate in gates}[Gate.TREND_STRENGTH] == 0.58


def test_only_gates_of_buy_rules_are_tuned():
    asked = {gate.name for state in BUY_STATES for gate in check(token_bar(state))}

    assert set(GATE_LEVER) <= asked


@pytest.mark.parametrize("wrong", [0.0, -1.0, math.nan, math.inf])
def test_what_is_no_multiplier_is_refused(wrong):
    with pytest.raises(ValueError, match="finite and > 0"):
        GateTuning(ts_min_mult=wrong)


def test_a_flat_series_is_near_its_ema_only_on_it():
    on_it, beside = token_bar("S1", atr=0.0, close_usd=100.0), token_bar("S1", atr=0.0)

    assert reading(on_it, "near_ema60").passed
    assert not reading(beside, "near_ema60").passed
    assert "ATR" in reading(beside, "near_ema60").detail
