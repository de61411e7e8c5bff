"""The one spelling of a value of a scope dimension, and what counts as no value.

Values are compared as text, so 1 and "1" must become one text before they are stored or looked up.
"""

import functools
import math

from domain.vocabulary.cap_bucket import REGIME_BUCKETS, CapBucket, parse_cap_bucket
from domain.vocabulary.driver import CHANNEL_NAMES
from domain.vocabulary.entry_band import BANDS
from domain.vocabulary.lever_mode import LeverMode
from domain.vocabulary.phase import Phase
from domain.vocabulary.scope_dimension import ScopeDimension
from domain.vocabulary.timeframe import Timeframe
from domain.vocabulary.uptrend import UptrendState

MISSING_WORDS: frozenset[str] = frozenset({"", "unknown", "none", "null", "nan"})
"""Texts, in any case, that say that nothing is known; the last three are what careless code makes of it."""

MAX_TEXT_LENGTH = 128
N_RANKS = len(CapBucket)

STATE_DIMENSIONS: tuple[ScopeDimension, ...] = tuple(ScopeDimension(name) for name in CHANNEL_NAMES)
"""The state of each channel. S4, no clear state, is no value."""

TEXT_DIMENSIONS: frozenset[ScopeDimension] = frozenset(
    {ScopeDimension.CURATOR, ScopeDimension.CHAIN, ScopeDimension.INTENT, ScopeDimension.MARKET_FAMILY}
)
"""Dimensions whose values are names from outside; their case does not count."""


def _words() -> dict[ScopeDimension, frozenset[str]]:
    phases = (ScopeDimension.MACRO_PHASE, ScopeDimension.MESO_PHASE, ScopeDimension.MICRO_PHASE)
    return {
        ScopeDimension.MCAP_BUCKET: frozenset(CapBucket),
        ScopeDimension.BUCKET_LEADER: frozenset(REGIME_BUCKETS),
        ScopeDimension.BUCKET_RANK_POSITION: frozenset(str(rank) for rank in range(1, N_RANKS + 1)),
        ScopeDimension.TIMEFRAME: frozenset(Timeframe),
        ScopeDimension.A_MODE: frozenset(LeverMode),
        ScopeDimension.E_MODE: frozenset(LeverMode),
        **dict.fromkeys(STATE_DIMENSIONS, frozenset(set(UptrendState) - {UptrendState.S4})),
        **dict.fromkeys(phases, frozenset(Phase)),
        **{dimension: frozenset(bands) for dimension, bands in BANDS.items()},
    }


WORDS: dict[ScopeDimension, frozenset[str]] = _words()
"""Values a dimension may have; one that is not here holds names from outside."""


def canonical_value(dimension: ScopeDimension, raw: object) -> str | None:
    """Value as it is stored and compared.

    Parameters
    ----------
    dimension : ScopeDimension
        What the value is of.
    raw : object
        Text, a word of the vocabulary, or a whole number for a rank.

    Returns
    -------
    str or None
        None where nothing is known: None, NaN, a word of MISSING_WORDS, state S4.

    Raises
    ------
    ValueError
        If the value cannot be one of the dimension. It never becomes another one.

    >>> canonical_value(ScopeDimension.BUCKET_RANK_POSITION, 2), canonical_value(ScopeDimension.BTC_MESO, "S4")
    ('2', None)
    """
    if raw is None or (isinstance(raw, float) and math.isnan(raw)):
        return None
    if dimension is ScopeDimension.BUCKET_RANK_POSITION:
        raw = _rank_text(raw)
    if not isinstance(raw, str):
        raise ValueError(f"Expected a text as {dimension}, was {raw!r}")
    return _of_text(dimension, str(raw))


@functools.lru_cache(maxsize=4096)
def _of_text(dimension: ScopeDimension, raw: str) -> str | None:
    """Value of a text; kept, for a tick asks for the same few words of every position."""
    text = raw.strip()
    if text.casefold() in MISSING_WORDS or (dimension in STATE_DIMENSIONS and text == UptrendState.S4):
        return None
    if dimension in TEXT_DIMENSIONS:
        return _name(dimension, text)
    if dimension in (ScopeDimension.MCAP_BUCKET, ScopeDimension.BUCKET_LEADER):
        text = parse_cap_bucket(text).value
    if text not in WORDS[dimension]:
        raise ValueError(f"Expected as {dimension} one of {sorted(WORDS[dimension])}, was {text!r}")
    return text


def _rank_text(raw: object) -> object:
    if isinstance(raw, bool) or not isinstance(raw, int | float) or not float(raw).is_integer():
        return raw
    return str(int(raw))


def _name(dimension: ScopeDimension, text: str) -> str:
    folded = text.casefold()
    if len(folded) > MAX_TEXT_LENGTH or not folded.isprintable():
        raise ValueError(f"Expected as {dimension} printable text up to {MAX_TEXT_LENGTH} long, was {folded[:40]!r}")
    return folded
