"""The tree of lessons: each under the one that holds in the most of its scope, none lost, unreadable ones alone."""

from itertools import permutations
from typing import Any

import pytest

from console.pages.lesson_tree import WIDTH, lesson_groves

A, B, AB, ABC = {"a": "1"}, {"b": "1"}, {"a": "1", "b": "1"}, {"a": "1", "b": "1", "c": "1"}


def lesson(scope: Any, pattern: str = "p", **values: Any) -> dict[str, Any]:
    row = {"pattern_key": pattern, "action_category": "entry", "scope": scope, "effect_rr": 0.5}
    return row | {"effect_low": 0.1, "effect_high": 1.0} | values


def told(*lessons: dict[str, Any]) -> list[tuple[Any, int]]:
    (grove,) = lesson_groves(lessons)
    return [(leaf.lesson["scope"], leaf.depth) for leaf in grove.leaves]


def test_a_lesson_stands_under_the_one_with_the_largest_part_of_its_scope():
    assert told(lesson(ABC), lesson(A), lesson({}), lesson(AB)) == [({}, 0), (A, 1), (AB, 2), (ABC, 3)]


@pytest.mark.parametrize("order", list(permutations([{}, A, B, AB, ABC])))
def test_each_lesson_stands_there_once_whatever_the_order(order):
    found = told(*(lesson(scope) for scope in order))

    assert sorted(map(str, (scope for scope, _ in found))) == sorted(map(str, order))
    assert {str(scope): depth for scope, depth in found} == {
        "{}": 0,
        str(A): 1,
        str(B): 1,
        str(AB): 2,
        str(ABC): 3,
    }


def test_another_value_is_no_part_of_a_scope():
    assert told(lesson({"a": "2"}), lesson(AB)) == [({"a": "2"}, 0), (AB, 0)]


def test_a_scope_that_cannot_be_read_has_neither_parent_nor_child():
    assert told(lesson({}), lesson("[1]"), lesson(None)) == [({}, 0), ("[1]", 0), (None, 0)]


def test_patterns_and_actions_are_trees_of_their_own():
    groves = lesson_groves([lesson({}), lesson(A, "q"), lesson(A, action_category="add")])

    assert [(grove.pattern_key, grove.action_category, len(grove.leaves)) for grove in groves] == [
        ("p", "entry", 1),
        ("q", "entry", 1),
        ("p", "add", 1),
    ]


def test_effects_stand_on_one_scale_with_nothing_in_the_middle():
    (grove,) = lesson_groves([lesson({}, effect_rr=0.0), lesson(A, effect_rr=None, effect_low=-2.0, effect_high=2.0)])
    nothing, wide = grove.leaves

    assert nothing.at == WIDTH / 2
    assert wide.at is None
    assert wide.low + wide.high == pytest.approx(WIDTH)
    assert 0 < wide.low < nothing.low < nothing.high < wide.high < WIDTH
