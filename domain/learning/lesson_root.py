"""Whole groups against each other: whether a pattern ends otherwise than the other patterns of its category.

Adds are compared with adds only: a trade that was added to had gone well by then, so beside entries every add looks
good.

A trade with actions of two patterns is in both groups. It stands for the one that is asked about, never for its rest.

What belongs here: the trades of a category, each once, and what is asked of its groups. What does not: cells inside a
group (`lesson_search`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from domain.config.lesson import LessonConfig
from domain.learning.contrast import BoolArray, IntArray
from domain.learning.lesson_evidence import Evidence, Judged, join_judged, lesson_evidence
from domain.learning.lesson_search import family_q
from domain.learning.lesson_verdict import Comparison, comparison_of
from domain.learning.trade_group import TradeGroup
from domain.vocabulary.action import ActionCategory


@dataclass(frozen=True, slots=True, eq=False)
class CategoryTrades:
    """All trades with an action of one category.

    Attributes
    ----------
    evidence : Evidence
        Each trade once.
    places : dict of int to ndarray of int
        By number of the group: where its trades are.
    """

    evidence: Evidence
    places: dict[int, IntArray]

    def members(self, group: int, of_group: BoolArray | None = None) -> BoolArray:
        """Trades of a group, or the part of them said, among all of the category."""
        found = np.zeros(self.evidence.rr.size, np.bool_)
        places = self.places[group]
        found[places if of_group is None else places[of_group]] = True
        return found


def category_trades(groups: Sequence[TradeGroup], category: ActionCategory, config: LessonConfig) -> CategoryTrades:
    """Trades of the groups of a category, each once, in the order they closed."""
    chosen = [number for number, group in enumerate(groups) if group.action_category is category and group.n_trades]
    trades: dict[str, tuple[int, str, int, float]] = {}
    for number in chosen:
        group = groups[number]
        columns = zip(
            group.closed_us.tolist(), group.trade_ids, group.opened_us.tolist(), group.rr.tolist(), strict=True
        )
        trades.update((trade[1], trade) for trade in columns)
    ordered = sorted(trades.values())
    place = {trade[1]: i for i, trade in enumerate(ordered)}
    closed_us, opened_us = (np.array([trade[k] for trade in ordered], np.int64) for k in (0, 2))
    rr = np.array([trade[3] for trade in ordered], np.float64)
    return CategoryTrades(
        lesson_evidence(rr, closed_us, opened_us, config),
        {number: np.array([place[name] for name in groups[number].trade_ids], np.int64) for number in chosen},
    )


def ask_roots(
    groups: Sequence[TradeGroup], categories: Sequence[CategoryTrades], config: LessonConfig
) -> dict[int, Comparison]:
    """Compare each group that is large enough with the other groups of its category, all as one family.

    Returns
    -------
    dict of int to Comparison
        By number of the group; a group that is alone on its category is not there, for nothing can be asked of it.
    """
    asked: list[int] = []
    parts: list[Judged] = []
    for category in categories:
        large = [number for number in category.places if groups[number].n_trades >= config.min_trades]
        if len(category.places) > 1 and large:
            inside = np.stack([category.members(number) for number in large])
            parts.append(category.evidence.judge(inside, ~inside))
            asked += large
    if not asked:
        return {}
    judged = join_judged(parts)
    q = family_q(judged.discovery, np.array([groups[number].n_trades for number in asked]), config)
    return {number: comparison_of(judged, i, float(q[i])) for i, number in enumerate(asked)}
