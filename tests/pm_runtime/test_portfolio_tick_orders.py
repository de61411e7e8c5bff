"""What becomes of orders, and what a position does meanwhile: rejected, cut, expired, late, put away."""

import logging
from dataclasses import replace

import pytest

from domain.portfolio.fill import Fill
from domain.portfolio.lifecycle import PositionStatus
from domain.portfolio.position import NO_POSITION
from domain.portfolio.trade_memory import NO_MEMORY
from domain.vocabulary.action import OrderSide
from domain.vocabulary.timeframe import Timeframe
from pm_runtime.portfolio_row import OrderStatus
from pm_runtime.venue import Settlement, VenueTimeoutError
from tests.portfolio_rows import HOUR, START
from tests.trade_life import EXIT, FREE, TRIM, TradeLife, seen
from tests.venue_harness import LedgerVenue


def spent_usd(life: TradeLife) -> float:
    return sum(row.fill.notional_usd for row in life.world.fills() if row.fill.side is OrderSide.BUY)


def test_a_rejected_entry_leaves_the_watchlist_as_it_was(life):
    life.world.configure({"paper_venue": {"reject_frac": 1.0}})
    row = life.watch()
    life.step("S1", buyable=True)
    life.step("S2")

    assert life.orders[0].status is OrderStatus.REJECTED
    assert life.position == row
    (action,) = life.actions
    assert action.content["execution_result"] == {
        "status": "rejected",
        "reason": "rejected by lot of the paper venue",
        "fills": [],
    }


def test_an_entry_that_was_rejected_may_be_tried_again_on_the_next_bar(life):
    life.world.configure({"paper_venue": {"reject_frac": 1.0}})
    life.watch()
    life.step("S1", buyable=True)
    life.step("S1", buyable=True)
    life.world.configure(FREE)
    life.step("S1", buyable=True)

    assert [order.status for order in life.orders] == [OrderStatus.REJECTED, OrderStatus.FILLED]
    assert len({order.trade_id for order in life.orders}) == 2


def test_a_thin_bar_fills_a_part_and_the_rest_is_void(life):
    life.watch()
    life.step("S1", buyable=True)
    life.step("S1", 2.0, volume=100.0)
    life.step("S1", 2.0)

    (order,) = life.orders
    assert order.status is OrderStatus.FILLED
    assert order.status_reason.startswith("partial: 10 of 280")
    assert life.position.position.quantity == pytest.approx(10.0)
    assert len(life.world.fills()) == 1


def test_an_order_without_a_bar_to_be_filled_on_expires_and_says_so(life):
    life.watch()
    life.step("S1", buyable=True)
    for _ in range(3):
        life.see(None)
        life.tick()

    (order,) = life.orders
    assert (order.status, order.status_reason) == (OrderStatus.EXPIRED, "no bar to fill on in 3 bars")
    assert order.settled_at == START + 4 * HOUR
    assert life.position.status is PositionStatus.WATCHLIST
    assert life.actions[0].content["execution_result"]["status"] == "expired"


def test_while_an_order_waits_no_other_buy_and_no_trim_is_planned(life):
    life.enter()
    life.step("S2", 2.0, buyable=True)
    life.step("S2", 2.0, TRIM, volume=0.0)
    life.step("S3", 2.0, buyable=True, volume=0.0)

    assert life.patterns == ["S1.buy_flag", "S2.buy_flag"]


def test_an_exit_goes_out_though_a_buy_still_waits_and_what_the_buy_brings_is_sold_too(life):
    life.enter()
    life.step("S2", 2.0, buyable=True)
    life.step("S0", 2.0, EXIT, volume=0.0)
    life.step("S0", 2.0)
    life.step("S0", 2.0)

    assert life.patterns == ["S1.buy_flag", "S2.buy_flag", "S0.exit_position", "S0.exit_position"]
    assert len(life.closures) == 1
    assert life.position.position == NO_POSITION


def test_an_action_that_never_happened_is_told_but_is_no_action_of_the_trade(life):
    life.enter()
    life.world.configure({"paper_venue": FREE["paper_venue"] | {"reject_frac": 1.0}})
    life.step("S2", 2.0, buyable=True)
    life.step("S2", 2.0)
    life.world.configure(FREE)
    life.step("S0", 2.0, EXIT)
    life.step("S0", 2.0)

    assert [action.content["execution_result"]["status"] for action in life.actions] == ["filled", "rejected", "filled"]
    (trade,) = life.closures[0].content["completed_trades"]
    assert [action["action_category"] for action in trade["actions"]] == ["entry", "exit"]


def test_fills_add_up_to_the_position_and_to_the_cash(life):
    life.enter()
    life.step("S2", 2.2, buyable=True)
    life.step("S2", 2.2, TRIM)
    life.step("S2", 2.4)

    fills = [row.fill for row in life.world.fills()]
    signs = {OrderSide.BUY: 1, OrderSide.SELL: -1}
    assert life.position.position.quantity == pytest.approx(sum(signs[each.side] * each.quantity for each in fills))
    assert len(fills) == 3
    with life.store.snapshot() as snapshot:
        paid = -sum(signs[each.side] * each.notional_usd + each.fee_usd for each in fills)
        assert snapshot.cash_flow_usd() == pytest.approx(paid)


def test_a_position_that_was_archived_while_its_order_was_out_is_held_as_paused_and_sold(portfolio_world, life):
    row = life.watch()
    life.step("S1", buyable=True)
    portfolio_world.change(replace(row, status=PositionStatus.ARCHIVED))
    life.step("S1")
    assert life.position.status is PositionStatus.PAUSED
    assert not life.position.position.is_flat
    life.step("S0", 2.0, EXIT)
    life.step("S0", 2.0)

    assert (life.position.status, life.position.trade_memory) == (PositionStatus.PAUSED, NO_MEMORY)
    assert len(life.closures) == 1


def test_a_bar_older_than_what_a_position_has_seen_leaves_it_alone(life):
    life.enter()
    row, old = life.position, life.bar
    life.bar = type(old)(Timeframe.H1, START - HOUR)
    life.see({})
    life.tick()

    assert life.position == row
    assert life.ticks[-1].portfolio.positions == 1


class SlowVenue(LedgerVenue):
    """A venue with books that does not answer as often as it is told not to, and then fills at 2 USD."""

    def __init__(self) -> None:
        super().__init__()
        self.silent_settles = 0
        self.is_wallet_known = True

    def settle(self, order, bar, *, at):
        if self.silent_settles:
            self.silent_settles -= 1
            raise VenueTimeoutError(order.order_id)
        quantity = order.order_quantity or order.order_usd / 2
        fill = Fill(
            fill_id=f"{order.order_id}-x",
            side=order.side,
            quantity=quantity,
            price_usd=2.0,
            notional_usd=2 * quantity,
            fee_usd=0.0,
            at=order.decided_at,
        )
        return Settlement(status=OrderStatus.FILLED, fills=(fill,), settled_at=order.decided_at)

    def wallet_usd(self, *, cash_flow_usd, held_usd):
        if not self.is_wallet_known:
            raise VenueTimeoutError("wallet")
        return super().wallet_usd(cash_flow_usd=cash_flow_usd, held_usd=held_usd)


def test_a_venue_that_does_not_answer_is_asked_again_and_a_fill_told_late_keeps_its_time(life, caplog):
    venue = SlowVenue()
    life.watch()
    life.see(seen(life.bar, buyable=True))
    life.tick(open_venue=lambda config: venue)
    life.see(seen(life.bar))
    life.tick(open_venue=lambda config: venue)
    life.see(seen(life.bar, "S2", buyable=True))
    life.tick(open_venue=lambda config: venue)
    venue.silent_settles = 1
    for _ in range(2):
        life.see(seen(life.bar, "S2"))
        life.tick(open_venue=lambda config: venue)

    assert [record.message for record in caplog.records] == ["order_not_settled"]
    assert [order.status for order in life.orders] == [OrderStatus.FILLED] * 2
    late = life.world.fills()[1].fill
    assert late.at == START + 3 * HOUR
    assert life.position.position.last_fill_at == START + 4 * HOUR


def test_without_a_wallet_nothing_is_bought_and_exits_go(life):
    venue = SlowVenue()
    life.enter()
    venue.is_wallet_known = False
    for bar in (("S2", 2.0), ("S0", 2.0, EXIT)):
        life.see(seen(life.bar, *bar, buyable=bar[0] == "S2"))
        life.tick(open_venue=lambda config: venue)

    assert life.patterns == ["S1.buy_flag", "S0.exit_position"]


def test_an_order_the_venue_did_not_take_is_told_again_at_the_next_tick(life, caplog):
    venue = SlowVenue()
    venue.lost_answers = 1
    life.watch()
    life.see(seen(life.bar, buyable=True))
    outcome = life.tick(open_venue=lambda config: venue)
    assert (outcome.submission.left, life.orders[0].status) == (1, OrderStatus.PLANNED)
    assert [record.message for record in caplog.records] == ["order_not_submitted"]

    life.see(seen(life.bar))
    outcome = life.tick(open_venue=lambda config: venue)

    assert (outcome.submission.taken, life.orders[0].status) == (1, OrderStatus.SUBMITTED)
    assert venue.executions == {life.orders[0].order_id: 1}


def test_a_venue_hears_of_an_order_once_others_can_read_it(life):
    told = []

    class Eavesdropper(LedgerVenue):
        def submit(self, order):
            told.append([each.order_id for each in life.world.orders()])

    life.watch()
    life.see(seen(life.bar, buyable=True))
    life.tick(open_venue=lambda config: Eavesdropper())

    assert told == [[life.orders[0].order_id]]


def test_a_log_of_a_life_has_no_errors(life, caplog):
    caplog.set_level(logging.WARNING)
    life.enter()
    life.step("S0", 2.0, EXIT)
    life.step("S0", 2.0)

    assert caplog.records == []
