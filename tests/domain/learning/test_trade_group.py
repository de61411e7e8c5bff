"""Closed trades as columns: exact, in one order, only those closed before an instant."""

import math
from datetime import datetime, timedelta

import numpy as np
import pytest

from domain.learning.pattern_scope_stat import RR_SCALE, pattern_scope_stats
from domain.learning.trade_fact import trade_facts
from domain.learning.trade_group import TradeGroup, trade_groups
from domain.vocabulary.action import ActionCategory
from domain.vocabulary.scope_dimension import BIT, ScopeDimension
from tests.domain.learning.closed_trades import OPENED_AT, PATTERN, action, facts, outcome
from tests.domain.learning.mined_group import LATER, group_of, masks_of, random_facts

TIMEFRAME, CURATOR = BIT[ScopeDimension.TIMEFRAME], BIT[ScopeDimension.CURATOR]


def closing(hours: float) -> datetime:
    return OPENED_AT + timedelta(hours=hours)


def test_trades_stand_by_closure_and_then_id():
    rows = [*facts("b", closed_at=closing(2)), *facts("a", closed_at=closing(3)), *facts("c", closed_at=closing(2))]

    assert group_of(rows).trade_ids == ("b", "c", "a")


def test_a_trade_closed_at_the_instant_or_later_is_left_out():
    rows = [*facts("before", closed_at=closing(1)), *facts("at", closed_at=closing(2))]
    (group,) = trade_groups(rows, as_of_at=closing(2), max_abs_rr=10.0)

    assert group.trade_ids == ("before",)
    assert trade_groups(rows, as_of_at=closing(1), max_abs_rr=10.0) == ()


def test_each_pattern_and_category_is_a_group_of_its_own():
    actions = [action("a1"), action("a2", "add"), action("a3", "exit", pattern_key="pm.uptrend.S0.exit_position")]
    groups = trade_groups(trade_facts(outcome(), actions), as_of_at=LATER, max_abs_rr=10.0)

    assert [(group.pattern_key, group.action_category) for group in groups] == [
        ("pm.uptrend.S0.exit_position", ActionCategory.EXIT),
        (PATTERN, ActionCategory.ADD),
        (PATTERN, ActionCategory.ENTRY),
    ]


def test_columns_bear_the_outcome_winsorised_and_the_times():
    group = group_of([*facts("t1", 12.8, closed_at=closing(5), s3_at=closing(2)), *facts("t2", -0.5)])
    opened_us = int(OPENED_AT.timestamp()) * 1_000_000

    assert (group.rr.tolist(), group.rr_steps.tolist()) == ([10.0, -0.5], [10 * RR_SCALE, -RR_SCALE // 2])
    assert (group.opened_us.tolist(), group.closed_us[0] - opened_us) == ([opened_us] * 2, 5 * 3_600_000_000)
    assert (group.hold_hours.tolist(), group.pnl_usd.tolist()) == ([5.0, 48.0], [128.0, -5.0])
    assert group.hours_to_s3[0] == 2.0
    assert math.isnan(group.hours_to_s3[1])


def test_a_result_that_is_not_known_is_nan():
    assert math.isnan(group_of(facts(pnl_usd=None)).pnl_usd[0])


def test_alike_actions_of_a_trade_are_one_row_and_scopes_that_differ_are_two():
    group = group_of(facts(scopes=({"timeframe": "4h"}, {"timeframe": "1h"}, {"timeframe": "4h"})))

    assert (group.row_trade.tolist(), group.row_actions.tolist()) == ([0, 0], [1, 2])
    assert group.values[TIMEFRAME] == ("1h", "4h")
    assert group.codes[:, TIMEFRAME].tolist() == [1, 2]
    assert group.codes[:, CURATOR].tolist() == [0, 0]


def test_a_trade_without_rr_is_in_no_column_but_counted_with_its_rows():
    rows = [*facts("t1", scopes=({"timeframe": "1h"},)), *facts("t2", None, ({"timeframe": "1h", "curator": "ann"},))]
    group = group_of(rows)

    assert (group.trade_ids, group.n_trades_without_rr) == (("t1",), 1)
    assert group.rows_without_rr.codes[:, [TIMEFRAME, CURATOR]].tolist() == [[1, 0]]
    assert group.values[CURATOR] == ()


def test_facts_in_another_order_give_the_same_columns():
    rng = np.random.default_rng(3)
    rows = random_facts(rng, 40, max_scopes=3)
    one, other = group_of(rows), group_of([rows[i] for i in rng.permutation(len(rows))])

    for name in ("rr_steps", "closed_us", "hold_hours", "hours_to_s3", "row_trade", "row_actions", "codes"):
        assert getattr(one, name).tobytes() == getattr(other, name).tobytes(), name
    assert (one.trade_ids, one.values) == (other.trade_ids, other.values)


def test_members_are_the_trades_the_statistics_count():
    rows = random_facts(np.random.default_rng(4), 60, max_scopes=3)
    group = group_of(rows)
    for cell, stat in pattern_scope_stats(rows, masks_of(group, 2), max_abs_rr=10.0).items():
        bits = [bit for bit in range(32) if cell.mask >> bit & 1]
        if stat.n_trades:
            codes = [group.values[bit].index(value) + 1 for bit, value in zip(bits, cell.values, strict=True)]
            members = group.members(cell.mask, codes)

            assert (members.sum(), group.rr_steps[members].sum()) == (stat.n_trades, stat.sum_rr * RR_SCALE)
            assert np.array_equal(group.members(cell.mask, dict(zip(bits, codes, strict=True))), members)


@pytest.mark.parametrize("codes", [[], [0], {TIMEFRAME: 1, CURATOR: 1}, {CURATOR: 1}])
def test_members_of_other_bits_or_of_no_value_are_refused(codes):
    group: TradeGroup = group_of(facts())

    with pytest.raises(ValueError, match=r"Expected a code|zip"):
        group.members(1 << TIMEFRAME, codes)


def test_facts_that_contradict_each_other_or_come_twice_are_refused():
    with pytest.raises(ValueError, match="differ in outcome"):
        group_of([*facts(rr=1.0), *facts(rr=2.0)])
    with pytest.raises(ValueError, match="comes twice"):
        group_of([*facts(), *facts()])
    with pytest.raises(ValueError, match="offset"):
        trade_groups([], as_of_at=datetime(2025, 1, 1), max_abs_rr=10.0)  # noqa: DTZ001
