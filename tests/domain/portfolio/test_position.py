"""A position is the sum of its fills, no more and no less, and remembers the worst it has been through."""

import math
from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.portfolio.fill import Fill
from domain.portfolio.position import NO_POSITION, apply_fill, apply_mark, fold_position
from domain.vocabulary.action import OrderSide
from tests.domain.portfolio.trade_paths import GRACE, HOUR, START, bar, fill, folded, trades


def test_a_trade_by_hand():
    """Buy 100 at 1 and 100 at 2, sell 50 at 4, all with a fee of 1; the last price is 3."""
    position = folded(
        fill("buy", 100, 1.0, hour=0, fee=1),
        fill("buy", 100, 2.0, hour=1, fee=1),
        fill("sell", 50, 4.0, hour=2, fee=1),
        bar(2.5, 3.0, hour=2),
    )

    assert (position.quantity, position.invested_usd, position.extracted_usd, position.fees_usd) == (150, 300, 200, 3)
    assert position.cost_basis_usd == pytest.approx(302 * 0.75)
    assert position.realised_pnl_usd == pytest.approx(200 - 1 - 302 * 0.25)
    assert position.unrealised_pnl_usd == pytest.approx(450 - 302 * 0.75)
    assert position.total_pnl_usd == pytest.approx(450 + 200 - 300 - 3)
    assert (position.avg_entry_price_usd, position.avg_exit_price_usd) == (1.5, 4.0)
    assert position.net_invested_usd == 100


def test_nothing_has_no_price_no_average_and_no_loss():
    assert (NO_POSITION.avg_entry_price_usd, NO_POSITION.avg_exit_price_usd, NO_POSITION.last_price_usd) == (None,) * 3
    assert (NO_POSITION.total_pnl_usd, NO_POSITION.value_usd, NO_POSITION.is_flat) == (0.0, 0.0, True)
    assert folded() == NO_POSITION


def test_the_cost_of_what_is_held_does_not_change_by_selling_some():
    before = folded(fill("buy", 90, 1.0, hour=0), fill("buy", 30, 5.0, hour=1))
    after = apply_fill(before, fill("sell", 40, 9.0, hour=2))

    assert after.cost_basis_usd / after.quantity == pytest.approx(before.cost_basis_usd / before.quantity)


def test_the_worst_is_that_of_what_was_held_when_it_was():
    """A low of 0.5 costs 50 while 100 are held; after selling 90 at 1 the same low costs 5."""
    held = [fill("buy", 100, 1.0, hour=0), bar(0.5, 1.0, hour=0)]
    trimmed = [fill("buy", 100, 1.0, hour=0), fill("sell", 90, 1.0, hour=1), bar(0.5, 1.0, hour=1)]

    assert folded(*held).max_adverse_usd == pytest.approx(50)
    assert folded(*trimmed).max_adverse_usd == pytest.approx(5)


@pytest.mark.parametrize(("hour", "worst"), [(0.0, 50.0), (1 / 60, 50.0), (0.5, 10.0)])
def test_the_low_of_a_bar_counts_only_if_the_bar_was_held_through(hour, worst):
    position = folded(fill("buy", 100, 1.0, hour=hour), bar(0.5, 0.9, hour=0))

    assert position.max_adverse_usd == pytest.approx(worst)


def test_a_bar_that_nothing_was_held_in_changes_nothing():
    flat = folded(fill("buy", 10, 1.0, hour=0), fill("sell", 10, 2.0, hour=1))

    assert apply_mark(flat, bar(0.001, 0.001, hour=1), fill_grace=GRACE) == flat
    assert apply_mark(NO_POSITION, bar(0.001, 0.001, hour=1), fill_grace=GRACE) == NO_POSITION


def test_a_bar_that_closes_with_a_buy_comes_before_it():
    assert folded(fill("buy", 1, 1.0, hour=1), bar(0.1, 0.2, hour=0)).max_adverse_usd == 0


def test_a_trade_may_be_taken_up_again_after_it_was_sold_out():
    again = folded(fill("buy", 10, 1.0, hour=0), fill("sell", 10, 2.0, hour=1), fill("buy", 5, 3.0, hour=2))

    assert (again.quantity, again.cost_basis_usd, again.realised_pnl_usd, again.invested_usd) == (5, 15, 10, 25)


def test_selling_thirds_leaves_no_dust():
    thirds = [fill("sell", 0.1, 1.0, hour=hour) for hour in (1, 2, 3)]
    position = folded(fill("buy", 0.3, 1.0, hour=0), *thirds)

    assert 0.3 - 0.1 - 0.1 - 0.1 != 0
    assert (position.quantity, position.cost_basis_usd, position.is_flat) == (0, 0, True)


@pytest.mark.parametrize("excess", [1e-6, 1.0])
def test_more_than_is_held_cannot_be_sold(excess):
    with pytest.raises(ValueError, match=r"more than the 10\.0 held"):
        folded(fill("buy", 10.0, 1.0, hour=0), fill("sell", 10.0 + excess, 1.0, hour=1))
    with pytest.raises(ValueError, match="more than"):
        folded(fill("sell", 1e-9, 1.0, hour=0))


def test_a_fill_told_twice_counts_once_and_two_facts_under_one_id_are_refused():
    buy = fill("buy", 10, 1.0, hour=0, fill_id="a")

    assert folded(buy, buy, buy) == folded(buy)
    with pytest.raises(ValueError, match="share the id a"):
        folded(buy, fill("buy", 11, 1.0, hour=0, fill_id="a"))


def test_an_event_older_than_the_last_is_refused_one_by_one():
    position = folded(fill("buy", 10, 1.0, hour=5))

    with pytest.raises(ValueError, match="order of time"):
        apply_fill(position, fill("sell", 1, 1.0, hour=4))
    with pytest.raises(ValueError, match="order of time"):
        apply_mark(position, bar(1.0, 1.0, hour=3), fill_grace=GRACE)


def signed(each: Fill) -> float:
    return each.quantity if each.side is OrderSide.BUY else -each.quantity


@given(trades())
def test_what_is_held_is_the_sum_of_the_fills(events):
    fills = [event for event in events if isinstance(event, Fill)]
    position = folded(*events)

    assert position.quantity == pytest.approx(math.fsum(map(signed, fills)), abs=1e-9 * position.bought_quantity)
    assert position.bought_quantity - position.sold_quantity == pytest.approx(
        position.quantity, abs=1e-9 * position.bought_quantity
    )
    assert position.quantity >= 0


@given(trades())
def test_money_is_neither_made_nor_lost(events):
    position = folded(*events)
    turnover = position.invested_usd + position.extracted_usd + position.value_usd + position.fees_usd

    parts = position.realised_pnl_usd + position.unrealised_pnl_usd

    assert parts == pytest.approx(position.total_pnl_usd, abs=1e-9 * turnover)
    assert position.cost_basis_usd >= 0
    assert not position.is_flat or position.cost_basis_usd == 0


@given(trades())
def test_the_worst_never_shrinks_and_is_never_better_than_the_present(events):
    worst = [folded(*events[: n + 1]).max_adverse_usd for n in range(len(events))]

    assert worst == sorted(worst)
    assert worst[-1] >= max(0.0, -folded(*events).total_pnl_usd)


@given(trades(), st.randoms(use_true_random=False))
def test_the_order_and_repetition_of_the_log_do_not_count(events, random):
    shuffled = [*events, *events]
    random.shuffle(shuffled)

    assert folded(*shuffled) == folded(*events)


@given(trades())
def test_one_by_one_is_the_same_as_at_once(events):
    def step(position, event):
        if isinstance(event, Fill):
            return apply_fill(position, event)
        return apply_mark(position, event, fill_grace=GRACE)

    in_time = sorted(
        events, key=lambda event: (event.at if isinstance(event, Fill) else event.closed_at, isinstance(event, Fill))
    )

    assert reduce(step, in_time, NO_POSITION) == fold_position(events, fill_grace=GRACE)


def test_instants_are_those_of_the_fills():
    position = folded(fill("buy", 10, 1.0, hour=0), fill("sell", 4, 1.0, hour=3), bar(1.0, 1.0, hour=3))

    assert (position.first_fill_at, position.last_fill_at) == (START, START + 3 * HOUR)
    assert position.last_event_at == START + 4 * HOUR
