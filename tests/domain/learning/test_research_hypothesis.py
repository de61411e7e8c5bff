"""A hypothesis is tested once, on enough trades that were entered after it was made, and on no other."""

from datetime import datetime, timedelta

import numpy as np
import pytest
from scipy.stats import ttest_ind

from domain.config.research import ResearchConfig
from domain.learning.contrast import NO_DIFFERENCE
from domain.learning.research_hypothesis import Judgement, OpenHypothesis, compare_slice, judge_hypotheses
from domain.learning.research_note import NoteStatus, TradeSlice, shown_value
from domain.learning.trade_group import TradeGroup, trade_groups
from domain.vocabulary.scope_dimension import ScopeDimension
from tests.domain.learning.closed_trades import OPENED_AT, PATTERN
from tests.domain.learning.research_days import CONFIG, traded

LATER = OPENED_AT + timedelta(days=80)


def claim(sign: str = "better", **scope: str) -> TradeSlice:
    named = {"pattern_key": PATTERN, "action_category": "entry", "scope": scope or {"timeframe": "1h"}}
    return TradeSlice.model_validate(named | {"expected_sign": sign})


def groups_of(*trades, as_of: datetime = LATER) -> tuple[TradeGroup, ...]:
    return trade_groups([fact for facts in trades for fact in facts], as_of_at=as_of, max_abs_rr=10.0)


def judged(
    groups, *claims: TradeSlice, made_at: datetime = OPENED_AT, as_of: datetime = LATER, **config
) -> list[Judgement]:
    waiting = [OpenHypothesis(each, made_at) for each in claims or (claim(),)]
    return list(judge_hypotheses(waiting, groups, as_of_at=as_of, config=ResearchConfig(**config)))


def test_a_true_claim_is_validated_and_its_opposite_rejected():
    groups = groups_of(traded(20, gain=1.0))

    assert [each.status for each in judged(groups, claim())] == [NoteStatus.VALIDATED]
    assert [each.status for each in judged(groups, claim("worse"))] == [NoteStatus.REJECTED]


def test_the_numbers_of_the_test_are_kept():
    (found,) = judged(groups_of(traded(20, gain=1.0)))

    assert found.results is not None
    assert (found.results["n_in"], found.results["n_rest"], found.results["min_trades"]) == (80, 80, 33)
    assert found.results["effect"] == pytest.approx(1.0, abs=0.25)
    assert found.results["p"] <= found.results["q"] < 0.001


@pytest.mark.parametrize(("n", "status"), [(32, NoteStatus.HYPOTHESIS), (33, NoteStatus.VALIDATED)])
def test_below_33_trades_nothing_is_said(n, status):
    (found,) = judged(groups_of(traded(n, gain=2.0, per_day=1)))

    assert found.status is status
    assert (found.results is None) == (status is NoteStatus.HYPOTHESIS)


def test_trades_entered_before_the_claim_was_made_do_not_count():
    before, after = traded(30, gain=3.0), traded(20, gain=-1.0, first=30)
    made_at = OPENED_AT + timedelta(days=30)
    groups = groups_of(before, after)

    assert judged(groups, made_at=OPENED_AT)[0].status is NoteStatus.VALIDATED
    assert judged(groups, made_at=made_at)[0].status is NoteStatus.REJECTED
    assert compare_slice(claim(), groups, entered_from=made_at).n_in == 80


def test_an_entry_at_the_instant_of_the_claim_counts():
    groups = groups_of(traded(1, per_day=1))

    assert compare_slice(claim(), groups, entered_from=OPENED_AT).n_in == 1
    assert compare_slice(claim(), groups, entered_from=OPENED_AT + timedelta(microseconds=1)).n_in == 0


def test_trades_of_few_days_tell_no_spread():
    (found,) = judged(groups_of(traded(5, gain=2.0, per_day=40)))

    assert found.status is NoteStatus.HYPOTHESIS


def test_a_claim_without_trades_is_given_up_after_its_age():
    old = LATER - timedelta(days=90)

    assert judged((), made_at=old)[0] == Judgement(NoteStatus.HYPOTHESIS, None)
    (found,) = judged((), made_at=old - timedelta(microseconds=1))
    assert (found.status, found.results and found.results["given_up"]) == (
        NoteStatus.DEPRECATED,
        "too few trades in 90 days",
    )


def test_a_slice_of_a_name_from_outside_is_found_by_its_hash():
    groups = groups_of(traded(20, gain=1.0, curator="ann"))
    both = {"curator": shown_value(ScopeDimension.CURATOR, "ann"), "timeframe": "1h"}

    assert compare_slice(claim(**both), groups, entered_from=OPENED_AT).n_in == 80
    nobody = {"curator": shown_value(ScopeDimension.CURATOR, "bob")}
    assert compare_slice(claim(**nobody), groups, entered_from=OPENED_AT).n_in == 0


def test_a_pattern_nobody_traded_is_compared_with_nothing():
    assert compare_slice(claim(), (), entered_from=OPENED_AT) == NO_DIFFERENCE


def test_the_p_is_that_of_a_t_test_where_every_trade_has_its_day():
    groups = groups_of(traded(40, gain=0.2, per_day=1))
    found = compare_slice(claim(), groups, entered_from=OPENED_AT)
    ends = {"1h": [], "4h": []}
    for trade, rr in enumerate(groups[0].rr):
        ends["1h" if groups[0].members(256, [1])[trade] else "4h"].append(rr)

    assert found.effect == pytest.approx(np.mean(ends["1h"]) - np.mean(ends["4h"]))
    assert found.p == pytest.approx(ttest_ind(ends["1h"], ends["4h"], alternative="greater").pvalue, abs=0.03)


def test_chance_is_validated_seldom():
    validated = sum(
        judged(groups_of(traded(20, seed=seed)), claim())[0].status is NoteStatus.VALIDATED for seed in range(100)
    )

    assert validated <= 10


def test_claims_of_one_day_are_one_family():
    groups = groups_of(traded(20, gain=0.16, seed=3))
    alone = judged(groups, claim())[0].results
    crowd = judged(groups, claim(), *[claim("worse")] * 9)[0].results

    assert alone is not None
    assert crowd is not None
    assert crowd["q"] > alone["q"] == alone["p"] == crowd["p"]


def test_the_order_of_trades_changes_nothing():
    trades = list(traded(20, gain=0.3))

    assert judged(groups_of(trades)) == judged(groups_of(trades[::-1]))


def test_a_day_does_not_know_the_trades_after_it():
    trades = list(traded(40, gain=0.3))
    early = OPENED_AT + timedelta(days=20)
    known = [each for each in trades if each.closed_at < early]

    assert judged(groups_of(trades, as_of=early), as_of=early) == judged(groups_of(known, as_of=early), as_of=early)
    assert CONFIG.min_trades == 33
