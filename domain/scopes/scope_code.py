"""Scopes as whole numbers, so that many can be compared at once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.scopes.bitmask import FULL_MASK, dimensions_of
from domain.scopes.scope import Scope
from domain.vocabulary.scope_dimension import BIT

IntArray = NDArray[np.int64]
N_COLUMNS = max(BIT.values()) + 1


@dataclass(frozen=True, slots=True)
class ScopeCodes:
    """n scopes; two values of a dimension are equal where their codes are.

    codes: shape (n_columns, n), row = bit of the dimension, 0 where it is not known.
    sizes: shape (n_columns,), one more than the highest code of each row.
    masks: shape (n,), the dimensions each scope knows, of those that were encoded.
    """

    codes: IntArray
    sizes: IntArray
    masks: IntArray


def encode_scopes(scopes: Sequence[Scope], mask: int = FULL_MASK) -> ScopeCodes:
    """Codes of some scopes, of the dimensions of `mask`; the others stay 0, as if not known.

    They hold within this call only: values are numbered as they come.

    >>> from domain.vocabulary.scope_dimension import ScopeDimension
    >>> encode_scopes([{}, {ScopeDimension.CHAIN: "base"}, {ScopeDimension.CHAIN: "solana"}]).codes[1].tolist()
    [0, 1, 2]
    """
    codes = np.zeros((N_COLUMNS, len(scopes)), dtype=np.int64)
    sizes = np.ones(N_COLUMNS, dtype=np.int64)
    masks = np.zeros(len(scopes), dtype=np.int64)
    for dimension in dimensions_of(mask):
        bit = BIT[dimension]
        values = [scope.get(dimension) for scope in scopes]
        number = {value: code for code, value in enumerate(dict.fromkeys([None, *values]))}
        codes[bit] = list(map(number.__getitem__, values))
        sizes[bit] = len(number)
        masks |= (codes[bit] > 0).astype(np.int64) << bit
    return ScopeCodes(codes, sizes, masks)
