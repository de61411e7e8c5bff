"""Splitting a simulated bar into shorter ones that roll up to it exactly.

What belongs here: one split, and the random numbers it takes. What does not: which bars are split.
"""

import numpy as np

from resources.simulated_path import MARKET, Bars, FloatArray

_ROUGHNESS = 0.5  # spread of a path before it is pulled to its end, as a share of log(high / low)
_WICK = 0.6  # of the spread of one step


def split(bars: Bars, parts: int, step: FloatArray, wick: FloatArray) -> Bars:
    """Bars of a `parts`-th of the length, whose first open, highest high, lowest low and last close are the bar's.

    Closes follow a random walk pulled to the bar's close (a bridge) and kept between its low and high. The part that
    comes nearest to the high has it, likewise the low. Volumes are whole coins and add up.

    Parameters
    ----------
    bars : Bars of arrays of shape (n,)
        Prices > 0, volumes whole.
    parts : int
        Parts of each bar.
    step : ndarray of shape (n, parts)
        Steps of the walk, of variance about 1.
    wick : ndarray of shape (n, 3 * parts)
        Standard normal draws: reach above, reach below, and share of volume of each part.

    Returns
    -------
    Bars of arrays of shape (n, parts)
    """
    above, below, share = np.split(wick, 3, axis=1)
    spread = (_ROUGHNESS * np.log(bars.high / bars.low) / np.sqrt(parts))[:, None]
    walk = np.cumsum(spread * step, axis=1)
    done = np.arange(1, parts + 1) / parts
    path = np.log(bars.open)[:, None] + done * (np.log(bars.close / bars.open)[:, None] - walk[:, -1:]) + walk
    close = np.clip(np.exp(path), bars.low[:, None], bars.high[:, None])
    close[:, -1] = bars.close
    opened = np.concatenate([bars.open[:, None], close[:, :-1]], axis=1)
    high = np.minimum(np.maximum(opened, close) * np.exp(_WICK * spread * np.abs(above)), bars.high[:, None])
    low = np.maximum(np.minimum(opened, close) * np.exp(-_WICK * spread * np.abs(below)), bars.low[:, None])
    rows = np.arange(bars.open.size)
    high[rows, high.argmax(axis=1)] = bars.high
    low[rows, low.argmin(axis=1)] = bars.low
    weight = np.exp(0.5 * share)
    volume = np.floor(bars.volume[:, None] * weight / weight.sum(axis=1, keepdims=True))
    volume[:, -1] += bars.volume - volume.sum(axis=1)
    return Bars(opened, high, low, close, volume)


def draws(
    seed: int, numbers: list[int], day: int, parts: int, layer: int, correlation: float
) -> tuple[FloatArray, FloatArray]:
    """Random numbers to split one day of several instruments into `parts`.

    Steps are Student's t with 4 degrees of freedom, of variance 1, and correlated: correlation^2 between instruments
    of one call, through a stream that all calls of that day and layer share. An instrument's numbers do not depend on
    which others are asked for.

    Returns
    -------
    step : ndarray of shape (n_instruments, parts)
    wick : ndarray of shape (n_instruments, 3 * parts)
    """
    common = np.random.default_rng([seed, MARKET, layer, day]).standard_t(4, size=parts)
    own, wick = np.empty((len(numbers), parts)), np.empty((len(numbers), 3 * parts))
    for row, number in enumerate(numbers):
        rng = np.random.default_rng([seed, number, layer, day])
        own[row] = rng.standard_t(4, size=parts)
        wick[row] = rng.standard_normal(3 * parts)
    return (correlation * common + np.sqrt(1.0 - correlation**2) * own) / np.sqrt(2.0), wick
