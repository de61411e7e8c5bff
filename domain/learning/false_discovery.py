"""How many of the differences found in a family of tests may be chance, and how sure a rate is."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

FloatArray = NDArray[np.float64]


def benjamini_hochberg(p: FloatArray) -> FloatArray:
    """False-discovery rate at which each test of a family is just rejected: smallest over j >= i of p_(j) x m / j.

    Rejecting all with q at most 0.1 keeps the expected share of false ones among the rejected at or below 0.1, for
    independent tests and those that go together; when nothing is there, any rejection comes in one family of ten.

    Parameters
    ----------
    p : ndarray of shape (n_tests,)
        0..1. A NaN is no test: it does not count in m, and its q is NaN.

    Returns
    -------
    ndarray of shape (n_tests,)
        q, 0..1, at least p.

    Raises
    ------
    ValueError
        If a p is outside 0..1.

    References
    ----------
    Benjamini and Hochberg (1995), Controlling the false discovery rate.

    >>> benjamini_hochberg(np.array([0.01, 0.04, 0.03, np.nan, 0.5])).round(3)
    array([0.04 , 0.053, 0.053,   nan, 0.5  ])
    """
    is_test = ~np.isnan(p)
    tested = p[is_test]
    if tested.size and not (tested.min() >= 0.0 and tested.max() <= 1.0):
        raise ValueError(f"p must be within 0..1, was {tested.min()} to {tested.max()}")
    largest_first = np.argsort(-tested, kind="stable")
    ranks = np.arange(tested.size, 0, -1)
    q = np.full(p.shape, np.nan)
    adjusted = np.empty(tested.size)
    adjusted[largest_first] = np.minimum.accumulate(tested[largest_first] * (tested.size / ranks))
    q[is_test] = np.minimum(adjusted, 1.0)
    return q


def wilson_interval(n_successes: int, n: int, level: float) -> tuple[float, float]:
    """Interval of a rate, which stays within 0..1 and is not empty at 0 or n successes; NaN when n is 0.

    References
    ----------
    Wilson (1927), Probable inference, the law of succession, and statistical inference.

    >>> low, high = wilson_interval(8, 10, 0.95)
    >>> round(low, 4), round(high, 4)
    (0.4902, 0.9433)
    """
    if not n:
        return math.nan, math.nan
    z = float(ndtri(0.5 + level / 2.0))
    rate, shrink = n_successes / n, 1.0 + z * z / n
    middle = (rate + z * z / (2 * n)) / shrink
    reach = z / shrink * math.sqrt(rate * (1.0 - rate) / n + z * z / (4 * n * n))
    return max(middle - reach, 0.0), min(middle + reach, 1.0)
