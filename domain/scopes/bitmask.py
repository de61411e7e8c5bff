"""Sets of scope dimensions as one integer, bit by bit of the registry."""

from collections.abc import Iterable

from domain.vocabulary.scope_dimension import BIT, ScopeDimension

ROOT_MASK = 0
"""The mask without dimensions: every scope."""

FULL_MASK = sum(1 << bit for bit in BIT.values())
"""Every dimension of the registry."""


def mask_of(dimensions: Iterable[ScopeDimension]) -> int:
    """Mask of some dimensions; one named twice counts once.

    >>> mask_of([ScopeDimension.MCAP_BUCKET, ScopeDimension.TIMEFRAME, ScopeDimension.BTC_MACRO])
    8452
    """
    mask = ROOT_MASK
    for dimension in dimensions:
        mask |= 1 << BIT[dimension]
    return mask


def dimensions_of(mask: int) -> tuple[ScopeDimension, ...]:
    """Dimensions of a mask, in the order of the bits.

    Raises
    ------
    ValueError
        If the mask is negative or has a bit the registry does not know.

    >>> dimensions_of(6)
    (<ScopeDimension.CHAIN: 'chain'>, <ScopeDimension.MCAP_BUCKET: 'mcap_bucket'>)
    """
    if mask < 0 or mask & ~FULL_MASK:
        raise ValueError(f"Expected a mask of the bits {FULL_MASK:#x}, was {mask:#x}")
    return tuple(dimension for dimension, bit in BIT.items() if mask >> bit & 1)


def is_within(mask: int, other: int) -> bool:
    """Whether every dimension of `mask` is one of `other`.

    >>> is_within(4, 6), is_within(6, 4)
    (True, False)
    """
    return mask & other == mask
