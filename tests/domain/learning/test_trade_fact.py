"""Facts of closed trades: what a row says, what is refused, and how often a trade counts in a cell."""

import math
from datetime import datetime, timedelta

import pytest

from domain.learning.trade_fact import ScopeCell, actions_by_cell, trade_facts
from domain.scopes.bitmask import mask_of
from domain.vocabulary.action import ActionCategory
from domain.vocabulary.scope_dimension import ScopeDimension
from tests.domain.learning.closed_trades import OPENED_AT, PATTERN, action, facts, outcome

ROOT = ScopeCell(PATTERN, ActionCategory.ENTRY, 0, ())
TIMEFRAME, INTENT = mask_of([ScopeDimension.TIMEFRAME]), mask_of([ScopeDimension.INTENT])
NAIVE = datetime(2025, 3, 1)  # noqa: DTZ001 - what must be refused


def test_every_action_of_a_trade_bears_its_one_outcome():
    trade = outcome(rr=-0.5, s3_at=OPENED_AT + timedelta(hours=36))
    rows = trade_facts(trade, [action("b", "trim", hours=40), action("a")])

    assert [(row.action_id, row.action_category) for row in rows] == [("a", "entry"), ("b", "trim")]
    assert {(row.rr, row.roi, row.pnl_usd, row.hours_to_s3, row.hold_hours) for row in rows} == {
        (-0.5, -0.05, -5.0, 36.0, 48.0)
    }


def test_an_open_trade_is_no_evidence():
    with pytest.raises(ValueError, match="t1 is open: only closed trades are evidence"):
        trade_facts(outcome(closed_at=None), [action()])


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"rr": math.inf}, "rr must be finite or absent, was inf"),
        ({"pnl_usd": math.nan}, "pnl_usd must be finite"),
        ({"rr": -0.308, "roi": 0.271, "pnl_usd": 27.1}, "must have one sign"),
        ({"rr": 0.0, "roi": 0.1, "pnl_usd": 1.0}, "must have one sign"),
        ({"closed_at": OPENED_AT - timedelta(hours=1)}, "opened_at <= s3_at <= closed_at"),
        ({"s3_at": OPENED_AT + timedelta(hours=49)}, "opened_at <= s3_at <= closed_at"),
        ({"opened_at": NAIVE}, "opened_at must have an offset"),
        ({"trade_id": ""}, "must have a trade_id"),
    ],
)
def test_an_outcome_that_cannot_be_is_refused(changed, says):
    with pytest.raises(ValueError, match=says):
        trade_facts(outcome(**changed), [action()])


@pytest.mark.parametrize(
    ("actions", "says"),
    [
        ([action(hours=48.1)], "must not be later than the closure"),
        ([action(category="strength")], "Expected an action category"),
        ([action("a"), action("a", hours=1)], "must be there and come once"),
        ([action("")], "must be there and come once"),
        ([action(pattern_key="uptrend.S1.entry")], "Expected a pattern key"),
        ([action(scope={"bucket_leadr": "nano"})], "Expected dimensions of a scope"),
    ],
)
def test_an_action_that_cannot_be_is_refused(actions, says):
    with pytest.raises(ValueError, match=says):
        trade_facts(outcome(), actions)


def test_an_unknown_outcome_is_absent_and_not_zero():
    (row,) = facts(rr=None)

    assert (row.rr, row.roi, row.pnl_usd) == (None, None, None)


def test_a_dimension_without_a_value_is_not_in_the_scope_and_a_rank_is_its_text():
    scopes = ({"bucket_rank_position": 1, "curator": None, "chain": "Unknown"}, {"bucket_rank_position": "1"})
    first, second = facts(scopes=scopes)

    assert first.scope == second.scope == ((ScopeDimension.BUCKET_RANK_POSITION, "1"),)


def test_a_trade_counts_once_in_a_cell_however_many_actions_it_has():
    cells = actions_by_cell(facts(scopes=({"timeframe": "1h"},) * 56), [0, TIMEFRAME, TIMEFRAME])

    assert cells == {ROOT: 56, ScopeCell(PATTERN, ActionCategory.ENTRY, TIMEFRAME, ("1h",)): 56}


def test_a_trade_that_saw_two_values_counts_in_both_cells():
    cells = actions_by_cell(facts(scopes=({"intent": "a"}, {"intent": "b"})), [INTENT])

    assert {cell.values: n for cell, n in cells.items()} == {("a",): 1, ("b",): 1}


def test_an_action_that_lacks_a_dimension_is_in_no_cell_of_the_mask():
    assert actions_by_cell(facts(scopes=({"timeframe": "1h"},)), [TIMEFRAME | INTENT]) == {}


def test_facts_of_two_trades_or_a_fact_twice_are_refused():
    with pytest.raises(ValueError, match="facts of one trade"):
        actions_by_cell((*facts("t1"), *facts("t2")), [0])
    with pytest.raises(ValueError, match="comes twice"):
        actions_by_cell(facts("t1") * 2, [0])
