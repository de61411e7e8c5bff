"""Whole lives of trades, bar by bar, in memory and in Postgres alike."""

import pytest

from domain.portfolio.lifecycle import PositionStatus
from domain.portfolio.position import NO_POSITION
from domain.portfolio.strand import DeadLetter, StrandKind, parse_strand
from domain.portfolio.trade_memory import NO_MEMORY
from pm_runtime.portfolio_row import OrderStatus
from tests.portfolio_rows import HOUR, START
from tests.trade_life import EMERGENCY, EXIT, FIRST_DIP, RECLAIMED, TRIM, TradeLife


def live_a_whole_life(life: TradeLife) -> None:
    """Entry in S1, add in S2, two trims, rebuy, first dip, emergency, reclaim, fall to S0, closure."""
    life.enter()
    life.step("S2", 2.2, buyable=True)
    life.step("S2", 2.5)
    life.step("S2", 3.0, TRIM)
    for _ in range(3):
        life.step("S2", 3.0, TRIM)
    life.step("S2", 2.4, buyable=True)
    life.step("S3", 3.0, FIRST_DIP)
    life.step("S3", 2.2, EMERGENCY)
    life.step("S3", 2.2, EMERGENCY)
    life.step("S3", 2.6, RECLAIMED)
    life.step("S3", 2.8)
    life.step("S0", 2.7, EXIT)
    life.step("S0", 2.7)


def test_a_whole_life_is_ordered_rule_by_rule_and_closed_after_its_actions(life):
    live_a_whole_life(life)

    assert life.patterns == [
        *("S1.buy_flag", "S2.buy_flag", "S2.trim_flag", "S2.trim_flag", "S2.rebuy_flag", "S3.first_dip_buy_flag"),
        *("S3.emergency_exit", "S3.reclaimed_ema333", "S0.exit_position"),
    ]
    assert {order.status for order in life.orders} == {OrderStatus.FILLED}
    kinds = [strand.kind for strand in life.world.strands()]
    assert kinds == [StrandKind.PM_ACTION] * 9 + [StrandKind.POSITION_CLOSED]


def test_a_closed_trade_leaves_a_watched_position_without_a_trace_of_it(life):
    live_a_whole_life(life)

    row = life.position
    assert (row.status, row.current_trade_id) == (PositionStatus.WATCHLIST, None)
    assert (row.position, row.trade_memory) == (NO_POSITION, NO_MEMORY)


def test_a_closure_tells_the_trade_as_its_fills_made_it(life):
    live_a_whole_life(life)

    (closure,) = life.closures
    (trade,) = closure.content["completed_trades"]
    fills = [row.fill for row in life.world.fills()]
    flows = [fill.notional_usd * (1 if fill.side.value == "sell" else -1) - fill.fee_usd for fill in fills]
    assert trade["pnl_usd"] == pytest.approx(sum(flows))
    assert trade["trade_id"] == {order.trade_id for order in life.orders}.pop()
    assert [action["strand_id"] for action in trade["actions"]] == [strand.strand_id for strand in life.actions]
    assert trade["hours_to_s3"] == ((START + 10 * HOUR) - fills[0].at) / HOUR
    assert closure.content["exit_reason"] == "pm.uptrend.S0.exit_position"


def test_an_order_is_filled_at_the_open_of_the_next_bar_and_told_with_its_fill(life):
    life.watch()
    life.step("S1", 2.0, buyable=True)
    assert [order.status for order in life.orders] == [OrderStatus.SUBMITTED]
    assert life.position.status is PositionStatus.WATCHLIST

    life.step("S1", 2.1)

    (action,) = life.actions
    (fill,) = action.content["execution_result"]["fills"]
    assert (fill["price_usd"], fill["filled_at"]) == (2.1, "2025-06-01T01:00:00Z")
    assert life.position.position.quantity == pytest.approx(life.orders[0].order_usd / 2.1)
    assert (life.position.status, life.position.position.first_fill_at) == (PositionStatus.ACTIVE, START + HOUR)


def test_the_size_of_an_entry_is_the_cascade_of_the_documents(life):
    life.watch()

    life.step("S1", buyable=True)

    (order,) = life.orders
    assert order.order_usd == pytest.approx(20_000 * 0.10 * 0.70 * (0.10 + 0.50 * 0.6))
    assert [step["name"] for step in order.decision["sizing"]][-1] == "cash"


def test_a_trim_waits_three_bars_for_the_next(life):
    life.enter()
    for _ in range(5):
        life.step("S2", 3.0, TRIM)

    trims = [order.bar_timestamp for order in life.orders if order.pattern_key.endswith("trim_flag")]
    assert trims == [START + 3 * HOUR, START + 6 * HOUR]
    held = life.world.fills()[0].fill.quantity
    assert life.orders[1].order_quantity == pytest.approx(0.05 * held)


def test_an_emergency_sells_once_while_it_lasts(life):
    life.enter()
    for _ in range(4):
        life.step("S3", 1.5, EMERGENCY)

    assert life.patterns == ["S1.buy_flag", "S3.emergency_exit"]
    assert life.position.position.is_flat
    assert life.closures == []


def test_a_second_trade_of_a_position_may_be_entered_in_s1_again(life):
    life.enter()
    life.step("S0", 1.8, EXIT)
    life.step("S0", 1.8)
    life.step("S1", 2.0, buyable=True)
    life.step("S1", 2.0)

    assert life.patterns == ["S1.buy_flag", "S0.exit_position", "S1.buy_flag"]
    first, _, second = (order.trade_id for order in life.orders)
    assert first != second
    assert life.position.current_trade_id == second
    assert life.position.position.invested_usd == pytest.approx(life.orders[2].order_usd)


def test_a_fall_to_s0_of_one_bar_closes_the_trade_though_s1_is_back_when_it_is_sold(life):
    life.enter()
    life.step("S0", 1.8, EXIT)
    life.step("S1", 1.9)

    assert len(life.closures) == 1
    assert life.position.status is PositionStatus.WATCHLIST


def test_what_a_thin_bar_left_of_an_exit_is_sold_on_the_next_though_s0_is_over(life):
    life.enter()
    held = life.position.position.quantity
    life.step("S0", 1.8, EXIT)
    life.step("S1", 1.8, volume=5 * held)
    assert life.position.position.quantity == pytest.approx(held / 2)
    life.step("S1", 1.8)

    assert life.patterns[-2:] == ["S0.exit_position", "S0.exit_position"]
    assert len(life.closures) == 1


@pytest.mark.parametrize(("last_price", "sign"), [(3.0, 1), (1.5, -1)])
def test_rr_has_the_sign_of_the_money(life, last_price, sign):
    life.enter()
    life.step("S2", 2.5, TRIM)
    life.step("S0", last_price, EXIT)
    life.step("S0", last_price)

    (trade,) = life.closures[0].content["completed_trades"]
    signs = {(value > 0) - (value < 0) for value in (trade["rr"], trade["rr_raw"], trade["roi"], trade["pnl_usd"])}
    assert signs == {sign}


def test_every_strand_obeys_its_schema_and_every_action_bears_strength_and_skew(life):
    live_a_whole_life(life)

    parsed = [parse_strand(strand.kind.value, strand.content) for strand in life.world.strands()]
    assert not [strand for strand in parsed if isinstance(strand, DeadLetter)]
    for action in life.actions:
        content = action.content
        assert {"pm_strength", "exposure_skew"} <= set(content["learning_multipliers"])
        assert content["pm_strength_applied"] * content["exposure_skew_applied"] == content["pm_final_multiplier"]
        assert content["size_frac"] > 0


def test_what_is_sold_depends_on_nothing_learned(life):
    live_a_whole_life(life)

    sales = [action.content for action in life.actions if action.content["action_category"] in ("trim", "exit")]
    assert len(sales) == 4
    assert {sale["pm_final_multiplier"] for sale in sales} == {1.0}
    assert {sale["learning_multipliers"]["pm_strength"]["basis"] for sale in sales} == {"sells"}


def test_the_episodes_of_a_life_are_acted_and_end_with_an_outcome(life):
    live_a_whole_life(life)

    told = [(row.family, row.decision, row.outcome) for row in life.world.episodes()]
    assert ("pm.s1_entry", "acted", "success") in told
    assert {row.trade_id for row in life.world.episodes() if row.decision == "acted"} == {life.orders[0].trade_id}


def test_ticks_count_what_they_did(life):
    live_a_whole_life(life)

    rows = life.world.ticks()
    assert sum(row["orders_planned"] for row in rows) == len(life.orders)
    assert sum(row["orders_settled"] for row in rows) == len(life.actions)
    assert sum(row["trades_closed"] for row in rows) == len(life.closures) == 1
    assert {row["positions"] for row in rows} == {1}
