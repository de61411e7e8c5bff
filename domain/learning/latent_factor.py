"""Latent factors: lessons that are about the same trades, of which one speaks for all.

    distance(A, B) = 1 - |A and B| / |A or B|, over the ids of their trades

Complete linkage: every two lessons of a factor lie within `max_distance`, so nothing is joined through a third. Lessons
of one action category are compared whatever their pattern. The one with the largest |edge| x support represents the
factor, and only it may make an override: else a truth told in five scopes outvotes one that is told in one.

A factor keeps its id from run to run for as long as the lesson that represented it stays in it. An earlier system
numbered its factors anew each run, so no two runs could be compared.

What belongs here: which lessons are one, and the name of that. What does not: the override (`override`).
"""

import hashlib
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.sparse import csr_array
from scipy.spatial.distance import squareform

from domain.config.latent_factor import LatentFactorConfig
from domain.learning.trade_fact import ScopeCell
from domain.vocabulary.action import ActionCategory

ID_DIGITS = 12


@dataclass(frozen=True, slots=True)
class FactorLesson:
    """An active lesson and its trades. edge_used: R, NaN where there is none. support_score: 0..1, or NaN."""

    lesson_id: str
    cell: ScopeCell
    trade_ids: frozenset[str]
    edge_used: float
    support_score: float


@dataclass(frozen=True, slots=True)
class KnownFactor:
    """A factor as a run left it: what its id is carried by."""

    factor_id: str
    action_category: ActionCategory
    representative: str
    lesson_ids: frozenset[str]


@dataclass(frozen=True, slots=True)
class LatentFactor:
    """Lessons that are about the same trades.

    Attributes
    ----------
    factor_id : str
        12 hexadecimal digits, the same from run to run.
    action_category : ActionCategory
    representative : str
        Id of the lesson that speaks for all.
    lesson_ids : tuple of str
        All of them, by id.
    min_jaccard : float
        Of the two that share least, 0..1; NaN of one alone.
    n_trades : int
        Distinct trades of all.
    is_carried : bool
        Whether the run before had it.
    """

    factor_id: str
    action_category: ActionCategory
    representative: str
    lesson_ids: tuple[str, ...]
    min_jaccard: float
    n_trades: int
    is_carried: bool

    @property
    def known(self) -> KnownFactor:
        """What the next run carries its id by."""
        return KnownFactor(self.factor_id, self.action_category, self.representative, frozenset(self.lesson_ids))

    def row(self) -> dict[str, Any]:
        """Columns of `learning_latent_factors`, without the day; NaN is not known."""
        return {
            "factor_id": self.factor_id,
            "action_category": self.action_category.value,
            "representative": self.representative,
            "lesson_ids": list(self.lesson_ids),
            "n_lessons": len(self.lesson_ids),
            "min_jaccard": self.min_jaccard,
            "n_trades": self.n_trades,
            "is_carried": self.is_carried,
        }


def latent_factors(
    lessons: Iterable[FactorLesson], config: LatentFactorConfig, *, previous: Iterable[KnownFactor] = ()
) -> tuple[LatentFactor, ...]:
    """Group lessons by their trades; each is in exactly one factor, alone or with others.

    Parameters
    ----------
    lessons : iterable of FactorLesson
        Active ones, any order: the result does not depend on it.
    config : LatentFactorConfig
        How much two must share.
    previous : iterable of KnownFactor
        Factors of the run before, any order. One gives its id to the factor its representative is in now; of several
        such that of the largest Jaccard between their lessons, then of the least id. Others get the hash of their
        representative's lesson, and the next one where that is taken.

    Returns
    -------
    tuple of LatentFactor
        By category and least lesson id.

    Raises
    ------
    ValueError
        If a lesson comes twice, has no trade, a factor of the run before comes twice, or its representative is none of
        its lessons.
    """
    by_category: defaultdict[ActionCategory, list[FactorLesson]] = defaultdict(list)
    for lesson in sorted(_checked(lessons).values(), key=lambda each: each.lesson_id):
        by_category[lesson.cell.action_category].append(lesson)
    grouped = [group for category in sorted(by_category) for group in _groups(by_category[category], config)]
    carried = _carried_ids(grouped, _checked_factors(previous))
    taken = set(carried.values())
    factors = []
    for number, (group, min_jaccard) in enumerate(grouped):
        representative = min(group, key=_rank).lesson_id
        factor_id = carried.get(number) or _new_id(representative, taken)
        taken.add(factor_id)
        factors.append(
            LatentFactor(
                factor_id=factor_id,
                action_category=group[0].cell.action_category,
                representative=representative,
                lesson_ids=tuple(lesson.lesson_id for lesson in group),
                min_jaccard=min_jaccard,
                n_trades=len(frozenset().union(*(lesson.trade_ids for lesson in group))),
                is_carried=number in carried,
            )
        )
    return tuple(factors)


def factor_of_lesson(factors: Iterable[LatentFactor]) -> dict[str, LatentFactor]:
    """Factor of each lesson, by lesson id; a lesson may make an override if it is its `representative`."""
    return {lesson_id: factor for factor in factors for lesson_id in factor.lesson_ids}


_Group = tuple[Sequence[FactorLesson], float]


def _groups(lessons: Sequence[FactorLesson], config: LatentFactorConfig) -> list[_Group]:
    """Lessons of a category, by id, in groups by least id, each with the least Jaccard inside it."""
    if len(lessons) == 1:
        return [(lessons, math.nan)]
    distance = _distances(lessons)
    tree = linkage(squareform(distance, checks=False), method="complete")
    label = fcluster(tree, config.max_distance, criterion="distance")
    places: defaultdict[int, list[int]] = defaultdict(list)
    for place, number in enumerate(label.tolist()):
        places[number].append(place)
    return [
        ([lessons[place] for place in group], _min_jaccard(distance, group))
        for group in sorted(places.values(), key=lambda each: each[0])
    ]


def _distances(lessons: Sequence[FactorLesson]) -> NDArray[np.float64]:
    """1 - Jaccard of every two, shape (n, n): the rounded quotient of two whole numbers, so 3 of 10 is 0.3."""
    column: dict[str, int] = {}
    trades = [column.setdefault(trade, len(column)) for lesson in lessons for trade in sorted(lesson.trade_ids)]
    size = np.array([len(lesson.trade_ids) for lesson in lessons])
    ends = np.concatenate([[0], np.cumsum(size)])
    has = csr_array((np.ones(len(trades), np.int64), trades, ends), shape=(len(lessons), len(column)))
    shared = (has @ has.T).toarray()
    union = size[:, None] + size[None, :] - shared
    return np.asarray((union - shared) / union, np.float64)


def _min_jaccard(distance: NDArray[np.float64], group: Sequence[int]) -> float:
    return 1.0 - float(distance[np.ix_(group, group)].max()) if len(group) > 1 else math.nan


def _rank(lesson: FactorLesson) -> tuple[float, int, str]:
    weight = abs(lesson.edge_used) * lesson.support_score
    return math.inf if math.isnan(weight) else -weight, lesson.cell.mask.bit_count(), lesson.lesson_id


def _carried_ids(grouped: Sequence[_Group], previous: Sequence[KnownFactor]) -> dict[int, str]:
    """Ids that factors of the run before give, by number of the group."""
    group_of = {lesson.lesson_id: number for number, (group, _) in enumerate(grouped) for lesson in group}
    heirs: defaultdict[int, list[tuple[float, str]]] = defaultdict(list)
    for factor in previous:
        number = group_of.get(factor.representative)
        if number is None:
            continue
        members = {lesson.lesson_id for lesson in grouped[number][0]}
        jaccard = len(members & factor.lesson_ids) / len(members | factor.lesson_ids)
        heirs[number].append((-jaccard, factor.factor_id))
    return {number: min(given)[1] for number, given in heirs.items()}


def _new_id(lesson_id: str, taken: set[str]) -> str:
    """Hash of a lesson; of it and a number where a factor that others went on with has that id."""
    texts = (lesson_id if turn == 0 else f"{lesson_id}|{turn}" for turn in count())
    ids = (hashlib.sha256(text.encode()).hexdigest()[:ID_DIGITS] for text in texts)
    return next(each for each in ids if each not in taken)


def _checked(lessons: Iterable[FactorLesson]) -> Mapping[str, FactorLesson]:
    found: dict[str, FactorLesson] = {}
    for lesson in lessons:
        if lesson.lesson_id in found:
            raise ValueError(f"Lesson {lesson.lesson_id} comes twice")
        if not lesson.trade_ids:
            raise ValueError(f"Lesson {lesson.lesson_id} must have trades, had none")
        found[lesson.lesson_id] = lesson
    return found


def _checked_factors(previous: Iterable[KnownFactor]) -> tuple[KnownFactor, ...]:
    found: dict[str, KnownFactor] = {}
    for factor in previous:
        if factor.factor_id in found:
            raise ValueError(f"Factor {factor.factor_id} comes twice")
        if factor.representative not in factor.lesson_ids:
            raise ValueError(f"Factor {factor.factor_id}: {factor.representative} represents it and is not in it")
        found[factor.factor_id] = factor
    return tuple(found.values())
