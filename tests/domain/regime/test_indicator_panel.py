"""Panel of indicators: vectors worked by hand, equality with the definitions, and properties of every column."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.regime.indicator_kernel import CORE_COLUMNS, LANES, PANEL_COLUMNS
from domain.regime.indicator_panel import IndicatorState, indicator_panel, pack_tiles, unpack_tiles
from tests.naive_indicator import SPANS, ema, lin_slope, naive_indicators

PRICE_COLUMNS = {*(f"ema{span}" for span in SPANS), "atr", "atr_mean_20", "atr_peak_10"}
FIRST_BAR = {
    **dict.fromkeys((f"ema{span}_slope" for span in SPANS), 10),
    **dict.fromkeys((f"d_ema{span}_slope" for span in (60, 144, 250, 333)), 20),
    **{"dsep_fast_5": 6, "dsep_mid_5": 6, "atr": 15, "atr_norm": 15, "atr_mean_20": 34, "atr_peak_10": 24},
    **{"rsi": 15, "rsi_slope_10": 24, "adx": 16, "adx_slope_10": 25, "vo_z_cluster": 30},
}


def walk(seed, n_bars, n_series, volatility=0.02, price=1.0):
    """High, low, close, volume of random walks, each of shape (n_bars, n_series)."""
    rng = np.random.default_rng(seed)
    close = price * np.exp(np.cumsum(volatility * rng.standard_t(4, (n_bars, n_series)), axis=0))
    high = close * np.exp(volatility * rng.exponential(0.5, close.shape))
    low = close * np.exp(-volatility * rng.exponential(0.5, close.shape))
    return high, low, close, np.exp(rng.normal(8.0, 1.5, close.shape))


def of_closes(closes):
    """Columns by name of one series whose bars are all close and trade nothing."""
    close = np.asarray(closes, dtype=float)[:, np.newaxis]
    return named(indicator_panel(close, close, close, np.zeros_like(close)))


def named(panel, series=0):
    return {name: panel[i, :, series] for i, name in enumerate(PANEL_COLUMNS)}


def assert_by_definition(bars):
    panel = indicator_panel(*bars)
    for series in range(panel.shape[2]):
        expected = naive_indicators(*(values[:, series] for values in bars))
        for i, name in enumerate(PANEL_COLUMNS):
            floor = 0.0 if name in PRICE_COLUMNS else 1e-12
            floor = 1e-9 if name in {"rsi", "rsi_slope_10", "adx", "adx_slope_10", "vo_z"} else floor
            np.testing.assert_allclose(panel[i, :, series], expected[name], rtol=1e-9, atol=floor, err_msg=name)


def test_ema_is_seeded_with_the_first_value():
    assert ema([1.0, 2, 3, 4, 5], 3) == pytest.approx([1, 1.5, 2.25, 3.125, 4.0625])  # the definition itself

    closes = of_closes([10.0, 31.0])

    assert closes["ema20"].tolist() == [10.0, 12.0]
    assert closes["ema60"][1] == pytest.approx(10 + 21 * 2 / 61)


def test_slope_of_a_ramp_is_the_slope_of_its_ema_over_the_ema():
    assert lin_slope(np.arange(1.0, 11.0)) == pytest.approx(1.0)

    ramp = of_closes(np.arange(100.0, 140.0))

    assert ramp["ema20"][-1] == pytest.approx(129.69167, abs=5e-6)
    assert ramp["ema20_slope"][-1] == pytest.approx(0.0074728, abs=5e-8)
    assert ramp["ema20_slope"][-1] * ramp["ema20"][-1] == pytest.approx(0.969161, abs=5e-7)


def test_rsi_of_one_up_a_half_down_is_two_thirds():
    closes = 100 + np.cumsum(np.tile([1.0, -0.5], 20))

    assert of_closes(closes)["rsi"][-1] == pytest.approx(66.6667, abs=5e-5)


def test_rsi_is_50_when_flat_100_without_losses_and_0_without_gains():
    assert of_closes(np.full(20, 7.0))["rsi"][-1] == 50.0
    assert of_closes(np.geomspace(1.0, 3.0, 20))["rsi"][-1] == 100.0
    assert of_closes(np.geomspace(3.0, 1.0, 20))["rsi"][-1] == 0.0


def test_atr_starts_at_the_mean_of_fourteen_ranges_then_smooths():
    close = np.full((16, 1), 100.0)
    high, low = close + 2.0, close - 2.0
    high[15], low[15] = 104.0, 96.0

    atr = named(indicator_panel(high, low, close, np.zeros_like(close)))["atr"]

    assert np.isnan(atr[:14]).all()
    assert atr[14:] == pytest.approx([4.0, 4.285714], abs=5e-7)


def test_a_flat_series_has_no_slope_no_range_and_no_direction():
    flat = of_closes(np.full(400, 0.3))

    for name in ("ema333_slope", "d_ema333_slope", "sep_fast", "dsep_mid_5", "atr", "adx", "rsi_slope_10", "vo_z"):
        assert flat[name][-1] == 0.0, name
    assert flat["ema333"][-1] == 0.3


def test_adx_of_bars_that_only_rise_is_100():
    assert of_closes(np.arange(1.0, 60.0))["adx"][15:].tolist() == [100.0] * 44


def test_volume_z_of_constant_volume_is_exactly_zero():
    close = np.ones((60, 3))

    scores = indicator_panel(close, close, close, close * [0.0, 1.0, 12345.678])[PANEL_COLUMNS.index("vo_z")]

    assert (scores == 0.0).all()


def test_volume_cluster_needs_three_high_scores_or_a_sum_of_six():
    close = np.ones((200, 2))
    volume = np.full((200, 2), 1000.0)
    volume[100, 0] = 1200.0  # one burst: it scores 5.6, all that follow are negative
    volume[[100, 110], 1] = 1200.0

    cluster = indicator_panel(close, close, close, volume)[PANEL_COLUMNS.index("vo_z_cluster")]

    assert not cluster[29:, 0].any()
    assert cluster[29:, 1].nonzero()[0].tolist() == list(range(110 - 29, 130 - 29))


def test_values_are_absent_until_they_are_defined():
    panel = named(indicator_panel(*walk(1, 60, 1)))

    for name, values in panel.items():
        assert np.isnan(values).nonzero()[0].tolist() == list(range(FIRST_BAR.get(name, 1) - 1)), name


@pytest.mark.parametrize("price", [1e-8, 1.0, 1e6])
@pytest.mark.parametrize("volatility", [1e-6, 0.01, 0.2])
def test_every_column_equals_its_definition(price, volatility):
    assert_by_definition(walk(2, 420, 2, volatility=volatility, price=price))


def test_columns_equal_their_definition_when_the_price_collapses_or_stands_still():
    high, low, close, volume = walk(3, 420, 3)
    fall = np.ones((420, 3))
    fall[200:, 0] = 1e-6
    fall[200:, 1] = 1e6
    still = (high * fall, low * fall, close * fall, volume)
    for values in still[:3]:
        values[60:300, 2] = still[2][60, 2]
    volume[50:400, 2] = 0.0

    assert_by_definition(still)


def test_a_step_gives_the_bits_of_the_batch():
    bars = walk(4, 150, LANES + 13)
    panel = indicator_panel(*bars)
    state = IndicatorState(bars[2][0])

    for bar in range(150):
        row = state.step(*(values[bar] for values in bars))
        np.testing.assert_array_equal(unpack_tiles(row[:, np.newaxis], state.n_series)[:, 0], panel[:, bar])


def test_the_core_columns_alone_are_those_of_the_full_block():
    bars = walk(5, 80, 9)
    state = IndicatorState(bars[2][0], is_full=False)
    out = np.empty((1, 60, len(CORE_COLUMNS), LANES))

    state.batch(*(pack_tiles(values[:60]) for values in bars), out)
    later = [state.step(*(values[bar] for values in bars)).copy() for bar in range(60, 80)]

    core = indicator_panel(*bars)[: len(CORE_COLUMNS)]
    np.testing.assert_array_equal(unpack_tiles(out, 9), core[:, :60])
    np.testing.assert_array_equal(unpack_tiles(np.stack(later, axis=1), 9), core[:, 60:])


def test_a_copied_state_goes_its_own_way():
    bars = walk(6, 3, 4)
    state = IndicatorState(bars[2][0])
    state.step(*(values[0] for values in bars))
    twin = state.copy()
    state.step(*(values[1] for values in bars))

    forked, direct = (each.step(*(values[2] for values in bars)) for each in (twin, IndicatorState(bars[2][0])))

    assert twin.n_series == state.n_series
    assert not np.array_equal(forked, direct, equal_nan=True)


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 10**6), n_bars=st.integers(1, 120), n_series=st.integers(1, 2 * LANES + 3))
def test_later_bars_and_other_series_change_nothing(seed, n_bars, n_series):
    bars = walk(seed, 120, n_series)
    whole = indicator_panel(*bars)
    order = np.random.default_rng(seed).permutation(n_series)

    truncated = indicator_panel(*(values[:n_bars] for values in bars))
    shuffled = indicator_panel(*(values[:, order] for values in bars))
    alone = indicator_panel(*(values[:, -1:] for values in bars))

    np.testing.assert_array_equal(truncated, whole[:, :n_bars])
    np.testing.assert_array_equal(shuffled, whole[:, :, order])
    np.testing.assert_array_equal(alone, whole[:, :, -1:])


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 10**6), exponent=st.integers(-26, 20), factor=st.floats(1.0, 1.999))
def test_a_price_unit_moves_only_the_columns_in_price(seed, exponent, factor):
    high, low, close, volume = walk(seed, 120, 5)
    plain = indicator_panel(high, low, close, volume)
    in_price = np.array([name in PRICE_COLUMNS for name in PANEL_COLUMNS])[:, np.newaxis, np.newaxis]

    unit = 2.0**exponent
    doubled = indicator_panel(high * unit, low * unit, close * unit, volume)
    unit *= factor
    scaled = indicator_panel(high * unit, low * unit, close * unit, volume)

    np.testing.assert_array_equal(doubled, np.where(in_price, plain * 2.0**exponent, plain))
    np.testing.assert_allclose(scaled, np.where(in_price, plain * unit, plain), rtol=1e-9, atol=1e-9 * min(unit, 1.0))


def test_a_mirrored_series_has_the_mirrored_rsi_and_the_same_adx():
    high, low, close, volume = walk(7, 200, 3)

    plain = indicator_panel(high, low, close, volume)
    mirrored = indicator_panel(10.0 - low, 10.0 - high, 10.0 - close, volume)

    for name, mirror in (("rsi", lambda values: 100.0 - values), ("adx", abs), ("atr", abs)):
        i = PANEL_COLUMNS.index(name)
        np.testing.assert_allclose(mirrored[i], mirror(plain[i]), rtol=1e-9, err_msg=name)
