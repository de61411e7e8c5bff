"""Strength and gates without some overrides: by hand, and as the check that decided would have it."""

import dataclasses
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.config.plan import PlanConfig, TuningBoundsConfig
from domain.config.uptrend import UptrendConfig
from domain.portfolio.buy_check import GATE_LEVER, GateTuning, check_buy
from domain.portfolio.gate import Gate, GateReading, fact, measured
from domain.portfolio.override_row import OverrideLever
from domain.portfolio.override_set import compile_overrides
from domain.portfolio.pm_strength import pm_strengths
from domain.portfolio.what_if_lever import (
    AppliedOverride,
    blend_without,
    is_told_again,
    passes,
    retuned_threshold,
    stays_open,
)
from domain.vocabulary.uptrend import UptrendState
from tests.domain.portfolio.override_rows import HERE, NOW, WEIGHTS, buy, override_row
from tests.domain.portfolio.token_bars import token_bar

S1_BAR, S2_BAR, S3_BAR = (token_bar(state) for state in ("S1", "S2", "S3"))
UPTREND, BOUNDS = UptrendConfig(), TuningBoundsConfig()
RULES = {"uptrend": UPTREND, "bounds": BOUNDS}
LEVER = OverrideLever.PM_STRENGTH


def applied(lesson: str, multiplier: float, *, weight: float = 0.5) -> AppliedOverride:
    return AppliedOverride(lesson_id=lesson, lever=LEVER, multiplier=multiplier, confidence=weight, mask_weight=1.0)


def test_what_is_left_is_blended_as_if_the_other_had_never_been():
    rows = [override_row(1, multiplier=1.5), override_row(2, HERE, multiplier=0.7, confidence=0.9)]
    both, one = (
        pm_strengths(compile_overrides(some, NOW), [buy()], as_of=NOW, weights=WEIGHTS).strength(0)
        for some in (rows, rows[:1])
    )
    stored = [
        AppliedOverride(
            lesson_id=each.lesson_id,
            lever=LEVER,
            multiplier=each.multiplier,
            confidence=each.confidence,
            mask_weight=each.mask_weight,
        )
        for each in both.matched
    ]

    assert blend_without(stored) == both.multiplier
    assert blend_without(stored, {("lesson-2", LEVER)}) == one.multiplier
    assert blend_without(stored, {("lesson-1", LEVER), ("lesson-2", LEVER)}) == 1.0


def test_an_override_is_left_out_of_its_own_lever_only():
    assert blend_without([applied("a", 2.0)], {("a", OverrideLever.HALO_MULT)}) == 2.0


def test_by_hand_a_double_and_a_half_of_a_third_of_the_weight():
    blend = blend_without(
        [applied("a", 2.0, weight=0.75), applied("b", 0.5, weight=0.25), applied("c", 3.0)], {("c", LEVER)}
    )

    assert blend == pytest.approx(math.sqrt(2.0))


def strong(value: float, threshold: float) -> GateReading:
    return measured(Gate.TREND_STRENGTH, value=value, threshold_base=0.6, threshold=threshold, passed=True, margin=None)


@pytest.mark.parametrize(("value", "is_open"), [(0.56, False), (0.6, True), (0.7, True)])
def test_an_entry_that_a_loosened_threshold_let_in_would_not_have_been_taken(value, is_open):
    gates = [strong(value, 0.54), fact(Gate.MODE, True)]

    assert stays_open(gates, {OverrideLever.TS_MIN_MULT: 1.0}, **RULES) is is_open


def test_a_distance_must_be_below_its_threshold():
    near = measured(Gate.NEAR_EMA60, value=1.4, threshold_base=1.0, threshold=1.5, passed=True, margin=None)

    assert [passes(near, limit) for limit in (1.5, 1.4, 1.3)] == [True, True, False]


def test_thresholds_stay_within_their_bounds():
    assert retuned_threshold(strong(0.9, 0.6), 3.0, **RULES) == BOUNDS.ts_min_high
    assert retuned_threshold(strong(0.9, 0.6), 0.3, **RULES) == BOUNDS.ts_min_low


def test_a_discount_that_was_cut_at_zero_tells_nothing_of_another_multiplier():
    cut = measured(Gate.DISCOUNTED, value=0.2, threshold_base=0.0, threshold=0.0, passed=True, margin=None)

    assert retuned_threshold(cut, 1.1, **RULES) is None
    assert stays_open([cut], {OverrideLever.DX_MIN_MULT: 1.1}, **RULES) is None
    assert stays_open([cut], {OverrideLever.DX_MIN_MULT: 1.0}, **RULES) is True


def test_one_shut_gate_is_enough_whatever_another_cannot_say():
    cut = measured(Gate.DISCOUNTED, value=0.2, threshold_base=0.0, threshold=0.0, passed=True, margin=None)
    multipliers = {OverrideLever.DX_MIN_MULT: 1.1, OverrideLever.TS_MIN_MULT: 1.2}

    assert stays_open([cut, strong(0.61, 0.6)], multipliers, **RULES) is False


def test_a_gate_that_no_lever_moves_is_refused():
    with pytest.raises(ValueError, match="No lever moves"):
        retuned_threshold(fact(Gate.MODE, True), 1.0, **RULES)


TUNINGS = st.builds(
    GateTuning, ts_min_mult=st.floats(0.3, 3.0), halo_mult=st.floats(0.3, 3.0), dx_min_mult=st.floats(0.3, 3.0)
)


@given(st.sampled_from([S1_BAR, S2_BAR, S3_BAR]), TUNINGS, TUNINGS)
def test_a_check_tuned_otherwise_is_told_from_the_stored_gates_alone(bar, stored, wanted):
    was, then = (check_buy(bar, uptrend=UPTREND, config=PlanConfig(), tuning=each) for each in (stored, wanted))

    for before, after in zip(was, then, strict=True):
        if before.name in GATE_LEVER:
            lever = GATE_LEVER[before.name].value
            threshold = retuned_threshold(before, getattr(wanted, lever), **RULES)
            assert threshold == pytest.approx(after.threshold, abs=1e-12)
            assert is_told_again(before, getattr(stored, lever), **RULES)
            assert passes(dataclasses.replace(before, threshold=None), after.threshold) is after.passed


def test_the_bars_of_these_checks_ask_every_gate_that_can_be_tuned():
    asked = {
        gate.name for bar in (S1_BAR, S2_BAR, S3_BAR) for gate in check_buy(bar, uptrend=UPTREND, config=PlanConfig())
    }

    assert set(GATE_LEVER) <= asked
    assert {bar.state for bar in (S1_BAR, S2_BAR, S3_BAR)} == {UptrendState.S1, UptrendState.S2, UptrendState.S3}
