"""Swings of the zigzag on hand-made closes."""

from itertools import pairwise

import numpy as np
import pytest

from domain.regime.zigzag import zigzag_pivots


def pivots_of(close, *, atr=1.0, wick=0.0, first=0, stop=None) -> list[int]:
    close = np.asarray(close, dtype=np.float64)
    out = np.empty(close.size, np.int64)
    stop = close.size if stop is None else stop
    count = zigzag_pivots(close, close + wick, close - wick, np.full(close.size, atr), first, stop, out)
    return out[:count].tolist()


def legs(*turns, step=1.0) -> list[float]:
    """Straight legs through the turning prices."""
    parts = [np.arange(a, b, np.sign(b - a) * step) for a, b in pairwise(turns)]
    return np.concatenate([*parts, [turns[-1]]]).tolist()


def test_straight_legs_turn_at_their_ends():
    assert pivots_of(legs(100, 110, 104, 116, 108)) == [0, 10, 16, 28]


def test_a_monotone_series_has_its_start_only_until_the_end_is_old_enough():
    assert pivots_of(legs(100, 110)) == [0]
    assert pivots_of([*legs(100, 110), 109.9, 109.9, 109.9]) == [0, 10]


def test_the_mirror_image_turns_at_the_same_bars():
    close = 100.0 + np.cumsum(np.random.default_rng(3).normal(size=400))

    assert pivots_of(close + 500.0, wick=0.3) == pivots_of(700.0 - close, wick=0.3)
    assert len(pivots_of(close + 500.0, wick=0.3)) > 10


def test_a_reversal_needs_an_extreme_three_bars_old():
    up = legs(100, 110)

    assert pivots_of([*up, 105.0, 105.0])[1:] == []
    assert pivots_of([*up, 105.0, 105.0, 105.0])[1:] == [10]


def test_a_reversal_needs_a_leg_of_four_bars():
    assert pivots_of([100.0, 102.0, 104.0, 106.0, 100.0, 100.0, 100.0, 100.0]) == [0]
    assert pivots_of([100.0, 102.0, 104.0, 106.0, 108.0, 100.0, 100.0, 100.0]) == [0, 4]


def test_a_wick_reverses_a_quarter_atr_before_the_close_does():
    close = [*legs(100, 110), 109.1, 109.1, 109.1, 110.5, 111.0]  # comes back .9, then goes on

    assert pivots_of(close, wick=0.04) == [0]
    assert pivots_of(close, wick=0.06)[:2] == [0, 10]


def test_a_new_leg_starts_from_the_bar_that_declared_it():
    close = [*legs(100, 110), 109.9, 109.9, 109.9, 105.0, 106.0, 107.0, 108.0, 109.0]

    assert pivots_of(close)[:3] == [0, 10, 14]


def test_what_happened_before_a_direction_existed_is_forgotten():
    before = [100.0, 101.0, 101.1, 101.1, 99.0]  # goes up less than 1.2 ATR, then down 1 + .2

    assert pivots_of([*before, 98.7, 98.0, 97.0, 96.0, 97.5, 97.5, 98.5, 98.5])[:2] == [0, 8]


@pytest.mark.parametrize("atr", [0.0, -1.0, np.nan])
def test_without_an_atr_nothing_swings(atr):
    assert pivots_of(legs(100, 110, 104, 116), atr=atr) == []


def test_a_quiet_series_needs_a_larger_move():
    assert pivots_of(legs(100, 101.3, step=0.1)) == [0]
    assert pivots_of(legs(1000, 1001.3, step=0.1)) == []
    assert pivots_of(legs(1000, 1001.5, step=0.1)) == [0]


def test_bars_outside_the_window_are_not_read():
    close = legs(100, 110, 104, 116, 108)
    poisoned = [np.nan] * 5 + close + [np.nan] * 5

    assert pivots_of(poisoned, first=5, stop=5 + len(close)) == [5 + i for i in pivots_of(close)]
