"""Exposure of a book summed by cell: by the values of each mask, and by those and the pattern.

All masks and positions are summed at once with NumPy. A cell is a whole number made of the codes of the mask's
dimensions; a mask with too many possible cells has them numbered as they occur.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from operator import or_

import numpy as np
from numpy.typing import NDArray

from domain.scopes.bitmask import ROOT_MASK, dimensions_of
from domain.scopes.scope import Scope
from domain.scopes.scope_code import ScopeCodes, encode_scopes
from domain.vocabulary.scope_dimension import BIT

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

BATCH_CELLS = 1 << 18
"""Cells and positions worked on at once: their arrays stay within a few megabytes, whatever the number of masks."""

MIN_SPARSE_CELLS = 1 << 15
"""Possible cells of a mask above which, where they also are four times the positions, those that occur are numbered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A position a buy is considered for, with the pattern and the scope of that buy."""

    position_id: str
    pattern_key: str
    scope: Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """A row of the book: USD that stand in a position, or that are meant for one that is only watched.

    Raises
    ------
    ValueError
        If the exposure is negative or not finite.
    """

    position_id: str
    pattern_key: str
    scope: Scope
    exposure_usd: float
    is_watchlist: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.exposure_usd < math.inf:
            raise ValueError(f"exposure_usd must be finite and >= 0, was {self.exposure_usd} of {self.position_id}")


@dataclass(frozen=True, slots=True, kw_only=True)
class BookArrays:
    """A book's rows with exposure, then its candidates, as arrays.

    masks: what neighbours are looked for by. codes: of rows, then candidates. pattern: shape (n_rows + n_candidates,),
    number of the pattern. exposure_usd: shape (n_rows,). own_row: shape (n_candidates,), row of the candidate's own
    position or -1. others_usd, n_others: shape (n_candidates,), exposure and number of rows without the own one.
    """

    masks: tuple[int, ...]
    codes: ScopeCodes
    pattern: IntArray
    n_patterns: int
    exposure_usd: FloatArray
    own_row: IntArray
    others_usd: FloatArray
    n_others: IntArray

    @property
    def n_candidates(self) -> int:
        """Number of candidates."""
        return len(self.own_row)


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbourhood:
    """What stands near each candidate in some masks; arrays of shape (n_masks, n_candidates).

    is_known: the candidate knows all dimensions of the mask. scope_usd: exposure of others with the same values.
    pattern_usd: of it, on the same pattern. Both 0 where not known.
    """

    masks: tuple[int, ...]
    is_known: NDArray[np.bool_]
    scope_usd: FloatArray
    pattern_usd: FloatArray


def book_arrays(
    book: Sequence[Holding], candidates: Sequence[Candidate], *, masks: Sequence[int], watchlist_factor: float
) -> BookArrays:
    """Rows that count and candidates, encoded together.

    Raises
    ------
    ValueError
        If two holdings have one id, or a mask is the root, which has every position near, or is given twice.
    """
    if 0 in masks or len(set(masks)) != len(masks):
        raise ValueError(f"Expected masks with dimensions, each once, was {sorted(masks)}")
    if len({row.position_id for row in book}) != len(book):
        raise ValueError("Each position may stand in the book once")
    counted = [(row, row.exposure_usd * (watchlist_factor if row.is_watchlist else 1.0)) for row in book]
    rows = [row for row, usd in counted if usd > 0]
    exposure = np.array([usd for _, usd in counted if usd > 0], dtype=np.float64)
    row_of = {row.position_id: index for index, row in enumerate(rows)}
    own = np.array([row_of.get(each.position_id, -1) for each in candidates], dtype=np.int64)
    everyone: list[Holding | Candidate] = [*rows, *candidates]
    number: dict[str, int] = {}
    pattern = [number.setdefault(each.pattern_key, len(number)) for each in everyone]
    own_usd = np.append(exposure, 0.0)[own]
    return BookArrays(
        masks=tuple(masks),
        codes=encode_scopes([each.scope for each in everyone], reduce(or_, masks, ROOT_MASK)),
        pattern=np.array(pattern, dtype=np.int64),
        n_patterns=max(len(number), 1),
        exposure_usd=exposure,
        own_row=own,
        others_usd=np.maximum(exposure.sum() - own_usd, 0.0),
        n_others=len(rows) - (own >= 0).astype(np.int64),
    )


def neighbourhoods(arrays: BookArrays) -> Iterator[Neighbourhood]:
    """Sum what stands near each candidate, some masks at a time, in their order."""
    masks = arrays.masks
    if not masks or not arrays.n_candidates:
        return
    columns, sizes, mask_columns = _columns(arrays)
    n_cells = np.array([math.prod(sizes[column] for column in used) for used in mask_columns], dtype=np.int64)
    cost = np.cumsum(n_cells * arrays.n_patterns + columns.shape[1])
    edges = np.flatnonzero(np.diff(cost // BATCH_CELLS)) + 1
    for start, end in pairwise([0, *edges.tolist(), len(masks)]):
        keys = _keys(columns, sizes, mask_columns[start:end])
        yield _near(arrays, masks[start:end], keys, n_cells[start:end])


def _columns(arrays: BookArrays) -> tuple[IntArray, list[int], list[list[int]]]:
    """Rows of codes, their sizes, and the rows each mask is made of: its dimensions', or one that numbers its cells."""
    codes = arrays.codes.codes
    sizes = arrays.codes.sizes.tolist()
    limit = max(4 * codes.shape[1], MIN_SPARSE_CELLS)
    numbered: list[IntArray] = []
    mask_columns = []
    for mask in arrays.masks:
        used = [BIT[dimension] for dimension in dimensions_of(mask)]
        if math.prod(sizes[column] for column in used) * arrays.n_patterns > limit:
            cells = np.unique(codes[used], axis=1, return_inverse=True)[1].reshape(-1)
            used = [len(sizes)]
            sizes.append(int(cells.max()) + 1)
            numbered.append(cells)
        mask_columns.append(used)
    return np.vstack([codes, *numbered]), sizes, mask_columns


def _keys(columns: IntArray, sizes: list[int], mask_columns: Sequence[Sequence[int]]) -> IntArray:
    """Cell of every row and candidate in every mask, shape (n_masks, n_rows + n_candidates)."""
    keys = np.zeros((len(mask_columns), columns.shape[1]), dtype=np.int64)
    size = np.array([*sizes, 1])
    padded = np.vstack([columns, np.zeros((1, columns.shape[1]), dtype=np.int64)])
    for depth in range(max(len(used) for used in mask_columns)):
        column = np.array([used[depth] if depth < len(used) else -1 for used in mask_columns])
        keys *= size[column][:, None]
        keys += padded[column]
    return keys


def _near(arrays: BookArrays, masks: tuple[int, ...], keys: IntArray, n_cells: IntArray) -> Neighbourhood:
    n_rows = len(arrays.exposure_usd)
    mask = np.array(masks, dtype=np.int64)[:, None]
    is_known = (arrays.codes.masks & mask) == mask
    usd = np.broadcast_to(arrays.exposure_usd, (len(masks), n_rows))
    cell = keys + (np.cumsum(n_cells) - n_cells)[:, None]
    pattern_cell = cell * arrays.n_patterns + arrays.pattern
    candidate_known = is_known[:, n_rows:]
    own = arrays.own_row
    own_usd = np.append(arrays.exposure_usd, 0.0)[own] * (keys[:, own] == keys[:, n_rows:])
    own_pattern_usd = own_usd * (arrays.pattern[own] == arrays.pattern[n_rows:])
    return Neighbourhood(
        masks=masks,
        is_known=candidate_known,
        scope_usd=_others(cell, usd, own_usd, candidate_known),
        pattern_usd=_others(pattern_cell, usd, own_pattern_usd, candidate_known),
    )


def _others(cell: IntArray, usd: FloatArray, own_usd: FloatArray, is_known: NDArray[np.bool_]) -> FloatArray:
    """Sum of a cell without the candidate's own part, 0 where the candidate does not know the cell.

    Rows that lack a dimension stand in cells of their own: the code of "not known" is no code of a known value.
    """
    n_rows = usd.shape[1]
    total = np.bincount(cell[:, :n_rows].ravel(), weights=usd.ravel(), minlength=int(cell.max()) + 1)
    return np.where(is_known, np.maximum(total[cell[:, n_rows:]] - own_usd, 0.0), 0.0)
