"""Intervals of numbers over trades, by resampling the days they closed on.

Trades that close on one day share a market, so a day is drawn with all its trades (a cluster bootstrap): ten trades of
one good day are one good day.

References
----------
Efron (1979), Bootstrap methods: another look at the jackknife. Cameron, Gelbach and Miller (2008), Bootstrap-based
improvements for inference with clustered errors.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from domain.config.override import WalkForwardConfig

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number and its interval; the ends are NaN where there are too few days."""

    value: float
    lower: float
    upper: float


class DayBootstrap:
    """Resampled closing days of some trades: the same trades and seed give the same draws.

    Parameters
    ----------
    closed_at : sequence of datetime
        Closure of each trade.
    config : WalkForwardConfig
        Resamples, seed, level, fewest days.

    Attributes
    ----------
    n_days : int
        Distinct UTC days.
    of_trade : ndarray of int of shape (n_trades,)
        Number of the day of each trade.
    """

    def __init__(self, closed_at: Sequence[datetime], config: WalkForwardConfig) -> None:
        days = np.array([at.astimezone(UTC).toordinal() for at in closed_at], dtype=np.int64)
        names, self.of_trade = np.unique(days, return_inverse=True)
        self.n_days = int(names.size)
        self._config = config
        rng = np.random.default_rng(config.seed)
        shares = np.full(self.n_days, 1.0 / max(self.n_days, 1))
        self._drawn = rng.multinomial(self.n_days, shares, size=config.n_resamples) if self.n_days else None

    def sums(self, values: NDArray[np.float64] | NDArray[np.int64]) -> FloatArray:
        """Sum values of the trades over each resample.

        Parameters
        ----------
        values : ndarray of shape (n_trades,)
            Without NaN.

        Returns
        -------
        ndarray of shape (n_resamples,)
            Exact where the values are whole numbers.
        """
        if self._drawn is None:
            return np.zeros(self._config.n_resamples)
        by_day = np.bincount(self.of_trade, values, self.n_days)
        return np.asarray(self._drawn @ by_day, dtype=np.float64)

    def interval(self, resampled: FloatArray, n_days: int) -> tuple[float, float]:
        """Return the central interval of a statistic, whose NaN are left out.

        Parameters
        ----------
        resampled : ndarray of shape (n_resamples,)
            The statistic over each resample.
        n_days : int
            Days that speak in it.

        Returns
        -------
        tuple of float
            Both NaN where fewer than `min_days` days speak.
        """
        if n_days < self._config.min_days:
            return math.nan, math.nan
        tail = (1.0 - self._config.interval_level) / 2.0
        lower, upper = np.nanquantile(resampled, [tail, 1.0 - tail])
        return float(lower), float(upper)
