"""Least-squares line and exponential of many short series, compiled. All compiled functions of the fit stand here.

The exponential y = c exp(b u), u in 0..1 from the first point to the last, is fitted to the values themselves, never
to their logarithms: a logarithm has no place for a negative value. For each b the best c is known in closed form
(variable projection), so one number is searched: the b that minimises f(b) = Σy² - (Σye)² / Σe², e = exp(b u).

1. f on a doubling grid of b over at most 16 points (means of neighbours), where each next e is the square of the last.
2. Its two best minima are refined by Newton's method with the exact f'' on those points, then on all points.
3. One last pass gives c, the residuals and the standard error of b, and a last step too small to need another.

An exponential is a polynomial of a small argument, squared several times: a compiler makes vector instructions of it.
Sums may be taken in the order the processor likes best, so bits are the same on one machine, not on all.
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

MAX_ABS_B = 128.0
"""Bound of b: there the half-life is a 180th of the time seen, less than the gap between two of most histories."""
COLUMNS = 15
INTERCEPT, SLOPE, SLOPE_SE, LINE_SS, AMPLITUDE, RATE, RATE_SE, EXPONENTIAL_SS, TOTAL_SS = range(9)
USED, SPAN, MEAN, MEAN_ABS, LOWEST, HIGHEST = range(9, COLUMNS)

_GRID_STEP = 0.25
_DOUBLINGS = 10
_GRID = 2 * _DOUBLINGS + 1
_COARSE = 16
_MAX_STEPS = 60
_COARSE_TOLERANCE = 1e-2
_TOLERANCE = 1e-4
_SUMS = 6
_EE, _YE, _UEE, _UYE, _UUEE, _UUYE = range(_SUMS)
_FACTORIALS = tuple(1.0 / math.factorial(k) for k in range(12))


@njit(cache=True, error_model="numpy")
def _exponentials(u: FloatArray, n: int, b: float, e: FloatArray) -> None:
    """Fill e with exp(b u) for u in 0..1, |b| <= 128: Taylor to degree 11 below 1/4, then squared back up."""
    squarings, scaled = 0, b
    while abs(scaled) > 0.25:
        scaled *= 0.5
        squarings += 1
    for i in range(n):
        x = scaled * u[i]
        low = 1.0 + x * (1.0 + x * (_FACTORIALS[2] + x * (_FACTORIALS[3] + x * (_FACTORIALS[4] + x * _FACTORIALS[5]))))
        x3 = x * x * x
        high = _FACTORIALS[6] + x * (_FACTORIALS[7] + x * (_FACTORIALS[8] + x * (_FACTORIALS[9] + x * _FACTORIALS[10])))
        e[i] = low + x3 * x3 * (high + x3 * x * x * _FACTORIALS[11])
    for _ in range(squarings):
        for i in range(n):
            e[i] *= e[i]


@njit(cache=True, error_model="numpy", fastmath={"reassoc"})
def _sum_products(u: FloatArray, y: FloatArray, e: FloatArray, n: int, sums: FloatArray) -> None:
    """Sum e², ye, ue², uye, u²e², u²ye."""
    ee = ye = uee = uye = uuee = uuye = 0.0
    for i in range(n):
        t, p, q = u[i], e[i] * e[i], y[i] * e[i]
        ee += p
        ye += q
        uee += t * p
        uye += t * q
        uuee += t * t * p
        uuye += t * t * q
    sums[_EE], sums[_YE], sums[_UEE], sums[_UYE], sums[_UUEE], sums[_UUYE] = ee, ye, uee, uye, uuee, uuye


@njit(cache=True, error_model="numpy")
def _newton_step(sums: FloatArray, b: float) -> float:
    """Step from b down f, from f' and f''; a stride towards lower f where f is not convex."""
    ee, ye, ee1, ye1 = sums[_EE], sums[_YE], 2.0 * sums[_UEE], sums[_UYE]
    ee2, ye2 = 4.0 * sums[_UUEE], sums[_UUYE]
    c = ye / ee
    fall: float = c * (2.0 * ye1 - c * ee1)  # f falls this fast
    c1 = (ye1 - c * ee1) / ee
    curve = -(c1 * (2.0 * ye1 - c * ee1) + c * (2.0 * ye2 - c1 * ee1 - c * ee2))
    stride = max(1.0, 0.5 * abs(b))
    if curve > 0.0:
        newton: float = fall / curve
        return min(max(newton, -stride), stride)
    return stride if fall > 0.0 else -stride if fall < 0.0 else 0.0


@njit(cache=True, error_model="numpy")
def _refine(u: FloatArray, y: FloatArray, n: int, b: float, tolerance: float, e: FloatArray, sums: FloatArray) -> float:
    """Nearest minimum of f from b, within the bounds; f never rises on the way."""
    _exponentials(u, n, b, e)
    _sum_products(u, y, e, n, sums)
    gained = sums[_YE] * (sums[_YE] / sums[_EE])
    step = _newton_step(sums, b)
    for _ in range(_MAX_STEPS):
        tried = min(max(b + step, -MAX_ABS_B), MAX_ABS_B)
        if abs(tried - b) <= tolerance * (1.0 + abs(b)):
            return tried
        _exponentials(u, n, tried, e)
        _sum_products(u, y, e, n, sums)
        gain = sums[_YE] * (sums[_YE] / sums[_EE])
        if gain < gained:
            step = 0.5 * (tried - b)
            continue
        b, gained = tried, gain
        step = _newton_step(sums, b)
    return b


@njit(cache=True, error_model="numpy")
def _coarse(values: FloatArray, n: int, out: FloatArray) -> int:
    """Means of at most 16 runs of neighbours, of equal length but for one."""
    m = min(n, _COARSE)
    for j in range(m):
        start, stop = j * n // m, (j + 1) * n // m
        total = 0.0
        for i in range(start, stop):
            total += values[i]
        out[j] = total / (stop - start)
    return m


@njit(cache=True, error_model="numpy", fastmath={"reassoc"})
def _grid_gains(u: FloatArray, y: FloatArray, m: int, up: FloatArray, gains: FloatArray) -> None:
    """(Σye)² / Σe² for b = -128, .., -0.5, -0.25, 0, 0.25, .., 128; each side squares its e to go on."""
    _exponentials(u, m, _GRID_STEP, up)
    total = 0.0
    for i in range(m):
        total += y[i]
    gains[_DOUBLINGS] = total * (total / m)
    for k in range(_DOUBLINGS):
        ye = ee = down_ye = down_ee = 0.0
        for i in range(m):
            e = up[i]
            down = 1.0 / e
            ye += y[i] * e
            ee += e * e
            down_ye += y[i] * down
            down_ee += down * down
            up[i] = e * e
        gains[_DOUBLINGS + 1 + k] = ye * (ye / ee)
        gains[_DOUBLINGS - 1 - k] = down_ye * (down_ye / down_ee)


@njit(cache=True, error_model="numpy")
def _grid_b(k: int) -> float:
    away = abs(k - _DOUBLINGS)
    return math.copysign(_GRID_STEP * (1 << away >> 1), k - _DOUBLINGS) if away else 0.0


@njit(cache=True, error_model="numpy")
def _best_b(u: FloatArray, y: FloatArray, n: int, work: FloatArray, sums: FloatArray) -> float:
    """Minimum of f over all points: the better of the two best valleys the coarse grid shows."""
    gains, e = np.empty(_GRID), work[0]
    m = _coarse(u, n, work[1])
    _coarse(y, n, work[2])
    _grid_gains(work[1], work[2], m, e, gains)
    first, second = -1, -1
    for k in range(_GRID):
        if (k > 0 and gains[k] < gains[k - 1]) or (k < _GRID - 1 and gains[k] < gains[k + 1]):
            continue
        if first < 0 or gains[k] > gains[first]:
            first, second = k, first
        elif second < 0 or gains[k] > gains[second]:
            second = k
    best, gained = 0.0, -1.0
    for k in (first, second):
        if k < 0 or (gained >= 0.0 and gains[k] < 0.8 * gains[first]):
            continue
        start = _grid_b(k) if m == n else _refine(work[1], work[2], m, _grid_b(k), _COARSE_TOLERANCE, e, sums)
        b = _refine(u, y, n, start, _TOLERANCE, e, sums)
        gain = sums[_YE] * (sums[_YE] / sums[_EE])
        if gain > gained:
            best, gained = b, gain
    return best


@njit(cache=True, error_model="numpy", fastmath={"reassoc"})
def _fit_line(u: FloatArray, y: FloatArray, n: int, span: float, out: FloatArray) -> None:
    """Line, its sum of squares, the standard error of its slope and the sum of squares about the mean."""
    mean_u = mean_y = 0.0
    for i in range(n):
        mean_u += u[i]
        mean_y += y[i]
    mean_u, mean_y = mean_u / n, mean_y / n
    uu = uy = yy = 0.0
    for i in range(n):
        du, dy = u[i] - mean_u, y[i] - mean_y
        uu += du * du
        uy += du * dy
        yy += dy * dy
    slope, squares = uy / uu, 0.0
    for i in range(n):
        squares += (y[i] - mean_y - slope * (u[i] - mean_u)) ** 2
    out[INTERCEPT], out[SLOPE] = mean_y - slope * mean_u, slope / span
    out[SLOPE_SE] = math.sqrt(squares / ((n - 2) * uu)) / span
    out[LINE_SS], out[TOTAL_SS] = squares, yy


@njit(cache=True, error_model="numpy", fastmath={"reassoc"})
def _fit_exponential(
    u: FloatArray, y: FloatArray, n: int, span: float, work: FloatArray, sums: FloatArray, out: FloatArray
) -> None:
    """Exponential, its sum of squares and the standard error of its rate; work[0] is left with the curve."""
    e = work[0]
    b = _best_b(u, y, n, work, sums)
    _exponentials(u, n, b, e)
    _sum_products(u, y, e, n, sums)
    step, c, squares = _newton_step(sums, b), sums[_YE] / sums[_EE], 0.0
    if abs(step) <= _TOLERANCE * (1.0 + abs(b)) and abs(b + step) < MAX_ABS_B:
        b, c = b + step, c + step * (sums[_UYE] - 2.0 * c * sums[_UEE]) / sums[_EE]
    else:
        step = 0.0
    for i in range(n):
        squares += (y[i] - c * e[i] * (1.0 + step * u[i])) ** 2
    information = c * c * (sums[_UUEE] - sums[_UEE] * (sums[_UEE] / sums[_EE]))
    out[AMPLITUDE], out[RATE], out[EXPONENTIAL_SS] = c, b / span, squares
    out[RATE_SE] = math.sqrt(squares / ((n - 2) * information)) / span if information > 0.0 else np.inf


@njit(cache=True, error_model="numpy")
def _fit(
    u: FloatArray, y: FloatArray, n: int, span: float, work: FloatArray, sums: FloatArray, out: FloatArray
) -> None:
    _fit_line(u, y, n, span, out)
    _fit_exponential(u, y, n, span, work, sums, out)


@njit(cache=True, error_model="numpy")
def _suspect(
    u: FloatArray, y: FloatArray, n: int, span: float, e: FloatArray, sums: FloatArray, fit: FloatArray
) -> int:
    """Point with the largest studentised residual about the better of the two curves just fitted."""
    is_line = fit[LINE_SS] <= fit[EXPONENTIAL_SS]
    mean_u, mean_e = u[:n].mean(), sums[_UEE] / sums[_EE]
    spread_u = ((u[:n] - mean_u) ** 2).sum()
    spread_e = max(sums[_UUEE] - sums[_UEE] * mean_e, 1e-300)
    worst, suspect = -1.0, 0
    for i in range(n):
        if is_line:
            residual = y[i] - fit[INTERCEPT] - fit[SLOPE] * span * u[i]
            leverage = 1.0 / n + (u[i] - mean_u) ** 2 / spread_u
        else:
            residual = y[i] - fit[AMPLITUDE] * e[i]
            off = (u[i] - mean_e) * e[i]
            leverage = e[i] * (e[i] / sums[_EE]) + off * (off / spread_e)
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
        _without(u, n, candidate, work[3])
        _without(y, n, candidate, work[4])
        _fit(work[3], work[4], n - 1, span, work, sums, trial)
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
    work, sums = np.empty((5, max(longest, _COARSE))), np.empty(_SUMS)
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
        _fit(u, y, n, span, work, sums, fit)
        left = max(1, int(max_outlier_frac * n)) if max_outlier_frac > 0.0 else 0
        while left > 0 and _leave_out_one(u, y, n, span, outlier_t, work, sums, fit):
            n, left = n - 1, left - 1
            _fit(u, y, n, span, work, sums, fit)
            _describe(y, n, fit)
        fit[USED] = n
