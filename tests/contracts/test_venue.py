"""What any venue promises, on paper or live: an order is known by its id, done at most once, and never overdone."""

import math
from collections.abc import Iterator

import pytest

from domain.portfolio.position import NO_POSITION, apply_fill
from domain.vocabulary.action import ActionCategory
from pm_runtime.portfolio_row import OrderStatus
from pm_runtime.venue import Settlement, UnknownOrderError, VenueTimeoutError
from tests.portfolio_rows import START
from tests.seams.exchange import ExchangeHarness
from tests.venue_harness import LedgerHarness, PaperHarness, VenueHarness, planned, spent_usd, submitted

BUYS_AND_SALES = (ActionCategory.ENTRY, ActionCategory.ADD, ActionCategory.TRIM, ActionCategory.EXIT)
ROUNDING = 1 + 1e-12


@pytest.fixture(params=[PaperHarness, LedgerHarness, ExchangeHarness])
def harness(request: pytest.FixtureRequest) -> Iterator[VenueHarness]:
    built: VenueHarness = request.param()
    yield built
    if isinstance(built, ExchangeHarness):
        built.close()


@pytest.mark.parametrize("category", BUYS_AND_SALES)
def test_an_order_is_filled_on_its_side_after_it_was_decided(harness: VenueHarness, category: ActionCategory) -> None:
    order = submitted(harness, category)
    harness.fill(order)

    settled = harness.ask(order)

    assert settled.status is OrderStatus.FILLED
    assert {fill.side for fill in settled.fills} == {category.side}
    assert all(fill.at >= order.decided_at for fill in settled.fills)


def test_an_order_told_twice_is_done_once(harness: VenueHarness) -> None:
    order = submitted(harness)
    harness.fill(order)
    once = harness.ask(order)

    harness.venue.submit(planned(harness))
    harness.venue.submit(order)

    assert harness.ask(order) == once
    assert spent_usd(once) <= 100.0 * ROUNDING


def test_asking_again_says_the_same(harness: VenueHarness) -> None:
    order = submitted(harness)
    assert harness.ask(order) == harness.ask(order)
    harness.fill(order)

    assert harness.ask(order) == harness.ask(order)


@pytest.mark.parametrize("price_usd", [1e-9, 0.3, 2.0, 70_000.0])
def test_a_buy_spends_what_was_ordered_fee_included_and_never_more(harness: VenueHarness, price_usd: float) -> None:
    order = submitted(harness)
    harness.fill(order, price_usd=price_usd)
    settled = harness.ask(order)

    assert 0.99 * 100.0 < spent_usd(settled) <= 100.0 * ROUNDING


def test_a_sale_sells_what_was_ordered_and_never_more(harness: VenueHarness) -> None:
    order = submitted(harness, ActionCategory.EXIT)
    harness.fill(order)

    assert math.fsum(fill.quantity for fill in harness.ask(order).fills) == 10.0


@pytest.mark.parametrize("category", BUYS_AND_SALES)
def test_what_could_not_be_filled_is_void_and_said(harness: VenueHarness, category: ActionCategory) -> None:
    order = submitted(harness, category)
    harness.fill(order)
    whole = sum(fill.quantity for fill in harness.ask(order).fills)
    harness.fill(order, frac=0.25)
    part = harness.ask(order)

    assert part.status is OrderStatus.FILLED
    assert (part.reason or "").startswith("partial: ")
    assert sum(fill.quantity for fill in part.fills) == pytest.approx(0.25 * whole, rel=0.01)


def test_fills_state_the_price_that_was_got_not_the_one_that_was_hoped_for(harness: VenueHarness) -> None:
    order = submitted(harness)
    harness.fill(order, price_usd=3.0)

    for fill in harness.ask(order).fills:
        assert fill.price_usd == pytest.approx(3.0, rel=0.01)
        assert fill.notional_usd == pytest.approx(fill.quantity * fill.price_usd, rel=1e-12)


def test_fills_fold_into_a_position(harness: VenueHarness) -> None:
    order = submitted(harness)
    harness.fill(order)
    position = NO_POSITION
    for fill in harness.ask(order).fills:
        position = apply_fill(position, fill)

    assert position.invested_usd + position.fees_usd == pytest.approx(100.0, rel=1e-12)


def test_a_rejected_order_has_no_fills_and_a_reason(harness: VenueHarness) -> None:
    order = submitted(harness)
    harness.reject(order)

    settled = harness.ask(order)

    assert (settled.status, settled.fills) == (OrderStatus.REJECTED, ())
    assert settled.reason


def test_an_order_nothing_is_known_of_stays_open_and_is_reconciled_later(harness: VenueHarness) -> None:
    order = submitted(harness)
    assert harness.ask(order) == Settlement(status=OrderStatus.SUBMITTED)
    harness.fill(order)

    assert harness.ask(order).status is OrderStatus.FILLED


def test_orders_are_not_mixed_up(harness: VenueHarness) -> None:
    first, second = submitted(harness, token="a"), submitted(harness, ActionCategory.EXIT, token="b")
    for order in (first, second):
        harness.fill(order)
    fills = (*harness.ask(first).fills, *harness.ask(second).fills)

    assert len({fill.fill_id for fill in fills}) == len(fills)
    assert {fill.side for fill in harness.ask(second).fills} == {ActionCategory.EXIT.side}


def test_an_order_that_was_never_submitted_is_not_known(harness: VenueHarness) -> None:
    order = planned(harness)
    harness.fill(order)

    with pytest.raises(UnknownOrderError, match=order.order_id):
        harness.ask(order)


def test_an_order_for_another_venue_is_not_taken(harness: VenueHarness) -> None:
    order = submitted(PaperHarness() if harness.venue.name != "paper" else LedgerHarness())

    with pytest.raises(UnknownOrderError, match=order.order_id):
        harness.venue.submit(order)


def test_the_wallet_follows_cash_and_holdings_and_is_never_negative(harness: VenueHarness) -> None:
    start = harness.venue.wallet_usd(cash_flow_usd=0.0, held_usd=0.0)

    assert start > 0
    assert harness.venue.wallet_usd(cash_flow_usd=-100.0, held_usd=130.0) == pytest.approx(start + 30.0)
    assert harness.venue.wallet_usd(cash_flow_usd=-10 * start, held_usd=0.0) == 0.0


def test_an_order_taken_without_an_answer_is_done_once_however_often_it_is_told_again() -> None:
    harness = LedgerHarness()
    harness.ledger.lost_answers = 2
    order = planned(harness)
    for _ in range(2):
        with pytest.raises(VenueTimeoutError):
            harness.venue.submit(order)

    harness.venue.submit(order)

    assert harness.ledger.executions[order.order_id] == 1


@pytest.mark.parametrize(
    ("status", "values", "complaint"),
    [
        (OrderStatus.PLANNED, {}, "not told"),
        (OrderStatus.FILLED, {"settled_at": START}, "has fills"),
        (OrderStatus.SUBMITTED, {"settled_at": START}, "has an instant"),
        (OrderStatus.EXPIRED, {"reason": "no bar"}, "has an instant"),
        (OrderStatus.REJECTED, {"settled_at": START}, "must say why"),
    ],
)
def test_a_settlement_that_contradicts_itself_is_refused(
    status: OrderStatus, values: dict[str, object], complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        Settlement(status=status, **values)
