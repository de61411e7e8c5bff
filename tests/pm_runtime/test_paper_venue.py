"""Orders on paper: when they are filled, at which price, how much of them."""

from dataclasses import replace

import pytest
from pydantic import ValidationError

from domain.config.paper_venue import PaperVenueConfig
from domain.portfolio.token_bar import TokenBar
from domain.vocabulary.action import ActionCategory
from domain.vocabulary.execution_bar import ExecutionBar
from domain.vocabulary.timeframe import Timeframe
from pm_runtime.paper_venue import PaperVenue
from pm_runtime.portfolio_row import OrderRow, OrderStatus
from pm_runtime.venue import STILL_OPEN, Settlement
from tests.portfolio_rows import BAR, START, order_row, position_row, token_bar

FREE = PaperVenueConfig(fee_bps=0, slippage_bps=0, max_volume_frac=1, max_wait_bars=3)
ENTRY = order_row(position_row(), status=OrderStatus.SUBMITTED)
EXIT = order_row(position_row(), category=ActionCategory.EXIT, status=OrderStatus.SUBMITTED)


def bar_after(count: int) -> ExecutionBar:
    """Return the bar that many bars after the one that was decided on."""
    return ExecutionBar(Timeframe.H1, START + count * Timeframe.H1.duration)


def settled(order: OrderRow, count: int = 1, config: PaperVenueConfig = FREE, **values: float) -> Settlement:
    """Ask at the tick of that bar."""
    bar = bar_after(count)
    return PaperVenue(config).settle(order, token_bar(bar, **values), at=bar.closed_at)


def test_an_order_is_filled_at_the_open_of_the_first_bar_after_its_decision() -> None:
    (fill,) = settled(ENTRY).fills

    assert (fill.at, fill.price_usd, fill.notional_usd) == (BAR.closed_at, 2.0, 100.0)
    assert settled(ENTRY).settled_at == BAR.closed_at


def test_the_bar_that_was_decided_on_fills_nothing() -> None:
    assert settled(ENTRY, 0) == STILL_OPEN


def test_a_missing_bar_is_waited_for_and_the_next_one_fills() -> None:
    venue = PaperVenue(FREE)
    assert venue.settle(ENTRY, None, at=bar_after(1).closed_at) == STILL_OPEN
    assert venue.settle(ENTRY, None, at=bar_after(2).closed_at) == STILL_OPEN

    (fill,) = settled(ENTRY, 3).fills
    assert fill.at == bar_after(3).timestamp


@pytest.mark.parametrize("bar", [None, token_bar(bar_after(3), volume=0.0), token_bar(bar_after(4))])
@pytest.mark.parametrize("asked_after", [3, 4, 50])
def test_an_order_expires_when_its_bars_have_passed_whenever_that_is_noticed(
    bar: TokenBar | None, asked_after: int
) -> None:
    late = PaperVenue(FREE).settle(ENTRY, bar, at=bar_after(asked_after).closed_at)

    assert (late.status, late.settled_at) == (OrderStatus.EXPIRED, bar_after(3).closed_at)
    assert late.reason == "no bar to fill on in 3 bars"


def test_a_bar_without_volume_is_waited_through() -> None:
    assert settled(ENTRY, volume=0.0) == STILL_OPEN
    assert settled(ENTRY, 2, volume=1_000.0).status is OrderStatus.FILLED


def test_slippage_is_against_us_on_both_sides() -> None:
    slipping = FREE.model_copy(update={"slippage_bps": 100.0})
    (bought,), (sold,) = settled(ENTRY, config=slipping).fills, settled(EXIT, config=slipping).fills

    assert (bought.price_usd, sold.price_usd) == pytest.approx((2.02, 1.98), rel=1e-12)


def test_the_fee_is_a_share_of_the_notional_and_is_paid_from_what_a_buy_spends() -> None:
    costly = FREE.model_copy(update={"fee_bps": 100.0})
    (bought,), (sold,) = settled(ENTRY, config=costly).fills, settled(EXIT, config=costly).fills

    assert bought.notional_usd + bought.fee_usd == pytest.approx(100.0, rel=1e-12)
    assert bought.fee_usd == pytest.approx(0.01 * bought.notional_usd, rel=1e-12)
    assert (sold.notional_usd, sold.fee_usd) == pytest.approx((20.0, 0.2), rel=1e-12)


@pytest.mark.parametrize(("unit", "volume"), [("base", 80.0), ("usd", 160.0)])
def test_an_order_takes_at_most_its_share_of_the_volume(unit: str, volume: float) -> None:
    thin = FREE.model_copy(update={"max_volume_frac": 0.1, "volume_unit": unit})

    part = settled(EXIT, config=thin, volume=volume)

    assert [fill.quantity for fill in part.fills] == pytest.approx([8.0])
    assert part.reason == "partial: 8 of 10 tokens, 0.1 of the bar's volume"
    assert settled(EXIT, config=thin, volume=2 * volume).reason is None


def test_the_same_orders_are_rejected_in_every_run_and_others_under_another_seed() -> None:
    orders = [replace(order_row(position_row(f"t{n}")), status=OrderStatus.SUBMITTED) for n in range(400)]

    def rejected(seed: int) -> list[bool]:
        config = FREE.model_copy(update={"reject_frac": 0.25, "seed": seed})
        return [settled(order, config=config).status is OrderStatus.REJECTED for order in orders]

    assert rejected(1) == rejected(1) != rejected(2)
    assert 0.18 < sum(rejected(1)) / 400 < 0.32


def test_nothing_is_rejected_by_default_and_everything_at_a_share_of_one() -> None:
    assert settled(ENTRY, config=PaperVenueConfig()).status is OrderStatus.FILLED
    assert settled(ENTRY, config=PaperVenueConfig(reject_frac=1.0)).status is OrderStatus.REJECTED


def test_a_restarted_venue_says_what_the_old_one_said() -> None:
    config, bar = PaperVenueConfig(seed=3, reject_frac=0.5), bar_after(1)
    used = PaperVenue(config)
    for order in (EXIT, ENTRY, EXIT):
        used.submit(order)
        used.settle(order, token_bar(bar), at=bar.closed_at)

    again = used.settle(ENTRY, token_bar(bar, volume=70.0), at=bar.closed_at)
    assert again == settled(ENTRY, config=config, volume=70.0)


def test_the_wallet_is_the_start_plus_what_all_trades_made() -> None:
    venue = PaperVenue(PaperVenueConfig(wallet_usd=20_000))

    assert venue.wallet_usd(cash_flow_usd=-1_000.0, held_usd=1_200.0) == 20_200.0


@pytest.mark.parametrize(
    "wrong",
    [{"wallet_usd": 0}, {"fee_bps": -1}, {"slippage_bps": 9_999}, {"max_volume_frac": 0}, {"reject_frac": 1.1},
     {"max_wait_bars": 0}, {"volume_unit": "eur"}, {"wallet": 1}],
)  # fmt: skip
def test_a_configuration_out_of_bounds_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        PaperVenueConfig(**wrong)
