"""Stream metrics and the scores made of them: published vectors, an independent reference, symmetries, absence."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.config.spiral import LensWeights, PhaseWeights, SpiralConfig
from domain.regime.spiral_metrics import (
    StreamMetrics,
    compute_lens_scores,
    compute_phase_scores,
    stream_metric_history,
    stream_metrics,
)
from domain.vocabulary.horizon import Horizon
from domain.vocabulary.phase import Lens

CONFIG = SpiralConfig()
RAW = SpiralConfig(winsor_frac=0.0)
HOUR = np.arange(169.0)
WAVE = 0.01 * np.sin(2 * np.pi * HOUR / 48) + 0.0005 * HOUR
ACCELERATION = 0.0001 * HOUR**2
HORIZONS = pytest.mark.parametrize("horizon", Horizon)
SEEDS = st.integers(0, 2**32 - 1)


def walk(n_points: int, seed: int) -> np.ndarray:
    return np.cumsum(np.random.default_rng(seed).normal(0.0, 0.01, n_points))


def history_of(series: np.ndarray, horizon: Horizon, config: SpiralConfig = CONFIG, first: int = 0) -> np.ndarray:
    """Metrics of shape (4, n_points - first)."""
    return np.array(stream_metric_history(series, config.presets[horizon], config, first=first))


def score_of(series: np.ndarray, horizon: Horizon, config: SpiralConfig = CONFIG) -> float:
    metrics = stream_metrics(series, config.presets[horizon], config)
    return compute_lens_scores({Lens.PORT_BTC: metrics}, config.lens_weights)[Lens.PORT_BTC]


def reference(series: np.ndarray, horizon: Horizon, winsor_frac: float) -> list[float]:
    """The same z-scores by polyfit, quantile and std, end point by end point."""
    preset, x = CONFIG.presets[horizon], series[-169:]
    s, k, d = [x[0]], preset.slope_points, preset.delta_points
    for value in x[1:]:
        s.append(s[-1] + 2 / (preset.ema_span + 1) * (value - s[-1]))
    raw = []
    for end in range(len(s) - preset.history_points + 1, len(s) + 1):
        y = s[end - k : end]
        first, second = y[: k // 2], y[k // 2 :]
        curv = np.polyfit(range(len(second)), second, 1)[0] - np.polyfit(range(len(first)), first, 1)[0]
        raw.append((s[end - 1], np.polyfit(range(k), y, 1)[0], curv, s[end - 1] - s[end - 1 - d]))
    history = np.array(raw)
    clipped = np.clip(history, *np.quantile(history, [winsor_frac, 1 - winsor_frac], axis=0))
    return list(np.clip((history[-1] - clipped.mean(axis=0)) / clipped.std(axis=0), -4, 4))


@pytest.mark.parametrize(
    ("horizon", "metrics", "score"),
    [
        (Horizon.MICRO, (-2.2225, -1.4907, 2.3070, -1.3277), -0.5411),
        (Horizon.MESO, (0.6530, -2.1844, -0.9330, -2.1138), -1.7296),
        (Horizon.MACRO, (1.4269, -0.1245, -1.2451, 0.2762), -0.2378),
    ],
)
def test_a_wave_on_a_trend_gives_the_published_metrics(horizon, metrics, score):
    assert stream_metrics(WAVE, RAW.presets[horizon], RAW) == pytest.approx(metrics, abs=5e-5)
    assert score_of(WAVE, horizon, RAW) == pytest.approx(score, abs=5e-5)


@pytest.mark.parametrize(("horizon", "score"), [(Horizon.MICRO, 1.292), (Horizon.MESO, 1.345), (Horizon.MACRO, 1.375)])
def test_accelerating_outperformance_gives_the_published_positive_score(horizon, score):
    assert score_of(ACCELERATION, horizon, RAW) == pytest.approx(score, abs=5e-4)


@HORIZONS
def test_growing_acceleration_has_positive_curvature(horizon):
    assert stream_metrics(1e-6 * HOUR**3, CONFIG.presets[horizon], CONFIG).curv > 1


@HORIZONS
@pytest.mark.parametrize("winsor_frac", [0.0, 0.01, 0.1])
@pytest.mark.parametrize("n_points", [90, 169, 400])
def test_metrics_equal_an_independent_reference(horizon, winsor_frac, n_points):
    config = SpiralConfig(winsor_frac=winsor_frac)
    series = walk(n_points, n_points)

    metrics = stream_metrics(series, config.presets[horizon], config)

    assert metrics == pytest.approx(reference(series, horizon, winsor_frac), abs=1e-8)


@HORIZONS
def test_the_history_is_the_last_point_at_every_point_bit_for_bit(horizon):
    series = walk(300, 1)

    history = history_of(series, horizon)
    alone = [stream_metrics(series[: end + 1], CONFIG.presets[horizon], CONFIG) for end in range(series.size)]

    assert np.array_equal(history.T, np.array(alone), equal_nan=True)
    assert np.isfinite(history[:, 83:]).all()


@HORIZONS
@settings(max_examples=25, deadline=None)
@given(seed=SEEDS, at=st.integers(0, 299))
def test_no_metric_changes_when_what_came_later_does(horizon, seed, at):
    series = walk(300, seed)
    garbled = np.concatenate([series[: at + 1], walk(299 - at, seed + 1) * 50])

    before, after = history_of(series, horizon), history_of(garbled, horizon)

    assert np.array_equal(before[:, : at + 1], after[:, : at + 1], equal_nan=True)


@HORIZONS
def test_points_older_than_the_look_back_change_no_bit(horizon):
    series = walk(500, 2)

    assert np.array_equal(history_of(series, horizon, first=300), history_of(series[300 - 168 :], horizon, first=168))


def test_the_smoothing_starts_at_the_edge_of_the_look_back():
    short, series = SpiralConfig(lookback_hours=83), walk(300, 6)

    metrics = stream_metrics(series, short.presets[Horizon.MACRO], short)

    assert metrics == pytest.approx(reference(series[-84:], Horizon.MACRO, 0.01), abs=1e-8)
    assert metrics != pytest.approx(reference(series[-85:], Horizon.MACRO, 0.01), abs=1e-8)


@HORIZONS
@settings(max_examples=25, deadline=None)
@given(seed=SEEDS)
def test_a_mirrored_stream_has_mirrored_metrics_bit_for_bit(horizon, seed):
    series = walk(200, seed)

    assert np.array_equal(history_of(-series, horizon), -history_of(series, horizon), equal_nan=True)


@HORIZONS
@settings(max_examples=25, deadline=None)
@given(seed=SEEDS, constant=st.floats(-20, 20))
def test_where_a_stream_started_does_not_matter(horizon, seed, constant):
    series = walk(200, seed)

    np.testing.assert_allclose(history_of(series + constant, horizon), history_of(series, horizon), atol=1e-9)


@HORIZONS
def test_a_stream_twice_as_wide_has_the_same_metrics(horizon):
    series = walk(200, 3)

    assert np.array_equal(history_of(2 * series, horizon), history_of(series, horizon), equal_nan=True)


@HORIZONS
def test_a_line_has_a_level_and_no_other_metric(horizon):
    length = CONFIG.presets[horizon].history_points
    metrics = stream_metrics(0.0005 * HOUR, RAW.presets[horizon], RAW)

    assert metrics[1:] == (0.0, 0.0, 0.0)
    assert metrics.level == pytest.approx(math.sqrt(3 * (length - 1) / (length + 1)), abs=1e-6)


@HORIZONS
def test_a_trend_with_noise_scores_near_zero(horizon):
    noise = np.random.default_rng(7).normal(0.0, 0.01, (300, HOUR.size))
    scores = np.array([score_of(0.0001 * HOUR + path, horizon) for path in noise])

    assert abs(scores.mean()) < 0.2
    assert np.median(np.abs(scores)) < 1.0


@HORIZONS
def test_a_flat_stream_scores_zero(horizon):
    assert stream_metrics(np.full(169, 11.5), CONFIG.presets[horizon], CONFIG) == (0.0, 0.0, 0.0, 0.0)


def test_a_leap_is_clamped():
    series = np.append(np.zeros(168), 1.0)

    assert stream_metrics(series, RAW.presets[Horizon.MACRO], RAW)[:2] == (4.0, 4.0)


@HORIZONS
def test_one_point_too_few_is_absent_not_zero(horizon):
    needed = CONFIG.presets[horizon].needed_points
    history = history_of(walk(needed, 4), horizon)

    assert np.isnan(history[:, :-1]).all()
    assert np.isfinite(history[:, -1]).all()


@HORIZONS
def test_a_gap_silences_a_stream_until_its_history_is_full_again(horizon):
    series, needed = walk(400, 5), CONFIG.presets[horizon].needed_points
    series[200] = np.nan

    history = history_of(series, horizon)

    assert np.isnan(history[:, 200 : 200 + needed]).all()
    assert np.array_equal(history[:, 200 + needed :], history_of(series[201:], horizon)[:, needed - 1 :])


def test_an_empty_stream_has_no_metrics():
    assert np.isnan(stream_metrics(np.empty(0), CONFIG.presets[Horizon.MICRO], CONFIG)).all()


@pytest.mark.parametrize("series", [np.zeros((2, 169)), np.append(HOUR, np.inf)])
def test_a_stream_that_cannot_be_right_is_refused(series):
    with pytest.raises(ValueError, match="must be one-dimensional and free of infinities"):
        stream_metrics(series, CONFIG.presets[Horizon.MICRO], CONFIG)


@pytest.mark.parametrize(
    ("metrics", "score"),
    [((1, 0, 0, 0), 0.1), ((0, 1, 0, 0), 0.5), ((0, 0, 1, 0), 0.3), ((0, 0, 0, 1), 0.2), ((4, 4, 4, 4), 4.4)],
)
def test_a_lens_score_weighs_level_slope_curvature_and_delta(metrics, score):
    scores = compute_lens_scores({Lens.ROTATION: StreamMetrics(*map(float, metrics))}, CONFIG.lens_weights)

    assert scores == {Lens.ROTATION: pytest.approx(score)}


def test_an_absent_metric_makes_its_lens_absent_unless_it_weighs_nothing():
    metrics = {Lens.BTCUSD: StreamMetrics(math.nan, 1.0, 1.0, 1.0), Lens.ROTATION: StreamMetrics(0.0, 1.0, 1.0, 1.0)}

    assert math.isnan(compute_lens_scores(metrics, CONFIG.lens_weights)[Lens.BTCUSD])
    assert compute_lens_scores(metrics, CONFIG.lens_weights)[Lens.ROTATION] == pytest.approx(1.0)
    assert compute_lens_scores(metrics, LensWeights(level=0))[Lens.BTCUSD] == pytest.approx(1.0)


def lens_scores(*values: float) -> dict[Lens, float]:
    return dict(zip(Lens, values, strict=True))


def test_phase_scores_of_the_published_example():
    scores = compute_phase_scores(lens_scores(0.5, 0.2, 1.0, 0.4), CONFIG.phase_weights)

    assert [scores[horizon] for horizon in Horizon] == pytest.approx([0.415, 0.675, 0.820])


def test_a_horizon_is_absent_only_where_a_stream_it_weighs_is():
    scores = compute_phase_scores(lens_scores(math.nan, 0.2, 1.0, 0.4), CONFIG.phase_weights)

    assert [math.isnan(scores[horizon]) for horizon in Horizon] == [True, True, False]


def test_scores_of_columns_are_the_scores_of_their_rows():
    columns = {lens: walk(50, seed) for seed, lens in enumerate(Lens)}
    rows = [
        compute_phase_scores(lens_scores(*row), CONFIG.phase_weights) for row in zip(*columns.values(), strict=True)
    ]

    for horizon, column in compute_phase_scores(columns, CONFIG.phase_weights).items():
        assert column.tolist() == [row[horizon] for row in rows]


def test_a_weight_of_one_stream_reads_that_stream_alone():
    only = PhaseWeights(s_btcusd=0, s_rotation=0, s_port_btc=0, s_port_alt=1)

    assert compute_phase_scores(lens_scores(*[math.nan] * 3, 0.7), {Horizon.MESO: only}) == {Horizon.MESO: 0.7}
