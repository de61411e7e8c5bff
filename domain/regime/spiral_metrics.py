"""Shape of a relative-performance stream as z-scores, and the scores made of them.

What belongs here: arithmetic on arrays of hourly points. What does not: labels, memory, frames (`spiral_phase`).
All compiled functions stand in this one file, for Numba's disk cache watches only the file of the function called.

A stream is a difference of cumulative log indices, in log points: level = out-performance so far, slope = per hour,
curvature = acceleration, delta = over the last hours. Each raw metric is standardised against its own recent history,
never against the history of another.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Generic, NamedTuple, TypeVar

import numpy as np
from numba import njit
from numpy.typing import NDArray

from domain.config.spiral import LensPreset, LensWeights, PhaseWeights, SpiralConfig
from domain.vocabulary.horizon import Horizon
from domain.vocabulary.phase import Lens

FloatArray = NDArray[np.float64]
Value = TypeVar("Value", float, FloatArray)

MIN_SD = 1e-12
METRICS = 4
LEVEL, SLOPE, CURV, DELTA = range(METRICS)


class StreamMetrics(NamedTuple, Generic[Value]):
    """Z-scores of one stream, of one point (floats) or of many (arrays of one shape); NaN where absent."""

    level: Value
    slope: Value
    curv: Value
    delta: Value


def stream_metrics(series: FloatArray, preset: LensPreset, config: SpiralConfig) -> StreamMetrics[float]:
    """Metrics of the last point of a stream.

    Parameters
    ----------
    series : ndarray of shape (n_points,)
        Hourly points without a missing hour, in log points; NaN is a gap. Only the points after the last NaN, and of
        them only the last `config.lookback_hours` + 1, are read.
    preset : LensPreset
        Reach of the horizon.
    config : SpiralConfig
        Look-back, winsorising, clamp.

    Returns
    -------
    StreamMetrics of float
        NaN, all four, when fewer than `preset.needed_points` points are there to read.

    Raises
    ------
    ValueError
        If `series` is not one-dimensional or holds an infinity.

    Notes
    -----
    With x the points read: s = EMA of x with alpha 2 / (n + 1), seeded by its first point. Raw metrics at each of the
    last L end points e: level s_e; slope = least-squares slope of the k points up to e; curvature = slope of their
    second half - slope of their first, split at k // 2; delta = s_e - s_(e-d). z = (raw at the last point - mean) /
    population sd, both of that metric's L values after clipping them at the `winsor_frac` quantiles (linear between
    order statistics); 0 where the sd is below 1e-12; clamped.

    >>> import numpy as np
    >>> rise = stream_metrics(0.0001 * np.arange(169.0) ** 2, SpiralConfig().presets[Horizon.MESO], SpiralConfig())
    >>> round(rise.slope, 2), round(rise.curv, 2)
    (1.68, 0.0)
    """
    columns = stream_metric_history(series, preset, config, first=max(0, series.size - 1))
    return StreamMetrics(*(float(column[-1]) if column.size else math.nan for column in columns))


def stream_metric_history(
    series: FloatArray, preset: LensPreset, config: SpiralConfig, *, first: int = 0
) -> StreamMetrics[FloatArray]:
    """Metrics of every point of a stream from number `first` on; each is `stream_metrics` of the points up to it.

    Parameters
    ----------
    series : ndarray of shape (n_points,)
        As for `stream_metrics`.
    preset, config
        As for `stream_metrics`.
    first : int
        Number of the first point to measure, >= 0.

    Returns
    -------
    StreamMetrics of ndarray of shape (n_points - first,)
        NaN where a point has too short a history.

    Raises
    ------
    ValueError
        If `series` is not one-dimensional or holds an infinity.
    """
    if series.ndim != 1 or bool(np.isinf(series).any()):
        raise ValueError(f"A stream must be one-dimensional and free of infinities, was of shape {series.shape}")
    rows = _measure(
        np.ascontiguousarray(series, dtype=np.float64),
        first,
        preset.ema_span,
        preset.slope_points,
        preset.delta_points,
        preset.history_points,
        preset.needed_points,
        config.lookback_hours + 1,
        config.winsor_frac,
        config.z_clamp,
    )
    return StreamMetrics(level=rows[LEVEL], slope=rows[SLOPE], curv=rows[CURV], delta=rows[DELTA])


def compute_lens_scores(metrics: Mapping[Lens, StreamMetrics[Value]], weights: LensWeights) -> dict[Lens, Value]:
    """Score of each stream: 0.5 slope + 0.3 curvature + 0.2 delta + 0.1 level, weights from the config.

    Parameters
    ----------
    metrics : mapping of Lens to StreamMetrics
        Z-scores, floats or arrays of one shape.
    weights : LensWeights
        Weight of each metric.

    Returns
    -------
    dict of Lens to float or ndarray
        Not clamped. NaN where a metric of non-zero weight is NaN.
    """
    return {
        lens: _weighted_sum(
            [weights.slope, weights.curv, weights.delta, weights.level], [z.slope, z.curv, z.delta, z.level]
        )
        for lens, z in metrics.items()
    }


def compute_phase_scores(
    lens_scores: Mapping[Lens, Value], weights: Mapping[Horizon, PhaseWeights]
) -> dict[Horizon, Value]:
    """Score of each horizon from the scores of the four streams.

    Streams are measured with one horizon's preset; only the score of that same horizon means something.

    Parameters
    ----------
    lens_scores : mapping of Lens to float or ndarray
        A score for every lens, arrays of one shape.
    weights : mapping of Horizon to PhaseWeights
        Rows of the weight table.

    Returns
    -------
    dict of Horizon to float or ndarray
        NaN where a stream of non-zero weight is NaN.

    >>> streams = {Lens.BTCUSD: 0.5, Lens.ROTATION: 0.2, Lens.PORT_BTC: 1.0, Lens.PORT_ALT: 0.4}
    >>> scores = compute_phase_scores(streams, SpiralConfig().phase_weights)
    >>> [round(scores[horizon], 3) for horizon in Horizon]
    [0.415, 0.675, 0.82]
    """
    values = [lens_scores[lens] for lens in Lens]
    return {
        horizon: _weighted_sum([getattr(row, lens.value) for lens in Lens], values) for horizon, row in weights.items()
    }


def _weighted_sum(weights: Sequence[float], values: Sequence[Value]) -> Value:
    """Sum over the weights that are not 0, so that an absent value nobody asks for harms nothing."""
    first, *others = (pair for pair in zip(weights, values, strict=True) if pair[0])
    total = first[0] * first[1]
    for weight, value in others:
        total = total + weight * value
    return total


@njit(cache=True, error_model="numpy")
def _slope(values: FloatArray, start: int, stop: int) -> float:
    """Least-squares slope of values[start:stop] per point; changes sign exactly with its values."""
    n, middle = stop - start, 0.5 * (start + stop - 1)
    rise = 0.0
    for i in range(start, stop):
        rise += (i - middle) * values[i]
    return rise * 12.0 / (n * (n * n - 1.0))  # the squared distances of n points from their middle sum to that / 12


@njit(cache=True, error_model="numpy")
def _z_score(history: FloatArray, winsor_frac: float, z_clamp: float) -> float:
    """Clamped z-score of the last value against all; both quantiles count from their own end, so signs mirror."""
    n = history.size
    low, high = -np.inf, np.inf
    if winsor_frac > 0.0:
        ordered = np.sort(history)
        rank = winsor_frac * (n - 1)
        i = int(rank)
        part = rank - i
        low = ordered[i] + part * (ordered[i + 1] - ordered[i])
        high = ordered[n - 1 - i] - part * (ordered[n - 1 - i] - ordered[n - 2 - i])
    total = 0.0
    for value in history:
        total += min(max(value, low), high)
    mean, squares = total / n, 0.0
    for value in history:
        squares += (min(max(value, low), high) - mean) ** 2
    sd = math.sqrt(squares / n)
    if sd < MIN_SD:
        return 0.0
    z: float = (history[n - 1] - mean) / sd
    return min(max(z, -z_clamp), z_clamp)


@njit(cache=True, error_model="numpy", nogil=True)
def _measure(
    series: FloatArray,
    first: int,
    ema_span: int,
    slope_points: int,
    delta_points: int,
    history_points: int,
    needed_points: int,
    window_points: int,
    winsor_frac: float,
    z_clamp: float,
) -> FloatArray:
    """Z-scores of shape (METRICS, n - first). O(window + L x k) a point, the same operations whatever lies outside."""
    n = series.size
    out = np.full((METRICS, n - first), np.nan)
    smooth = np.empty(window_points)
    history = np.empty((METRICS, history_points))
    alpha = 2.0 / (ema_span + 1.0)
    run = 0  # points since the last gap, this one included
    for t in range(n):
        run = 0 if np.isnan(series[t]) else run + 1
        if t < first or run < needed_points:
            continue
        length = min(run, window_points)
        base = series[t - length + 1]
        smooth[0] = 0.0
        for i in range(1, length):
            smooth[i] = smooth[i - 1] + alpha * (series[t - length + 1 + i] - base - smooth[i - 1])
        for j in range(history_points):
            stop = length - history_points + j + 1
            start = stop - slope_points
            split = start + slope_points // 2
            history[LEVEL, j] = smooth[stop - 1]
            history[SLOPE, j] = _slope(smooth, start, stop)
            history[CURV, j] = _slope(smooth, split, stop) - _slope(smooth, start, split)
            history[DELTA, j] = smooth[stop - 1] - smooth[stop - 1 - delta_points]
        for metric in range(METRICS):
            out[metric, t - first] = _z_score(history[metric], winsor_frac, z_clamp)
    return out
