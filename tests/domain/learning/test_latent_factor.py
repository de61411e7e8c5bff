"""Latent factors: the documented sets, one voice a factor, ids that last, and order that does not count."""

import math
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.config.latent_factor import LatentFactorConfig
from domain.config.portfolio import MaskWeightConfig
from domain.learning.latent_factor import FactorLesson, LatentFactor, factor_of_lesson, latent_factors
from domain.learning.override import wanted_overrides
from domain.learning.trade_fact import ScopeCell
from domain.portfolio.override_set import compile_overrides
from domain.portfolio.pm_strength import apply_pattern_strength_overrides
from domain.scopes.scope import parse_scope
from domain.vocabulary.action import ActionCategory
from tests.domain.learning.override_worlds import CONFIG, S1, S2, T0, lesson

ENTRY, ADD = ActionCategory.ENTRY, ActionCategory.ADD
RULES = LatentFactorConfig()
A, B, C = set(range(1, 11)), {*range(1, 10), 11}, set(range(1, 6))
SETS = st.lists(st.sets(st.integers(0, 12), min_size=1), min_size=1, max_size=9)


def told(name: str, trades, *, edge: float = 0.4, support: float = 0.9, mask: int = 4, category=ENTRY, pattern=S1):
    """A lesson over trades of these numbers."""
    cell = ScopeCell(pattern, category, mask, ("1",) * mask.bit_count())
    return FactorLesson(name, cell, frozenset(f"t{number}" for number in trades), edge, support)


def grouped(*lessons: FactorLesson, previous: tuple[LatentFactor, ...] = (), **changed) -> tuple[LatentFactor, ...]:
    return latent_factors(lessons, LatentFactorConfig(**changed), previous=[each.known for each in previous])


def members(factors) -> list[tuple[str, ...]]:
    return [factor.lesson_ids for factor in factors]


def jaccard(one: FactorLesson, other: FactorLesson) -> float:
    return len(one.trade_ids & other.trade_ids) / len(one.trade_ids | other.trade_ids)


def test_the_documented_sets_make_two_factors():
    one, alone = grouped(told("a", A), told("b", B), told("c", C))

    assert one.lesson_ids == ("a", "b")
    assert one.min_jaccard == pytest.approx(9 / 11)
    assert (one.n_trades, alone.lesson_ids) == (11, ("c",))
    assert math.isnan(alone.min_jaccard)


@pytest.mark.parametrize(("shared", "is_one"), [(7, True), (6, False)])
def test_seven_of_ten_shared_are_one_and_six_are_not(shared, is_one):
    lessons = told("a", range(10)), told("b", range(shared))

    assert (len(grouped(*lessons)) == 1) is is_one


def test_nothing_is_joined_through_a_third():
    chain = told("a", range(10)), told("b", range(1, 11)), told("c", range(2, 12)), told("d", range(3, 13))

    assert all(factor.min_jaccard >= 0.7 for factor in grouped(*chain) if len(factor.lesson_ids) > 1)
    assert len(grouped(*chain)) == 2


def test_a_lesson_near_the_mean_of_a_factor_and_far_from_one_of_it_stays_out():
    lessons = told("a", range(10)), told("b", range(1, 11)), told("c", range(2, 12))

    assert (1 - jaccard(lessons[0], lessons[2]) + 1 - jaccard(*lessons[1:])) / 2 < 0.3 < 1 - jaccard(*lessons[::2])
    assert len(grouped(*lessons)) == 2


def test_actions_of_other_categories_are_other_factors_and_those_of_other_patterns_are_not():
    lessons = told("a", A), told("b", A, category=ADD), told("c", A, pattern=S2)

    assert members(grouped(*lessons)) == [("b",), ("a", "c")]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ({"edge": 0.4}, {"edge": -0.5}, "b"),
        ({"edge": 0.4, "support": 0.9}, {"edge": 0.5, "support": 0.5}, "a"),
        ({"mask": 12}, {"mask": 4}, "b"),
        ({}, {}, "a"),
        ({"edge": math.nan}, {"edge": 0.0}, "b"),
        ({"support": math.nan}, {"edge": 0.0}, "b"),
    ],
    ids=["larger edge", "edge x support", "fewer conditions", "lesser id", "no edge", "no support"],
)
def test_the_lesson_with_most_evidence_speaks_for_its_factor(first, second, expected):
    (factor,) = grouped(told("a", A, **first), told("b", A, **second))

    assert factor.representative == expected


@given(SETS, st.randoms(use_true_random=False))
def test_the_order_of_lessons_and_of_earlier_factors_does_not_count(sets, random):
    lessons = [told(f"l{i}", trades, edge=i % 3) for i, trades in enumerate(sets)]
    before = latent_factors(lessons[: len(lessons) // 2], RULES)
    known = [factor.known for factor in before]
    shuffled = latent_factors(random.sample(lessons, len(lessons)), RULES, previous=random.sample(known, len(known)))

    assert members(shuffled) == members(latent_factors(lessons, RULES, previous=known))
    assert [each.factor_id for each in shuffled] == [
        each.factor_id for each in latent_factors(lessons, RULES, previous=known)
    ]


@given(SETS)
def test_every_lesson_is_in_one_factor_and_any_two_of_it_share_enough(sets):
    lessons = {f"l{i}": told(f"l{i}", trades) for i, trades in enumerate(sets)}
    factors = grouped(*lessons.values())

    assert sorted(name for factor in factors for name in factor.lesson_ids) == sorted(lessons)
    assert len({factor.factor_id for factor in factors}) == len(factors)
    for factor in factors:
        inside = [lessons[name] for name in factor.lesson_ids]
        least = min(jaccard(one, other) for one in inside for other in inside)
        assert least >= 0.7 - 1e-12
        assert len(inside) == 1 or factor.min_jaccard == pytest.approx(least)


def test_a_factor_keeps_its_id_while_its_representative_stays_in_it():
    before = grouped(told("a", A, edge=0.9), told("b", A))
    grown = grouped(told("a", A, edge=0.2), told("b", A, edge=0.9), told("c", A), previous=before)
    founder_gone = grouped(told("b", A), told("c", A), previous=grown)

    assert [each.factor_id for each in (*grown, *founder_gone)] == [before[0].factor_id] * 2
    assert (grown[0].representative, grown[0].is_carried, before[0].is_carried) == ("b", True, False)


def test_a_factor_whose_representative_left_ends_and_what_is_left_is_new():
    before = grouped(told("a", A, edge=0.9), told("b", A))
    after = grouped(told("b", A), previous=before)

    assert after[0].factor_id != before[0].factor_id
    assert not after[0].is_carried


def test_of_two_factors_that_merge_the_one_more_like_both_gives_the_id():
    large = grouped(told("b", B), told("c", B), told("d", B))
    small = grouped(told("a", C))
    (merged,) = grouped(*(told(name, A) for name in "abcd"), previous=(*small, *large))

    assert merged.factor_id == large[0].factor_id


def test_a_lesson_that_leaves_the_factor_named_after_it_gets_another_id():
    before = grouped(told("a", A, edge=0.9), told("b", A))
    led_by_b = grouped(told("a", A), told("b", A, edge=0.9), previous=before)
    apart = grouped(told("a", C), told("b", A), previous=led_by_b)

    assert [each.is_carried for each in apart] == [False, True]
    assert apart[1].factor_id == before[0].factor_id != apart[0].factor_id


@given(SETS, SETS)
def test_ids_stay_distinct_from_run_to_run(first, second):
    before = grouped(*(told(f"l{i}", trades, edge=i % 4) for i, trades in enumerate(first)))
    after = grouped(*(told(f"l{i}", trades, edge=-i % 3) for i, trades in enumerate(second)), previous=before)

    assert len({factor.factor_id for factor in after}) == len(after)
    assert grouped(*(told(f"l{i}", trades) for i, trades in enumerate(first)), previous=before) == grouped(
        *(told(f"l{i}", trades) for i, trades in enumerate(first)), previous=before
    )


def test_an_unchanged_market_keeps_all_ids():
    lessons = [told("a", A), told("b", B), told("c", C), told("d", A, category=ADD)]
    before = grouped(*lessons)

    assert [each.factor_id for each in grouped(*lessons, previous=before)] == [each.factor_id for each in before]


SCOPE = parse_scope({"mcap_bucket": "micro", "chain": "solana", "timeframe": "1h", "curator": "x"})
SAME = [(4, ("micro",)), (6, ("solana", "micro")), (260, ("micro", "1h")), (7, ("x", "solana", "micro"))]


def influence(lessons, spokesmen) -> float:
    """Multiplier of a buy under the overrides of the lessons that may speak."""
    evidence = [
        lesson(each.lesson_id, each.edge_used, cell=each.cell, support_score=each.support_score)
        for each in lessons
        if each.lesson_id in spokesmen
    ]
    wanted = wanted_overrides(evidence, CONFIG).overrides
    expiry = T0 + timedelta(days=14)
    rows = [each.row(expiry) | {"override_id": i, "set_id": 1} for i, each in enumerate(wanted)]
    compiled = compile_overrides(rows, T0)
    assert not compiled.refused
    weights = MaskWeightConfig()
    return apply_pattern_strength_overrides(compiled, S1, ENTRY, SCOPE, as_of=T0, weights=weights).multiplier


@given(st.floats(0.1, 2), st.floats(-2, -0.1), st.integers(1, 4), st.floats(0.1, 1))
def test_lessons_told_several_times_move_a_size_as_one_does(edge, other_edge, n_told, support):
    other = FactorLesson("z", ScopeCell(S1, ENTRY, 256, ("1h",)), frozenset({"u1", "u2"}), other_edge, support)
    same = [
        FactorLesson(f"a{i}", ScopeCell(S1, ENTRY, mask, values), frozenset({"t1", "t2", "t3"}), edge, support)
        for i, (mask, values) in enumerate(SAME[:n_told])
    ]
    factors = factor_of_lesson(latent_factors([*same, other], RULES))
    spokesmen = {name for name, factor in factors.items() if factor.representative == name}

    assert influence([*same, other], spokesmen) == influence([same[0], other], {"a0", "z"})
    if n_told > 1:
        assert influence([*same, other], set(factors)) > influence([same[0], other], {"a0", "z"})


def test_a_factor_tells_a_row():
    row = grouped(told("a", A), told("b", B))[0].row()

    assert (row["representative"], row["lesson_ids"], row["n_lessons"]) == ("a", ["a", "b"], 2)
    assert len(row["factor_id"]) == 12


@pytest.mark.parametrize(
    ("lessons", "message"),
    [([told("a", A), told("a", B)], "comes twice"), ([told("a", ())], "must have trades")],
)
def test_lessons_that_cannot_be_right_are_refused(lessons, message):
    with pytest.raises(ValueError, match=message):
        grouped(*lessons)


def test_a_factor_of_before_that_cannot_be_right_is_refused():
    (factor,) = grouped(told("a", A))

    with pytest.raises(ValueError, match="comes twice"):
        grouped(told("a", A), previous=(factor, factor))


def test_without_lessons_there_are_no_factors():
    assert latent_factors([], RULES) == ()
