"""Phases and ranks of the last days as places on a picture: a lane a subject and horizon, a line a bucket."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from console.pages.time_axis import HOUR, TimeAxis
from domain.vocabulary.cap_bucket import REGIME_BUCKETS, CapBucket
from domain.vocabulary.horizon import Horizon

COMPOSITE = "low-cap"
LANE, BETWEEN, TOP, RUNG = 18, 6, 22, 26
LEVELS = (0.25, 0.5, 0.75)
UNSURE = 0
"""Class of a span whose confidence is unknown; the others are 1 to 4, by the quarter its mean lies in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Neighbouring hours of one phase, with their mean confidence."""

    x: float
    width: float
    phase: str
    level: int
    start: datetime
    end: datetime
    confidence: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """Spans of a subject on a horizon, and where they are drawn."""

    subject: str
    horizon: str
    y: float
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """Path of a bucket through the places, the leader on top, and its last place."""

    bucket: str
    path: str
    x: float
    y: float


def phase_lanes(rows: Sequence[Mapping[str, Any]], axis: TimeAxis) -> list[Lane]:
    """Lanes of some rows, the composite first, the slow horizons above the fast ones.

    Parameters
    ----------
    rows : sequence of mapping
        subject, horizon, ts (open of the hour), phase, confidence 0..1 or None; at most one a subject, horizon, hour.
    axis : TimeAxis
        An hour is drawn from its end on, when it was known, to the next hour's.

    Returns
    -------
    list of Lane
        One for each subject and horizon with a row. An hour without a row is a gap, not drawn.
    """
    by_lane: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in rows:
        by_lane.setdefault((row["subject"], row["horizon"]), []).append(row)
    order = [(subject, horizon.value) for subject in (COMPOSITE, *CapBucket) for horizon in Horizon]
    lanes, y = [], float(TOP)
    before = None
    for subject, horizon in (key for key in order if key in by_lane):
        y += BETWEEN if before not in (None, subject) else 0
        spans = tuple(_span(hours, axis) for hours in _runs(by_lane[subject, horizon]))
        lanes.append(Lane(subject=str(subject), horizon=horizon, y=y, spans=spans))
        y, before = y + LANE, subject
    return lanes


def lanes_height(lanes: Sequence[Lane]) -> float:
    """Height of the picture of some lanes."""
    return (lanes[-1].y if lanes else TOP) + LANE + 24


def bucket_rungs(rows: Iterable[Mapping[str, Any]], axis: TimeAxis) -> list[Rung]:
    """Lines of the ranked buckets.

    Parameters
    ----------
    rows : iterable of mapping
        ts (open of the hour), bucket, position from 1.
    axis : TimeAxis
        As for the lanes.

    Returns
    -------
    list of Rung
        One a bucket with a place; hours without one break its line.
    """
    by_bucket: dict[str, list[tuple[datetime, int]]] = {}
    for row in rows:
        by_bucket.setdefault(row["bucket"], []).append((row["ts"], row["position"]))
    return [_rung(bucket.value, sorted(by_bucket[bucket]), axis) for bucket in REGIME_BUCKETS if bucket in by_bucket]


def rung_y(position: int) -> float:
    """Height at which a place is drawn."""
    return TOP + RUNG * (position - 1)


def _rung(bucket: str, places: Sequence[tuple[datetime, int]], axis: TimeAxis) -> Rung:
    path: list[str] = []
    before = None
    for at, position in places:
        command = "L" if before is not None and at - before == HOUR else "M"
        tail = "" if command == "L" else "h0"
        path.append(f"{command}{axis.x(at + HOUR)} {rung_y(position):g}{tail}")
        before = at
    last_at, last = places[-1]
    return Rung(bucket=bucket, path="".join(path), x=axis.x(last_at + HOUR), y=rung_y(last))


def _runs(hours: Sequence[Mapping[str, Any]]) -> list[list[Mapping[str, Any]]]:
    """Break sorted hours where the phase changes, its confidence becomes known or unknown, or an hour lacks."""
    runs: list[list[Mapping[str, Any]]] = [[hours[0]]]
    for before, row in itertools.pairwise(hours):
        is_same = row["phase"] == before["phase"] and (row["confidence"] is None) == (before["confidence"] is None)
        if is_same and row["ts"] - before["ts"] == HOUR:
            runs[-1].append(row)
        else:
            runs.append([row])
    return runs


def _span(hours: Sequence[Mapping[str, Any]], axis: TimeAxis) -> Span:
    start, end = hours[0]["ts"] + HOUR, hours[-1]["ts"] + 2 * HOUR
    x = axis.x(start)
    known = [row["confidence"] for row in hours if row["confidence"] is not None]
    mean = sum(known) / len(known) if known else None
    return Span(
        x=x,
        width=round(axis.x(end) - x, 1),
        phase=hours[0]["phase"],
        level=_level(mean),
        start=start,
        end=end,
        confidence=mean,
    )


def _level(confidence: float | None) -> int:
    return UNSURE if confidence is None else 1 + sum(confidence >= edge for edge in LEVELS)
