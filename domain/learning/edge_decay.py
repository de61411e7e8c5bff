"""Decay of an edge: whether it dies, holds or grows, how fast, and the multiplier that follows. The one fit of decay.

What belongs here: what a history of edges may claim. What does not: the compiled least squares (`edge_decay_kernel`).

Two curves are fitted to the values themselves: a line, and A exp(B t). Nothing is dropped for its sign and no
logarithm is taken: outcomes 2.0, 1.0, -0.5 once passed for a clean decay because the negative one had no logarithm.
Whatever cannot be told from a history is refused with a reason, and its multiplier is then 1, as documented.
"""

from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from domain.config.learning import EdgeDecayConfig
from domain.learning import decay_curve_kernel as curve
from domain.learning import edge_decay_kernel as kernel
from domain.learning.decay_curve_kernel import FloatArray, IntArray

LN2 = float(np.log(2.0))
BoolArray = NDArray[np.bool_]


class DecayState(StrEnum):
    """Where an edge is heading: towards 0, away from it (a negative edge too), nowhere, or not to be said."""

    INSUFFICIENT = "insufficient"
    STABLE = "stable"
    DECAYING = "decaying"
    IMPROVING = "improving"


class DecayReason(StrEnum):
    """Why there is no half-life; the first that applies, in this order."""

    TOO_FEW_SNAPSHOTS = "too_few_snapshots"
    NO_TIME_SPAN = "no_time_span"
    NO_EDGE = "no_edge"
    CROSSES_ZERO = "crosses_zero"
    RATE_UNRESOLVED = "rate_unresolved"
    NOT_EXPONENTIAL = "not_exponential"
    NO_CLEAR_TREND = "no_clear_trend"


class EdgeDecay(NamedTuple):
    """Decay of many cells, one entry a cell.

    Attributes
    ----------
    n_snapshots, n_outliers : ndarray of int
        Snapshots given, and those of them left out of the fit.
    intercept, slope_per_hour : ndarray of float
        Line: edge = intercept + slope x hours since the first snapshot; R and R per hour. NaN when nothing was fitted.
    amplitude, rate_per_hour : ndarray of float
        Exponential: edge = amplitude x exp(rate x hours); R and 1 per hour. NaN unless it is believed.
    rate_se_per_hour : ndarray of float
        Standard error of that rate, snapshots taken as independent.
    half_life_hours : ndarray of float
        ln 2 / |rate|: hours to halve, or to double where the state is improving. NaN unless the exponential is
        believed, whatever the state; a lesson that needs a half-life then has none.
    r2_linear, r2_exponential : ndarray of float
        1 - sum of squares / that about the mean, over the snapshots used; NaN where all are equal.
    relative_rate_per_hour : ndarray of float
        Rate the multiplier is made of: that of the exponential, else slope x sign(mean) / mean |edge|; NaN if neither.
    decay_mult : ndarray of float
        Multiplier of the edge; 1 for stable and insufficient.
    state, reason : ndarray of object
        `DecayState`; `DecayReason`, or None where there is a half-life.
    """

    n_snapshots: IntArray
    n_outliers: IntArray
    intercept: FloatArray
    slope_per_hour: FloatArray
    amplitude: FloatArray
    rate_per_hour: FloatArray
    rate_se_per_hour: FloatArray
    half_life_hours: FloatArray
    r2_linear: FloatArray
    r2_exponential: FloatArray
    relative_rate_per_hour: FloatArray
    decay_mult: FloatArray
    state: NDArray[np.object_]
    reason: NDArray[np.object_]

    def of(self, cell: int) -> dict[str, object]:
        """Row of one cell, by name."""
        return {name: column[cell] for name, column in self._asdict().items()}


def decay_multiplier(rate_per_hour: ArrayLike, config: EdgeDecayConfig) -> FloatArray:
    """Multiplier of an edge that moves at a relative rate.

    With h = ln 2 / |rate| and r = `reference_hours`: rate < 0 gives low + (1 - low) (1 - exp(-h / r)), rate > 0 gives
    1 + (high - 1) exp(-h / r); 1 where h exceeds `stable_half_life_hours`. Towards 0 by up to two thirds, up by at
    most one: losing an edge is believed sooner than gaining one. It multiplies the edge, so a dying negative edge
    shrinks to 0 as well.

    Parameters
    ----------
    rate_per_hour : array_like of float
        1 per hour, any shape; NaN gives 1, as for a history too short to judge.
    config : EdgeDecayConfig
        Bounds and reference.

    Returns
    -------
    ndarray of float
        Of the same shape, within [`decay_mult_min`, `decay_mult_max`].

    >>> decay_multiplier([-LN2 / 24, -LN2 / 168, -LN2 / 720, LN2 / 48, 0.0], EdgeDecayConfig()).round(3)
    array([0.419, 0.754, 0.991, 1.248, 1.   ])
    """
    rate = np.nan_to_num(np.asarray(rate_per_hour, dtype=np.float64), nan=0.0)
    is_moving = np.abs(rate) >= LN2 / config.stable_half_life_hours
    fade = np.exp(-LN2 / np.where(is_moving, np.abs(rate), np.inf) / config.reference_hours)
    low, high = config.decay_mult_min, config.decay_mult_max
    moved = np.where(rate < 0, low + (1.0 - low) * (1.0 - fade), 1.0 + (high - 1.0) * fade)
    return np.where(is_moving, np.clip(moved, low, high), 1.0)


def fit_edge_decay(
    offsets: IntArray, elapsed_hours: FloatArray, edge: FloatArray, config: EdgeDecayConfig, *, n_threads: int = 1
) -> EdgeDecay:
    """Decay of every cell: line, least-squares exponential, state and multiplier.

    The exponential is believed if R squared >= `min_exponential_r2`, its rate is resolved (inside the bound of the
    search and at least `min_rate_t` standard errors from 0), and either all snapshots are of one sign and larger than
    `min_abs_edge`, or it fits no worse than the line. Else the line speaks: relative rate = slope x sign(mean) /
    mean |edge|, if its slope is at least `min_rate_t` standard errors from 0; and a line that crosses zero may shrink
    an edge but never make it grow. Gaps cost nothing, for the fit is in time. A lone outlier is left out and counted.

    Parameters
    ----------
    offsets : ndarray of int64 of shape (n_cells + 1,)
        Cell i is the snapshots offsets[i]:offsets[i + 1]; starts at 0, ends at the number of snapshots.
    elapsed_hours : ndarray of shape (n_snapshots,)
        Hours since any origin of the cell, not falling within a cell; finite.
    edge : ndarray of shape (n_snapshots,)
        R, finite: a snapshot without an edge is left out by whoever reads the history.
    config : EdgeDecayConfig
        Rules.
    n_threads : int
        Threads the cells are shared among; they hold no lock while they fit.

    Returns
    -------
    EdgeDecay
        A cell has the same bits whatever cells stand beside it, and whatever the threads.

    Raises
    ------
    ValueError
        If shapes do not fit, a value is not finite, time falls within a cell, or there is no thread.
    """
    if n_threads < 1:
        raise ValueError(f"n_threads must be >= 1, was {n_threads}")
    starts = np.ascontiguousarray(offsets, dtype=np.int64)
    hours, values = (np.ascontiguousarray(column, dtype=np.float64) for column in (elapsed_hours, edge))
    _check(starts, hours, values)
    fits = np.empty((starts.size - 1, kernel.COLUMNS))
    rules = (config.min_snapshots, config.outlier_t, config.max_outlier_frac)

    def fit(first: int, stop: int) -> None:
        kernel.fit_cells(starts[first : stop + 1], hours, values, *rules, fits[first:stop])

    firsts = np.searchsorted(starts, np.linspace(0, values.size, n_threads, endpoint=False)).tolist()
    if n_threads == 1:
        fit(0, starts.size - 1)
    else:
        with ThreadPoolExecutor(n_threads) as pool:
            list(pool.map(fit, firsts, [*firsts[1:], starts.size - 1]))
    return _judge(np.diff(starts), fits, config)


def fit_one_edge_decay(elapsed_hours: ArrayLike, edge: ArrayLike, config: EdgeDecayConfig) -> dict[str, object]:
    """Decay of one history, in any order of its snapshots; a row of `fit_edge_decay` by name.

    >>> row = fit_one_edge_decay([0, 24, 48], [2.0, 1.0, -0.5], EdgeDecayConfig(min_snapshots=3))
    >>> row["half_life_hours"], row["reason"].value
    (np.float64(nan), 'crosses_zero')
    """
    hours, values = np.asarray(elapsed_hours, dtype=np.float64), np.asarray(edge, dtype=np.float64)
    order = np.lexsort((values, hours))
    return fit_edge_decay(np.array([0, hours.size]), hours[order], values[order], config).of(0)


def _check(offsets: IntArray, hours: FloatArray, edge: FloatArray) -> None:
    if offsets.ndim != 1 or offsets.size < 1 or hours.ndim != 1 or hours.shape != edge.shape:
        raise ValueError(f"Expected offsets and two equal columns, were {offsets.shape}, {hours.shape}, {edge.shape}")
    if offsets[0] != 0 or offsets[-1] != hours.size or np.any(np.diff(offsets) < 0):
        raise ValueError(f"Offsets must rise from 0 to {hours.size}")
    if not (np.isfinite(hours).all() and np.isfinite(edge).all()):
        raise ValueError("Hours and edges must be finite; leave out a snapshot without an edge")
    falls = np.flatnonzero(np.diff(hours) < 0) + 1
    if np.setdiff1d(falls, offsets).size:
        raise ValueError(f"Hours must not fall within a cell, fell at {np.setdiff1d(falls, offsets)[0]}")


@np.errstate(divide="ignore", invalid="ignore")
def _judge(n: IntArray, fits: FloatArray, config: EdgeDecayConfig) -> EdgeDecay:
    """Believe the exponential, the line or neither, and say so."""
    line_ss, curve_ss, total_ss = (fits[:, k] for k in (curve.LINE_SS, curve.EXPONENTIAL_SS, curve.TOTAL_SS))
    rate, rate_se, slope, span = (fits[:, k] for k in (curve.RATE, curve.RATE_SE, curve.SLOPE, kernel.SPAN))
    is_one_signed = (fits[:, kernel.LOWEST] > config.min_abs_edge) | (fits[:, kernel.HIGHEST] < -config.min_abs_edge)
    r2 = np.where(total_ss > 0, 1.0 - curve_ss / total_ss, np.nan)
    intercept = fits[:, curve.INTERCEPT]
    is_fitted = fits[:, kernel.USED] > 0
    is_resolved = (np.abs(rate) * span < 0.999 * curve.MAX_ABS_B) & (np.abs(rate) >= config.min_rate_t * rate_se)
    is_shaped = (r2 >= config.min_exponential_r2) & (is_one_signed | (curve_ss <= line_ss))
    is_believed = is_fitted & is_resolved & is_shaped & (rate != 0)
    is_crossing = is_fitted & ~is_believed & (intercept * (intercept + slope * span) < 0)
    is_trending = is_fitted & (np.abs(slope) >= config.min_rate_t * fits[:, curve.SLOPE_SE]) & (total_ss > 0)
    by_line = slope * np.sign(fits[:, kernel.MEAN]) / fits[:, kernel.MEAN_ABS]
    by_line = np.where(is_trending & ~(is_crossing & (by_line > 0)), by_line, np.nan)
    relative = np.where(is_believed, rate, by_line)
    kept = {name: np.where(is_believed, column, np.nan) for name, column in _curve(fits).items()}
    return EdgeDecay(
        n_snapshots=n,
        n_outliers=np.where(is_fitted, n - fits[:, kernel.USED], 0).astype(np.int64),
        intercept=intercept,
        slope_per_hour=slope,
        **kept,
        half_life_hours=LN2 / np.abs(kept["rate_per_hour"]),
        r2_linear=np.where(total_ss > 0, 1.0 - line_ss / total_ss, np.nan),
        r2_exponential=r2,
        relative_rate_per_hour=relative,
        decay_mult=decay_multiplier(relative, config),
        state=_states(relative, n, config),
        reason=_reasons(n, span, is_fitted, is_believed, is_crossing, is_trending, is_shaped, config),
    )


def _curve(fits: FloatArray) -> dict[str, FloatArray]:
    return {
        "amplitude": fits[:, curve.AMPLITUDE],
        "rate_per_hour": fits[:, curve.RATE],
        "rate_se_per_hour": fits[:, curve.RATE_SE],
    }


def _states(relative: FloatArray, n: IntArray, config: EdgeDecayConfig) -> NDArray[np.object_]:
    states = np.full(n.size, DecayState.STABLE, dtype=object)
    slowest = LN2 / config.stable_half_life_hours
    states[relative <= -slowest] = DecayState.DECAYING
    states[relative >= slowest] = DecayState.IMPROVING
    states[n < config.min_snapshots] = DecayState.INSUFFICIENT
    return states


def _reasons(
    n: IntArray,
    span: FloatArray,
    is_fitted: BoolArray,
    is_believed: BoolArray,
    is_crossing: BoolArray,
    is_trending: BoolArray,
    is_shaped: BoolArray,
    config: EdgeDecayConfig,
) -> NDArray[np.object_]:
    """First reason that applies; None where the exponential is believed."""
    reasons = np.full(n.size, DecayReason.NO_CLEAR_TREND, dtype=object)
    reasons[is_trending & ~is_shaped] = DecayReason.NOT_EXPONENTIAL
    reasons[is_trending & is_shaped] = DecayReason.RATE_UNRESOLVED
    reasons[is_crossing & is_trending] = DecayReason.CROSSES_ZERO
    reasons[is_believed] = None
    reasons[~is_fitted] = DecayReason.NO_EDGE
    reasons[~is_fitted & ~(span > 0)] = DecayReason.NO_TIME_SPAN
    reasons[n < config.min_snapshots] = DecayReason.TOO_FEW_SNAPSHOTS
    return reasons
