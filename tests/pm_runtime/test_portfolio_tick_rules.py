"""What keeps a tick from acting: scores, tags, the switch, its place in its life, its other timeframes."""

from datetime import timedelta

import pytest

from domain.portfolio.lifecycle import PositionStatus
from domain.scores.intent import IntentMetrics
from domain.vocabulary.timeframe import Timeframe
from pm_runtime.portfolio_row import OrderRow
from tests.portfolio_rows import HOUR, START, TOKEN
from tests.trade_life import EXIT, TRIM, TradeLife, seen

NEUTRAL = {"a": 0.9, "e": 0.9, "coverage": 9, "degraded": True}


def last_order(life: TradeLife) -> OrderRow:
    return life.orders[-1]


def gate_of(order: OrderRow, name: str) -> dict:
    (gate,) = [each for each in order.decision["reasons"]["gates"] if each["name"] == name]
    return gate


def test_a_degraded_score_is_traded_at_the_neutral_lever_and_said(life):
    life.watch()
    life.score = NEUTRAL

    life.step("S1", buyable=True)

    assert (last_order(life).decision["a_value"], last_order(life).decision["score_status"]) == (0.5, "degraded")
    assert life.ticks[-1].mode_reason.startswith("neutral levers only: 1 degraded (micro)")


def test_intent_moves_the_levers_of_its_token(life):
    life.watch(intent=IntentMetrics(hi_buy=1, med_buy=0, profit=0, sell=0, mock=0))

    life.step("S1", buyable=True)

    assert last_order(life).decision["a_value"] == pytest.approx(0.6 + 0.25)


def test_with_a_stale_score_nothing_is_added_trims_wait_and_exits_go(life):
    life.enter()
    life.score = None
    life.step("S2")
    life.step("S2")
    life.step("S2", buyable=True)
    life.step("S2", 3.0, TRIM)
    assert life.patterns == ["S1.buy_flag"]
    life.step("S0", 3.0, EXIT)

    assert life.patterns == ["S1.buy_flag", "S0.exit_position"]
    assert life.ticks[-1].mode == "REDUCE_ONLY"
    assert last_order(life).decision["a_value"] is None


def test_a_trim_that_waited_for_a_score_is_made_when_there_is_one(life):
    life.enter()
    life.score = None
    life.step("S2", 3.0)
    life.step("S2", 3.0)
    life.step("S2", 3.0, TRIM)
    assert life.patterns == ["S1.buy_flag"]
    life.score = {"a": 0.6, "e": 0.4}

    life.step("S2", 3.0, TRIM)

    assert life.patterns[-1] == "S2.trim_flag"


def test_a_token_whose_bucket_is_unknown_is_not_entered_and_still_sold(life):
    life.watch()
    life.see(seen(life.bar, "S1", buyable=True), bucket=None)
    life.tick()
    assert life.orders == []
    life.step("S1", buyable=True)
    life.bar = type(life.bar)(Timeframe.H1, START + timedelta(days=1))
    life.world.publish_bar(TOKEN, life.bar, seen(life.bar))
    life.tick()
    life.world.publish_bar(TOKEN, life.bar, seen(life.bar, "S0", 2.0, EXIT))
    life.tick()

    assert life.patterns == ["S1.buy_flag"]
    assert life.orders[0].status == "expired"


def test_a_holding_whose_tag_expired_is_sold_when_it_falls(life):
    life.enter()
    life.bar = type(life.bar)(Timeframe.H1, START + timedelta(days=1))
    life.see(seen(life.bar, "S2", buyable=True), bucket=None)
    life.tick()
    life.see(seen(life.bar, "S0", 2.0, EXIT), bucket=None)
    life.tick()

    assert life.patterns == ["S1.buy_flag", "S0.exit_position"]
    assert "mcap_bucket" not in last_order(life).decision["scope"]


@pytest.mark.parametrize(("mode", "expected"), [("REDUCE_ONLY", ["S2.trim_flag"]), ("HALTED", [])])
def test_a_switch_set_everywhere_lets_through_what_it_allows_and_exits(life, mode, expected):
    life.enter()
    life.world.switch(set_at=START + 2 * HOUR, mode=mode)
    life.step("S2", 2.0, buyable=True)
    life.step("S2", 3.0, TRIM)
    life.step("S2", 3.0)
    life.step("S0", 3.0, EXIT)

    assert life.patterns == ["S1.buy_flag", *expected, "S0.exit_position"]
    assert life.ticks[-1].mode == mode
    assert life.ticks[-1].mode_reason == f"{mode} everywhere, set by ann: a test"


def test_a_switch_of_a_scope_stops_that_scope_only(life):
    life.watch()
    other = life.watch("Other", entry_context={"curator": "bob"})
    life.world.switch(set_at=START, mode="HALTED", scope='{"curator":"ann"}')
    life.see({name: seen(life.bar, buyable=True) for name in (TOKEN[0], "Other")})
    life.tick()

    assert [order.position_id for order in life.orders] == [other.position_id]
    assert (life.ticks[-1].mode, life.ticks[-1].mode_reason) == ("ACTIVE", None)


def test_a_resumed_switch_lets_the_next_tick_buy(life):
    life.watch()
    life.world.switch(set_at=START, mode="HALTED")
    life.step("S1", buyable=True)
    life.world.switch(set_at=START + HOUR, mode="ACTIVE")
    life.step("S1", buyable=True)

    assert [order.bar_timestamp for order in life.orders] == [START + HOUR]


def test_a_switch_that_cannot_be_read_lets_exits_through_and_nothing_else(life):
    life.enter()
    life.world.break_switch()
    life.step("S2", 2.0, buyable=True)
    life.step("S2", 3.0, TRIM)
    life.step("S0", 3.0, EXIT)

    assert life.patterns == ["S1.buy_flag", "S0.exit_position"]
    assert life.ticks[-1].mode == "HALTED"
    assert life.ticks[-1].mode_reason.startswith("HALTED: The switch cannot be read")
    assert last_order(life).decision["switch"].startswith("HALTED: The switch cannot be read")


def test_a_database_without_a_switch_row_is_halted(portfolio_world):
    life = TradeLife(portfolio_world)
    life.watch()
    life.step("S1", buyable=True)
    life.close()

    assert life.orders == []
    assert life.ticks[-1].mode_reason == "HALTED: no switch row sets a mode here"


def test_a_position_goes_from_dormant_to_watchlist_to_active_and_back(life):
    statuses = []
    life.watch(status=PositionStatus.DORMANT)
    for bars_count, state, buyable in ((332, "S1", True), (333, "S1", False), (334, "S1", True), (335, "S2", False)):
        life.step(state, buyable=buyable, bars_count=bars_count)
        statuses.append(life.position.status)
    life.step("S0", 2.0, EXIT)
    life.step("S0", 2.0, bars_count=337)
    statuses.append(life.position.status)
    life.step("S4", bars_count=5)
    statuses.append(life.position.status)

    assert statuses == ["dormant", "watchlist", "watchlist", "active", "watchlist", "dormant"]


def test_two_timeframes_of_a_token_are_two_positions_with_trades_of_their_own(portfolio_world, life):
    slow = TradeLife(portfolio_world, Timeframe.H4)
    life.watch()
    slow.watch()
    life.step("S1", buyable=True)
    life.step("S1")
    slow.see(seen(slow.bar, buyable=True), bucket=None)
    slow.tick()
    slow.close()

    hourly, four_hourly = sorted(portfolio_world.positions(), key=lambda row: row.timeframe.minutes)
    assert (hourly.status, four_hourly.status) == (PositionStatus.ACTIVE, PositionStatus.WATCHLIST)
    usd = {order.timeframe: order.order_usd / order.decision["pm_final_multiplier"] for order in life.orders}
    assert usd[Timeframe.H1] / usd[Timeframe.H4] == pytest.approx(0.70 / 0.125)


def test_the_minutes_of_a_token_rest_while_a_slower_timeframe_of_it_is_watched(portfolio_world):
    life = TradeLife(portfolio_world, Timeframe.M1).allow()
    minutes = life.watch()
    life.watch("Young")
    life.watch(timeframe=Timeframe.H1)
    life.watch("Young", timeframe=Timeframe.H1, status=PositionStatus.DORMANT)
    life.see({name: seen(life.bar, buyable=True) for name in (TOKEN[0], "Young")})
    life.tick()
    life.close()

    status = {(row.token_contract, row.timeframe): row.status for row in portfolio_world.positions()}
    assert status[minutes.token_contract, Timeframe.M1] is PositionStatus.DORMANT
    assert status["Young", Timeframe.M1] is PositionStatus.WATCHLIST
    assert len(life.orders) == 1


def test_an_order_that_is_out_keeps_its_position_where_a_fill_can_find_it(portfolio_world):
    life = TradeLife(portfolio_world, Timeframe.M1).allow()
    life.watch()
    life.step("S1", buyable=True)
    life.watch(timeframe=Timeframe.H1)
    life.step("S1", volume=0.0)
    life.step("S1")
    life.close()

    (minutes,) = [row for row in portfolio_world.positions() if row.timeframe is Timeframe.M1]
    assert minutes.status is PositionStatus.ACTIVE
    assert not minutes.position.is_flat


def test_an_archived_or_paused_position_is_not_bought(life):
    life.watch(status=PositionStatus.PAUSED)
    life.watch("Other", status=PositionStatus.ARCHIVED)
    life.see({name: seen(life.bar, buyable=True) for name in (TOKEN[0], "Other")})
    life.tick()

    assert life.orders == []


def test_nothing_is_entered_below_the_least_a(life):
    life.watch()
    life.score = {"a": 0.04, "e": 0.5}
    life.step("S1", buyable=True)
    assert life.orders == []
    life.score = {"a": 0.06, "e": 0.5}
    life.step("S1", buyable=True)

    assert gate_of(last_order(life), "lever_a")["value"] == pytest.approx(0.06)
