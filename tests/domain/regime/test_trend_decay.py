"""Trend decay: its sign, its windows, its parts."""

import math
from itertools import pairwise

import numpy as np
import pytest

from domain.regime.trend_decay import (
    DECAY_WEIGHTS,
    WINDOW_CAP_BARS,
    accelerated,
    compression_decay,
    participation_decay,
    slow_field_decay,
    structure_decay,
    trend_decay,
)
from domain.regime.uptrend_bar import DecayColumns
from domain.regime.uptrend_score import sigmoid
from tests.builders import random_walk, rolling_slope, uptrend_rows

PIVOTS = np.empty(WINDOW_CAP_BARS, np.int64)
NAMES = {"close": "close_usd", "high": "high_usd", "low": "low_usd"}


def decay_columns(close: np.ndarray, **replaced: np.ndarray) -> DecayColumns:
    rows = uptrend_rows(close)
    columns = DecayColumns(*(rows[NAMES.get(name, name)].to_numpy() for name in DecayColumns._fields))
    return columns._replace(**replaced)


def weighted(*parts: float) -> float:
    return sum(weight * part for weight, part in zip(DECAY_WEIGHTS, parts, strict=True))


def parts_of(columns: DecayColumns, first: int, stop: int) -> tuple[float, float, float, float]:
    return (
        slow_field_decay(columns, first, stop),
        structure_decay(columns, first, stop, PIVOTS),
        participation_decay(columns, first, stop),
        compression_decay(columns, first, stop),
    )


def saw(n_bars: int, drift: float, seed: int = 5) -> np.ndarray:
    """Log closes that swing around a line of slope `drift` per bar."""
    noise = np.random.default_rng(seed).normal(0.0, 0.004, n_bars)
    return drift * np.arange(n_bars) + 0.05 * np.sin(np.arange(n_bars) / 6.0) + np.cumsum(noise - noise.mean())


def test_the_weights_sum_to_one():
    assert sum(DECAY_WEIGHTS) == pytest.approx(1.0)
    assert list(DECAY_WEIGHTS) == pytest.approx([0.3529412, 0.2941176, 0.2352941, 0.1176471])


@pytest.mark.parametrize("bars", [40, 200, 480])
def test_a_falling_mirror_image_is_more_decayed_than_the_rise(bars):
    log_price = saw(1000, 0.004)
    rise = trend_decay(decay_columns(100.0 * np.exp(log_price)), 1000 - bars, 999, PIVOTS)
    fall = trend_decay(decay_columns(100.0 * np.exp(-log_price)), 1000 - bars, 999, PIVOTS)

    assert rise < 0.5 < fall
    assert fall - rise > 0.15


@pytest.mark.parametrize("seed", range(8))
def test_every_part_takes_the_side_of_the_trend(seed):
    log_price = saw(400, 0.004, seed)
    rise, fall = (decay_columns(100.0 * np.exp(side * log_price)) for side in (1.0, -1.0))
    # A mean over many bars: the 10-bar slopes inside the parts also follow the swings.
    rising, falling = (np.mean([parts_of(c, 100, stop) for stop in range(300, 400)], axis=0) for c in (rise, fall))

    assert (rising < 0.5).all()
    assert (falling > 0.5).all()


def test_below_ten_bars_there_is_nothing_to_tell():
    columns = decay_columns(random_walk(400, 1))

    assert [trend_decay(columns, 399 - bars + 1, 399, PIVOTS) for bars in (1, 5, 9)] == [0.5, 0.5, 0.5]
    assert trend_decay(columns, 390, 399, PIVOTS) == pytest.approx(weighted(*parts_of(columns, 390, 400)))


def test_below_thirty_bars_one_window_counts():
    columns = decay_columns(random_walk(400, 1))

    assert trend_decay(columns, 371, 399, PIVOTS) == pytest.approx(weighted(*parts_of(columns, 371, 400)))


@pytest.mark.parametrize(("bars", "cuts"), [(30, (0, 10, 20, 30)), (31, (0, 11, 21, 31)), (500, (0, 168, 334, 500))])
def test_thirds_are_disjoint_and_the_oldest_takes_what_is_left(bars, cuts):
    columns = decay_columns(random_walk(600, 2))
    first = 600 - bars
    thirds = [parts_of(columns, first + a, first + b) for a, b in pairwise(cuts)]
    expected = weighted(*(accelerated(*part) for part in zip(*thirds, strict=True)))

    assert trend_decay(columns, first, 599, PIVOTS) == pytest.approx(expected)


def test_only_the_last_five_hundred_bars_count():
    columns = decay_columns(random_walk(900, 3))
    volume_without = {lost: np.where(np.arange(900) == lost, np.nan, columns.volume) for lost in (399, 400)}
    decays = [trend_decay(columns._replace(volume=v), 0, 899, PIVOTS) for v in volume_without.values()]

    assert decays[0] == trend_decay(columns, 400, 899, PIVOTS)
    assert math.isnan(decays[1])


@pytest.mark.parametrize(
    ("thirds", "expected"),
    [((0.2, 0.4, 0.8), 0.56), ((0.6, 0.4, 0.8), 0.68), ((0.4, 0.4, 0.8), 0.68), ((0.2, 0.8, 0.5), 0.5)],
)
def test_decay_that_speeds_up_leans_on_the_newest_third(thirds, expected):
    assert accelerated(*thirds) == pytest.approx(expected)


def test_the_slow_field_is_one_minus_the_strength_of_the_stored_series():
    columns = decay_columns(random_walk(400, 4))
    slopes = (columns.ema250_slope[380:400] + columns.ema333_slope[380:400]) / 2.0
    strength = sigmoid(1000.0 * slopes.mean()) + sigmoid(columns.rsi_slope_10[399] / 5.0)
    strength += sigmoid(columns.adx_slope_10[399] / 2.0)

    assert slow_field_decay(columns, 340, 400) == pytest.approx(1.0 - strength / 3.0)


def test_participation_falls_with_the_volume_weighted_price_of_the_window():
    close, volume = random_walk(60, 5), np.random.default_rng(6).exponential(10.0, 60)
    columns = decay_columns(close, volume=volume)
    avwap = np.cumsum(close[20:] * volume[20:]) / np.cumsum(volume[20:])
    slope = np.polyfit(np.arange(10), avwap[-10:], 1)[0]

    assert participation_decay(columns, 20, 60) == pytest.approx(sigmoid(-1000.0 * slope / avwap[-1]))


def test_without_volume_the_volume_weighted_price_stands_still():
    columns = decay_columns(random_walk(60, 5), volume=np.zeros(60))

    assert participation_decay(columns, 20, 60) == 0.5


def test_compression_reads_the_gaps_to_ema333_and_needs_144_bars():
    columns = decay_columns(random_walk(400, 7))
    gap = ((columns.ema144 + columns.ema250) / 2.0 - columns.ema333) / columns.ema333

    assert compression_decay(columns, 257, 400) == 0.5
    assert compression_decay(columns, 256, 400) == pytest.approx(sigmoid(-100.0 * rolling_slope(gap)[399]))


def test_structure_counts_lower_swings_and_is_a_half_below_four():
    zigzag = np.array([0, 10, 4, 14, 8, 18, 12, 8, 14, 2.0])
    close = 100.0 + np.interp(np.arange(82), np.arange(10) * 9, zigzag)
    columns = decay_columns(close, atr=np.ones(82), high=close, low=close)

    assert structure_decay(columns, 0, 24, PIVOTS) == 0.5
    # lows 0 4 8, highs 10 14 18: all higher; then low 8 and high 14: all that follow are lower or equal
    assert structure_decay(columns, 0, 54, PIVOTS) == 0.0
    assert structure_decay(columns, 0, 82, PIVOTS) > 0.1


def test_equal_swings_are_no_evidence():
    close = 100.0 + np.interp(np.arange(82), np.arange(10) * 9, np.tile([0.0, 10.0], 5))
    columns = decay_columns(close, atr=np.ones(82), high=close, low=close)

    assert structure_decay(columns, 0, 82, PIVOTS) == 0.5


def test_a_missing_input_in_the_window_makes_the_decay_missing():
    columns = decay_columns(random_walk(400, 8))
    volume = np.where(np.arange(400) == 350, np.nan, columns.volume)

    assert math.isnan(trend_decay(columns._replace(volume=volume), 300, 399, PIVOTS))
    assert not math.isnan(trend_decay(columns._replace(volume=volume), 351, 399, PIVOTS))


def test_a_flat_series_is_undecided():
    flat = decay_columns(np.full(700, 3.0), atr=np.zeros(700))

    assert trend_decay(flat, 100, 699, PIVOTS) == pytest.approx(0.5)


def test_bars_after_the_last_are_not_read():
    close = random_walk(500, 9)
    whole, cut = decay_columns(close), decay_columns(close[:450])

    assert trend_decay(whole, 100, 449, PIVOTS) == trend_decay(cut, 100, 449, PIVOTS)
