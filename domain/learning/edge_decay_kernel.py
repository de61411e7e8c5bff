"""Decay curves of many short series, compiled: each is fitted, what stands alone is left out, and it is described.

What belongs here: the cells of a history, one after another. What does not: the curves (`decay_curve_kernel`), what a
fit may claim (`edge_decay`).

A cell reads and writes nothing of another one, so any split over threads gives the same bits.
"""

import math

import numpy as np
from numba import njit

from domain.learning.decay_curve_kernel import (
    AMPLITUDE,
    CURVE_COLUMNS,
    EE,
    EXPONENTIAL_SS,
    INTERCEPT,
    LEAST_ROOM,
    LINE_SS,
    RATE,
    SLOPE,
    SUMS,
    UEE,
    UUEE,
    WORK_ROWS,
    FloatArray,
    IntArray,
    fit_curves,
)

COLUMNS = CURVE_COLUMNS + 6
USED, SPAN, MEAN, MEAN_ABS, LOWEST, HIGHEST = range(CURVE_COLUMNS, COLUMNS)
"""What stands beside the curves: points used, hours, and what describes the values of those points."""

_REST_U, _REST_Y = WORK_ROWS, WORK_ROWS + 1
_ROWS = WORK_ROWS + 2


@njit(cache=True, error_model="numpy")
def _suspect(
    u: FloatArray, y: FloatArray, n: int, span: float, e: FloatArray, sums: FloatArray, fit: FloatArray
) -> int:
    """Point with the largest studentised residual about the better of the two curves just fitted."""
    is_line = fit[LINE_SS] <= fit[EXPONENTIAL_SS]
    mean_u, mean_e = u[:n].mean(), sums[UEE] / sums[EE]
    spread_u = ((u[:n] - mean_u) ** 2).sum()
    spread_e = max(sums[UUEE] - sums[UEE] * mean_e, 1e-300)
    worst, suspect = -1.0, 0
    for i in range(n):
        if is_line:
            residual = y[i] - fit[INTERCEPT] - fit[SLOPE] * span * u[i]
            leverage = 1.0 / n + (u[i] - mean_u) ** 2 / spread_u
        else:
            residual = y[i] - fit[AMPLITUDE] * e[i]
            off = (u[i] - mean_e) * e[i]
            leverage = e[i] * (e[i] / sums[EE]) + off * (off / spread_e)
        studentised = residual * residual / max(1.0 - leverage, 1e-9)
        if studentised > worst:
            worst, suspect = studentised, i
    return suspect


@njit(cache=True, error_model="numpy")
def _without(values: FloatArray, n: int, left_out: int, out: FloatArray) -> None:
    for i in range(n - 1):
        out[i] = values[i if i < left_out else i + 1]


@njit(cache=True, error_model="numpy")
def _residual(u: float, y: float, span: float, fit: FloatArray) -> float:
    if fit[LINE_SS] <= fit[EXPONENTIAL_SS]:
        line: float = y - fit[INTERCEPT] - fit[SLOPE] * span * u
        return line
    curve: float = y - fit[AMPLITUDE] * math.exp(fit[RATE] * span * u)
    return curve


@njit(cache=True, error_model="numpy")
def _leave_out_one(
    u: FloatArray,
    y: FloatArray,
    n: int,
    span: float,
    outlier_t: float,
    work: FloatArray,
    sums: FloatArray,
    fit: FloatArray,
) -> bool:
    """Take one lone outlier out of the first n of u and y, if there is one; the caller fits what is left.

    Tried are the point with the largest studentised residual and both ends, where a curve bends to meet a point. Each
    is left out for good if its deletion t exceeds `outlier_t` and both its neighbours then lie within it: two
    snapshots in a row that say the same are news, not an error.
    """
    squares, total = min(fit[LINE_SS], fit[EXPONENTIAL_SS]), 0.0
    for i in range(n):
        total += y[i] * y[i]
    if n <= 4 or squares <= 1e-18 * total:
        return False
    suspect = _suspect(u, y, n, span, work[0], sums, fit)
    trial, best, left_out, left_t2 = np.empty(COLUMNS), fit.copy(), -1, outlier_t * outlier_t
    for candidate in (suspect, 0, n - 1):
        _without(u, n, candidate, work[_REST_U])
        _without(y, n, candidate, work[_REST_Y])
        fit_curves(work[_REST_U], work[_REST_Y], n - 1, span, work, sums, trial)
        rest = min(trial[LINE_SS], trial[EXPONENTIAL_SS])
        t2 = (squares - rest) * (n - 3) / max(rest, 1e-30 * total)
        if t2 > left_t2:
            left_out, left_t2 = candidate, t2
            best[:] = trial
    if left_out < 0:
        return False
    limit = outlier_t * math.sqrt(min(best[LINE_SS], best[EXPONENTIAL_SS]) / (n - 3)) + 1e-9 * math.sqrt(total / n)
    for i in (left_out - 1, left_out + 1):
        if 0 <= i < n and abs(_residual(u[i], y[i], span, best)) > limit:
            return False
    for i in range(left_out, n - 1):
        u[i], y[i] = u[i + 1], y[i + 1]
    return True


@njit(cache=True, error_model="numpy", fastmath={"reassoc", "nnan", "nsz"})
def _describe(y: FloatArray, n: int, fit: FloatArray) -> None:
    """Mean, mean absolute, lowest and highest of the first n values."""
    total = absolute = 0.0
    low, high = math.inf, -math.inf
    for i in range(n):
        total += y[i]
        absolute += abs(y[i])
        low, high = min(low, y[i]), max(high, y[i])
    fit[MEAN], fit[MEAN_ABS], fit[LOWEST], fit[HIGHEST] = total / n, absolute / n, low, high


@njit(cache=True, error_model="numpy", nogil=True)
def fit_cells(
    offsets: IntArray,
    hours: FloatArray,
    edge: FloatArray,
    min_points: int,
    outlier_t: float,
    max_outlier_frac: float,
    out: FloatArray,
) -> None:
    """Fit every cell offsets[i]:offsets[i + 1] into out[i] of COLUMNS, rates per hour from the first point of the cell.

    A row stays NaN but for USED, 0, where there are fewer points than `min_points`, no time between them, or nothing
    but zeros.
    """
    longest = 0
    for cell in range(offsets.size - 1):
        longest = max(longest, offsets[cell + 1] - offsets[cell])
    work, sums = np.empty((_ROWS, max(longest, LEAST_ROOM))), np.empty(SUMS)
    u, y = np.empty(longest), np.empty(longest)
    out[:] = np.nan
    for cell in range(offsets.size - 1):
        start, n = offsets[cell], offsets[cell + 1] - offsets[cell]
        fit = out[cell]
        fit[USED] = 0.0
        if n < max(min_points, 3):
            continue
        span = hours[start + n - 1] - hours[start]
        for i in range(n):
            u[i], y[i] = (hours[start + i] - hours[start]) / span, edge[start + i]
        _describe(y, n, fit)
        fit[SPAN] = span
        if not span > 0.0 or fit[MEAN_ABS] == 0.0:
            continue
        fit_curves(u, y, n, span, work, sums, fit)
        left = max(1, int(max_outlier_frac * n)) if max_outlier_frac > 0.0 else 0
        while left > 0 and _leave_out_one(u, y, n, span, outlier_t, work, sums, fit):
            n, left = n - 1, left - 1
            fit_curves(u, y, n, span, work, sums, fit)
            _describe(y, n, fit)
        fit[USED] = n
