"""One-shots belong to the trade, are spent by fills only, and each action is found by its own gate at the next bar."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.portfolio.gate import Gate, blocking_gates
from domain.portfolio.plan import DecisionType
from domain.portfolio.trade_memory import NO_MEMORY, TradeMemory, memory_from_json, remember_bar
from domain.vocabulary.action import ActionCategory
from domain.vocabulary.uptrend import UptrendState
from tests.domain.portfolio.token_bars import (
    HOUR,
    START,
    after,
    any_bar,
    any_memory,
    execution,
    held,
    planned,
    token_bar,
    watched,
)

S1_BUY, S2_BUY, S3_BUY = (f"pm.uptrend.{state}.buy_flag" for state in ("S1", "S2", "S3"))


def what(bar, memory: TradeMemory) -> str | None:
    """Pattern a holding with this memory acts on at a bar."""
    key = planned(held(bar, memory=remember_bar(memory, bar))).pattern_key
    return key and str(key)


def blocked(bar, memory: TradeMemory) -> set[Gate]:
    decision = planned(held(bar, memory=remember_bar(memory, bar)))
    assert decision.action is None
    return {gate for rule in decision.rules for gate in blocking_gates(rule.gates)}


ROUND_TRIPS = [
    (S1_BUY, "entry", token_bar("S1", hour=1), Gate.S1_ONCE),
    (S2_BUY, "entry", token_bar("S2", hour=1), Gate.NEW_REASON_TO_BUY),
    (S3_BUY, "entry", token_bar("S3", hour=1), Gate.NEW_REASON_TO_BUY),
    (
        "pm.uptrend.S3.first_dip_buy_flag",
        "entry",
        token_bar("S3", "first_dip_buy_flag", hour=1, dx=0.1),
        Gate.FIRST_DIP_ONCE,
    ),
    ("pm.uptrend.S3.reclaimed_ema333", "entry", token_bar("S3", "reclaimed_ema333", dx=0.1), Gate.RECLAIM_ONCE),
    ("pm.uptrend.S3.trim_flag", "trim", token_bar("S3", "trim_flag", hour=1), Gate.TRIM_COOLDOWN),
    (
        "pm.uptrend.S3.emergency_exit",
        "exit",
        token_bar("S3", "emergency_exit", hour=1, close_usd=94.0),
        Gate.EMERGENCY_ONCE,
    ),
]


@pytest.mark.parametrize(("pattern", "category", "bar", "gate"), ROUND_TRIPS)
def test_every_action_is_found_by_its_own_gate_at_the_next_tick(pattern, category, bar, gate):
    """Buys were once recorded under words the gate did not look for, and repeated on every bar."""
    memory = after(execution(S2_BUY, "entry", hour=-50)) if category in ("trim", "exit") else NO_MEMORY
    done = after(execution(pattern, category, hour=0, is_flat=category == "exit"), memory=memory)

    assert gate in blocked(bar, done)


def test_a_flag_that_stays_up_for_fifty_bars_buys_once():
    memory, bought = NO_MEMORY, 0
    for hour in range(50):
        bar = token_bar("S2", "buy_flag", hour=hour)
        memory = remember_bar(memory, bar)
        situation = held(bar, memory=memory) if memory.bought_in else watched(bar)
        decision = planned(situation)
        if decision.action:
            bought += 1
            memory = after(execution(decision.pattern_key, decision.category, hour=hour), memory=memory)

    assert bought == 1


def test_an_emergency_of_many_bars_is_sold_once():
    """488 emergency exits were once planned in a day in the place of about 24."""
    memory, exits, is_held = after(execution(S3_BUY, "entry", hour=-5)), 0, True
    for hour in range(50):
        bar = token_bar("S3", "emergency_exit", hour=hour, close_usd=94.0)
        memory = remember_bar(memory, bar)
        decision = planned(held(bar, memory=memory, quantity=10.0 if is_held else 0.0))
        if decision.decision_type is DecisionType.EMERGENCY_EXIT:
            exits += 1
            memory = after(execution(decision.pattern_key, "exit", hour=hour, is_flat=True), memory=memory)
            is_held = False

    assert exits == 1


def test_what_an_emergency_exit_left_over_is_sold_too():
    memory = after(execution(S3_BUY, "entry", hour=-5))
    partly = after(execution("pm.uptrend.S3.emergency_exit", "exit", hour=0), memory=memory)

    assert what(token_bar("S3", "emergency_exit", hour=1), partly) == "pm.uptrend.S3.emergency_exit"


def test_the_next_emergency_is_another_one():
    sold = after(
        execution(S3_BUY, "entry", hour=-5), execution("pm.uptrend.S3.emergency_exit", "exit", hour=0, is_flat=True)
    )
    over = remember_bar(sold, token_bar("S3", hour=1))

    assert what(token_bar("S3", "emergency_exit", hour=2), over) == "pm.uptrend.S3.emergency_exit"


def test_the_next_trade_of_a_token_may_buy_in_s1_again():
    """The history was once the token's, and S1 could be bought once for ever."""
    first_trade = after(execution(S1_BUY, "entry", hour=-5))

    assert blocked(token_bar("S1"), first_trade) == {Gate.S1_ONCE}
    assert planned(watched(token_bar("S1"))).category is ActionCategory.ENTRY


def test_s1_is_bought_once_a_trade_however_often_price_crosses_ema333():
    memory = after(execution(S1_BUY, "entry", hour=0))
    for hour, state in enumerate(["S2", "S1", "S2", "S1"], start=1):
        memory = remember_bar(memory, token_bar(state, hour=hour))

    assert blocked(token_bar("S1", hour=9), memory) == {Gate.S1_ONCE}


def test_s1_may_be_added_in_once_where_the_trade_began_in_s2():
    memory = remember_bar(after(execution(S2_BUY, "entry", hour=0)), token_bar("S1", hour=1))

    assert what(token_bar("S1", hour=2), memory) == S1_BUY


def test_s2_is_bought_again_after_another_state_was_seen():
    memory = after(execution(S2_BUY, "entry", hour=0))
    flipped = remember_bar(memory, token_bar("S1", hour=1))

    assert blocked(token_bar("S2", hour=2), memory) == {Gate.NEW_REASON_TO_BUY}
    assert what(token_bar("S2", hour=2), flipped) == S2_BUY


def test_a_change_of_state_is_spent_by_the_buy_it_allowed():
    flipped = remember_bar(after(execution(S2_BUY, "entry", hour=0)), token_bar("S1", hour=1))
    bought = after(execution(S2_BUY, "add", hour=2), memory=flipped)

    assert blocked(token_bar("S2", hour=3), bought) == {Gate.NEW_REASON_TO_BUY}


def test_a_change_of_state_between_ticks_is_seen_by_the_state_it_led_to():
    memory = after(execution(S3_BUY, "entry", hour=-9), execution(S2_BUY, "add", hour=-5))

    assert planned(held(token_bar("S3"), memory=memory)).category is ActionCategory.ADD


@pytest.mark.parametrize("state", ["S2", "S3"])
def test_a_buy_after_a_trim_is_a_rebuy_and_the_next_needs_another_trim(state):
    buy, trim = f"pm.uptrend.{state}.buy_flag", f"pm.uptrend.{state}.trim_flag"
    rebuy = f"pm.uptrend.{state}.rebuy_flag"
    trimmed = after(execution(buy, "entry", hour=-9), execution(trim, "trim", hour=-5))
    rebought = after(execution(rebuy, "add", hour=0), memory=trimmed)

    assert what(token_bar(state), trimmed) == rebuy
    assert blocked(token_bar(state, hour=1), rebought) == {Gate.NEW_REASON_TO_BUY}


@pytest.mark.parametrize(("hour", "allowed"), [(1, False), (2, False), (3, True), (4, True)])
def test_a_trim_waits_three_bars_after_the_last(hour, allowed):
    memory = after(execution(S3_BUY, "entry", hour=-9), execution("pm.uptrend.S3.trim_flag", "trim", hour=0))
    bar = token_bar("S3", "trim_flag", hour=hour)

    assert (planned(held(bar, memory=memory)).category is ActionCategory.TRIM) is allowed


def test_a_first_dip_after_a_trim_is_still_the_second_one():
    dip = "pm.uptrend.S3.first_dip_buy_flag"
    memory = after(execution(dip, "entry", hour=-9), execution("pm.uptrend.S3.trim_flag", "trim", hour=-5))

    assert blocked(token_bar("S3", "first_dip_buy_flag", dx=0.1), memory) >= {Gate.FIRST_DIP_ONCE}


def test_a_later_reclaim_is_bought_again():
    memory = after(execution("pm.uptrend.S3.reclaimed_ema333", "entry", hour=0))
    later = token_bar("S3", "reclaimed_ema333", hour=5, dx=0.1)

    assert what(later, memory) == "pm.uptrend.S3.reclaimed_ema333"


def test_an_order_that_was_not_filled_spends_no_one_shot():
    """A first dip was once taken by its flag, not by its fill."""
    refused = planned(watched(token_bar("S3", "first_dip_buy_flag", dx=0.1)))
    memory = remember_bar(NO_MEMORY, token_bar("S3", "first_dip_buy_flag", dx=0.1))
    again = planned(watched(token_bar("S3", "first_dip_buy_flag", hour=1, dx=0.1), memory=memory))

    assert refused.category is again.category is ActionCategory.ENTRY
    assert refused.pattern_key == again.pattern_key


def test_the_first_buy_of_a_trade_enters_and_keeps_what_it_was_decided_on():
    memory = after(execution(S1_BUY, "entry", hour=0), execution(S2_BUY, "add", hour=5))

    assert NO_MEMORY.buy_category is ActionCategory.ENTRY
    assert (memory.buy_category, memory.entry) == (ActionCategory.ADD, {"hour": 0})
    assert memory.entered_at == START + HOUR
    assert (memory.last_buy_at, memory.last_buy_state) == (START + 5 * HOUR, UptrendState.S2)


def test_when_s3_was_reached_is_still_known_after_it_is_over():
    """The engine forgets the start of S3 on the exit bar, before the closure reads it."""
    memory = after(execution(S1_BUY, "entry", hour=0))
    for hour in range(1, 10):
        state, began = ("S3", START + 4 * HOUR) if 4 <= hour < 8 else ("S2" if hour < 4 else "S0", None)
        memory = remember_bar(memory, token_bar(state, hour=hour, s3_start_at=began))

    assert memory.first_s3_at == START + 4 * HOUR


def test_an_s3_that_began_before_the_entry_was_not_reached_by_the_trade():
    memory = after(execution(S3_BUY, "entry", hour=0))
    in_it = remember_bar(memory, token_bar("S3", hour=1, s3_start_at=START - 9 * HOUR))
    on_the_fill = remember_bar(memory, token_bar("S3", hour=1, s3_start_at=START + HOUR))

    assert in_it.first_s3_at is None
    assert on_the_fill.first_s3_at == memory.entered_at


@given(any_memory(), st.lists(any_bar(hour=3), max_size=5))
def test_a_bar_told_twice_changes_nothing(memory, bars):
    for bar in bars:
        memory = remember_bar(memory, bar)

        assert remember_bar(memory, bar) == memory


@given(any_memory(), st.sampled_from([(S2_BUY, "add"), ("pm.uptrend.S3.trim_flag", "trim")]))
def test_an_execution_told_twice_counts_once(memory, done):
    each = execution(*done, hour=1)

    assert after(each, each, memory=memory) == after(each, memory=memory)


@given(any_bar())
def test_without_a_trade_no_bar_is_remembered(bar):
    assert remember_bar(NO_MEMORY, bar) == NO_MEMORY


@given(any_memory(), any_bar(hour=3))
def test_a_memory_returns_from_json_as_it_was(memory, bar):
    seen = remember_bar(memory, bar)

    assert memory_from_json(json.loads(json.dumps(seen.to_json()))) == seen


def test_no_key_is_lost_on_the_way():
    stored = after(execution(S1_BUY, "entry", hour=0)).to_json()

    for key in stored:
        with pytest.raises(ValueError, match="keys"):
            memory_from_json({name: value for name, value in stored.items() if name != key})
    with pytest.raises(ValueError, match="keys"):
        memory_from_json(stored | {"unknown": 1})


@pytest.mark.parametrize(
    "wrong",
    [{"bought_in": ["S7"]}, {"last_buy_at": "2025-03-01T00:00:00"}, {"reclaims": ["yesterday"]}],
)
def test_a_memory_that_is_half_understood_is_refused(wrong):
    with pytest.raises(ValueError, match=r"S7|offset|isoformat"):
        memory_from_json(NO_MEMORY.to_json() | wrong)


def test_an_instant_without_an_offset_is_refused():
    with pytest.raises(ValueError, match="offset"):
        replace(execution(S1_BUY, "entry", hour=0), bar_timestamp=START.replace(tzinfo=None))
