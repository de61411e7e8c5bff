"""From a lesson to the override it makes, or the reason it makes none.

Formula: multiplier = clamp(exp(g x edge x decay_mult), 0.3, 3.0). In log space an edge and its negative cancel. An
edge of .85 once meant 1.85 in one place and 1.15 in another; there is one mapping, and it stands here.

What belongs here: which lessons act, how strongly, and which are cut when there are too many. What does not: how long
an override lives (`override_life_cycle`).
"""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from domain.config.override import OverrideConfig
from domain.learning.edge_decay import DecayState
from domain.learning.lesson_state import LessonStanding
from domain.learning.trade_fact import ScopeCell
from domain.portfolio.override_row import (
    BUY_FLAGS,
    DECAY_MAX,
    DECAY_MIN,
    MULTIPLIER_MAX,
    MULTIPLIER_MIN,
    OverrideLever,
)
from domain.scopes.bitmask import dimensions_of
from domain.scopes.pattern_key import parse_pattern_key
from domain.scopes.scope import Scope
from domain.vocabulary.action import OrderSide

_MAX_EXPONENT = 700.0


class LeftOutReason(StrEnum):
    """Why a lesson makes no override; the first that applies, in this order."""

    RETIRED = "retired"
    SELLS = "sells"
    NO_EDGE = "no_edge"
    NO_CONFIDENCE = "no_confidence"
    DEAD_BAND = "dead_band"
    SHORT_LIVED = "short_lived"
    PATTERN_IS_FULL = "pattern_is_full"
    SET_IS_FULL = "set_is_full"


@dataclass(frozen=True, slots=True, kw_only=True)
class LessonEvidence:
    """What a lesson brings to its override.

    Attributes
    ----------
    n_trades : int
        Distinct closed trades, >= 1.
    edge_raw, edge_used : float
        R: the edge as measured, and the one that is believed (shrunk, or the same). NaN where there is none.
    support_score, reliability_score : float
        0..1; NaN where there is none.
    decay_mult : float
        0.33..1.33.
    half_life_hours : float or None
        None (or NaN) where none could be fitted; such a lesson is not gated by it.
    """

    lesson_id: str
    cell: ScopeCell
    n_trades: int
    edge_raw: float
    edge_used: float
    support_score: float
    reliability_score: float
    decay_mult: float
    decay_state: DecayState
    half_life_hours: float | None
    standing: LessonStanding = LessonStanding.ACTIVE


@dataclass(frozen=True, slots=True, order=True)
class OverrideKey:
    """One override through its life: the lesson it comes from and what it multiplies."""

    lesson_id: str
    lever: OverrideLever


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedOverride:
    """What an override says; how long it may is not yet said.

    multiplier: ratio, 0.3..3.0. confidence: 0..1. edge: R, the edge the multiplier is made of, before decay. edge,
    decay_mult: None for a threshold.
    """

    key: OverrideKey
    cell: ScopeCell
    multiplier: float
    confidence: float
    n_trades: int
    edge: float | None
    decay_mult: float | None

    @property
    def direction(self) -> int:
        """1 where it strengthens, -1 where it weakens, 0 where it is neutral."""
        return (self.multiplier > 1) - (self.multiplier < 1)

    @property
    def scope(self) -> Scope:
        """Values it asks for, by dimension."""
        return dict(zip(dimensions_of(self.cell.mask), self.cell.values, strict=True))

    def row(self, expires_at: datetime) -> dict[str, object]:
        """Columns of `learning.pm_overrides`, without the numbers of the row and its set."""
        return {
            "pattern_key": self.cell.pattern_key,
            "action_category": self.cell.action_category.value,
            "scope_mask": self.cell.mask,
            "scope_values": {dimension.value: value for dimension, value in self.scope.items()},
            "lever": self.key.lever.value,
            "multiplier": self.multiplier,
            "confidence": self.confidence,
            "n_trades": self.n_trades,
            "edge_raw": self.edge,
            "decay_mult": self.decay_mult,
            "lesson_id": self.key.lesson_id,
            "expires_at": expires_at,
        }


@dataclass(frozen=True, slots=True)
class LeftOutLesson:
    """A lesson that makes no override."""

    lesson_id: str
    reason: LeftOutReason


@dataclass(frozen=True, slots=True)
class WantedOverrides:
    """Overrides of all lessons, those with most evidence first, and every other lesson with its reason, by id."""

    overrides: tuple[WantedOverride, ...]
    left_out: tuple[LeftOutLesson, ...]

    @property
    def n_left_out(self) -> Counter[LeftOutReason]:
        """How many lessons were left out, by reason."""
        return Counter(lesson.reason for lesson in self.left_out)

    @property
    def n_cut(self) -> int:
        """How many would have made an override, had there been room."""
        return self.n_left_out[LeftOutReason.PATTERN_IS_FULL] + self.n_left_out[LeftOutReason.SET_IS_FULL]


def override_multiplier(edge_after_decay: float, config: OverrideConfig) -> float:
    """Multiplier of an edge: clamp(exp(g x edge), 0.3, 3.0).

    Parameters
    ----------
    edge_after_decay : float
        R; infinite ones meet the clamp.
    config : OverrideConfig
        g, `strength_gain`.

    Returns
    -------
    float
        A ratio, 1 for an edge of 0.

    Raises
    ------
    ValueError
        If the edge is NaN: what is not known has no multiplier, not a neutral one.

    >>> [round(override_multiplier(edge, OverrideConfig()), 3) for edge in (-1.5, -0.3, 0.0, 0.85, 1.5918, 2.5)]
    [0.472, 0.861, 1.0, 1.53, 2.216, 3.0]
    """
    if math.isnan(edge_after_decay):
        raise ValueError("edge_after_decay must be a number, was nan")
    exponent = min(config.strength_gain * edge_after_decay, _MAX_EXPONENT)
    return min(max(math.exp(exponent), MULTIPLIER_MIN), MULTIPLIER_MAX)


def wanted_overrides(lessons: Iterable[LessonEvidence], config: OverrideConfig) -> WantedOverrides:
    """Make the overrides of all lessons, at most `max_rows_per_pattern` a pattern and `max_rows` in all.

    Only buys are learned: entries and adds on a flag that is bought on. Where there are too many, those of the
    largest |edge after decay| x support stay; of equal ones that of the lesser lesson_id.

    Parameters
    ----------
    lessons : iterable of LessonEvidence
        Any order: the result does not depend on it.
    config : OverrideConfig
        Gain, dead band, gate, caps.

    Returns
    -------
    WantedOverrides
        Every lesson is in it exactly once.

    Raises
    ------
    ValueError
        If a lesson comes twice, has an unknown pattern, a score outside 0..1, a decay outside 0.33..1.33 or no trade.
    """
    made: list[tuple[float, WantedOverride]] = []
    left_out: list[LeftOutLesson] = []
    seen: set[str] = set()
    for lesson in lessons:
        if lesson.lesson_id in seen:
            raise ValueError(f"Lesson {lesson.lesson_id} comes twice")
        seen.add(lesson.lesson_id)
        _refuse_wrong_numbers(lesson)
        reason = _why_not(lesson, config)
        if reason is None:
            weight = abs(lesson.edge_used * lesson.decay_mult) * lesson.support_score
            made.append((weight, _override_of(lesson, config)))
        else:
            left_out.append(LeftOutLesson(lesson.lesson_id, reason))
    kept: list[WantedOverride] = []
    of_pattern: Counter[str] = Counter()
    for _, override in sorted(made, key=lambda each: (-each[0], each[1].key)):
        pattern = override.cell.pattern_key
        if of_pattern[pattern] >= config.max_rows_per_pattern:
            left_out.append(LeftOutLesson(override.key.lesson_id, LeftOutReason.PATTERN_IS_FULL))
        elif len(kept) >= config.max_rows:
            left_out.append(LeftOutLesson(override.key.lesson_id, LeftOutReason.SET_IS_FULL))
        else:
            of_pattern[pattern] += 1
            kept.append(override)
    return WantedOverrides(tuple(kept), tuple(sorted(left_out, key=lambda each: each.lesson_id)))


def _override_of(lesson: LessonEvidence, config: OverrideConfig) -> WantedOverride:
    return WantedOverride(
        key=OverrideKey(lesson.lesson_id, OverrideLever.PM_STRENGTH),
        cell=lesson.cell,
        multiplier=override_multiplier(lesson.edge_used * lesson.decay_mult, config),
        confidence=lesson.support_score * lesson.reliability_score,
        n_trades=lesson.n_trades,
        edge=lesson.edge_used,
        decay_mult=lesson.decay_mult,
    )


def _why_not(lesson: LessonEvidence, config: OverrideConfig) -> LeftOutReason | None:
    flag = parse_pattern_key(lesson.cell.pattern_key).flag
    edge = lesson.edge_used * lesson.decay_mult
    half_life = math.nan if lesson.half_life_hours is None else lesson.half_life_hours
    reasons = {
        LeftOutReason.RETIRED: lesson.standing is LessonStanding.RETIRED,
        LeftOutReason.SELLS: lesson.cell.action_category.side is not OrderSide.BUY or flag not in BUY_FLAGS,
        LeftOutReason.NO_EDGE: math.isnan(edge),
        LeftOutReason.NO_CONFIDENCE: not lesson.support_score * lesson.reliability_score > 0,
        LeftOutReason.DEAD_BAND: edge == 0 or abs(edge) < config.min_abs_edge,
        LeftOutReason.SHORT_LIVED: lesson.decay_state is DecayState.DECAYING and half_life < config.min_half_life_hours,
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def _refuse_wrong_numbers(lesson: LessonEvidence) -> None:
    for name, score in (("support_score", lesson.support_score), ("reliability_score", lesson.reliability_score)):
        if score < 0 or score > 1:
            raise ValueError(f"Lesson {lesson.lesson_id}: {name} must be within 0..1, was {score}")
    if not DECAY_MIN <= lesson.decay_mult <= DECAY_MAX:
        raise ValueError(
            f"Lesson {lesson.lesson_id}: decay_mult must be within {DECAY_MIN}..{DECAY_MAX}, was {lesson.decay_mult}"
        )
    if math.isinf(lesson.edge_used) or lesson.n_trades < 1:
        raise ValueError(
            f"Lesson {lesson.lesson_id}: must have trades and a finite edge, had {lesson.n_trades}, {lesson.edge_used}"
        )
