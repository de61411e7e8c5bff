"""The share of a token's allocation that one timeframe's position may take, and who says so.

Settled when a token is approved: what was learned by then, else what is configured. The position keeps it, so that what
is learned later moves no cap of a trade that is open. A position that keeps none goes by the configuration of the tick.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from domain.config.portfolio import SizingConfig
from domain.vocabulary.timeframe import Timeframe

SPLIT_KEY = "timeframe_split"
"""Of a position's entry context: the share."""

LEARNED_KEY = "timeframe_split_learned_at"
"""Of a position's entry context: the day the share was learned as of; absent where nothing was learned yet."""

MAX_SUM_GAP = 1e-6
"""Learned shares are rounded where they are stored."""


class SplitBasis(StrEnum):
    """Where a share comes from."""

    LEARNED = "learned"
    DEFAULT = "default"
    CONFIGURED = "configured"


class UnreadableSplitError(ValueError):
    """A share, or a set of them, cannot be right: nothing is sized by it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedSplits:
    """Shares by timeframe, each 0..1, at most 1 together, and the day they were learned as of."""

    learned_at: datetime
    shares: Mapping[Timeframe, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeframeSplit:
    """A share, 0..1, with its ground. learned_at: None where it was not learned."""

    share: float
    basis: SplitBasis
    learned_at: datetime | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the share as JSON has it."""
        at = None if self.learned_at is None else self.learned_at.isoformat()
        return {"share": self.share, "basis": self.basis.value, "learned_at": at}


def parse_learned_splits(learned_at: datetime, stored: Any) -> LearnedSplits:
    """Read learned shares as they are stored: an object of numbers by timeframe.

    Raises
    ------
    UnreadableSplitError
        If it is none, names no timeframe there is, or the shares do not lie within 0..1 with a sum of at most 1.

    >>> from datetime import UTC
    >>> parse_learned_splits(datetime(2025, 6, 2, tzinfo=UTC), {"1h": 0.8, "4h": 0.2}).shares[Timeframe.H4]
    0.2
    """
    if not isinstance(stored, Mapping) or not stored:
        raise UnreadableSplitError(f"Expected learned splits as an object of shares, was {stored!r}"[:300])
    unknown = sorted(set(stored) - {timeframe.value for timeframe in Timeframe})
    if unknown:
        raise UnreadableSplitError(f"Expected timeframes as keys of learned splits, was {unknown}"[:300])
    shares = {Timeframe(name): _share(f"Learned split of {name}", share) for name, share in stored.items()}
    if sum(shares.values()) > 1 + MAX_SUM_GAP:
        raise UnreadableSplitError(f"Learned splits must sum to at most 1, was {dict(stored)}")
    return LearnedSplits(learned_at=learned_at, shares=shares)


def split_in_force(timeframe: Timeframe, learned: LearnedSplits | None, config: SizingConfig) -> TimeframeSplit:
    """Share a position gets when it is approved: the learned one, else the configured; 0 where neither names one."""
    if learned is not None and timeframe in learned.shares:
        share = learned.shares[timeframe]
        return TimeframeSplit(share=share, basis=SplitBasis.LEARNED, learned_at=learned.learned_at)
    return TimeframeSplit(share=config.timeframe_splits.get(timeframe, 0.0), basis=SplitBasis.DEFAULT)


def kept_split(split: TimeframeSplit) -> dict[str, Any]:
    """Return what a position keeps of its share, in its entry context.

    >>> kept_split(TimeframeSplit(share=0.7, basis=SplitBasis.DEFAULT))
    {'timeframe_split': 0.7}
    """
    learned = {} if split.learned_at is None else {LEARNED_KEY: split.learned_at.isoformat()}
    return {SPLIT_KEY: split.share, **learned}


def split_of(entry_context: Mapping[str, Any], timeframe: Timeframe, config: SizingConfig) -> TimeframeSplit:
    """Share a position is sized by: the one it keeps, else the configured.

    Raises
    ------
    UnreadableSplitError
        If what it keeps is no share, or its day no instant.
    """
    if SPLIT_KEY not in entry_context:
        return TimeframeSplit(share=config.timeframe_splits.get(timeframe, 0.0), basis=SplitBasis.CONFIGURED)
    share = _share(f"{SPLIT_KEY} of a position", entry_context[SPLIT_KEY])
    if LEARNED_KEY not in entry_context:
        return TimeframeSplit(share=share, basis=SplitBasis.DEFAULT)
    return TimeframeSplit(share=share, basis=SplitBasis.LEARNED, learned_at=_instant(entry_context[LEARNED_KEY]))


def _share(what: str, value: Any) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value) or not 0 <= value <= 1:
        raise UnreadableSplitError(f"{what} must be a number within 0..1, was {value!r}"[:300])
    return float(value)


def _instant(text: Any) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise UnreadableSplitError(f"{LEARNED_KEY} of a position must be an instant, was {text!r}"[:300]) from None
    if at.utcoffset() is None:
        raise UnreadableSplitError(f"{LEARNED_KEY} of a position must have an offset, was {text!r}")
    return at
