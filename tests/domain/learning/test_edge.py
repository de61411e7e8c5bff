"""The edge: the documented vector, the small-sample prior, and the baseline over trades."""

import math
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.config.learning import EdgeConfig
from domain.learning.edge import EdgeScore, compute_edge_score, edge_score, edge_volatility, get_rr_baseline
from domain.learning.pattern_scope_stat import PatternScopeStat
from tests.domain.learning.closed_trades import OPENED_AT, facts

CONFIG = EdgeConfig()
STAT = PatternScopeStat(
    n_trades=45,
    n_trades_without_rr=0,
    n_actions=90,
    n_wins=30,
    sum_rr=83.25,
    sum_rr2=172.9,
    avg_rr=1.85,
    median_rr=1.6,
    variance_rr=0.42,
    win_rate_frac=30 / 45,
    pnl_usd=832.5,
    median_hours_to_s3=36.0,
    median_hold_hours=120.0,
)
AS_OF_AT = OPENED_AT + timedelta(days=30)


def score_of(stat: PatternScopeStat = STAT, recent_edges=(1.0, 1.5), config: EdgeConfig = CONFIG) -> EdgeScore:
    return compute_edge_score(stat, baseline_rr=1.05, recent_edges=recent_edges, config=config)


def test_the_published_vector_gives_the_six_components_and_their_product():
    score = score_of(recent_edges=(1.0, 1.5) * 6, config=EdgeConfig(prior_variance=0.0))

    assert score.reliability_score == pytest.approx(0.7042, abs=5e-5)
    assert score.support_score == pytest.approx(0.9765, abs=5e-5)
    assert score.magnitude_score == pytest.approx(0.8320, abs=5e-5)
    assert score.time_score == pytest.approx(0.2169, abs=5e-5)
    assert score.stability_score == pytest.approx(0.8000, abs=5e-5)
    assert score.edge_raw == pytest.approx(1.5918, abs=5e-5)
    assert (score.delta_rr, score.edge_simple) == pytest.approx((0.80, 0.85))
    assert score.ev_score == pytest.approx(1 / (1 + math.exp(-0.8)))


def test_two_alike_outcomes_are_not_certainty():
    score = score_of(replace(STAT, n_trades=2, variance_rr=0.0))

    assert score.reliability_score == pytest.approx(1 / 1.125)
    assert score.support_score == pytest.approx(1 - math.exp(-2 / 12))


def test_the_prior_fades_as_trades_come():
    reliability = [score_of(replace(STAT, n_trades=n, variance_rr=0.0)).reliability_score for n in (1, 2, 33, 1000)]

    assert reliability == sorted(reliability)
    assert reliability[0] == 0.8
    assert reliability[-1] < 1.0


def test_time_is_hours_to_s3_or_hours_held_when_none_reached_it():
    held = score_of(replace(STAT, median_hours_to_s3=math.nan))

    assert score_of().time_score == pytest.approx(1 / (1 + math.log(37)))
    assert held.time_score == pytest.approx(1 / (1 + math.log(121)))


def test_stability_reads_the_last_twelve_edges_and_is_one_below_three():
    assert score_of(recent_edges=(9.0, 1.0)).stability_score == 1.0
    assert edge_volatility([100.0] + [1.0] * 12, CONFIG) == 0.0
    assert edge_volatility([1.0, 2.0, 3.0], CONFIG) == pytest.approx(math.sqrt(2 / 3))


def test_no_trade_or_no_baseline_is_no_edge_rather_than_zero():
    empty = score_of(replace(STAT, n_trades=0))
    unknown = compute_edge_score(STAT, baseline_rr=math.nan, recent_edges=(), config=CONFIG)

    assert all(math.isnan(value) for value in (*empty, *unknown))


@given(
    st.floats(-10, 10),
    st.floats(-10, 10),
    st.floats(0, 100),
    st.integers(1, 10**6),
    st.floats(0, 9000),
    st.floats(0, 9),
)
def test_an_edge_has_the_sign_of_its_advantage_and_is_at_most_four_times_it(
    avg, median, variance, n, hours, volatility
):
    score = edge_score(
        avg_rr=avg,
        baseline_rr=0.5,
        variance_rr=variance,
        n_trades=n,
        median_rr=median,
        duration_hours=hours,
        edge_volatility=volatility,
        support_trades=12.0,
    )

    assert score.edge_raw * score.delta_rr >= 0
    assert abs(score.edge_raw) <= 4 * abs(score.delta_rr)
    assert all(0 <= component <= 1 for component in score[1:7])


@pytest.mark.parametrize(
    ("changed", "says"),
    [({"variance_rr": -1.0}, "variance_rr"), ({"duration_hours": math.nan}, "hours"), ({"n_trades": 0}, "n_trades")],
)
def test_what_cannot_be_measured_is_refused(changed, says):
    known = {"avg_rr": 1, "baseline_rr": 0, "variance_rr": 0, "n_trades": 9, "median_rr": 1, "duration_hours": 1}

    with pytest.raises(ValueError, match=says):
        edge_score(**{**known, "edge_volatility": 0, "support_trades": 12, **changed})


def test_the_baseline_takes_each_trade_once_whatever_its_actions():
    rows = [*facts("many", 4.0, ({},) * 56), *facts("t2", 1.0), *facts("t3", 1.0), *facts("t4", None)]

    assert get_rr_baseline(rows, as_of_at=AS_OF_AT, config=CONFIG, max_abs_rr=10.0) == 2.0
    assert get_rr_baseline(rows[::-1], as_of_at=AS_OF_AT, config=CONFIG, max_abs_rr=10.0) == 2.0


def test_the_baseline_reads_every_trade_and_not_the_first_thousand():
    rows = [row for i in range(2500) for row in facts(f"t{i}", 1.0 if i < 1000 else -1.0)]

    assert get_rr_baseline(rows, as_of_at=AS_OF_AT, config=CONFIG, max_abs_rr=10.0) == pytest.approx(-0.2)


@pytest.mark.parametrize(
    ("days_after_closure", "is_known"), [(0.0, False), (1e-6, True), (180.0, True), (180.1, False)]
)
def test_the_baseline_knows_the_last_180_days_and_nothing_later(days_after_closure, is_known):
    rows = facts(rr=2.0)
    as_of_at = rows[0].closed_at + timedelta(days=days_after_closure)

    baseline = get_rr_baseline(rows, as_of_at=as_of_at, config=CONFIG, max_abs_rr=10.0)

    assert baseline == 2.0 if is_known else math.isnan(baseline)


def test_a_trade_with_two_outcomes_or_an_instant_without_offset_is_refused():
    with pytest.raises(ValueError, match="different rr"):
        get_rr_baseline([*facts(rr=1.0), *facts(rr=2.0)], as_of_at=AS_OF_AT, config=CONFIG, max_abs_rr=10.0)
    with pytest.raises(ValueError, match="offset"):
        get_rr_baseline([], as_of_at=datetime(2025, 4, 1), config=CONFIG, max_abs_rr=10.0)  # noqa: DTZ001
