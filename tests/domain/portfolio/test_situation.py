"""The planner's own gates: who may buy, with which levers, and that every pattern has a size."""

import math
from dataclasses import replace

import pytest

from domain.config.portfolio import PortfolioConfig, SizingConfig
from domain.portfolio.gate import Gate, blocking_gates
from domain.portfolio.lifecycle import PositionStatus
from domain.portfolio.plan import plan_actions
from domain.portfolio.sizing import size_buy, size_trim
from domain.scores.score_reading import ScoreStatus
from domain.vocabulary.action import ActionCategory
from tests.domain.portfolio.token_bars import RULES, held, planned, token_bar, watched

RECLAIM = token_bar("S3", "reclaimed_ema333", dx=0.1)
DIP = token_bar("S3", "first_dip_buy_flag", close_usd=102.0, dx=0.1)


def chosen(situation) -> str:
    return planned(situation).decision_type.value


def shut(situation) -> set[str]:
    """Names of the gates that are shut in the rules of a bar on which nothing is done."""
    decision = planned(situation)
    assert decision.action is None
    return {gate.value for rule in decision.rules for gate in blocking_gates(rule.gates)}


def test_a_bootstrapped_s3_never_buys_not_even_a_reclaim():
    for bar in (token_bar("S3"), DIP, RECLAIM):
        assert Gate.NOT_BOOTSTRAPPED in shut(watched(replace(bar, bootstrapped=True)))


@pytest.mark.parametrize("status", [status for status in PositionStatus if status is not PositionStatus.WATCHLIST])
def test_only_what_is_watched_is_entered(status):
    assert shut(watched(token_bar("S1"), status=status)) == {"lifecycle"}


def test_a_paused_holding_is_trimmed_and_left_but_not_added_to():
    paused = {"status": PositionStatus.PAUSED}

    assert chosen(held(token_bar("S3", "trim_flag"), **paused)) == "trim"
    assert chosen(held(token_bar("S3", "emergency_exit"), **paused)) == "emergency_exit"
    assert shut(held(token_bar("S2"), **paused)) == {"lifecycle"}


def test_a_degraded_score_acts_with_the_neutral_levers_it_was_given():
    assert chosen(watched(token_bar("S1"), score_status=ScoreStatus.DEGRADED)) == "entry"


def test_below_the_least_a_nothing_is_entered_but_a_holding_is_added_to():
    below = math.nextafter(0.05, 0)

    assert shut(watched(token_bar("S1"), a=below)) == {"lever_a"}
    assert chosen(watched(token_bar("S1"), a=0.05)) == "entry"
    assert chosen(held(token_bar("S2"), a=below)) == "add"


def test_the_least_a_is_the_one_that_sizing_knows():
    strict = replace(RULES, sizing=SizingConfig(min_entry_a=0.6))

    assert plan_actions(watched(token_bar("S1"), a=0.59), strict).action is None
    assert plan_actions(watched(token_bar("S1"), a=0.60), strict).action is not None


@pytest.mark.parametrize("status", [ScoreStatus.STALE, ScoreStatus.MISSING])
def test_a_trim_without_a_lever_to_size_it_waits_and_says_so(status):
    situation = held(token_bar("S3", "trim_flag"), e=None, score_status=status)
    lever = next(gate for gate in planned(situation).gates if gate.name is Gate.LEVER_E)

    assert (lever.passed, lever.value, lever.detail) == (False, None, f"missing: the score is {status}")


def test_an_unknown_bucket_is_said():
    gates = planned(watched(token_bar("S1"), bucket=None)).gates

    assert [gate.detail for gate in gates if gate.name is Gate.CAP_BUCKET] == [
        "missing: the token's cap bucket is unknown"
    ]


@pytest.mark.parametrize("order", list(ActionCategory))
def test_an_open_order_stops_every_other_action_but_an_exit(order):
    exiting = held(token_bar("S3", "emergency_exit"), open_order=order)

    assert (planned(exiting).action is None) is (order is ActionCategory.EXIT)
    assert shut(held(token_bar("S3", "trim_flag"), open_order=order)) >= {"no_open_order"}
    assert shut(held(token_bar("S2"), open_order=order)) == {"no_open_order"}


CONFIG = PortfolioConfig()


@pytest.mark.parametrize(
    "situation",
    [
        *[watched(bar) for bar in (token_bar("S1"), token_bar("S2"), token_bar("S3"), DIP, RECLAIM)],
        *[held(bar) for bar in (token_bar("S2"), token_bar("S3"), DIP, RECLAIM)],
    ],
)
def test_every_pattern_that_buys_has_a_size_above_zero(situation):
    """A reclaim once asked for its size with all flags down, got 0, and never fired."""
    decision = planned(situation)
    size = size_buy(
        decision.category,
        a=situation.a,
        wallet_usd=20_000.0,
        timeframe_split=0.7,
        net_invested_usd=0.0,
        pm_strength=1.0,
        exposure_skew=1.0,
        config=CONFIG,
    )

    assert size.order_usd > 0


def test_a_trim_in_normal_e_sells_a_twentieth():
    """The middle row of the table once said .50: half of a position at each trim."""
    situation = held(token_bar("S3", "trim_flag"), e=0.5)

    assert planned(situation).category is ActionCategory.TRIM
    assert size_trim(situation.quantity, e=situation.e, config=CONFIG).quantity == pytest.approx(0.5)
