"""The dimensions of a scope, and the bit each has in a scope mask.

The registry only grows. Masks are stored, so a bit keeps its dimension for ever: a new dimension takes the next free
bit, and the bit of one that is dropped moves to RETIRED_BITS.
"""

from enum import StrEnum


class ScopeDimension(StrEnum):
    """One thing known about the context of an action, in the order of the bits."""

    CURATOR = "curator"
    CHAIN = "chain"
    MCAP_BUCKET = "mcap_bucket"
    VOL_BUCKET = "vol_bucket"
    AGE_BUCKET = "age_bucket"
    INTENT = "intent"
    MCAP_VOL_RATIO_BUCKET = "mcap_vol_ratio_bucket"
    MARKET_FAMILY = "market_family"
    TIMEFRAME = "timeframe"
    A_MODE = "A_mode"
    E_MODE = "E_mode"
    BUCKET_LEADER = "bucket_leader"
    BUCKET_RANK_POSITION = "bucket_rank_position"
    BTC_MACRO = "btc_macro"
    BTC_MESO = "btc_meso"
    BTC_MICRO = "btc_micro"
    ALT_MACRO = "alt_macro"
    ALT_MESO = "alt_meso"
    ALT_MICRO = "alt_micro"
    BUCKET_MACRO = "bucket_macro"
    BUCKET_MESO = "bucket_meso"
    BUCKET_MICRO = "bucket_micro"
    BTCD_MACRO = "btcd_macro"
    BTCD_MESO = "btcd_meso"
    BTCD_MICRO = "btcd_micro"
    USDTD_MACRO = "usdtd_macro"
    USDTD_MESO = "usdtd_meso"
    USDTD_MICRO = "usdtd_micro"
    MACRO_PHASE = "macro_phase"
    MESO_PHASE = "meso_phase"
    MICRO_PHASE = "micro_phase"
    MAPPING_CONFIDENCE = "mapping_confidence"


BIT: dict[ScopeDimension, int] = {
    ScopeDimension.CURATOR: 0,
    ScopeDimension.CHAIN: 1,
    ScopeDimension.MCAP_BUCKET: 2,
    ScopeDimension.VOL_BUCKET: 3,
    ScopeDimension.AGE_BUCKET: 4,
    ScopeDimension.INTENT: 5,
    ScopeDimension.MCAP_VOL_RATIO_BUCKET: 6,
    ScopeDimension.MARKET_FAMILY: 7,
    ScopeDimension.TIMEFRAME: 8,
    ScopeDimension.A_MODE: 9,
    ScopeDimension.E_MODE: 10,
    ScopeDimension.BUCKET_LEADER: 11,
    ScopeDimension.BUCKET_RANK_POSITION: 12,
    ScopeDimension.BTC_MACRO: 13,
    ScopeDimension.BTC_MESO: 14,
    ScopeDimension.BTC_MICRO: 15,
    ScopeDimension.ALT_MACRO: 16,
    ScopeDimension.ALT_MESO: 17,
    ScopeDimension.ALT_MICRO: 18,
    ScopeDimension.BUCKET_MACRO: 19,
    ScopeDimension.BUCKET_MESO: 20,
    ScopeDimension.BUCKET_MICRO: 21,
    ScopeDimension.BTCD_MACRO: 22,
    ScopeDimension.BTCD_MESO: 23,
    ScopeDimension.BTCD_MICRO: 24,
    ScopeDimension.USDTD_MACRO: 25,
    ScopeDimension.USDTD_MESO: 26,
    ScopeDimension.USDTD_MICRO: 27,
    ScopeDimension.MACRO_PHASE: 28,
    ScopeDimension.MESO_PHASE: 29,
    ScopeDimension.MICRO_PHASE: 30,
    ScopeDimension.MAPPING_CONFIDENCE: 31,
}
"""Bit of each dimension. 32 of them reach the sign bit of a 4-byte integer, so a mask is stored in 8 bytes."""

RETIRED_BITS: frozenset[int] = frozenset()
"""Bits of dimensions there are no more; never given again."""

MAX_BIT = 62
"""Highest bit of a signed 8-byte integer that leaves the sign alone."""


class ScopeContext(StrEnum):
    """Where a dimension is read from: once when the token is approved, at each action, from the market's state."""

    ENTRY = "entry"
    ACTION = "action"
    REGIME = "regime"


_OF_ENTRY: frozenset[ScopeDimension] = frozenset(
    {
        ScopeDimension.CURATOR,
        ScopeDimension.CHAIN,
        ScopeDimension.MCAP_BUCKET,
        ScopeDimension.VOL_BUCKET,
        ScopeDimension.AGE_BUCKET,
        ScopeDimension.INTENT,
        ScopeDimension.MCAP_VOL_RATIO_BUCKET,
        ScopeDimension.MAPPING_CONFIDENCE,
    }
)
_OF_ACTION: frozenset[ScopeDimension] = frozenset(
    {ScopeDimension.MARKET_FAMILY, ScopeDimension.TIMEFRAME, ScopeDimension.A_MODE, ScopeDimension.E_MODE}
)


def context_of(dimension: ScopeDimension) -> ScopeContext:
    """Return the one context a dimension is read from.

    >>> context_of(ScopeDimension.BTC_MACRO)
    <ScopeContext.REGIME: 'regime'>
    """
    if dimension in _OF_ENTRY:
        return ScopeContext.ENTRY
    return ScopeContext.ACTION if dimension in _OF_ACTION else ScopeContext.REGIME
