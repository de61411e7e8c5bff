"""Overrides that disagree are both shown, with the rule by which both are obeyed."""

import pytest

from domain.portfolio.override_contradiction import Contradiction, Precedence, contradictions
from domain.portfolio.override_row import OverrideLever
from domain.portfolio.override_set import compile_overrides
from domain.portfolio.pm_strength import pm_strengths
from tests.domain.portfolio.override_rows import NOW, WEIGHTS, D, buy, override_row

L = OverrideLever


def found_in(*rows) -> tuple[Contradiction, ...]:
    panel = pm_strengths(compile_overrides(rows, NOW), [buy()], as_of=NOW, weights=WEIGHTS)
    return contradictions({lever: panel.strength(0, lever) for lever in L})


@pytest.mark.parametrize(
    ("lever", "tighter", "looser"), [("ts_min_mult", 1.1, 0.9), ("halo_mult", 0.8, 1.2), ("dx_min_mult", 1.1, 0.9)]
)
def test_more_size_behind_a_tighter_gate_is_a_contradiction_in_which_the_gate_comes_first(lever, tighter, looser):
    larger, smaller = override_row(1, multiplier=1.5), override_row(1, multiplier=0.7)
    gate = override_row(2, lever=lever, multiplier=tighter)

    (found,) = found_in(larger, gate)
    assert (found.more, found.less, found.more_ids, found.less_ids) == (L.PM_STRENGTH, L(lever), (1,), (2,))
    assert found.precedence is Precedence.GATES_FIRST
    (found,) = found_in(smaller, gate | {"multiplier": looser})
    assert (found.more, found.less) == (L(lever), L.PM_STRENGTH)
    assert found_in(smaller, gate) == found_in(larger, gate | {"multiplier": looser}) == ()


def test_two_gates_that_disagree_must_both_be_passed():
    (found,) = found_in(
        override_row(1, lever="ts_min_mult", multiplier=0.9), override_row(2, lever="halo_mult", multiplier=0.8)
    )

    assert (found.more, found.less, found.precedence) == (L.TS_MIN_MULT, L.HALO_MULT, Precedence.EVERY_GATE)


def test_one_lever_pulled_both_ways_is_blended_and_says_by_whom():
    (found,) = found_in(override_row(1, multiplier=2.0), override_row(2, {D.CHAIN: "solana"}, multiplier=0.5))

    assert (found.more_ids, found.less_ids, found.precedence) == ((1,), (2,), Precedence.BLENDED)
    assert found.more is found.less is L.PM_STRENGTH


def test_a_neutral_override_contradicts_nobody():
    assert found_in(override_row(1, multiplier=1.0), override_row(2, lever="ts_min_mult", multiplier=1.1)) == ()
    assert found_in() == ()
