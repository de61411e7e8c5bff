"""Of two bars the one with more gates open came nearer to a buy, then the one that fell less short, then the first."""

import pytest

from domain.portfolio.episode_sample import NearestBar, kept_samples, nearer, nearest_of, sample_of
from domain.portfolio.gate import Gate, at_least, fact
from tests.domain.portfolio.token_bars import token_bar


def tried(*values: float, hour: int) -> NearestBar:
    """Bar of an hour with a gate at .6 for each value, in units of .1."""
    gates = tuple(at_least(Gate.TREND_STRENGTH, value, base=0.6, threshold=0.6, scale=0.1) for value in values)
    return nearest_of(token_bar("S1", hour=hour), gates)


def test_more_open_gates_count_before_a_smaller_shortfall():
    one_far, two_near = tried(0.6, 0.1, hour=0), tried(0.59, 0.59, hour=1)

    assert one_far.shortfall > two_near.shortfall
    assert nearer(one_far, two_near) == nearer(two_near, one_far) == one_far


def test_with_as_many_gates_open_the_smaller_sum_of_shortfalls_counts():
    assert nearer(tried(0.6, 0.5, hour=0), tried(0.55, 0.6, hour=1)) == tried(0.55, 0.6, hour=1)
    assert tried(0.5, 0.55, hour=0).shortfall == pytest.approx(1.5)


def test_of_equals_the_first_counts():
    assert nearer(tried(0.5, hour=0), tried(0.5, hour=1)) == tried(0.5, hour=0)


def test_a_gate_without_a_margin_falls_short_by_one_unit():
    assert nearest_of(token_bar("S1"), (fact(Gate.MODE, False), fact(Gate.HELD, True))).shortfall == 1.0


def test_a_bar_of_which_nothing_was_asked_is_never_nearer():
    assert nearer(tried(0.5, 0.6, hour=0), nearest_of(token_bar("S1", hour=1), ())) == tried(0.5, 0.6, hour=0)


@pytest.mark.parametrize(("length", "limit", "hours"), [(1, 12, [0]), (12, 12, list(range(12))), (5, 3, [0, 3, 4])])
def test_the_first_sample_and_the_latest_others_are_kept(length, limit, hours):
    samples = ()
    for hour in range(length):
        bar = token_bar("S1", hour=hour)
        samples = kept_samples(samples, sample_of(bar, nearest_of(bar, ())), limit)

    assert [sample.at for sample in samples] == [token_bar("S1", hour=hour).opened_at for hour in hours]
