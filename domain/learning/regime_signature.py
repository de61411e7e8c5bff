"""State of the market in three words, one each for BTC in the large, and the alts and the bucket in the middle.

27 signatures. Fifteen channels of five states would be 5^15 cells, of which no trade ever sees one twice.

What belongs here: a scope to its signature, and its text. What does not: what is learned by signature
(`regime_weight`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import product

from domain.scopes.scope import Scope
from domain.vocabulary.scope_dimension import ScopeDimension
from domain.vocabulary.uptrend import UptrendState


class Trend(StrEnum):
    """Direction of a channel."""

    UP = "up"
    FLAT = "flat"
    DOWN = "down"


TREND_OF: Mapping[UptrendState, Trend] = {
    UptrendState.S0: Trend.DOWN,
    UptrendState.S1: Trend.UP,
    UptrendState.S2: Trend.FLAT,
    UptrendState.S3: Trend.UP,
    UptrendState.S4: Trend.FLAT,
}
"""Direction of each state. A scope holds no S4 (no clear state is no value), so in a scope only S2 is flat."""

SIGNATURE_DIMENSIONS = (ScopeDimension.BTC_MACRO, ScopeDimension.ALT_MESO, ScopeDimension.BUCKET_MESO)


@dataclass(frozen=True, slots=True, order=True)
class RegimeSignature:
    """Direction of BTC (macro), of the alts and of the token's bucket (both meso)."""

    btc_macro: Trend
    alt_meso: Trend
    bucket_meso: Trend

    def __str__(self) -> str:
        named = zip(SIGNATURE_DIMENSIONS, (self.btc_macro, self.alt_meso, self.bucket_meso), strict=True)
        return "|".join(f"{dimension}={trend}" for dimension, trend in named)


ALL_SIGNATURES: tuple[RegimeSignature, ...] = tuple(RegimeSignature(*trends) for trends in product(Trend, repeat=3))


def regime_signature(scope: Scope) -> RegimeSignature | None:
    """Signature of a scope; None where one of the three states is not known, for no direction stands for that.

    >>> scope = {ScopeDimension.BTC_MACRO: "S3", ScopeDimension.ALT_MESO: "S2", ScopeDimension.BUCKET_MESO: "S0"}
    >>> str(regime_signature(scope))
    'btc_macro=up|alt_meso=flat|bucket_meso=down'
    >>> regime_signature({ScopeDimension.BTC_MACRO: "S3"}) is None
    True

    Raises
    ------
    ValueError
        If a value is no state.
    """
    states = [scope.get(dimension) for dimension in SIGNATURE_DIMENSIONS]
    known = [TREND_OF[UptrendState(state)] for state in states if state is not None]
    return RegimeSignature(*known) if len(known) == len(states) else None


def parse_regime_signature(text: str) -> RegimeSignature:
    """Signature of its text; `parse_regime_signature(str(signature)) == signature`.

    Raises
    ------
    ValueError
        If the text is none that a signature has.
    """
    if text not in _OF_TEXT:
        raise ValueError(f"Expected a signature as {ALL_SIGNATURES[0]}, was {text!r:.80}")
    return _OF_TEXT[text]


_OF_TEXT = {str(signature): signature for signature in ALL_SIGNATURES}
