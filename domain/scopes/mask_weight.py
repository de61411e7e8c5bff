"""How much a scope mask weighs: more for more dimensions, each adding less than the one before.

Formula: w(m) = ((r + sum of the mask's dimension weights) / (r + sum of all of them))^power, r = `root_weight`. The
denominator is one factor of all weights, so where weights are normalised a new dimension changes nothing.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from domain.config.portfolio import MaskWeightConfig
from domain.scopes.bitmask import FULL_MASK
from domain.vocabulary.scope_dimension import BIT


def mask_weights(masks: Sequence[int], config: MaskWeightConfig) -> NDArray[np.float64]:
    """Weights of some masks.

    Returns
    -------
    ndarray of shape (n_masks,)
        Each within 0..1; 1 for all dimensions.

    Raises
    ------
    ValueError
        If a mask is negative or has a bit the registry does not know.

    >>> mask_weights([0, 4], MaskWeightConfig())  # the root and one dimension, of 32
    array([0.17408, 0.24618])
    """
    given = np.array(masks, dtype=np.int64)
    if np.any((given < 0) | (given & ~FULL_MASK != 0)):
        raise ValueError(f"Expected masks of the bits {FULL_MASK:#x}, was {sorted(masks)}")
    weight = np.array([config.dimension_weights[dimension] for dimension in BIT])
    present = ((given[:, None] >> np.array(list(BIT.values()))) & 1) @ weight
    shares = (config.root_weight + present) / (config.root_weight + weight.sum())
    return np.asarray(np.minimum(shares, 1.0) ** config.power, dtype=np.float64)


def mask_weight(mask: int, config: MaskWeightConfig) -> float:
    """Weight of one mask; see `mask_weights`."""
    return float(mask_weights([mask], config)[0])
