"""Faults put into a day of simulated low-cap bars, so that quarantine and coverage have something to show.

Every day of bars finer than a day has one gap and one repeated bar; days take turns in a spike of x100 and a bar whose
high lies below its low.
"""

import numpy as np
import numpy.typing as npt

from resources.simulated_path import Bars

_STREAM = 902
SPIKE = 100.0


def impair(bars: Bars, seed: int, day: int) -> tuple[Bars, npt.NDArray[np.int64]]:
    """Bars of one day with faults in them, and which to give out.

    Parameters
    ----------
    bars : Bars of arrays of shape (n_tokens, parts)
        At least one token and four parts. Not changed.
    seed, day : int
        Together they decide where the faults are.

    Returns
    -------
    Bars of arrays of shape (n_tokens, parts)
    order : ndarray
        Flat indices of the rows to give out: without the gap, and with the repeated row twice.
    """
    rng = np.random.default_rng([seed, _STREAM, day])
    n_tokens, parts = bars.open.shape
    gap_token, repeated_token, spiked_token, broken_token = rng.integers(n_tokens, size=4)
    repeated, faulty = rng.integers(1, parts, size=2)  # a series' first bar has nothing to be compared with
    length = int(rng.integers(1, max(2, parts // 50) + 1))
    first = int(rng.integers(parts - length))
    high, low, others = bars.high.copy(), bars.low.copy(), [bars.open.copy(), bars.close.copy()]
    if day % 2:
        for prices in (high, low, *others):
            prices[spiked_token, faulty] *= SPIKE
    else:
        high[broken_token, faulty] = 0.5 * low[broken_token, faulty]
    order = np.arange(n_tokens * parts)
    gap = gap_token * parts + np.arange(first, first + length)
    order = np.append(np.delete(order, gap), repeated_token * parts + repeated)
    return Bars(others[0], high, low, others[1], bars.volume), order
