"""Decisions of one category made ready for a fit: features on one scale, blind to the level of rr in each state.

    z       = (feature - mean) / standard deviation, over all decisions; less its mean in the state of each
    effects = argmin sum (rr - z b)^2 + strength |b - prior|^2

What belongs here: the rows of a fit and the fit. What does not: whose rows are fitted to what prior, and the weights
that follow (`regime_weight`).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.config.regime_weight import RegimeWeightConfig
from domain.learning.regime_feature import CellFeatures
from domain.learning.regime_signature import RegimeSignature

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

N_FEATURES = len(CellFeatures._fields)


class FeatureScale(NamedTuple):
    """Mean and standard deviation of each feature over the decisions of a category; NaN where it was not fitted."""

    mean: CellFeatures
    deviation: CellFeatures


class RegimeSample(NamedTuple):
    """Decisions of a category.

    rr: outcomes, R. z: standardised features less their means in the state of each, and so blind to the level of rr
    there; 0 where one is not known, which adds nothing to the sums of that feature. is_known: by row and feature.
    can_fit: by feature. rr_deviation: R, 0 where all outcomes are alike.
    """

    rr: FloatArray
    z: FloatArray
    is_known: BoolArray
    can_fit: BoolArray
    rr_deviation: float
    scale: FeatureScale

    def effects(self, rows: BoolArray, prior: FloatArray, strength: float) -> FloatArray:
        """Effects of the features over some rows, pulled to a prior.

        Parameters
        ----------
        rows : ndarray of bool of shape (n_decisions,)
        prior : ndarray of shape (n_features,)
            R for one standard deviation, without NaN.
        strength : float
            Rows the prior counts as, > 0.

        Returns
        -------
        ndarray of shape (n_features,)
            R for one standard deviation. That of a feature that cannot be fitted means nothing.
        """
        z = self.z[rows]
        sums = z.T @ z + strength * np.eye(N_FEATURES)
        return np.asarray(np.linalg.solve(sums, z.T @ self.rr[rows] + strength * prior), np.float64)


def regime_sample(
    rr: FloatArray, features: FloatArray, signatures: Sequence[RegimeSignature | None], config: RegimeWeightConfig
) -> RegimeSample:
    """Make decisions ready for a fit.

    Parameters
    ----------
    rr : ndarray of shape (n_decisions,), without NaN
        Outcomes, R.
    features : ndarray of shape (n_decisions, n_features)
        0..1, NaN where not known.
    signatures : sequence of RegimeSignature or None
        State of each decision; those without one share a level of their own.
    config : RegimeWeightConfig
        `min_trades`: rows that must know a feature for it to be fitted; one that all know alike is not.
    """
    is_known = ~np.isnan(features)
    mean, deviation = _moments(features, is_known)
    can_fit = (is_known.sum(axis=0) >= config.min_trades) & (deviation > 0)
    z = (features - mean) / np.where(can_fit, deviation, 1.0)
    centred = np.zeros_like(z)
    for signature in set(signatures):
        here = np.array([each == signature for each in signatures], np.bool_)
        counts = is_known[here] & can_fit
        centred[here] = np.where(counts, z[here] - _moments(z[here], counts)[0], 0.0)
    told = [CellFeatures(*np.where(can_fit, each, np.nan).tolist()) for each in (mean, deviation)]
    is_alike = rr.size == 0 or np.ptp(rr) == 0
    return RegimeSample(rr, centred, is_known, can_fit, 0.0 if is_alike else float(rr.std()), FeatureScale(*told))


def _moments(values: FloatArray, is_known: BoolArray) -> tuple[FloatArray, FloatArray]:
    """Mean and population standard deviation of each column over what is known of it; exactly 0 where that is alike."""
    n = np.maximum(is_known.sum(axis=0), 1)
    mean = np.where(is_known, values, 0.0).sum(axis=0) / n
    spread = np.where(is_known, values - mean, 0.0)
    lowest = np.where(is_known, values, np.inf).min(axis=0, initial=np.inf)
    highest = np.where(is_known, values, -np.inf).max(axis=0, initial=-np.inf)
    deviation = np.sqrt((spread**2).sum(axis=0) / n)
    return mean, np.where(highest > lowest, deviation, 0.0)
