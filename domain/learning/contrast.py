"""Difference of the mean outcome between trades of a cell and trades outside it, judged by groups of like trades.

What belongs here: the difference, its standard error, p and interval. What does not: which trades are compared and
what follows (`lesson_search`, `lesson_redundancy`).

Trades that close on one day were open in one market: a token's trade wins with the others or loses with them. Ten
trades of a day in which everything rose are nearer to one observation than to ten, and a test that takes them for ten
finds an "effect" in whatever the days had in common (a driver's state, a phase), for such a dimension is constant
within a day. So trades come in clusters, and the standard error is that of means over clusters.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

SHARED_VARIANCE = 0.5
"""Share of the variance of an outcome that the degrees of freedom take a cluster to have in common. 0 would count the
trades of a cluster as apart, 1 would make a cluster that lies evenly on both sides count for nothing."""


class Difference(NamedTuple):
    """One cell against its rest.

    Attributes
    ----------
    n_in, n_rest, clusters_in, clusters_rest : int
        Trades, and clusters with a trade, of each side.
    effect : float
        Mean of the cell minus mean of the rest, R; NaN when a side has no trade.
    se, df : float
        Standard error (R) and degrees of freedom; NaN when a side has fewer than 2 clusters or all its outcomes equal.
    p : float
        NaN as `se`. As given: two-sided, or one-sided in a direction said before.
    """

    n_in: int
    n_rest: int
    clusters_in: int
    clusters_rest: int
    effect: float
    se: float
    df: float
    p: float


class Contrasts(NamedTuple):
    """Many cells, one entry a cell; attributes as in `Difference`, p two-sided."""

    n_in: IntArray
    n_rest: IntArray
    clusters_in: IntArray
    clusters_rest: IntArray
    effect: FloatArray
    se: FloatArray
    df: FloatArray
    p: FloatArray

    def of(self, cell: int) -> Difference:
        """Row of one cell."""
        return Difference(*(column[cell].item() for column in self))

    def towards(self, direction: FloatArray) -> "Contrasts":
        """Return the same with p one-sided: of an effect at least this large in the direction (sign) given a cell."""
        t = self.effect / self.se * np.sign(direction)
        return self._replace(p=_tail(t, self.df))


NO_DIFFERENCE = Difference(0, 0, 0, 0, *[float("nan")] * 4)
"""Nothing to compare with."""


def contrasts(rr: FloatArray, cluster: IntArray, inside: BoolArray, rest: BoolArray) -> Contrasts:
    """Compare the mean of the trades inside each cell with that of its rest.

    With S the sum of a side's residuals over cluster g, n_g the side's trades there, N all of them and G clusters,
    the variance is that of leaving out one cluster at a time, which has a closed form:
    (G - 1) / G x sum over g of (S_in / (N_in - n_in) - S_rest / (N_rest - n_rest))^2.
    With clusters of like size it is the usual cluster-robust variance (CR1, which has N in the place of N - n_g); where
    a side has few clusters or one large one, CR1 is too small and this is not.

    The degrees of freedom are Satterthwaite's, (sum of w)^2 / (sum of w^2) - 1, with w the variance a cluster would
    have if `SHARED_VARIANCE` of each outcome's were common to it: a side of 6 days counts for 6 days though the other
    has 200. They depend on where trades stand, not on how they ended. With one trade a cluster this is Welch's test.

    Parameters
    ----------
    rr : ndarray of shape (n_trades,)
        R, without NaN.
    cluster : ndarray of int of shape (n_trades,)
        Cluster of each trade, not falling.
    inside, rest : ndarray of bool of shape (n_cells, n_trades)
        The two sides; a trade in neither is left out.

    Returns
    -------
    Contrasts
        (n_cells,).

    References
    ----------
    MacKinnon, Nielsen and Webb (2023), Cluster-robust inference: a guide to empirical practice (CR3, the jackknife).
    Bell and McCaffrey (2002), Bias reduction in standard errors for linear regression with multi-stage samples.

    >>> rr = np.array([2.0, 1.0, 3.0, 2.0, 0.0, 1.0, -1.0, 0.0])
    >>> inside = np.arange(8) < 4
    >>> found = contrasts(rr, np.arange(8), inside[None], ~inside[None]).of(0)
    >>> found.effect, round(found.se, 3), round(found.df, 1), round(found.p, 3)
    (2.0, 0.624, 7.0, 0.015)
    """
    n_cells = inside.shape[0]
    if not rr.size or not n_cells:
        nothing, unknown = np.zeros(n_cells, np.int64), np.full(n_cells, np.nan)
        return Contrasts(nothing, nothing, nothing, nothing, unknown, unknown, unknown, unknown)
    starts = np.flatnonzero(np.diff(cluster, prepend=cluster[0] - 1))
    own, other = _side(rr, starts, inside), _side(rr, starts, rest)
    n_clusters = np.count_nonzero(own.counts + other.counts, axis=1)
    is_judged = own.is_judged & other.is_judged
    with np.errstate(invalid="ignore", divide="ignore"):
        effect = own.mean - other.mean
        moved = own.moved - other.moved
        se = np.sqrt((n_clusters - 1) / n_clusters * np.sum(moved * moved, axis=1))
        se = np.where(is_judged & (se > 0), se, np.nan)
        df = np.where(np.isnan(se), np.nan, _degrees_of_freedom(own.share, other.share, own, other))
        p = np.minimum(2.0 * _tail(np.abs(effect) / se, df), 1.0)
    return Contrasts(own.n, other.n, own.n_clusters, other.n_clusters, effect, se, df, p)


def interval(difference: Difference, level: float) -> tuple[float, float]:
    """Interval of an effect, R; NaN where there is no standard error.

    >>> low, high = interval(Difference(4, 4, 4, 4, 2.0, 0.5, 6.0, 0.007), 0.9)
    >>> round(low, 3), round(high, 3)
    (1.028, 2.972)
    """
    reach = float(stdtrit(difference.df, 0.5 + level / 2.0)) * difference.se
    return difference.effect - reach, difference.effect + reach


class _Side(NamedTuple):
    """One side of every cell: counts, share and moved are (n_cells, n_clusters), the others (n_cells,)."""

    n: IntArray
    n_clusters: IntArray
    mean: FloatArray
    counts: IntArray
    share: FloatArray
    moved: FloatArray
    is_judged: BoolArray


def _side(rr: FloatArray, starts: IntArray, members: BoolArray) -> _Side:
    counts = np.add.reduceat(members, starts, axis=1, dtype=np.int64)
    sums = np.add.reduceat(np.where(members, rr, 0.0), starts, axis=1)
    n = counts.sum(axis=1)
    n_clusters = np.count_nonzero(counts, axis=1)
    is_flat = np.where(members, rr, -np.inf).max(axis=1) <= np.where(members, rr, np.inf).min(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = sums.sum(axis=1) / n
        share = counts / n[:, None]
        moved = (sums - counts * mean[:, None]) / (n[:, None] - counts)
    return _Side(n, n_clusters, mean, counts, share, moved, (n_clusters > 1) & ~is_flat)


def _degrees_of_freedom(share_in: FloatArray, share_rest: FloatArray, own: _Side, other: _Side) -> FloatArray:
    apart = share_in / own.n[:, None] + share_rest / other.n[:, None]
    weight = (1.0 - SHARED_VARIANCE) * apart + SHARED_VARIANCE * (share_in - share_rest) ** 2
    effective: FloatArray = weight.sum(axis=1) ** 2 / np.sum(weight * weight, axis=1)
    return np.maximum(effective - 1.0, 1.0)


def _tail(t: FloatArray, df: FloatArray) -> FloatArray:
    """Chance of Student's t above t; NaN where either is."""
    return np.asarray(stdtr(df, -t), np.float64)
