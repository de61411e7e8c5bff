"""Sizes and PnL of closed trades: as they were, neutral, and as the set known at the time would have had it."""

import math
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.learning.trade_fact import trade_facts
from domain.learning.walk_forward import ForwardClaim, forward_buys
from domain.portfolio.pm_strength import StrengthRequest, pm_strengths
from domain.vocabulary.action import ActionCategory
from tests.domain.learning.closed_trades import action, outcome
from tests.domain.learning.forward_worlds import BUCKET, CURATOR, WEIGHTS, buy, forward, live_set, says
from tests.domain.learning.override_worlds import DAY, S1, S2, T0

DOUBLE = live_set(0, says(2.0), set_id=7)


def test_a_trade_without_a_set_is_neutral():
    (row,) = forward(buy())

    assert (row.multiplier, row.is_moved, row.set_id) == (1.0, False, None)
    assert row.pnl_usd == row.pnl_neutral_usd == row.pnl_learned_usd == 10.0


def test_a_learned_double_doubles_the_size_and_what_it_made():
    (row,) = forward(buy(), sets=[DOUBLE])

    assert (row.neutral_exposure_usd, row.learned_exposure_usd, row.set_id) == (100.0, 200.0, 7)
    assert (row.pnl_neutral_usd, row.pnl_learned_usd) == (10.0, pytest.approx(20.0))
    assert (row.multiplier, row.is_moved, row.lesson_ids) == (pytest.approx(2.0), True, ("l1",))


def test_what_was_applied_is_taken_out_before_what_was_learned_comes_in():
    (row,) = forward(buy(pm_strength_applied=0.5), sets=[DOUBLE])

    assert (row.exposure_usd, row.neutral_exposure_usd, row.learned_exposure_usd) == (100.0, 200.0, 400.0)
    assert (row.pnl_neutral_usd, row.pnl_learned_usd) == (pytest.approx(20.0), pytest.approx(40.0))


def test_each_buy_of_a_trade_has_its_own_multiplier():
    add = buy(day=1.1, filled_usd=300.0, category=ActionCategory.ADD, closed_at=T0 + 1.25 * DAY)
    (row,) = forward(buy(), add, sets=[DOUBLE])

    assert (row.neutral_exposure_usd, row.learned_exposure_usd) == (400.0, pytest.approx(500.0))
    assert row.pnl_learned_usd == pytest.approx(10.0 * 500 / 400)


def test_the_newest_set_known_at_the_decision_counts_and_none_made_later():
    sets = [live_set(2, says(3.0), set_id=2), live_set(1, says(2.0), set_id=1)]
    rows = forward(*(buy(f"t{day}", day) for day in (0.99, 1.0, 1.99, 2.0, 9.0)), sets=sets)

    assert [row.multiplier for row in rows] == pytest.approx([1.0, 2.0, 2.0, 3.0, 3.0])
    assert [row.set_id for row in rows] == [None, 1, 1, 2, 2]


def test_the_set_of_a_trade_is_that_of_its_first_buy_whichever_is_given_first():
    sets = [live_set(day, says(2.0), set_id=day) for day in (1, 2)]
    first, second = (buy(day=day, closed_at=T0 + 4 * DAY) for day in (1.5, 2.5))

    assert [forward(*buys, sets=sets)[0].set_id for buys in ((first, second), (second, first))] == [1, 1]


def test_an_override_does_not_act_from_its_expiry_on():
    rows = forward(buy("a", 13.99), buy("b", 14.0), sets=[DOUBLE])

    assert [row.multiplier for row in rows] == pytest.approx([2.0, 1.0])
    assert [len(row.claims) for row in rows] == [1, 0]


def test_claims_are_told_of_trades_they_did_not_apply_to_as_well():
    claim = ForwardClaim("l1", S1, ActionCategory.ENTRY, 1)
    applied, other, added = (
        forward(each, sets=[DOUBLE])[0]
        for each in (buy(), buy(bucket="nano"), buy(bucket="nano", category=ActionCategory.ADD))
    )

    assert (applied.claims, set(applied.parts_usd)) == ({claim}, {claim})
    assert (other.claims, set(other.parts_usd), other.is_moved) == ({claim}, set(), False)
    assert added.claims == frozenset()


def test_a_threshold_is_no_claim_and_moves_no_size():
    (row,) = forward(buy(), sets=[live_set(0, says(2.0, lever="halo_mult"))])

    assert (row.claims, row.is_moved) == (frozenset(), False)


def test_what_is_not_known_is_nan_and_nothing_else():
    rows = [forward(buy(**{name: None}), sets=[DOUBLE])[0] for name in ("filled_usd", "pm_strength_applied", "pnl_usd")]

    assert all(math.isnan(row.pnl_learned_usd) and row.is_moved for row in rows)
    assert rows[2].multiplier == pytest.approx(2.0)
    assert math.isnan(forward(buy(rr=None))[0].rr)


ROWS = st.lists(
    st.tuples(st.floats(0.3, 3.0), st.sampled_from([{}, {BUCKET: "micro"}, {BUCKET: "nano"}, {CURATOR: "a"}])),
    max_size=4,
).map(lambda rows: [says(m, f"l{i}", scope) for i, (m, scope) in enumerate(rows)])
SETS = st.dictionaries(st.integers(0, 20), ROWS, max_size=4).map(
    lambda by_day: [live_set(day, *rows) for day, rows in by_day.items()]
)
BUYS = st.lists(
    st.builds(
        lambda trade, hours, bucket, curator, usd, applied: buy(
            f"t{trade}",
            hours / 24,
            scope={BUCKET: bucket} | ({CURATOR: "a"} if curator else {}),
            filled_usd=usd,
            pm_strength_applied=applied,
            closed_at=T0 + (40 + trade) * DAY,
        ),
        st.integers(0, 5),
        st.integers(0, 24 * 38),
        st.sampled_from(["micro", "nano", "mid"]),
        st.booleans(),
        st.floats(1, 1e4),
        st.floats(0.3, 3),
    ),
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(BUYS, SETS)
def test_every_buy_has_the_multiplier_the_runtime_would_have_given_it(buys, sets):
    alone = [replace(each, trade_id=f"alone{i}", closed_at=T0 + 50 * DAY) for i, each in enumerate(buys)]
    rows = {row.trade_id: row for row in forward(*alone, sets=sets)}
    for each in alone:
        known = [one for one in sets if one.compiled_at <= each.decided_at]
        expected = 1.0
        if known:
            request = StrengthRequest(pattern_key=each.pattern_key, category=each.category, scope=each.scope)
            newest = max(known, key=lambda one: one.compiled_at)
            panel = pm_strengths(newest, [request], as_of=each.decided_at, weights=WEIGHTS)
            expected = panel.strength(0).multiplier
        assert rows[each.trade_id].multiplier == pytest.approx(expected, rel=1e-12)
        assert rows[each.trade_id].is_moved is (expected != 1.0)


@settings(max_examples=60, deadline=None)
@given(BUYS, SETS)
def test_the_parts_of_the_overrides_sum_to_what_learning_changed(buys, sets):
    for row in forward(*buys, sets=sets):
        assert math.fsum(row.parts_usd.values()) == pytest.approx(row.pnl_learned_usd - row.pnl_neutral_usd, abs=1e-9)


@settings(max_examples=30, deadline=None)
@given(BUYS, SETS, st.randoms(use_true_random=False))
def test_the_order_of_buys_and_sets_changes_no_bit(buys, sets, random):
    rows, shuffled = (
        forward(*each, sets=random.sample(sets, len(sets))) for each in (buys, random.sample(buys, len(buys)))
    )

    assert [told(row) for row in rows] == [told(row) for row in shuffled]


def told(row) -> tuple:
    return tuple(getattr(row, name) for name in row.__dataclass_fields__)


def test_buys_are_taken_from_the_facts_and_sales_are_not():
    actions = [
        action("a", filled_usd=40.0, pm_strength_applied=1.2),
        action("b", "trim", pattern_key="pm.uptrend.S2.trim_flag", hours=1),
        action("c", "add", pattern_key=S2, hours=2),
    ]
    entry, add = forward_buys(trade_facts(outcome(rr=1.5), actions))

    assert (entry.filled_usd, entry.pm_strength_applied, entry.rr, entry.pnl_usd) == (40.0, 1.2, 1.5, 15.0)
    assert (add.category, add.filled_usd, add.decided_at - entry.decided_at) == ("add", None, timedelta(hours=2))


@pytest.mark.parametrize(
    ("buys", "sets", "words"),
    [
        ([buy()], [DOUBLE, DOUBLE], "as of one instant"),
        ([buy(category=ActionCategory.TRIM)], [], "Expected a buy"),
        ([buy(closed_at=T0)], [], "after its closure"),
        ([buy(filled_usd=0.0)], [], "filled_usd .* must be > 0"),
        ([buy(pm_strength_applied=math.nan)], [], "pm_strength_applied .* must be > 0"),
        ([buy(), buy(rr=2.0)], [], "different outcomes"),
        ([buy(), buy(closed_at=T0 + 3 * DAY)], [], "different closures"),
    ],
)
def test_what_cannot_be_right_is_refused(buys, sets, words):
    with pytest.raises(ValueError, match=words):
        forward(*buys, sets=sets)
