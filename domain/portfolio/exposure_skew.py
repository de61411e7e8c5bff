"""How crowded the neighbourhood of a buy is: less where much like it is held already, more where nothing is.

Two positions are neighbours in a mask where they share the values of its dimensions. For a candidate and the masks all
of whose dimensions it knows, over the other positions of the book:

    norm = sum_m w(m) (a x scope_exposure[m, v] + b x pk_scope_exposure[pattern, m, v]) / ((a + b) sum_m w(m) x total)
    skew = min + (max - min) x (1 - norm)

scope_exposure is what stands in the same scope, pk_scope_exposure what was bought there on the same pattern too. The
denominator is the most the candidate could find: all of it here, on its pattern, is exactly min; nothing near exactly
max. A fixed one saturates: against 100 USD, any book of 100 USD was full.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from domain.config.portfolio import ExposureConfig, MaskWeightConfig
from domain.portfolio.exposure_cell import BookArrays, Candidate, Holding, book_arrays, neighbourhoods
from domain.scopes.bitmask import mask_of
from domain.scopes.mask_weight import mask_weight, mask_weights

FloatArray = NDArray[np.float64]


class SkewBasis(StrEnum):
    """Why a skew is what it is. Only `measured` looks at neighbours."""

    MEASURED = "measured"
    EMPTY_BOOK = "empty_book"
    NO_MASK = "no_mask"


@dataclass(frozen=True, slots=True, kw_only=True)
class SkewPanel:
    """Skews of n candidates, arrays of shape (n,).

    skew: ratio. conc_norm: 0..1, NaN where not measured. others_usd: exposure of the book without the candidate's own.
    is_empty_book: nothing else is held. has_no_mask: the candidate knows all dimensions of no mask, so what is near
    cannot be told and the skew is 1.
    """

    skew: FloatArray
    conc_norm: FloatArray
    others_usd: FloatArray
    is_empty_book: NDArray[np.bool_]
    has_no_mask: NDArray[np.bool_]

    def basis(self, index: int) -> SkewBasis:
        """Return why one candidate's skew is what it is."""
        if self.is_empty_book[index]:
            return SkewBasis.EMPTY_BOOK
        return SkewBasis.NO_MASK if self.has_no_mask[index] else SkewBasis.MEASURED


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskCrowding:
    """What one mask says of one candidate: its weight, and USD near in the same scope, and on the same pattern too."""

    mask: int
    weight: float
    scope_exposure_usd: float
    pk_scope_exposure_usd: float


def exposure_masks(config: ExposureConfig, more: Sequence[int] = ()) -> tuple[int, ...]:
    """Masks exposure is measured by: the configured ones, and `more` without those; the root is none of them.

    >>> exposure_masks(ExposureConfig(), [0, 4, 2])
    (4, 260, 262, 2)
    """
    configured = [mask_of(dimensions) for dimensions in config.mask_defs]
    return tuple(mask for mask in dict.fromkeys([*configured, *more]) if mask)


def exposure_skew(
    book: Sequence[Holding],
    candidates: Sequence[Candidate],
    *,
    masks: Sequence[int],
    config: ExposureConfig,
    weights: MaskWeightConfig,
) -> SkewPanel:
    """Skew of each candidate against the same book.

    Parameters
    ----------
    book : sequence of Holding
        Every position, watched tokens included; ids are unique.
    candidates : sequence of Candidate
        Positions a buy is considered for. What the book holds under the same id is left out for that one.
    masks : sequence of int
        From `exposure_masks`; each one once, none of them the root.
    config : ExposureConfig
        Weights a and b, both ends, the skew of an empty book, the share a watched token counts.
    weights : MaskWeightConfig
        w(m).

    Returns
    -------
    SkewPanel
        Skews within min..max, in the order of the candidates.

    Raises
    ------
    ValueError
        If a mask is the root or given twice, or two holdings have one id.
    """
    arrays = book_arrays(book, candidates, masks=masks, watchlist_factor=config.watchlist_factor)
    return skew_of(arrays, config=config, weights=weights)


def skew_of(arrays: BookArrays, *, config: ExposureConfig, weights: MaskWeightConfig) -> SkewPanel:
    """Skew of each candidate, from a book already made into arrays; see `exposure_skew`."""
    near = np.zeros(arrays.n_candidates)
    known_weight = np.zeros(arrays.n_candidates)
    for cells in neighbourhoods(arrays):
        weight = mask_weights(cells.masks, weights)[:, None] * cells.is_known
        crowd = config.scope_weight * cells.scope_usd + config.pattern_weight * cells.pattern_usd
        near += (weight * crowd).sum(axis=0)
        known_weight += weight.sum(axis=0)
    most = (config.scope_weight + config.pattern_weight) * known_weight * arrays.others_usd
    has_no_mask = (arrays.n_others > 0) & (known_weight == 0)
    is_empty = ~has_no_mask & ~(most > 0)
    norm = np.full(arrays.n_candidates, np.nan)
    np.divide(near, most, out=norm, where=most > 0)
    norm = np.clip(norm, 0.0, 1.0)
    lowest, highest = config.exposure_skew_min, config.exposure_skew_max
    measured = np.clip(lowest + (highest - lowest) * (1.0 - norm), lowest, highest)
    skew = np.where(is_empty, config.empty_book_skew, np.where(has_no_mask, 1.0, measured))
    return SkewPanel(
        skew=skew,
        conc_norm=norm,
        others_usd=arrays.others_usd,
        is_empty_book=is_empty,
        has_no_mask=has_no_mask,
    )


def explain_skew(
    book: Sequence[Holding],
    candidate: Candidate,
    *,
    masks: Sequence[int],
    config: ExposureConfig,
    weights: MaskWeightConfig,
) -> tuple[MaskCrowding, ...]:
    """Tell what each mask the candidate knows contributes to its skew, in the order of `masks`."""
    arrays = book_arrays(book, [candidate], masks=masks, watchlist_factor=config.watchlist_factor)
    return explain_skews(arrays, weights)[0]


def explain_skews(arrays: BookArrays, weights: MaskWeightConfig) -> list[tuple[MaskCrowding, ...]]:
    """Tell it of every candidate at once; each is told what it would be told alone."""
    found: list[list[MaskCrowding]] = [[] for _ in range(arrays.n_candidates)]
    for cells in neighbourhoods(arrays):
        for row, mask in enumerate(cells.masks):
            weight = mask_weight(mask, weights)
            scope_usd, pattern_usd = cells.scope_usd[row].tolist(), cells.pattern_usd[row].tolist()
            for place in np.flatnonzero(cells.is_known[row]).tolist():
                crowding = MaskCrowding(
                    mask=mask,
                    weight=weight,
                    scope_exposure_usd=scope_usd[place],
                    pk_scope_exposure_usd=pattern_usd[place],
                )
                found[place].append(crowding)
    return [tuple(each) for each in found]
