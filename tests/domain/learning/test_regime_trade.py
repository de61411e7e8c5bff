"""Decisions beside their outcomes: what was known before each, whatever came after."""

import math
from datetime import datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.learning.regime_feature import cell_features
from domain.learning.regime_trade import FEATURE_MASK, RegimeTrades
from domain.learning.trade_fact import TradeFact, trade_facts
from domain.vocabulary.action import ActionCategory
from tests.domain.learning.closed_trades import action, outcome
from tests.domain.learning.override_worlds import DAY, T0
from tests.domain.learning.regime_worlds import CONFIG, DOWN, EDGE, STATES, UP, decided, market, rows_of

ENTRY, ADD = ActionCategory.ENTRY, ActionCategory.ADD


def month(n: int = 8) -> list[TradeFact]:
    return [fact for i in range(n) for fact in decided(f"t{i}", 0.5 * (i % 3) - 0.4, i, held_days=0.5)]


def assert_same(one: RegimeTrades, other: RegimeTrades) -> None:
    assert one.trade_ids == other.trade_ids
    assert (one.signatures, one.cells, one.categories) == (other.signatures, other.cells, other.categories)
    np.testing.assert_array_equal(one.features, other.features)
    np.testing.assert_array_equal(one.rr, other.rr)


def test_features_are_of_the_trades_that_had_closed_before_the_decision():
    facts = month()
    asked = [fact for fact in facts if fact.trade_id == "t7"]
    known = cell_features(
        [fact for fact in facts if fact.trade_id != "t7"],
        [FEATURE_MASK],
        as_of_at=asked[0].action_ts,
        max_abs_rr=10.0,
        edge=EDGE,
        config=CONFIG,
    )

    assert tuple(rows_of(facts).features[7]) == pytest.approx(*known.values(), nan_ok=True, abs=0)


def test_a_trade_that_closes_at_the_instant_of_a_decision_is_not_known_to_it():
    facts = [fact for i in range(5) for fact in decided(f"t{i}", 1.0, i / 10, held_days=1.0)]
    closes_then = decided("at", 1.0, 1.4, held_days=1.0)
    just_after = decided("after", 1.0, 1.400001, held_days=1.0)

    found = rows_of([*facts, *closes_then, *just_after])

    assert math.isnan(found.features[5, 3])
    assert not math.isnan(found.features[6, 3])


@given(st.integers(0, 2**32 - 1), st.integers(0, 30))
def test_how_a_trade_ends_and_what_comes_after_it_change_nothing_of_what_it_knew(seed, cut):
    rng = np.random.default_rng(seed)
    facts = market(30, seed % 1000, effect_up=1.0, effect_down=0.0)
    base = rows_of(facts)
    at = sorted(fact.action_ts for fact in facts)[min(cut, 29)]
    changed = [
        fact if fact.closed_at < at else decided_again(fact, float(rng.normal()), rng.uniform(0.1, 9)) for fact in facts
    ]
    n = sum(fact.action_ts <= at for fact in facts)

    np.testing.assert_array_equal(rows_of(changed).features[:n], base.features[:n])


def decided_again(fact: TradeFact, rr: float, held_days: float) -> TradeFact:
    """The same decision, which ends otherwise and later."""
    trade = outcome(
        fact.trade_id,
        rr,
        token_contract=fact.token_contract,
        opened_at=fact.opened_at,
        closed_at=fact.closed_at + held_days * DAY,
    )
    (found,) = trade_facts(trade, [action(fact.trade_id, scope=dict(fact.scope), action_ts=fact.action_ts)])
    return found


@given(st.randoms(use_true_random=False))
def test_the_order_of_the_facts_does_not_count(random):
    facts = market(60, 3, effect_up=1.0, effect_down=0.0)

    assert_same(rows_of(random.sample(facts, len(facts))), rows_of(facts))


@given(st.floats(0, 210))
def test_rows_as_of_a_day_are_those_of_later_that_had_closed(day):
    facts = market(60, 4, effect_up=1.0, effect_down=0.0)
    at = T0 + day * DAY

    assert_same(rows_of(facts).closed_before(at), rows_of(facts, as_of_at=at))


def test_a_trade_is_one_row_a_category_however_often_it_was_added_to():
    add = {"mcap_bucket": "micro", "timeframe": "1h"}
    actions = [action("e", "entry", add | STATES[DOWN])]
    actions += [action(f"a{i}", "add", add | (STATES[UP] if i else STATES[DOWN]), hours=1 + i) for i in range(5)]
    actions += [action("x", "exit", add, hours=40)]
    found = rows_of(trade_facts(outcome(), actions))

    assert found.categories == (ENTRY, ADD)
    assert found.signatures == (DOWN, DOWN)


def test_what_is_not_known_is_left_out_where_it_matters_and_counted():
    facts = [*month(3), *decided("no-rr", None, 5), *decided("no-state", 1.0, 6, signature=None)]
    facts += decided("no-cell", 1.0, 7, mcap_bucket=None)
    found = rows_of(facts)

    assert (found.n_without_rr, found.n_without_signature, found.n_without_cell) == (1, 1, 1)
    assert np.isnan(found.rr).tolist() == [name == "no-rr" for name in found.trade_ids]


def test_outcomes_are_winsorised():
    assert rows_of(decided("t", 40.0, 0)).rr.tolist() == [10.0]


def test_no_facts_are_no_rows():
    found = rows_of([])

    assert found.features.shape == (0, 4)
    assert found.closed_before(T0).trade_ids == ()


def test_a_fact_that_comes_twice_is_refused():
    with pytest.raises(ValueError, match="comes twice"):
        rows_of([*month(7), *month(1)])


def test_an_instant_without_an_offset_is_refused():
    with pytest.raises(ValueError, match="must have an offset"):
        rows_of([], as_of_at=datetime(2025, 1, 1))  # noqa: DTZ001
