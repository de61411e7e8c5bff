"""Which action a bar gets: the order of the rules, the modes, and that nothing unknown ever buys."""

import json
import math
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.portfolio.buy_check import GateTuning
from domain.portfolio.gate import Gate, blocking_gates
from domain.portfolio.lifecycle import PositionStatus
from domain.portfolio.plan import DecisionType, buy_check_pattern
from domain.portfolio.trading_switch import TradingMode
from domain.scores.score_reading import ScoreStatus
from domain.vocabulary.action import ActionCategory, OrderSide
from domain.vocabulary.uptrend import StateStatus, UptrendFlag, UptrendState
from tests.domain.portfolio.token_bars import (
    after,
    any_bar,
    any_situation,
    execution,
    held,
    planned,
    token_bar,
    watched,
)

REDUCE_ONLY, HALTED = TradingMode.REDUCE_ONLY, TradingMode.HALTED
RECLAIM = token_bar("S3", "reclaimed_ema333", dx=0.1)
DIP = token_bar("S3", "first_dip_buy_flag", close_usd=102.0, dx=0.1)


def chosen(situation) -> tuple[str, str | None]:
    decision = planned(situation)
    return decision.decision_type.value, decision.pattern_key and str(decision.pattern_key)


def shut(situation) -> set[str]:
    """Names of the gates that are shut in the rules of a bar on which nothing is done."""
    decision = planned(situation)
    assert decision.action is None
    return {gate.value for rule in decision.rules for gate in blocking_gates(rule.gates)}


@pytest.mark.parametrize(
    ("bar", "expected"),
    [
        (token_bar("S1"), ("entry", "pm.uptrend.S1.buy_flag")),
        (token_bar("S2"), ("entry", "pm.uptrend.S2.buy_flag")),
        (token_bar("S3"), ("entry", "pm.uptrend.S3.buy_flag")),
        (DIP, ("entry", "pm.uptrend.S3.first_dip_buy_flag")),
        (RECLAIM, ("entry", "pm.uptrend.S3.reclaimed_ema333")),
        (token_bar("S0", "exit_position"), ("hold", None)),
        (token_bar("S4"), ("hold", None)),
    ],
)
def test_what_a_watched_token_does(bar, expected):
    assert chosen(watched(bar)) == expected


@pytest.mark.parametrize(
    ("bar", "expected"),
    [
        (token_bar("S0", "exit_position"), ("emergency_exit", "pm.uptrend.S0.exit_position")),
        (token_bar("S0", "exit_position", "emergency_exit"), ("emergency_exit", "pm.uptrend.S0.exit_position")),
        (token_bar("S3", "emergency_exit", close_usd=94.0), ("emergency_exit", "pm.uptrend.S3.emergency_exit")),
        (token_bar("S3", "trim_flag", close_usd=112.0), ("trim", "pm.uptrend.S3.trim_flag")),
        (token_bar("S2", "trim_flag", close_usd=112.0), ("trim", "pm.uptrend.S2.trim_flag")),
        (token_bar("S2"), ("add", "pm.uptrend.S2.buy_flag")),
        (token_bar("S3"), ("add", "pm.uptrend.S3.buy_flag")),
        (RECLAIM, ("add", "pm.uptrend.S3.reclaimed_ema333")),
        (token_bar("S1"), ("hold", None)),
    ],
)
def test_what_a_holding_bought_in_s1_does(bar, expected):
    assert chosen(held(bar)) == expected


EVERY_FLAG = [flag.value for flag in UptrendFlag]


def test_the_first_rule_that_claims_the_bar_has_it():
    """All flags at once, then without the one that won: each rule comes up when those before it are gone."""
    order = []
    flags = [flag for flag in EVERY_FLAG if flag not in ("buy_signal", "buy_flag")]
    won_by = {"exit_position", "emergency_exit", "trim_flag", "first_dip_buy_flag", "reclaimed_ema333"}
    for _ in range(len(flags) + 1):
        decision = planned(held(token_bar("S3", *flags, dx=0.9 if "trim_flag" in flags else 0.1)))
        flag = decision.pattern_key.flag.value if decision.pattern_key else None
        order.append(flag)
        if flag not in won_by:
            break
        flags.remove(flag)

    assert order == ["exit_position", "emergency_exit", "trim_flag", "first_dip_buy_flag", "reclaimed_ema333", None]


def test_the_buy_rule_of_s3_comes_before_a_first_dip_and_a_reclaim():
    both = held(token_bar("S3", "first_dip_buy_flag", "reclaimed_ema333"))

    assert chosen(both) == ("add", "pm.uptrend.S3.buy_flag")
    assert [rule.passed for rule in planned(both).rules] == [True, False, False]


@pytest.mark.parametrize("state", ["S2", "S3"])
def test_a_bar_with_trim_and_buy_flags_trims_only(state):
    bar = token_bar(state, "trim_flag", "buy_flag")
    decision = planned(held(bar))

    assert decision.decision_type is DecisionType.TRIM
    assert Gate.FIRST_MATCH in blocking_gates(decision.buy_rule.gates)


def test_a_trim_that_has_to_wait_is_no_reason_to_buy():
    memory = after(
        execution("pm.uptrend.S1.buy_flag", "entry", hour=-9), execution("pm.uptrend.S2.trim_flag", "trim", hour=-1)
    )
    waiting = held(token_bar("S2", "trim_flag", "buy_flag"), memory=memory)

    assert chosen(waiting) == ("hold", None)
    assert planned(waiting).reason == "pm.uptrend.S2.trim_flag: trim_cooldown"


def test_a_trim_flag_does_not_stop_a_token_of_which_nothing_is_held():
    assert chosen(watched(token_bar("S2", "trim_flag", "buy_flag")))[0] == "entry"


def test_a_holding_in_s0_still_leaves_when_its_exit_was_missed_refused_or_half_filled():
    assert chosen(held(token_bar("S0"))) == ("emergency_exit", "pm.uptrend.S0.exit_position")


def test_the_situations_of_these_properties_lead_to_every_kind_of_action():
    met: Counter[DecisionType] = Counter()

    @settings(max_examples=300, derandomize=True, database=None)
    @given(any_situation())
    def count(situation):
        met[planned(situation).decision_type] += 1

    count()

    assert min(met[kind] for kind in DecisionType) >= 10


@given(any_situation())
def test_there_is_at_most_one_action_a_bar_and_it_passed_every_gate(situation):
    decision = planned(situation)
    passed = [rule for rule in decision.rules if rule.passed]

    assert passed == ([decision.action] if decision.action else [])
    assert (decision.reason is None) is (decision.action is not None)
    assert (decision.decision_type is DecisionType.HOLD) is (decision.action is None)


@given(any_situation())
def test_what_is_not_held_is_not_sold(situation):
    decision = planned(replace(situation, quantity=0.0))

    assert decision.category is None or decision.category.side is OrderSide.BUY


@given(any_situation(mode=HALTED))
def test_when_halted_nothing_but_exits(situation):
    assert planned(situation).category in (None, ActionCategory.EXIT)


@given(any_situation(mode=REDUCE_ONLY))
def test_when_reducing_only_nothing_is_bought(situation):
    assert planned(situation).category in (None, ActionCategory.TRIM, ActionCategory.EXIT)


@given(any_situation(quantity=10.0), st.sampled_from(TradingMode), st.sampled_from(PositionStatus))
def test_no_mode_no_status_and_no_missing_lever_ever_stops_an_exit(situation, mode, status):
    decision = planned(situation)
    stopped = replace(
        situation, mode=mode, status=status, a=None, e=None, bucket=None, score_status=ScoreStatus.MISSING
    )

    if decision.category is ActionCategory.EXIT:
        assert planned(stopped).action == decision.action


UNKNOWN = {
    "a": {"a": None},
    "NaN": {"a": math.nan},
    "bucket": {"bucket": None},
    "missing score": {"score_status": ScoreStatus.MISSING},
    "stale score": {"score_status": ScoreStatus.STALE},
}


@pytest.mark.parametrize("unknown", UNKNOWN.values(), ids=UNKNOWN.keys())
@given(situation=any_situation())
def test_what_is_not_known_never_buys(unknown, situation):
    category = planned(replace(situation, **unknown)).category

    assert category is None or category.side is OrderSide.SELL


@pytest.mark.parametrize(
    ("state", "name"),
    [
        *[("S1", name) for name in ("ema60", "ema60_slope", "ema144_slope", "atr", "ts_with_boost")],
        *[("S2", name) for name in ("ema333", "ema250_slope", "ema333_slope", "atr", "ts_with_boost")],
        *[("S3", name) for name in ("ema144", "ema333", "ema250_slope", "ema333_slope", "dx", "edx", "ts_with_boost")],
    ],
)
def test_a_bar_that_lacks_a_value_of_its_rule_does_not_buy_whatever_was_learned(state, name):
    loosest = GateTuning(ts_min_mult=1e-3, halo_mult=1e3, dx_min_mult=1e-3)
    situation = watched(token_bar(state, "buy_signal", "buy_flag", **{name: None}), tuning=loosest)

    assert planned(situation).action is None


@given(any_bar().map(lambda bar: replace(bar, status=StateStatus.WARMING_UP, state=UptrendState.S4)))
def test_a_series_that_warms_up_neither_buys_nor_trims(bar):
    assert planned(held(bar)).category in (None, ActionCategory.EXIT)


def test_learning_can_make_a_buy_and_prevent_one():
    weak, strong = token_bar("S1", ts_with_boost=0.55), token_bar("S1", "buy_signal", ts_with_boost=0.62)

    assert shut(watched(weak)) == {"trend_strength"}
    assert chosen(watched(weak, tuning=GateTuning(ts_min_mult=0.9)))[0] == "entry"
    assert chosen(watched(strong))[0] == "entry"
    assert shut(watched(strong, tuning=GateTuning(ts_min_mult=1.1))) == {"trend_strength"}


@given(any_situation(quantity=10.0), st.floats(0.3, 3), st.floats(0.3, 3), st.floats(0.3, 3))
def test_what_is_sold_never_depends_on_what_was_learned(situation, ts, halo, dx):
    learned = replace(situation, tuning=GateTuning(ts_min_mult=ts, halo_mult=halo, dx_min_mult=dx))
    decision = planned(situation)

    if decision.category and decision.category.side is OrderSide.SELL:
        assert planned(learned).action == decision.action


@given(any_situation())
def test_a_decision_can_be_stored(situation):
    stored = json.loads(json.dumps(planned(situation).to_json(), allow_nan=False))

    assert stored["decision_type"] == planned(situation).decision_type.value
    assert len(stored["rules"]) == len(planned(situation).rules)


@given(any_situation())
def test_the_same_situation_gets_the_same_decision(situation):
    assert planned(situation) == planned(situation)


def test_thresholds_are_tuned_under_the_pattern_of_the_buy_rule():
    assert [buy_check_pattern(state) and str(buy_check_pattern(state)) for state in UptrendState] == [
        None,
        "pm.uptrend.S1.buy_flag",
        "pm.uptrend.S2.buy_flag",
        "pm.uptrend.S3.buy_flag",
        None,
    ]


def test_a_bar_without_an_occasion_says_so():
    assert (
        planned(watched(token_bar("S4", status=StateStatus.WARMING_UP))).reason == "S4 (warming_up) gives no occasion"
    )
    assert planned(watched(token_bar("S0"))).reason == "S0 (ok) gives no occasion"


@pytest.mark.parametrize("wrong", [-1.0, math.nan, math.inf])
def test_what_is_no_holding_is_refused(wrong):
    with pytest.raises(ValueError, match="quantity"):
        watched(token_bar("S1"), quantity=wrong)
