"""Which of several cells that differ say the same thing: each next one must add to those that were accepted before.

When x is high y is low, and whatever holds for one holds for the other; the opposite holds for all the rest; and a cell
with one condition more or less shares most of its trades. One effect would become a dozen lessons. And the dozen would
count as discoveries, which lets chance in: a tenth of twelve is one.

What belongs here: what remains of a difference without the trades of accepted cells. What does not: the first proof
that it is there (`lesson_search`).
"""

import math
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from domain.config.lesson import LessonConfig
from domain.learning.contrast import BoolArray, FloatArray, contrasts
from domain.learning.lesson_evidence import Evidence
from domain.learning.lesson_hypothesis import Verdict
from domain.learning.trade_fact import ScopeCell

P_DIGITS = 9
"""Digits of a p that count in an order: opposite sides of one comparison differ in the last ones."""


class Candidate(NamedTuple):
    """A cell that differs.

    Attributes
    ----------
    cell : ScopeCell
    members, population : ndarray of bool of shape (n_trades,)
        Its trades, and those it was compared within: its own and its rest.
    p : float
        Of its discovery against all other trades, by which candidates of any depth can be put in one order.
    direction : float
        Sign of its effect.
    family : ScopeCell or None
        Parent of the cells it was tested with.
    n_tests : int
        Number of these, its own too.
    """

    cell: ScopeCell
    members: BoolArray
    population: BoolArray
    p: float
    direction: float
    family: ScopeCell | None
    n_tests: int


class AcceptedCell(NamedTuple):
    """A cell that stays, and its trades."""

    cell: ScopeCell
    members: BoolArray


def explain_cells(
    evidence: Evidence, candidates: Sequence[Candidate], accepted: Sequence[AcceptedCell], config: LessonConfig
) -> dict[ScopeCell, tuple[Verdict, ScopeCell | None]]:
    """Verdict of each candidate beside the others, with the accepted cell that explains it.

    Greedily, lowest p first (then fewer conditions, mask, values). The trades of accepted cells are taken out of both
    sides; what is left must be enough and still differ, the same way, at `redundancy_p`. An accepted cell that contains
    the candidate is not taken out, as nothing would be left: the candidate must then differ from the rest of the
    smallest such cell. So a cell whose effect is that of one part of it is explained by the part, and a part that is no
    better than the whole by the whole.

    What still differs must do so as the next discovery of its family when those explained are not counted as any: as
    number k + 1 of m tests, at k + 1 times the false-discovery rate over m.

    Parameters
    ----------
    evidence : Evidence
        All trades.
    candidates : sequence of Candidate
        Each cell once.
    accepted : sequence of AcceptedCell
        Cells accepted before; not changed.
    config : LessonConfig
        Levels, and how many trades must be left.

    Returns
    -------
    dict
        By cell: promoted, explained_by with the cell most like it or most unlike it, or not_significant_alone.
    """
    stays = list(accepted)
    discoveries: Counter[ScopeCell | None] = Counter()
    found: dict[ScopeCell, tuple[Verdict, ScopeCell | None]] = {}
    for candidate in sorted(candidates, key=_order):
        p = _p_of_what_is_left(evidence, candidate, stays, config) if stays else 0.0
        level = config.false_discovery_rate * (discoveries[candidate.family] + 1) / candidate.n_tests
        if not p <= config.redundancy_p:
            by = max(stays, key=lambda other: _likeness(candidate.members, other.members)).cell
            found[candidate.cell] = Verdict.EXPLAINED_BY, by
        elif p > level:
            found[candidate.cell] = Verdict.NOT_SIGNIFICANT_ALONE, None
        else:
            stays.append(AcceptedCell(candidate.cell, candidate.members))
            discoveries[candidate.family] += 1
            found[candidate.cell] = Verdict.PROMOTED, None
    return found


def _order(candidate: Candidate) -> tuple[float, int, int, tuple[str, ...], ScopeCell]:
    p = float(f"{candidate.p:.{P_DIGITS - 1}e}") if candidate.p == candidate.p else 2.0
    cell = candidate.cell
    return p, cell.mask.bit_count(), cell.mask, cell.values, cell


def _p_of_what_is_left(
    evidence: Evidence, candidate: Candidate, stays: Sequence[AcceptedCell], config: LessonConfig
) -> float:
    """Two-sided p over all trades but those of accepted cells; NaN where too few are left or they differ otherwise."""
    around = [other.members for other in stays if not np.any(candidate.members & ~other.members)]
    beside = [other.members for other in stays if np.any(candidate.members & ~other.members)]
    population = min(around, key=np.count_nonzero, default=candidate.population)
    left = population & ~np.logical_or.reduce(beside) if beside else population
    inside = candidate.members & left
    found = contrasts(evidence.rr, evidence.cluster, inside[None], (left & ~inside)[None]).of(0)
    is_enough = min(found.n_in, found.n_rest) >= config.min_side_trades
    return found.p if is_enough and found.effect * candidate.direction > 0 else math.nan


def _likeness(members: BoolArray, other: BoolArray) -> float:
    """Squared correlation of two sets of trades: 1 for the same set and for the opposite one."""
    n, a, b = members.size, int(members.sum()), int(other.sum())
    spread = a * (n - a) * b * (n - b)
    return (n * int(np.sum(members & other)) - a * b) ** 2 / spread if spread else 0.0


def p_of_cells(evidence: Evidence, members: BoolArray) -> FloatArray:
    """Return p of the discovery of cells, (n_cells, n_trades), against all other trades."""
    return np.array([evidence.discover(row[None], ~row[None]).p[0] for row in members])
