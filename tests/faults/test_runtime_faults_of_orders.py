"""Orders and money as venues and people make them: an order in flight, twice told, cut, at another price."""

from dataclasses import replace

import pytest

from domain.portfolio.fill import Fill
from domain.portfolio.lifecycle import PositionStatus
from pm_runtime.portfolio_row import OrderStatus
from pm_runtime.ports import StaleRowError
from pm_runtime.venue import Settlement
from tests.meddling_store import MeddlingStore
from tests.portfolio_rows import HOUR, START
from tests.portfolio_worlds import MemoryPortfolioWorld
from tests.trade_life import EXIT, FREE, TradeLife, seen
from tests.venue_harness import LedgerVenue


@pytest.fixture
def life(portfolio_world):
    portfolio_world.configure(FREE)
    life = TradeLife(portfolio_world).allow()
    yield life
    life.close()


class LiveVenue(LedgerVenue):
    """A venue that fills what it was told at a price of its own, a part of it, and says so as often as it is asked."""

    def __init__(self, *, price_usd: float = 2.5, frac: float = 1.0) -> None:
        super().__init__()
        self.price_usd, self.frac = price_usd, frac

    def settle(self, order, bar, *, at):
        quantity = self.frac * (order.order_quantity or order.order_usd / self.price_usd)
        fill = Fill(
            fill_id=f"{order.order_id}-x",
            side=order.side,
            quantity=quantity,
            price_usd=self.price_usd,
            notional_usd=quantity * self.price_usd,
            fee_usd=0.0,
            at=order.decided_at,
        )
        return Settlement(status=OrderStatus.FILLED, fills=(fill,), settled_at=fill.at)


def live_through(life: TradeLife, venue: LedgerVenue, *bars) -> None:
    for bar, buyable in bars:
        life.see(seen(life.bar, *bar, buyable=buyable))
        life.tick(open_venue=lambda config: venue)


def test_a_halt_lets_the_order_that_is_in_flight_complete_and_plans_no_other(life):
    life.watch()
    life.step("S1", buyable=True)
    life.world.switch(set_at=START + HOUR, mode="HALTED")
    life.step("S1")
    life.step("S2", buyable=True)

    assert [order.status for order in life.orders] == [OrderStatus.FILLED]
    assert life.position.status is PositionStatus.ACTIVE
    life.step("S0", 2.0, EXIT)
    assert life.patterns == ["S1.buy_flag", "S0.exit_position"]


def test_a_venue_that_says_yes_twice_is_booked_once(life):
    venue = LiveVenue()
    life.watch()
    live_through(life, venue, (("S1", 2.0), True), (("S1", 2.0), False))
    (order,) = life.orders
    with life.store.snapshot() as snapshot:
        again = [row for row in life.world.fills() if row.order_id == order.order_id]
        snapshot.write_fills(again)
    live_through(life, venue, (("S1", 2.0), False))

    assert len(life.world.fills()) == 1
    assert life.position.position.quantity == pytest.approx(order.order_usd / 2.5)
    assert venue.executions == {order.order_id: 1}


def test_a_position_is_what_the_fills_say_not_what_was_ordered(life):
    venue = LiveVenue(price_usd=2.6, frac=0.4)
    life.watch()
    live_through(life, venue, (("S1", 2.0), True), (("S1", 2.0), False))

    position = life.position.position
    assert position.avg_entry_price_usd == pytest.approx(2.6)
    assert position.invested_usd == pytest.approx(0.4 * life.orders[0].order_usd)


def test_an_order_that_was_sent_and_not_answered_is_never_sent_under_another_name(life):
    venue = LiveVenue()
    venue.lost_answers = 3
    life.watch()
    live_through(life, venue, *[(("S1", 2.0), True)] * 4)

    assert len(life.orders) == 1
    assert venue.executions == {life.orders[0].order_id: 1}


def test_positions_that_hold_nothing_crowd_nobody(life):
    """Rows that are dormant, watched, paused or archived without a holding count nothing."""
    for number, status in enumerate(PositionStatus):
        if status is not PositionStatus.ACTIVE:
            life.watch(f"other-{number}", status=status)
    life.watch()
    life.step("S1", buyable=True)

    (order,) = life.orders
    exposure = order.decision["learning_multipliers"]["exposure_skew"]
    assert (exposure["skew"], exposure["basis"], exposure["others_usd"]) == (1.0, "empty_book", 0.0)


def test_one_position_that_is_all_of_the_book_bounds_the_skew_at_both_ends(life):
    life.watch("held")
    life.watch("near")
    life.see({"held": seen(life.bar, buyable=True), "near": seen(life.bar)})
    life.tick()
    life.see({"held": seen(life.bar), "near": seen(life.bar, buyable=True)})
    life.tick()

    near = life.orders[1].decision
    assert near["exposure_skew_applied"] == pytest.approx(0.33)
    assert near["learning_multipliers"]["exposure_skew"]["conc_norm"] == pytest.approx(1.0)


def test_no_allocation_is_negative_or_above_the_wallet(portfolio_world):
    """The row of a position refuses it in the database; the sizes of a tick never exceed what is left of the cap."""
    life = TradeLife(portfolio_world).allow()
    life.watch(total_allocation_pct=100.0)
    portfolio_world.configure(FREE | {"portfolio": {"sizing": {"entry_base_frac": 0.5, "entry_a_frac": 0.5}}})
    life.score = {"a": 1.0, "e": 0.0}
    life.step("S1", buyable=True)
    life.step("S2", buyable=True)
    life.step("S3", buyable=True)
    life.close()

    spent = sum(order.order_usd for order in life.orders)
    assert spent <= 20_000 * 0.70 * (1 + 1e-12)


def test_a_trade_that_rose_without_a_draw_down_has_a_ratio_and_keeps_the_raw_one():
    life = TradeLife(MemoryPortfolioWorld())
    life.world.configure(FREE)
    life.enter()
    life.step("S3", 200.0)
    life.step("S0", 200.0, EXIT)
    life.step("S0", 200.0)

    (trade,) = life.closures[0].content["completed_trades"]
    assert trade["rr"] == 10.0
    assert trade["rr_raw"] > 1_000
    assert trade["rr_absent_reason"] is None


def test_a_person_who_pauses_a_position_meanwhile_is_heard_and_the_bar_is_decided_again(life):
    row = life.watch()
    life.step("S1", buyable=True)
    store = life.store
    life.store = MeddlingStore(store, lambda: life.world.change(replace(row, status=PositionStatus.PAUSED)))
    outcome = life.step("S1")
    life.store = store

    assert outcome.tick is not None
    assert life.position.status is PositionStatus.PAUSED
    assert not life.position.position.is_flat


def test_a_position_that_is_written_again_and_again_fails_the_tick_after_a_few_attempts(life):
    life.watch()
    life.step("S1", buyable=True)
    store = life.store
    life.store = MeddlingStore(store, lambda: life.world.change(life.position), times=99)
    with pytest.raises(StaleRowError):
        life.step("S1")
    life.store = store
    assert len(life.world.ticks()) == 1
    life.tick()

    assert [order.status for order in life.orders] == [OrderStatus.FILLED]
