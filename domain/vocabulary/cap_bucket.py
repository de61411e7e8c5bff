"""Market-cap buckets: one vocabulary, half-open edges in USD."""

from enum import StrEnum


class CapBucket(StrEnum):
    """A market-cap class, smallest first."""

    NANO = "nano"
    MICRO = "micro"
    MID = "mid"
    BIG = "big"
    LARGE = "large"
    XL = "xl"


UPPER_EDGE_USD: dict[CapBucket, float] = {
    CapBucket.NANO: 100_000.0,
    CapBucket.MICRO: 5_000_000.0,
    CapBucket.MID: 50_000_000.0,
    CapBucket.BIG: 500_000_000.0,
    CapBucket.LARGE: 1_000_000_000.0,
    CapBucket.XL: float("inf"),
}

REGIME_BUCKETS: tuple[CapBucket, ...] = tuple(bucket for bucket in CapBucket if bucket is not CapBucket.XL)
"""Buckets that have a regime driver and an A/E score; xl is telemetry only."""

INPUT_ALIASES: dict[str, CapBucket] = {"small": CapBucket.MICRO}


def parse_cap_bucket(name: str) -> CapBucket:
    """Bucket of a name as it may arrive from outside.

    Raises
    ------
    ValueError
        If the name is neither a bucket nor a known alias; it never falls back to another bucket.

    >>> parse_cap_bucket("small")
    <CapBucket.MICRO: 'micro'>
    """
    if name in INPUT_ALIASES:
        return INPUT_ALIASES[name]
    if name not in {bucket.value for bucket in CapBucket}:
        raise ValueError(f"Expected a cap bucket, one of {[bucket.value for bucket in CapBucket]}, was {name!r}")
    return CapBucket(name)
