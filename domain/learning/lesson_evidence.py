"""Trades in the order they closed, the earlier of which find what the later ones confirm.

What belongs here: which trade speaks when, and with which others as one. What does not: what is asked of them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from domain.config.lesson import LessonConfig
from domain.learning.contrast import BoolArray, Contrasts, FloatArray, IntArray, contrasts

_DAY_US = 86_400_000_000
_MAX_ELEMENTS = 4_000_000
"""Cells x trades compared at once."""


class Judged(NamedTuple):
    """Comparisons of some cells with their rests: over the earlier trades, the later ones (p one-sided), and all."""

    discovery: Contrasts
    confirmation: Contrasts
    overall: Contrasts


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """Trades to compare.

    Attributes
    ----------
    rr : ndarray of float64 of shape (n_trades,)
        R, by time of closure.
    cluster : ndarray of int64 of shape (n_trades,)
        UTC day of the closure, or number of the trade; not falling.
    n_discovering : int
        Trades that find: the first ones, whole clusters.
    is_confirming : ndarray of bool of shape (n_trades,)
        Trades that confirm.
    n_purged : int
        Later trades that do not, for they were open with the discovering ones.
    """

    rr: FloatArray
    cluster: IntArray
    n_discovering: int
    is_confirming: BoolArray
    n_purged: int

    def discover(self, inside: BoolArray, rest: BoolArray) -> Contrasts:
        """Compare over the discovering trades; sides of shape (n_cells, n_trades)."""
        early = slice(self.n_discovering)
        return contrasts(self.rr[early], self.cluster[early], inside[:, early], rest[:, early])

    def judge(self, inside: BoolArray, rest: BoolArray) -> Judged:
        """Compare over the discovering, the confirming and all trades; sides of shape (n_cells, n_trades)."""
        late = self.is_confirming
        found = self.discover(inside, rest)
        confirmed = contrasts(self.rr[late], self.cluster[late], inside[:, late], rest[:, late])
        return Judged(found, confirmed.towards(found.effect), contrasts(self.rr, self.cluster, inside, rest))

    def judge_cells(self, members: Callable[[IntArray], BoolArray], cells: IntArray, parent: BoolArray) -> Judged:
        """Compare cells, given by number, with the other trades of one parent; a few at a time, for memory.

        Parameters
        ----------
        members : callable
            Trades of some cells, (n_cells, n_trades).
        cells : ndarray of int of shape (n_cells,)
            At least one.
        parent : ndarray of bool of shape (n_trades,)
            Trades of the parent.
        """
        step = max(1, _MAX_ELEMENTS // max(self.rr.size, 1))
        parts = []
        for first in range(0, cells.size, step):
            inside = members(cells[first : first + step])
            parts.append(self.judge(inside, parent & ~inside))
        return join_judged(parts)


def join_judged(parts: list[Judged]) -> Judged:
    """Comparisons one after the other; at least one part."""
    return Judged(*(_joined([part[k] for part in parts]) for k in range(len(Judged._fields))))


def _joined(parts: list[Contrasts]) -> Contrasts:
    return Contrasts(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def lesson_evidence(rr: FloatArray, closed_us: IntArray, opened_us: IntArray, config: LessonConfig) -> Evidence:
    """Evidence of trades.

    Parameters
    ----------
    rr : ndarray of float64 of shape (n_trades,)
        R, without NaN.
    closed_us, opened_us : ndarray of int64 of shape (n_trades,)
        Microseconds since 1970; the first not falling.
    config : LessonConfig
        Clusters and shares. The cluster in which the discovering share ends belongs to it whole.

    Raises
    ------
    ValueError
        If the trades are not in the order of their closure.
    """
    if np.any(np.diff(closed_us) < 0):
        raise ValueError("Trades must be in the order they closed")
    n = rr.size
    cluster = closed_us // _DAY_US if config.cluster_by == "day" else np.arange(n, dtype=np.int64)
    cut = int(np.searchsorted(cluster, cluster[int(np.ceil(config.discovery_frac * n)) - 1], side="right")) if n else 0
    is_late = np.arange(n) >= cut
    is_open_before = opened_us < closed_us[cut - 1] if cut else np.zeros(n, np.bool_)
    is_confirming = is_late & ~is_open_before if config.purge_overlap else is_late
    return Evidence(rr, cluster, cut, is_confirming, int(is_late.sum() - is_confirming.sum()))
