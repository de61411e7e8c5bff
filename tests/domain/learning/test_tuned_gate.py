"""Gates under another multiplier: the same as the buy check would have said, and in the direction that is named."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.config.plan import PlanConfig
from domain.config.tuning import TuningConfig
from domain.config.uptrend import UptrendConfig
from domain.learning.tuned_gate import Direction, bearings, tuned_gates
from domain.portfolio.buy_check import GateTuning, check_buy
from domain.portfolio.gate import Gate
from domain.portfolio.override_row import OverrideLever
from domain.scopes.pattern_key import TuningFamily
from domain.vocabulary.uptrend import StateStatus, UptrendState
from tests.domain.learning.tuned_episodes import S3, episode, gate_of
from tests.domain.portfolio.token_bars import any_bar, token_bar

UPTREND, PLAN, CONFIG = UptrendConfig(), PlanConfig(), TuningConfig()
STATE = {TuningFamily.S1_ENTRY: "S1", TuningFamily.S3_RETEST: "S3"}
GATES = tuned_gates(PLAN, UPTREND)
multipliers = st.floats(0.4, 2.5)


def checked(gate, bar, multiplier: float):
    tuning = GateTuning(**{gate.lever.value: multiplier})
    return next(each for each in check_buy(bar, uptrend=UPTREND, config=PLAN, tuning=tuning) if each.name is gate.gate)


@pytest.mark.parametrize("gate", GATES, ids=lambda gate: f"{gate.family}-{gate.gate}")
@given(bar=any_bar(), was=multipliers, now=multipliers)
def test_a_reading_under_another_multiplier_is_what_the_buy_check_would_have_read(gate, bar, was, now):
    bar = replace(bar, state=UptrendState(STATE[gate.family]), status=StateStatus.OK)
    stored, wanted = checked(gate, bar, was), checked(gate, bar, now)

    margin = gate.margin(stored, now)

    if wanted.margin is None or margin is None:
        assert stored.value is None or wanted.margin is None or stored.threshold_base <= 0
    elif abs(wanted.margin) > 1e-9:
        assert margin == pytest.approx(wanted.margin, abs=1e-9)
        assert (margin >= 0) is wanted.passed


def test_the_bars_of_that_test_do_reach_every_gate():
    for gate in GATES:
        read = checked(gate, token_bar(STATE[gate.family]), 1.1)
        assert gate.margin(read, 0.9) == pytest.approx(
            checked(gate, token_bar(STATE[gate.family]), 0.9).margin, abs=1e-9
        )
        assert gate.margin(read, 0.9) != read.margin


@pytest.mark.parametrize(
    ("gate", "loosened", "tightened"),
    [
        (gate_of(), 0.95, 1.05),
        (gate_of(Gate.DISCOUNTED, S3), 0.95, 1.05),
        (gate_of(Gate.NEAR_EMA60), 1.05, 0.95),
    ],
    ids=["ts", "dx", "halo"],
)
def test_a_floor_is_loosened_downwards_and_a_halo_upwards(gate, loosened, tightened):
    assert gate.stepped(1.0, Direction.LOOSEN, CONFIG) == pytest.approx(loosened)
    assert gate.stepped(1.0, Direction.TIGHTEN, CONFIG) == pytest.approx(tightened)


@pytest.mark.parametrize("gate", GATES, ids=lambda gate: f"{gate.family}-{gate.gate}")
def test_what_a_gate_lets_in_it_lets_in_after_it_is_loosened_too(gate):
    bars = [token_bar(STATE[gate.family], ts_with_boost=ts, dx=ts) for ts in (0.45, 0.58, 0.6, 0.62)]
    looser = gate.stepped(1.0, Direction.LOOSEN, CONFIG)

    for bar in bars:
        read = checked(gate, bar, 1.0)
        assert gate.margin(read, looser) > gate.margin(read, 1.0)


def test_a_step_up_after_a_step_down_is_where_it_began():
    gate = gate_of()

    assert gate.stepped(gate.stepped(1.0, Direction.LOOSEN, CONFIG), Direction.TIGHTEN, CONFIG) == 1.0


@pytest.mark.parametrize(
    ("gate", "lowest", "highest"),
    [(gate_of(), 0.45, 0.75), (gate_of(Gate.NEAR_EMA60), 0.5, 2.0), (gate_of(Gate.DISCOUNTED, S3), 0.45, 0.75)],
    ids=["ts", "halo", "dx"],
)
@given(steps=st.lists(st.sampled_from(Direction), max_size=60))
def test_no_row_of_steps_takes_a_threshold_beyond_its_bounds(gate, lowest, highest, steps):
    multiplier = 1.0
    for direction in steps:
        multiplier = gate.stepped(multiplier, direction, CONFIG)
        assert lowest - 1e-12 <= gate.base * multiplier <= highest + 1e-12
        assert gate.threshold(multiplier) == pytest.approx(gate.base * multiplier, rel=1e-12)


def test_a_threshold_configured_as_zero_cannot_be_tuned():
    gates = tuned_gates(PLAN, UptrendConfig(ts_min=0.0))

    assert {gate.lever for gate in gates} == {OverrideLever.HALO_MULT, OverrideLever.DX_MIN_MULT}


def test_only_what_the_gate_alone_decides_bears_on_it():
    gate = gate_of()
    alone = [episode("kept out", 0.55), episode("bought", 0.62)]
    others = [episode("two shut", 0.55, is_open=False), episode("shut by another", 0.65, halo=1.4)]

    found = bearings(gate, [*alone, *others], 1.0)

    assert [each.episode for each in found] == alone
    assert [each.is_let_in for each in found] == [False, True]


def test_under_a_lower_floor_what_it_kept_out_is_let_in():
    (found,) = bearings(gate_of(), [episode("kept out", 0.58)], 0.95)

    assert found.is_let_in
    assert found.margin == pytest.approx((0.58 - 0.57) / 0.10)
