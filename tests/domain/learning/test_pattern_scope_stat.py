"""Statistics of cells: the trade is the unit, and arrival in any order gives the bits of a recompute."""

import math
from datetime import timedelta
from fractions import Fraction
from statistics import median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.learning.pattern_scope_stat import RR_SCALE, PatternScopeStats, pattern_scope_stats, rr_steps
from domain.learning.trade_fact import ScopeCell
from domain.scopes.bitmask import mask_of
from domain.vocabulary.action import ActionCategory
from domain.vocabulary.scope_dimension import ScopeDimension
from tests.domain.learning.closed_trades import OPENED_AT, PATTERN, facts

TIMEFRAME, MCAP_BUCKET = (mask_of([d]) for d in (ScopeDimension.TIMEFRAME, ScopeDimension.MCAP_BUCKET))
MASKS = (0, TIMEFRAME, MCAP_BUCKET | TIMEFRAME)
ROOT = ScopeCell(PATTERN, ActionCategory.ENTRY, 0, ())
SCOPES = st.fixed_dictionaries(
    {"timeframe": st.sampled_from(["1h", "4h"]), "mcap_bucket": st.sampled_from(["nano", "micro", None])}
)
TRADES = st.lists(
    st.tuples(
        st.one_of(st.none(), st.floats(-40, 40, allow_subnormal=False)),
        st.lists(SCOPES, min_size=1, max_size=4),
        st.one_of(st.none(), st.floats(0, 48)),
    ),
    max_size=12,
)


def built(trades) -> list:
    return [
        facts(
            f"t{i}",
            rr,
            tuple(scopes),
            s3_at=None if to_s3 is None else OPENED_AT + timedelta(hours=to_s3),
        )
        for i, (rr, scopes, to_s3) in enumerate(trades)
    ]


def root_of(trades, max_abs_rr: float = 10.0):
    rows = [row for trade in trades for row in trade]
    return pattern_scope_stats(rows, [0], max_abs_rr=max_abs_rr)[ROOT]


@settings(max_examples=60, deadline=None)
@given(TRADES, st.randoms(use_true_random=False))
def test_trades_added_in_any_order_give_the_bits_of_a_recompute(trades, random):
    arriving = built(trades)
    rows = [row for trade in arriving for row in trade]
    random.shuffle(arriving)
    random.shuffle(rows)
    kept = PatternScopeStats(MASKS, max_abs_rr=10.0)
    for trade in arriving:
        kept.add_trade(trade)

    assert repr(kept.stats()) == repr(pattern_scope_stats(rows, MASKS, max_abs_rr=10.0))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-40, 40, allow_subnormal=False), min_size=1, max_size=30))
def test_mean_variance_and_median_are_those_of_the_rounded_outcomes_exactly(outcomes):
    stat = root_of([facts(f"t{i}", rr) for i, rr in enumerate(outcomes)])
    exact = [Fraction(rr_steps(rr, 10.0), RR_SCALE) for rr in outcomes]
    mean = sum(exact) / len(exact)

    assert stat.avg_rr == float(mean)
    assert stat.variance_rr == float(sum((rr - mean) ** 2 for rr in exact) / len(exact))
    assert stat.median_rr == float(median(exact))
    assert stat.sum_rr == pytest.approx(math.fsum(max(-10.0, min(10.0, rr)) for rr in outcomes), abs=1e-4)
    assert stat.n_wins == sum(rr > 0 for rr in outcomes)


def test_fifty_six_actions_of_one_trade_are_one_observation():
    stat = root_of([facts(scopes=({},) * 56)])

    assert (stat.n_trades, stat.n_actions, stat.avg_rr, stat.variance_rr) == (1, 56, 1.5, 0.0)


def test_a_trade_of_a_hundred_actions_weighs_as_much_as_one_of_one():
    stat = root_of([facts("many", 5.5, ({},) * 100), *(facts(f"t{i}", 0.0) for i in range(10))])

    assert (stat.n_trades, stat.n_actions, stat.avg_rr) == (11, 110, 0.5)


def test_forty_alike_trades_are_forty():
    stat = root_of([facts(f"t{i}", 2.0) for i in range(40)])

    assert (stat.n_trades, stat.avg_rr, stat.variance_rr, stat.win_rate_frac) == (40, 2.0, 0.0, 1.0)


def test_a_trade_without_rr_is_counted_apart_and_in_no_mean():
    stat = root_of([facts("t1", None), facts("t2", 2.0)])

    assert (stat.n_trades, stat.n_trades_without_rr, stat.avg_rr) == (1, 1, 2.0)
    assert math.isnan(root_of([facts("t1", None)]).avg_rr)


def test_outcomes_are_winsorised_in_the_statistics_only():
    (row,) = facts(rr=12.793)

    assert (row.rr, root_of([(row,)]).avg_rr) == (12.793, 10.0)


def test_a_variance_does_not_cancel_far_from_zero():
    stat = root_of([facts(f"t{i}", 9.0 + i * 2**-20) for i in range(2)])

    assert stat.variance_rr == 2.0**-42


def test_a_trade_taken_twice_counts_once_and_changed_facts_are_refused():
    kept = PatternScopeStats([0], max_abs_rr=10.0)

    assert [kept.add_trade(facts()), kept.add_trade(facts()[::-1]), kept.add_trade(())] == [True, False, False]
    assert kept.stats()[ROOT].n_trades == 1
    with pytest.raises(ValueError, match="taken with other facts"):
        kept.add_trade(facts(rr=2.0))


def test_an_outcome_that_is_not_finite_is_refused_and_a_tiny_win_stays_one():
    with pytest.raises(ValueError, match="finite"):
        rr_steps(math.nan, 10.0)
    assert (rr_steps(1e-12, 10.0), rr_steps(0.0, 10.0), rr_steps(-0.0, 10.0)) == (1, 0, 0)
