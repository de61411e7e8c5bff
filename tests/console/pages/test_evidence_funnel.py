"""Bars of the evidence funnel: as long as their counts say, and what is not known has none."""

import pytest

from console.pages.evidence_funnel import SLIM, WIDTH, EvidenceScale, evidence_bars, evidence_scale


def told(*counts: int | None, unit: str = "cells") -> list[dict[str, object]]:
    return [{"unit": unit, "count": count} for count in counts]


def bars(*steps: dict[str, object]) -> list[tuple[float | None, float]]:
    return [(bar.width, bar.lost) for bar in evidence_bars(steps, evidence_scale(steps))]


def test_the_largest_count_takes_all_of_the_width_and_a_tenth_of_it_one_power_less():
    scale = EvidenceScale(largest=99_999)

    assert scale.length(99_999) == WIDTH
    assert scale.length(9_999) == pytest.approx(WIDTH * 4 / 5, abs=0.06)


def test_nothing_has_no_length_and_one_can_be_seen():
    scale = EvidenceScale(largest=10**9)

    assert scale.length(0) == 0.0
    assert SLIM <= scale.length(1) < scale.length(2)


def test_a_bar_and_what_was_left_out_are_as_long_as_the_bar_before():
    (first, _), (second, lost) = bars(*told(5000, 81))

    assert second + lost == pytest.approx(first, abs=0.06)


def test_bars_of_different_things_are_not_compared():
    steps = [*told(5000, unit="strands"), *told(81, unit="trades")]

    assert [lost for _, lost in bars(*steps)] == [0.0, 0.0]


def test_a_count_that_is_not_known_has_no_bar_and_the_next_is_compared_with_the_last_known():
    (first, _), (unknown, nothing), (last, lost) = bars(*told(100, None, 10))

    assert (unknown, nothing) == (None, 0.0)
    assert last + lost == pytest.approx(first, abs=0.06)


def test_a_count_that_grew_lost_nothing():
    assert bars(*told(10, 20))[1][1] == 0.0


def test_marks_stand_where_bars_of_their_counts_end():
    scale = EvidenceScale(largest=53_858)

    assert [words for _, words in scale.marks()] == ["1", "10", "100", "1,000", "10,000"]
    assert [x for x, _ in scale.marks()] == [scale.length(10**power) for power in range(5)]


def test_steps_without_any_count_are_drawn_too():
    assert bars(*told(0, 0)) == [(0.0, 0.0), (0.0, 0.0)]
    assert evidence_scale([]).largest == 0
