"""Lessons as a tree: each under the lesson about the same pattern that holds in the most of its scope."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Facts = Mapping[str, Any]

WIDTH = 220.0
"""Of an interval's picture, pixels; nothing is in the middle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """A lesson, how deep it stands, and where its effect and its interval are drawn; None where they are unknown."""

    lesson: Facts
    depth: int
    at: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Grove:
    """Lessons about one action of one pattern, each after the one it stands under."""

    pattern_key: str
    action_category: str
    leaves: tuple[Leaf, ...]


def lesson_groves(lessons: Sequence[Facts]) -> list[Grove]:
    """Trees of some lessons, as `lowcap lessons` lists them; their order is kept among neighbours.

    A scope that cannot be read has no parent and no child.
    """
    groups: dict[tuple[str, str], list[Facts]] = {}
    for lesson in lessons:
        groups.setdefault((lesson["pattern_key"], lesson["action_category"]), []).append(lesson)
    widest = _widest(lessons)
    return [
        Grove(pattern_key=key, action_category=category, leaves=tuple(_leaves(group, widest)))
        for (key, category), group in groups.items()
    ]


def _leaves(group: Sequence[Facts], widest: float) -> Iterable[Leaf]:
    parents = [_parent(number, group) for number in range(len(group))]
    waiting = [(number, 0) for number in reversed(range(len(group))) if parents[number] is None]
    while waiting:
        number, depth = waiting.pop()
        yield _leaf(group[number], depth, widest)
        waiting += [(child, depth + 1) for child in reversed(range(len(group))) if parents[child] == number]


def _parent(number: int, group: Sequence[Facts]) -> int | None:
    """Place of the lesson with the largest scope that is a proper part of this one's."""
    own = _items(group[number])
    if own is None:
        return None
    scopes = [(place, _items(lesson)) for place, lesson in enumerate(group)]
    parts = [(len(scope), -place) for place, scope in scopes if scope is not None and scope < own]
    return -max(parts)[1] if parts else None


def _items(lesson: Facts) -> frozenset[tuple[str, str]] | None:
    scope = lesson["scope"]
    return frozenset(scope.items()) if isinstance(scope, Mapping) else None


def _widest(lessons: Iterable[Facts]) -> float:
    known = (abs(lesson[name]) for lesson in lessons for name in _ENDS if lesson[name] is not None)
    return max(known, default=0.0) or 1.0


_ENDS = ("effect_rr", "effect_low", "effect_high")


def _leaf(lesson: Facts, depth: int, widest: float) -> Leaf:
    at, low, high = (_place(lesson[name], widest) for name in _ENDS)
    return Leaf(lesson=lesson, depth=depth, at=at, low=low, high=high)


def _place(value: float | None, widest: float) -> float | None:
    return None if value is None else round(WIDTH / 2 * (1 + 0.96 * value / widest), 1)
