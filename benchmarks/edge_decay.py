"""Benchmark F: decay fits of 100,000 histories, ours against SciPy's curve_fit and a vectorised Levenberg-Marquardt.

`python -m benchmarks.edge_decay [--small]`. Everyone fits the same line and the same A exp(B t) by least squares to
the same points; ours must be no worse on any cell before anything is timed. How near the planted rates each comes is
printed beside, for the logarithmic shortcut too. It reports and does not judge: exit code 0.
"""

import argparse
import statistics
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.optimize import OptimizeWarning, curve_fit

from benchmarks.decay_cell import EXPONENTIAL, DecayCells, decay_cells
from domain.config.learning import EdgeDecayConfig
from domain.learning import decay_curve_kernel as curve
from domain.learning import edge_decay_kernel as kernel
from domain.learning.edge_decay import EdgeDecay, fit_edge_decay

REPEATS = 5
SCIPY_CELLS = 1_000
LM_CELLS = 100
LM_STEPS = 20
CONFIG = EdgeDecayConfig()
FloatArray = NDArray[np.float64]


def main() -> None:
    """Build the cells, check who fits best, time, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="10,000 cells instead of 100,000")
    n_cells = 10_000 if parser.parse_args().small else 100_000
    for cells in (decay_cells(n_cells // 2), decay_cells(n_cells)):
        report(cells)


def report(cells: DecayCells) -> None:
    """Accuracy, then times, of one set of cells."""
    n_scipy = min(SCIPY_CELLS, cells.n_cells)
    ours, squared = ours_fit(cells, 0, cells.n_cells), lm_fit(cells)
    scipy_rates, scipy_squares = scipy_fit(cells, n_scipy)
    print(f"\nF. {cells.n_cells:,} cells, {cells.y.size:,} points, median of {REPEATS}")
    print(
        f"cells where ours has a larger sum of squares: LM {worse(ours[:, curve.EXPONENTIAL_SS], squared[1])}, ",
        end="",
    )
    print(f"curve_fit {worse(ours[:n_scipy, curve.EXPONENTIAL_SS], scipy_squares)} of {n_scipy:,}")
    decay = judged(cells, 2)
    rates = {
        "ours": ours[:, curve.RATE],
        "numpy LM": squared[0],
        "scipy": scipy_rates,
        "log-linear": log_linear_rates(cells),
        "ours, believed": decay.rate_per_hour,
    }
    print("planted exponential rates within 25 %: ", ", ".join(f"{k} {near(cells, v):.1%}" for k, v in rates.items()))
    with ThreadPoolExecutor(2) as pool:
        times = {name: median_ms(run) for name, run in contenders(cells, pool).items()}
    times[f"scipy curve_fit loop, {n_scipy:,} cells scaled up"] = scipy_ms(cells, n_scipy)
    base = times["ours, 2 threads"]
    print(f"{'':48}{'ms':>12}{'x ours, 2 threads':>20}")
    for name, milliseconds in times.items():
        print(f"{name:48}{milliseconds:12.1f}{milliseconds / base:20.2f}")


def contenders(cells: DecayCells, pool: ThreadPoolExecutor) -> dict[str, Callable[[], object]]:
    """Name what is timed, but for SciPy, which is too slow to repeat."""
    middle = int(np.searchsorted(cells.start, cells.y.size // 2))
    halves = ((0, middle), (middle, cells.n_cells))
    out = np.empty_like(cells.y)
    return {
        "ours, 2 threads": lambda: list(pool.map(lambda half: ours_fit(cells, *half), halves)),
        "ours, 1 thread": lambda: ours_fit(cells, 0, cells.n_cells),
        "ours, outliers sought, judged, 2 threads": lambda: judged(cells, 2),
        "ours, outliers sought, judged, 1 thread": lambda: judged(cells, 1),
        "numpy LM across cells": lambda: lm_fit(cells),
        "numpy log-linear (another answer)": lambda: log_linear_rates(cells),
        "floor: one exp of every point": lambda: one_exp(cells.t, out),
    }


def ours_fit(cells: DecayCells, first: int, stop: int) -> FloatArray:
    """Fit cells first:stop, without looking for outliers."""
    out = np.empty((stop - first, kernel.COLUMNS))
    kernel.fit_cells(cells.start[first : stop + 1], cells.t, cells.y, CONFIG.min_snapshots, CONFIG.outlier_t, 0.0, out)
    return out


def judged(cells: DecayCells, n_threads: int) -> EdgeDecay:
    """All that the product does with the cells."""
    return fit_edge_decay(cells.start, cells.t, cells.y, CONFIG, n_threads=n_threads)


def lm_fit(cells: DecayCells) -> tuple[FloatArray, FloatArray]:
    """Rates and sums of squares by Levenberg-Marquardt, `LM_CELLS` cells a step, from the logarithmic start."""
    starts = log_linear_rates(cells)
    parts = [
        lm_part(part_of(cells, i, i + LM_CELLS), starts[i : i + LM_CELLS]) for i in range(0, cells.n_cells, LM_CELLS)
    ]
    rates, squares = zip(*parts, strict=True)
    return np.concatenate(rates), np.concatenate(squares)


def part_of(cells: DecayCells, first: int, stop: int) -> DecayCells:
    """Cells first:stop."""
    start = cells.start[first : stop + 1]
    points = slice(start[0], start[-1])
    truth = (column[first:stop] for column in (cells.kind, cells.amplitude, cells.rate))
    return DecayCells(start - start[0], cells.t[points], cells.y[points], *truth)


def lm_part(cells: DecayCells, starts: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Step all cells until none moves."""
    first, counts = cells.start[:-1], np.diff(cells.start)
    span = cells.t[cells.start[1:] - 1]
    u = cells.t / np.repeat(span, counts)
    b = np.nan_to_num(np.clip(starts * span, -20, 20))
    e = np.exp(np.repeat(b, counts) * u)
    c = total(cells.y * e, first) / total(e * e, first)
    damping = np.full(cells.n_cells, 1e-3)
    squares = total((cells.y - np.repeat(c, counts) * e) ** 2, first)
    line_fit(cells, u, counts)
    for _ in range(LM_STEPS):
        residual = cells.y - np.repeat(c, counts) * e
        slope = np.repeat(c, counts) * u * e
        cc, cb, bb = total(e * e, first), total(e * slope, first), total(slope * slope, first)
        gc, gb = total(e * residual, first), total(slope * residual, first)
        cc1, bb1 = cc * (1 + damping), bb * (1 + damping) + 1e-300
        determinant = cc1 * bb1 - cb * cb
        c_new = c + (bb1 * gc - cb * gb) / determinant
        b_new = np.clip(b + (cc1 * gb - cb * gc) / determinant, -60, 60)
        e_new = np.exp(np.repeat(b_new, counts) * u)
        tried = total((cells.y - np.repeat(c_new, counts) * e_new) ** 2, first)
        is_better = tried <= squares
        damping = np.where(is_better, damping * 0.2, damping * 5)
        moved = np.max(np.abs(b_new - b))
        b, c = np.where(is_better, b_new, b), np.where(is_better, c_new, c)
        squares = np.where(is_better, tried, squares)
        e = np.where(np.repeat(is_better, counts), e_new, e)
        if moved < 1e-5:
            break
    return b / span, squares


def line_fit(cells: DecayCells, u: FloatArray, counts: NDArray[np.int64]) -> FloatArray:
    """Slopes of the lines, which LM's time includes as ours does."""
    first = cells.start[:-1]
    du = u - np.repeat(total(u, first) / counts, counts)
    slopes: FloatArray = total(du * cells.y, first) / total(du * du, first)
    return slopes


def log_linear_rates(cells: DecayCells) -> FloatArray:
    """Slope of ln |edge| over the points of the cell's sign: what drops the negative ones."""
    first, counts = cells.start[:-1], np.diff(cells.start)
    sign = np.sign(total(cells.y, first))
    kept = np.where(cells.y * np.repeat(sign, counts) > 0, 1.0, 0.0)
    logs = np.log(np.where(kept > 0, np.abs(cells.y), 1.0))
    n = np.maximum(total(kept, first), 1.0)
    dt = cells.t - np.repeat(total(kept * cells.t, first) / n, counts)
    rates: FloatArray = total(kept * dt * logs, first) / np.maximum(total(kept * dt * dt, first), 1e-300)
    return rates


def total(values: FloatArray, first: NDArray[np.int64]) -> FloatArray:
    """Sum of each cell."""
    return np.add.reduceat(values, first)


def scipy_fit(cells: DecayCells, n_cells: int) -> tuple[FloatArray, FloatArray]:
    """Rates and sums of squares of the first cells by curve_fit; NaN where it gives up."""
    rates, squares = np.full(n_cells, np.nan), np.full(n_cells, np.nan)
    starts = log_linear_rates(cells)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OptimizeWarning)
        for cell in range(n_cells):
            part = slice(cells.start[cell], cells.start[cell + 1])
            t, y = cells.t[part], cells.y[part]
            np.polyfit(t, y, 1)
            try:
                (a, b), _ = curve_fit(exponential, t, y, p0=(y[0], starts[cell]), maxfev=400)
            except RuntimeError:
                continue
            rates[cell], squares[cell] = b, np.sum((y - exponential(t, a, b)) ** 2)
    return rates, squares


def exponential(t: FloatArray, a: float, b: float) -> FloatArray:
    """Return A exp(b t), kept from overflowing."""
    return a * np.exp(np.clip(b * t, -700, 700))


def scipy_ms(cells: DecayCells, n_cells: int) -> float:
    """Time of the loop, once, scaled to all points."""
    started = time.perf_counter()
    scipy_fit(cells, n_cells)
    return 1000.0 * (time.perf_counter() - started) * cells.n_cells / n_cells


@njit(cache=True)
def one_exp(t: FloatArray, out: FloatArray) -> None:
    """Write exp of every point."""
    for i in range(t.size):
        out[i] = np.exp(-0.001 * t[i])


def worse(ours: FloatArray, theirs: FloatArray) -> int:
    """Cells where our sum of squares is larger by more than rounding."""
    return int(np.sum(ours > theirs * (1 + 1e-9)))


def near(cells: DecayCells, rates: FloatArray) -> float:
    """Share of the planted exponentials within 25 %; of those with a rate at all."""
    is_planted = (cells.kind[: rates.size] == EXPONENTIAL) & ~np.isnan(rates)
    return float(np.mean(np.abs(rates[is_planted] / -cells.rate[: rates.size][is_planted] - 1) <= 0.25))


def median_ms(run: Callable[[], object]) -> float:
    """Median wall time of five runs, ms."""
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        run()
        times.append(1000.0 * (time.perf_counter() - started))
    return statistics.median(times)


if __name__ == "__main__":
    main()
