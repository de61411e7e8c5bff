"""The order of the cap buckets at one evaluation, and the label that names a regime in one string.

What belongs here: rank, position, label and its parser. What does not: how a score is made.
"""

import math
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from domain.vocabulary.cap_bucket import CapBucket
from domain.vocabulary.phase import UNKNOWN_PHASE, Phase

_GROUP = r"[A-Za-z0-9][A-Za-z0-9_.-]*"
_PHASE = "|".join((*(phase.value for phase in Phase), UNKNOWN_PHASE))
_LABEL = re.compile(rf"macro=({_PHASE})\|meso=({_PHASE})\|micro=({_PHASE})\|bucket_leader=({_GROUP})")


class BucketScore(NamedTuple):
    """Meso score of a bucket at one evaluation; NaN when it has none."""

    bucket: str
    evaluated_at: datetime
    score: float


@dataclass(frozen=True, slots=True)
class BucketRank:
    """Buckets from best to worst at one evaluation; those without a score are absent."""

    evaluated_at: datetime
    order: tuple[str, ...]

    @property
    def leader(self) -> str | None:
        """First of the order; None when no bucket has a score."""
        return self.order[0] if self.order else None

    def position(self, bucket: str) -> int | None:
        """`bucket_rank_position` from 1; None when the bucket is absent.

        >>> from datetime import UTC
        >>> rank = BucketRank(datetime(2025, 1, 1, tzinfo=UTC), ("micro", "nano", "mid"))
        >>> rank.position("mid"), rank.position("big")
        (3, None)
        """
        return self.order.index(bucket) + 1 if bucket in self.order else None


def rank_buckets(
    scores: Iterable[BucketScore],
    evaluated_at: datetime,
    *,
    tie_order: Sequence[str] = tuple(CapBucket),
    excluded: Collection[str] = (CapBucket.XL,),
) -> BucketRank:
    """Order buckets by score, best first; ties stand in `tie_order`.

    Parameters
    ----------
    scores : iterable of BucketScore
        Rows of one evaluation, each bucket at most once. NaN means no score: the bucket is absent.
    evaluated_at : datetime
        The evaluation; given apart because there may be no row.
    tie_order : sequence of str
        Every bucket (or other group) that may occur.
    excluded : collection of str
        Buckets that are shown but not ranked.

    Raises
    ------
    ValueError
        If a row is of another evaluation, a bucket comes twice or is unknown, or a score is infinite.
    """
    ranked: dict[str, float] = {}
    for row in scores:
        if row.evaluated_at != evaluated_at:
            raise ValueError(f"Expected rows of {evaluated_at.isoformat()} only, was {row.evaluated_at.isoformat()}")
        if row.bucket not in tie_order:
            raise ValueError(f"Expected a bucket of {[str(name) for name in tie_order]}, was {row.bucket!r}")
        if row.bucket in ranked or math.isinf(row.score):
            raise ValueError(f"Expected one finite score of {row.bucket}, was another or {row.score}")
        ranked[str(row.bucket)] = row.score
    places = {str(name): place for place, name in enumerate(tie_order)}
    present = [name for name, score in ranked.items() if not math.isnan(score) and name not in excluded]
    return BucketRank(evaluated_at, tuple(sorted(present, key=lambda name: (-ranked[name], places[name]))))


@dataclass(frozen=True, slots=True, kw_only=True)
class RegimeLabel:
    """Composite phase of each horizon, and the leading bucket; None where missing, which the label shows as Unknown."""

    macro: Phase | None
    meso: Phase | None
    micro: Phase | None
    bucket_leader: str | None

    def __post_init__(self) -> None:
        leader = self.bucket_leader
        if leader is not None and (leader == UNKNOWN_PHASE or not re.fullmatch(_GROUP, leader)):
            raise ValueError(f"Expected a leader of letters, digits, '_', '.', '-', or None, was {leader!r}")

    def __str__(self) -> str:
        """Return the label.

        >>> str(RegimeLabel(macro=Phase.RECOVER, meso=Phase.DOUBLE_DIP, micro=None, bucket_leader="micro"))
        'macro=Recover|meso=Double-Dip|micro=Unknown|bucket_leader=micro'
        """
        macro, meso, micro, leader = (
            UNKNOWN_PHASE if part is None else part for part in (self.macro, self.meso, self.micro, self.bucket_leader)
        )
        return f"macro={macro}|meso={meso}|micro={micro}|bucket_leader={leader}"


def parse_regime_label(text: str) -> RegimeLabel:
    """Read a label back; the inverse of `str`.

    Raises
    ------
    ValueError
        If the text is not a label, to the last character.

    >>> parse_regime_label("macro=Good|meso=Unknown|micro=Dip|bucket_leader=nano").meso is None
    True
    """
    found = _LABEL.fullmatch(text)
    if found is None:
        raise ValueError(f"Expected macro=..|meso=..|micro=..|bucket_leader=.., was {text!r}")
    *phases, leader = (None if part == UNKNOWN_PHASE else part for part in found.groups())
    macro, meso, micro = (None if phase is None else Phase(phase) for phase in phases)
    return RegimeLabel(macro=macro, meso=meso, micro=micro, bucket_leader=leader)
