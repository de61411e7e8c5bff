"""Histories of edges with planted decays, seeded: the workload of benchmark F."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.workloads import SEED

FloatArray = NDArray[np.float64]
EXPONENTIAL, LINEAR, FLAT = range(3)


@dataclass(frozen=True)
class DecayCells:
    """Cell i is the points start[i]:start[i + 1]; t in hours since its first point; the rest is the planted truth."""

    start: NDArray[np.int64]
    t: FloatArray
    y: FloatArray
    kind: NDArray[np.uint8]
    amplitude: FloatArray
    rate: FloatArray  # of exponentials, per hour, > 0; slope of lines

    @property
    def n_cells(self) -> int:
        """Cells."""
        return self.kind.size


def decay_cells(n_cells: int, seed: int = SEED) -> DecayCells:
    """18 to 500 points at irregular times over 1 to 90 days; 60 % exponentials of half-life 0.1 to 3 spans, 25 % lines.

    The noise is a tenth of the amplitude; signs are even.
    """
    rng = np.random.default_rng([seed, n_cells, 5])
    n = np.exp(rng.uniform(np.log(18), np.log(501), n_cells)).astype(np.int64)
    start = np.concatenate([[0], np.cumsum(n)])
    cell = np.repeat(np.arange(n_cells), n)
    gap = rng.exponential(1.0, cell.size)
    gap[start[:-1]] = 0
    t = np.cumsum(gap)
    t -= t[start[:-1]][cell]
    span = np.exp(rng.uniform(np.log(24), np.log(24 * 90), n_cells))
    t *= (span / t[start[1:] - 1])[cell]
    kind = rng.choice(3, n_cells, p=[0.6, 0.25, 0.15]).astype(np.uint8)
    a = rng.normal(0, 0.8, n_cells)
    a = np.sign(a) * (np.abs(a) + 0.15)
    half = span * np.exp(rng.uniform(np.log(0.1), np.log(3), n_cells))
    slope = -a * rng.uniform(0.2, 1.5, n_cells) / span
    rate = np.select([kind == EXPONENTIAL, kind == LINEAR], [np.log(2) / half, slope], 0.0)
    curve = a[cell] * np.exp(-np.where(kind == EXPONENTIAL, rate, 0.0)[cell] * t)
    mean = curve + np.where(kind == LINEAR, rate, 0.0)[cell] * t
    y = mean + rng.normal(0, 1, cell.size) * (0.1 * np.abs(a))[cell]
    return DecayCells(start, t, y, kind, a, rate)
