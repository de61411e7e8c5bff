"""Least-squares line and exponential of one short series, compiled.

What belongs here: the two curves. What does not: many series, and what is left out of them (`edge_decay_kernel`).

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
CURVE_COLUMNS = 9
INTERCEPT, SLOPE, SLOPE_SE, LINE_SS, AMPLITUDE, RATE, RATE_SE, EXPONENTIAL_SS, TOTAL_SS = range(CURVE_COLUMNS)
"""What a fit writes: rates per hour, sums of squares in the square of the values' unit."""
LEAST_ROOM = 16
"""Points the work space must hold even for shorter series."""
WORK_ROWS, SUMS = 3, 6
"""Rows of the work space, and sums, that a fit needs."""

_GRID_STEP = 0.25
_DOUBLINGS = 10
_GRID = 2 * _DOUBLINGS + 1
_COARSE = LEAST_ROOM
_MAX_STEPS = 60
_COARSE_TOLERANCE = 1e-2
_TOLERANCE = 1e-4
EE, YE, UEE, UYE, UUEE, UUYE = range(SUMS)
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
    sums[EE], sums[YE], sums[UEE], sums[UYE], sums[UUEE], sums[UUYE] = ee, ye, uee, uye, uuee, uuye


@njit(cache=True, error_model="numpy")
def _newton_step(sums: FloatArray, b: float) -> float:
    """Step from b down f, from f' and f''; a stride towards lower f where f is not convex."""
    ee, ye, ee1, ye1 = sums[EE], sums[YE], 2.0 * sums[UEE], sums[UYE]
    ee2, ye2 = 4.0 * sums[UUEE], sums[UUYE]
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
    gained = sums[YE] * (sums[YE] / sums[EE])
    step = _newton_step(sums, b)
    for _ in range(_MAX_STEPS):
        tried = min(max(b + step, -MAX_ABS_B), MAX_ABS_B)
        if abs(tried - b) <= tolerance * (1.0 + abs(b)):
            return tried
        _exponentials(u, n, tried, e)
        _sum_products(u, y, e, n, sums)
        gain = sums[YE] * (sums[YE] / sums[EE])
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
        gain = sums[YE] * (sums[YE] / sums[EE])
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
    step, c, squares = _newton_step(sums, b), sums[YE] / sums[EE], 0.0
    if abs(step) <= _TOLERANCE * (1.0 + abs(b)) and abs(b + step) < MAX_ABS_B:
        b, c = b + step, c + step * (sums[UYE] - 2.0 * c * sums[UEE]) / sums[EE]
    else:
        step = 0.0
    for i in range(n):
        squares += (y[i] - c * e[i] * (1.0 + step * u[i])) ** 2
    information = c * c * (sums[UUEE] - sums[UEE] * (sums[UEE] / sums[EE]))
    out[AMPLITUDE], out[RATE], out[EXPONENTIAL_SS] = c, b / span, squares
    out[RATE_SE] = math.sqrt(squares / ((n - 2) * information)) / span if information > 0.0 else np.inf


@njit(cache=True, error_model="numpy")
def fit_curves(
    u: FloatArray, y: FloatArray, n: int, span: float, work: FloatArray, sums: FloatArray, out: FloatArray
) -> None:
    """Fit both curves to the first n points.

    Parameters
    ----------
    u, y : ndarray of float64
        Time as a share of the span, 0..1, not falling; values, finite and not all 0. At least 3 points.
    span : float
        Hours that u = 1 stands for.
    work, sums : ndarray of float64 of shape (>= WORK_ROWS, >= LEAST_ROOM and n) and (SUMS,)
        Work space; work[0] is left with exp(b u), and sums with those over it: e^2, ye, ue^2, uye, u^2e^2, u^2ye.
    out : ndarray of float64 of shape (>= CURVE_COLUMNS,)
        Written.
    """
    _fit_line(u, y, n, span, out)
    _fit_exponential(u, y, n, span, work, sums, out)
