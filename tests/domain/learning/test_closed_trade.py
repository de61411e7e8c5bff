"""A closed position as evidence: which number becomes which, and what is refused."""

from datetime import timedelta

import pytest

from domain.learning.closed_trade import closed_trade
from domain.vocabulary.action import ActionCategory
from domain.vocabulary.scope_dimension import ScopeDimension
from domain.vocabulary.timeframe import Timeframe
from tests.domain.learning.told_trades import evidence, told_trade
from tests.domain.portfolio.strand_documents import AT, HOUR, iso, pm_action

FILL = pm_action()["execution_result"]["fills"][0]
REJECTED = {"execution_result": {"status": "rejected", "fills": [], "reason": "no liquidity"}}


def test_the_trade_is_told_by_its_closure():
    told = told_trade(outcome={"hours_to_s3": 12.5})
    record = evidence(told).record

    assert (record.trade_id, record.position_id, record.closed_strand_id) == ("t1", "p" * 64, told.closure.strand_id)
    assert (record.token_contract, record.chain, record.timeframe) == ("So1ana", "solana", Timeframe.H1)
    assert (record.rr, record.rr_absent_reason, record.roi, record.pnl_usd) == (2.3, None, 0.12, 1250.5)
    assert (record.opened_at, record.s3_at, record.closed_at) == (AT, AT + 12.5 * HOUR, AT + 31 * HOUR)


def test_facts_are_of_the_actions_with_the_outcome_of_the_trade():
    entry, leave = evidence(told_trade()).facts

    assert (entry.action_category, leave.action_category) == (ActionCategory.ENTRY, ActionCategory.EXIT)
    assert (entry.action_ts, leave.action_ts) == (AT, AT + 30 * HOUR)
    assert entry.rr == leave.rr == 2.3
    assert entry.hold_hours == 31.0
    assert entry.scope[0] == (ScopeDimension.CHAIN, "solana")


def test_the_scope_is_that_of_the_action_and_not_of_the_entry():
    leave = {"scope": {"chain": "solana", "btc_macro": "S0"}, "scope_mask": 2 + 2**13}
    _, sold = evidence(told_trade(leave=leave)).facts

    assert sold.scope == ((ScopeDimension.CHAIN, "solana"), (ScopeDimension.BTC_MACRO, "S0"))


def test_a_buy_tells_its_strength_and_what_its_fills_paid_and_a_sale_neither():
    fills = [FILL, FILL | {"fill_id": "f2", "notional_usd": 0.1}]
    bought, sold = evidence(
        told_trade(entry={"execution_result": {"status": "filled", "fills": fills, "reason": None}})
    ).facts

    assert (bought.pm_strength_applied, bought.filled_usd) == (1.15, 495.1)
    assert (sold.pm_strength_applied, sold.filled_usd) == (None, None)


def test_the_outcome_is_taken_as_it_came_out_and_not_winsorised():
    (fact, *_) = evidence(told_trade(outcome={"rr": 10.0, "rr_raw": 37.5})).facts

    assert fact.rr == 37.5


def test_an_outcome_that_is_absent_says_why_and_is_not_zero():
    (fact, *_) = evidence(
        told_trade(outcome={"rr": None, "rr_raw": None, "rr_absent_reason": "nothing was bought"})
    ).facts

    assert (fact.rr, fact.rr_absent_reason, fact.pnl_usd) == (None, "nothing was bought", 1250.5)


def test_an_action_that_was_not_filled_is_counted_and_no_evidence():
    told = evidence(told_trade(leave=REJECTED))

    assert told.n_not_filled == 1
    assert [fact.action_category for fact in told.facts] == [ActionCategory.ENTRY]


def test_a_trade_of_which_nothing_was_filled_is_refused():
    with pytest.raises(ValueError, match="none of its 2 actions was filled"):
        evidence(told_trade(entry=REJECTED, leave=REJECTED))


def test_a_closure_without_an_id_is_named_by_its_content():
    told = told_trade()

    assert closed_trade(told.document, told.action_documents).record.closed_strand_id == told.closure.strand_id


def test_a_trade_lacking_an_action_is_never_half_counted():
    told = told_trade()
    (first, *_) = told.actions

    with pytest.raises(ValueError, match="1 of its actions are not there"):
        closed_trade(told.document, {first: told.action_documents[first]})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("trade_id", "t2"),
        ("position_id", "p2"),
        ("token_contract", "other"),
        ("ts", AT + timedelta(seconds=1)),
        ("pattern_key", "pm.uptrend.S2.buy_flag"),
        ("scope", {ScopeDimension.CHAIN: "base"}),
    ],
)
def test_an_action_that_says_something_else_than_its_closure_is_refused(field, value):
    told = told_trade()
    actions = told.action_documents
    (first, *_) = actions
    actions[first] = actions[first].model_copy(update={field: value})

    with pytest.raises(ValueError, match=f"its {field} is"):
        closed_trade(told.document, actions)


@pytest.mark.parametrize(("hours", "says"), [(1e300, "no calendar"), (31.5, "opened_at <= s3_at <= closed_at")])
def test_an_s3_after_the_closure_is_refused(hours, says):
    with pytest.raises(ValueError, match=says):
        evidence(told_trade(outcome={"hours_to_s3": hours}))


def test_an_action_is_decided_before_it_is_filled():
    early = {"entry_timestamp": iso(1), "hold_hours": 29.0}

    assert evidence(told_trade(outcome=early)).facts[0].opened_at == AT + HOUR
