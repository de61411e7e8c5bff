"""Bands of what is measured when a token is approved: volume, age, turnover, confidence of the mapping.

Half-open: a value on an edge belongs to the band above. The market cap has no band here, its word is the CapBucket.
"""

import math

from domain.vocabulary.scope_dimension import ScopeDimension

INF = math.inf
BANDS: dict[ScopeDimension, dict[str, float]] = {
    ScopeDimension.VOL_BUCKET: {
        "<10k": 10_000.0,
        "10k-50k": 50_000.0,
        "50k-100k": 100_000.0,
        "100k-250k": 250_000.0,
        "250k-500k": 500_000.0,
        "500k-1m": 1_000_000.0,
        "1m+": INF,
    },
    ScopeDimension.AGE_BUCKET: {
        "<1d": 1.0,
        "1-3d": 3.0,
        "3-7d": 7.0,
        "7-14d": 14.0,
        "14-30d": 30.0,
        "30-90d": 90.0,
        "90d+": INF,
    },
    ScopeDimension.MCAP_VOL_RATIO_BUCKET: {
        "<0.1": 0.1,
        "0.1-0.5": 0.5,
        "0.5-1.0": 1.0,
        "1.0-2.0": 2.0,
        "2.0-5.0": 5.0,
        "5.0+": INF,
    },
    ScopeDimension.MAPPING_CONFIDENCE: {"low": 0.3, "medium": 0.7, "high": INF},
}
"""Upper edge of each band, lowest band first: 24 h volume in USD, age in days, market cap over volume, 0..1."""


def band_label(dimension: ScopeDimension, value: float | None) -> str | None:
    """Band a measured value falls into.

    Parameters
    ----------
    dimension : ScopeDimension
        One of BANDS.
    value : float or None
        In the unit of the dimension, >= 0; infinity is in the highest band.

    Returns
    -------
    str or None
        None when the value is None or NaN: not known is not small.

    Raises
    ------
    ValueError
        If the dimension has no bands or the value is negative.

    >>> band_label(ScopeDimension.VOL_BUCKET, 50_000.0)
    '50k-100k'
    """
    if dimension not in BANDS:
        raise ValueError(f"Expected a dimension with bands, one of {[str(each) for each in BANDS]}, was {dimension}")
    if value is None or math.isnan(value):
        return None
    if value < 0:
        raise ValueError(f"{dimension} must be measured by a value >= 0, was {value}")
    return next(label for label, upper in BANDS[dimension].items() if value < upper or upper == INF)


def cap_volume_ratio(market_cap_usd: float | None, volume_24h_usd: float | None) -> float | None:
    """Market cap over 24 h volume.

    Returns
    -------
    float or None
        A ratio > 0, infinite where nothing was traded; None where either is not known, or the cap is 0, which is how
        sources say that they do not know it.

    Raises
    ------
    ValueError
        If either is negative.

    >>> cap_volume_ratio(1_000_000.0, 0.0)
    inf
    """
    if market_cap_usd is None or volume_24h_usd is None or math.isnan(market_cap_usd) or math.isnan(volume_24h_usd):
        return None
    if market_cap_usd < 0 or volume_24h_usd < 0:
        raise ValueError(f"Cap and volume must be >= 0, was {market_cap_usd}, {volume_24h_usd}")
    if market_cap_usd == 0:
        return None
    return market_cap_usd / volume_24h_usd if volume_24h_usd > 0 else INF
