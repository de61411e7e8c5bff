"""What changed in the regime from one hour to the next, worth a notice: the order of the buckets, and an extreme.

What belongs here: which changes are told, and the identity of each. What does not: when to look, and where it is told.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from domain.config.regime_event import RegimeEventConfig
from domain.regime.regime_context import HOUR, BucketPhase, RegimeContext, compact_json
from domain.vocabulary.cap_bucket import CapBucket
from domain.vocabulary.phase import Phase

EXTREMES = frozenset({Phase.EUPHORIA, Phase.OH_SHIT})


class RegimeEventKind(StrEnum):
    """What is told."""

    BUCKET_ROTATION = "bucket_rotation"
    BUCKET_EXTREME = "bucket_extreme"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegimeEvent:
    """A change that the evaluation of one hour showed; `bucket` is None where it concerns all of them."""

    kind: RegimeEventKind
    timestamp: datetime
    bucket: CapBucket | None
    payload: str

    @property
    def event_id(self) -> str:
        """Name the change, whoever finds it: SHA-256 of kind, instant and bucket.

        >>> from datetime import UTC
        >>> at = datetime(2025, 1, 1, tzinfo=UTC)
        >>> rotation = RegimeEventKind.BUCKET_ROTATION
        >>> RegimeEvent(kind=rotation, timestamp=at, bucket=None, payload="{}").event_id[:8]
        '8350639f'
        """
        named = f"{self.kind.value}|{self.timestamp.isoformat()}|{self.bucket.value if self.bucket else ''}"
        return hashlib.sha256(named.encode()).hexdigest()


def regime_events(
    contexts: Sequence[RegimeContext], config: RegimeEventConfig, *, after: datetime
) -> list[RegimeEvent]:
    """Events of the hours after an instant.

    A rotation is told when two consecutive hours both have a rank and the ranks differ: another order, or a bucket that
    joined or left. An extreme is told once in an unbroken run of hours in which a bucket is Euphoria, or Oh-Shit, on
    the meso horizon: at the first of them that is confident enough. An hour without a phase breaks the run.

    Parameters
    ----------
    contexts : sequence of RegimeContext
        One an hour, oldest first, gaps allowed; those up to `after` say what was told before. The first of all is only
        compared with, never told.
    config : RegimeEventConfig
        Which kinds are told, and the least confidence of an extreme.
    after : datetime
        Events of this hour and of earlier ones are left out.

    Returns
    -------
    list of RegimeEvent
        By hour; within an hour the rotation first, then extremes in the order of the vocabulary. Spans that overlap
        give the same events for the hours they share, but for a run that began before the first context: whether it was
        told before is not known, and it counts as told if it is confident in that context.

    Raises
    ------
    ValueError
        If the contexts are not in order of time.
    """
    told: list[RegimeEvent] = []
    runs: dict[CapBucket, bool] = {}
    for number, context in enumerate(contexts):
        before = contexts[number - 1] if number else None
        if before is not None and before.evaluated_at >= context.evaluated_at:
            raise ValueError(f"Contexts must follow each other in time, {context.evaluated_at} did not")
        if before is not None and before.evaluated_at + HOUR != context.evaluated_at:
            before = None
        extremes = list(_extremes(before, context, runs, config))
        if number:
            told += [*_rotations(before, context), *extremes]
    switches = {
        RegimeEventKind.BUCKET_ROTATION: config.is_bucket_rotation_on,
        RegimeEventKind.BUCKET_EXTREME: config.is_bucket_extreme_on,
    }
    return [event for event in told if switches[event.kind] and event.timestamp > after]


def _rotations(before: RegimeContext | None, now: RegimeContext) -> Iterator[RegimeEvent]:
    if before is None or not before.bucket_rank or not now.bucket_rank or before.bucket_rank == now.bucket_rank:
        return
    concerned = [bucket for bucket in CapBucket if bucket in {*before.bucket_rank, *now.bucket_rank}]
    payload = {
        "old_order": list(before.bucket_rank),
        "new_order": list(now.bucket_rank),
        "slope_deltas": {bucket: _slope_delta(before, now, bucket) for bucket in concerned},
    }
    yield _event(RegimeEventKind.BUCKET_ROTATION, now, None, payload)


def _slope_delta(before: RegimeContext, now: RegimeContext, bucket: CapBucket) -> float | None:
    old, new = (_slope(context.bucket_phases.get(bucket)) for context in (before, now))
    return None if old is None or new is None else new - old


def _slope(phase: BucketPhase | None) -> float | None:
    return None if phase is None else phase.slope


def _extremes(
    before: RegimeContext | None, now: RegimeContext, runs: dict[CapBucket, bool], config: RegimeEventConfig
) -> Iterator[RegimeEvent]:
    """Extremes told at an hour; `runs` says of each bucket in an extreme whether its run has been told, and is kept."""
    for bucket in CapBucket:
        phase = now.bucket_phases.get(bucket)
        if phase is None or phase.phase not in EXTREMES:
            runs.pop(bucket, None)
            continue
        old = before.bucket_phases.get(bucket) if before else None
        has_been_told = old is not None and old.phase is phase.phase and runs.get(bucket, False)
        is_in_it = phase.pending_label is None  # else the label dwells on and the score has left
        is_confident = is_in_it and phase.confidence is not None and phase.confidence >= config.extreme_min_confidence
        runs[bucket] = has_been_told or is_confident
        if is_confident and not has_been_told:
            payload = {"phase": phase.phase, "score": phase.score, "confidence": phase.confidence}
            yield _event(RegimeEventKind.BUCKET_EXTREME, now, bucket, payload)


def _event(
    kind: RegimeEventKind, context: RegimeContext, bucket: CapBucket | None, payload: dict[str, Any]
) -> RegimeEvent:
    return RegimeEvent(kind=kind, timestamp=context.evaluated_at, bucket=bucket, payload=compact_json(payload))
