"""Whole patterns against each other: told once, by category, and not where a part of one says it all."""

import numpy as np
import pytest

from domain.learning.lesson_hypothesis import LessonHypothesis, LessonRun, Verdict
from domain.vocabulary.action import ActionCategory
from tests.domain.learning.planted_trades import group_of, lessons_of, noise

S1, S2, S3 = (f"pm.uptrend.{state}.buy_flag" for state in ("S1", "S2", "S3"))


def some(pattern: str, seed: int, *, n_trades: int = 300, shift: float = 0.0, **changed):
    """Trades of a pattern that end so much better than noise, under names of their own."""
    rr, values, day = noise(n_trades, seed)
    ids = changed.pop("trade_ids", [f"{pattern}-{i}" for i in range(n_trades)])
    return group_of(rr + shift, values, day, pattern=pattern, trade_ids=ids, **changed)


def roots(run: LessonRun) -> dict[str, LessonHypothesis]:
    return {each.cell.pattern_key: each for each in run.hypotheses if each.cell.mask == 0}


def test_a_pattern_that_ends_better_than_the_others_is_told_once():
    runs = [
        lessons_of(some(S1, 3 * i, shift=1.2), some(S2, 3 * i + 1), some(S3, 3 * i + 2), max_depth=1) for i in range(8)
    ]
    others = [roots(run)[pattern].verdict for run in runs for pattern in (S2, S3)]

    assert all(roots(run)[S1].verdict is Verdict.PROMOTED for run in runs)
    assert others.count(Verdict.PROMOTED) <= 2
    assert others.count(Verdict.EXPLAINED_BY) >= 12
    assert all(roots(run)[S1].parent is None for run in runs)
    assert roots(runs[0])[S1].overall.n_rest == 600
    assert roots(runs[0])[S1].overall.effect == pytest.approx(1.2, abs=0.4)


def test_patterns_that_end_alike_teach_nothing():
    for seed in range(5):
        run = lessons_of(*(some(pattern, 10 * seed + i) for i, pattern in enumerate((S1, S2, S3))), max_depth=1)

        assert len(roots(run)) == 3
        assert run.lessons == ()


def test_a_pattern_that_is_alone_in_its_category_is_compared_with_nothing():
    alone = lessons_of(some(S1, 1, shift=1.0), max_depth=1, baseline_rr=0.0)
    other_category = lessons_of(some(S1, 1, shift=1.0), some(S2, 2, category=ActionCategory.ADD), max_depth=1)

    assert roots(alone) == roots(other_category) == {}


def test_a_trade_of_two_patterns_is_not_its_own_rest():
    ids, add = [f"t{i}" for i in range(300)], ActionCategory.ADD
    groups = [some(key, n, trade_ids=ids, category=add) for n, key in enumerate((S1, S2), start=1)]
    run = lessons_of(*groups, some(S3, 3, n_trades=100, category=add), max_depth=1)

    assert {key: each.overall.n_rest for key, each in roots(run).items()} == {S1: 100, S2: 100, S3: 300}


def test_a_pattern_that_is_better_by_one_part_only_is_explained_by_the_part():
    rr, values, day = noise(600, 4)
    part = values[:, 0] == 1
    better = group_of(rr + 2.5 * part, values, day, pattern=S1, trade_ids=[f"{S1}-{i}" for i in range(600)])
    run = lessons_of(better, some(S2, 5, n_trades=600))
    (lesson,) = run.lessons
    whole = roots(run)[S1]

    assert (lesson.cell.pattern_key, lesson.cell.mask) == (S1, 1)
    assert whole.q <= 0.1
    assert (whole.verdict, whole.explained_by) == (Verdict.EXPLAINED_BY, lesson.cell)


def test_the_documented_rule_believes_a_whole_pattern_by_its_edge_alone():
    run = lessons_of(some(S1, 1, shift=1.0), max_depth=1, baseline_rr=0.0, promotion="documents")

    assert roots(run)[S1].verdict is Verdict.PROMOTED
    assert np.isnan(roots(run)[S1].q)
