"""Which mined cells are asked about, against what, and in which family: down from the whole, where something differs.

Cells of one condition are compared with the rest of their group, as one family of tests. Only below a cell that
differs from its rest (q within `descend_rate`) are cells with one more condition asked about, against the rest of that
cell, as a family of their own. Thousands of cells are never asked about, so they cost the few that matter nothing.

What belongs here: the questions and their p and q. What does not: verdicts (`lesson`).

References
----------
Yekutieli (2008), Hierarchical false discovery rate-controlling methodology.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from domain.config.lesson import LessonConfig
from domain.learning.contrast import BoolArray, Contrasts, FloatArray, IntArray
from domain.learning.false_discovery import benjamini_hochberg
from domain.learning.lattice import NO_BIT, MinedCells
from domain.learning.lesson_evidence import Evidence, Judged, join_judged
from domain.learning.trade_group import N_BITS, CodeArray

ROOT = 0
"""Number of the cell without conditions."""


class Asked(NamedTuple):
    """Cells that were asked about, parents before children; all of shape (n_asked,).

    cell, parent: numbers of the mined cells. q: NaN where the cell was too small to be tested.
    """

    cell: IntArray
    parent: IntArray
    judged: Judged
    q: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class CellTree:
    """Mined cells of a group and how they lie in each other.

    Attributes
    ----------
    mined : MinedCells
        The one without conditions first.
    codes : ndarray of uint16 of shape (n_cells, N_BITS)
        By bit: code of the value, 0 where the cell has no condition.
    depth : ndarray of int of shape (n_cells,)
        Conditions.
    """

    mined: MinedCells
    codes: CodeArray = field(init=False)
    depth: IntArray = field(init=False)

    def __post_init__(self) -> None:
        used = self.mined.bits != NO_BIT
        row, place = np.nonzero(used)
        codes = np.zeros((self.mined.n_cells, N_BITS), np.uint16)
        codes[row, self.mined.bits[row, place]] = self.mined.codes[row, place]
        object.__setattr__(self, "codes", codes)
        object.__setattr__(self, "depth", used.sum(axis=1))

    def members(self, cells: IntArray) -> BoolArray:
        """Trades of some cells, (n_cells, n_trades)."""
        group = self.mined.group
        found = np.zeros((cells.size, group.n_trades), np.bool_)
        for i, cell in enumerate(cells):
            codes = self.codes[cell]
            found[i] = group.members(int(self.mined.masks[cell]), codes[codes > 0].tolist())
        return found

    def children(self, cell: int) -> IntArray:
        """Cells with the conditions of a cell and one more."""
        own = np.flatnonzero(self.codes[cell])
        is_child = (self.depth == self.depth[cell] + 1) & np.all(self.codes[:, own] == self.codes[cell, own], axis=1)
        return np.flatnonzero(is_child)

    def smallest_parents(self) -> IntArray:
        """Of each cell the parent with fewest trades, the first of several; the root where no parent was kept."""
        number = {codes.tobytes(): cell for cell, codes in enumerate(self.codes)}
        found = np.zeros(self.mined.n_cells, np.int64)
        for cell in range(self.mined.n_cells):
            parents = []
            for bit in np.flatnonzero(self.codes[cell]):
                codes = self.codes[cell].copy()
                codes[bit] = 0
                parents.append(number.get(codes.tobytes(), ROOT))
            found[cell] = min(parents, key=lambda parent: (self.mined.n_trades[parent], parent), default=ROOT)
        return found


def search_cells(tree: CellTree, evidence: Evidence, config: LessonConfig) -> Asked:
    """Ask down the lattice; a cell below several that differ is asked about under the most significant one, once."""
    families = {ROOT: np.flatnonzero(tree.depth == 1)}
    found: list[Asked] = []
    while families:
        level = [ask_family(tree, evidence, parent, cells, config) for parent, cells in families.items() if cells.size]
        found += level
        families = _families_below(tree, level, config)
    return join_asked(found)


def ask_all(tree: CellTree, evidence: Evidence, config: LessonConfig) -> Asked:
    """Ask about every cell, in families of one smallest parent."""
    parents = tree.smallest_parents()
    below = np.arange(1, tree.mined.n_cells)
    families = [(parent, below[parents[below] == parent]) for parent in np.unique(parents[below])]
    return join_asked([ask_family(tree, evidence, int(parent), cells, config) for parent, cells in families])


def ask_family(tree: CellTree, evidence: Evidence, parent: int, cells: IntArray, config: LessonConfig) -> Asked:
    """Compare cells with the rest of their parent, as one family."""
    of_parent = tree.members(np.array([parent]))[0]
    judged = evidence.judge_cells(tree.members, cells, of_parent)
    q = family_q(judged.discovery, tree.mined.n_trades[cells], config)
    return Asked(cells, np.full(cells.size, parent), judged, q)


def family_q(discovery: Contrasts, n_trades: IntArray, config: LessonConfig) -> FloatArray:
    """Return q of each cell of a family; NaN for those whose sides are too small, which are no tests."""
    is_tested = (
        (n_trades >= config.min_trades)
        & (np.minimum(discovery.n_in, discovery.n_rest) >= config.min_side_trades)
        & (np.minimum(discovery.clusters_in, discovery.clusters_rest) >= config.min_side_clusters)
    )
    return benjamini_hochberg(np.where(is_tested, discovery.p, np.nan))


def join_asked(parts: list[Asked]) -> Asked:
    """Everything that was asked, in order."""
    if not parts:
        nothing, unknown = np.zeros(0, np.int64), np.zeros(0, np.float64)
        none = Contrasts(nothing, nothing, nothing, nothing, unknown, unknown, unknown, unknown)
        return Asked(nothing, nothing, Judged(none, none, none), unknown)
    cell, parent, q = (np.concatenate([getattr(part, name) for part in parts]) for name in ("cell", "parent", "q"))
    return Asked(cell, parent, join_judged([part.judged for part in parts]), q)


def _families_below(tree: CellTree, level: list[Asked], config: LessonConfig) -> dict[int, IntArray]:
    open_cells = [
        (float(p), int(cell))
        for asked in level
        for cell, p, q in zip(asked.cell, asked.judged.discovery.p, asked.q, strict=True)
        if q <= config.descend_rate
    ]
    is_taken = np.zeros(tree.mined.n_cells, np.bool_)
    families = {}
    for _, cell in sorted(open_cells):
        children = tree.children(cell)
        families[cell] = children[~is_taken[children]]
        is_taken[children] = True
    return families
