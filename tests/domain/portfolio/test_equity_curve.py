"""What a book is worth at each instant, from its fills and closes."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.portfolio.equity_curve import Close, EquityPoint, TradeFill, equity_curve, max_drawdown_frac
from domain.portfolio.fill import Fill
from domain.vocabulary.action import OrderSide

START = datetime(2025, 4, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
HOURS = [START + hour * HOUR for hour in range(6)]


def fill(hour: float, side: str, quantity: float, price: float, *, position="p", trade="t", fee=0.0) -> TradeFill:
    return TradeFill(
        position_id=position,
        trade_id=trade,
        fill=Fill(
            fill_id=f"{position}{trade}{hour}",
            side=OrderSide(side),
            quantity=quantity,
            price_usd=price,
            notional_usd=quantity * price,
            fee_usd=fee,
            at=START + hour * HOUR,
        ),
    )


def close(hour: float, price: float, position="p") -> Close:
    return Close(position_id=position, at=START + hour * HOUR, price_usd=price)


def test_a_buy_moves_cash_into_a_holding_and_loses_the_fee():
    points = equity_curve([fill(1, "buy", 10, 2.0, fee=1.0)], [], HOURS[:2], wallet_usd=100.0)

    assert points == [
        EquityPoint(at=HOURS[0], cash_usd=100.0, held_usd=0.0, holdings=0),
        EquityPoint(at=HOURS[1], cash_usd=79.0, held_usd=20.0, holdings=1),
    ]


def test_a_holding_is_worth_its_last_close_until_there_is_another():
    fills = [fill(0, "buy", 10, 2.0)]

    points = equity_curve(fills, [close(1, 3.0), close(3, 1.0)], HOURS[:4], wallet_usd=20.0)

    assert [point.equity_usd for point in points] == [20.0, 30.0, 30.0, 10.0]


def test_at_one_instant_the_fill_comes_after_the_close():
    points = equity_curve([fill(1, "buy", 10, 2.0)], [close(1, 9.0)], HOURS[1:2], wallet_usd=20.0)

    assert points[0].held_usd == 20.0


def test_what_was_sold_is_cash_whatever_its_price_does():
    fills = [fill(0, "buy", 10, 2.0), fill(1, "sell", 10, 3.0, fee=2.0)]

    points = equity_curve(fills, [close(2, 99.0)], HOURS[:3], wallet_usd=20.0)

    assert [(point.cash_usd, point.held_usd, point.holdings) for point in points[1:]] == [(28.0, 0.0, 0)] * 2


def test_a_second_trade_of_a_position_begins_with_nothing():
    first = [fill(0, "buy", 10, 1.0, trade="a"), fill(1, "sell", 10, 1.0, trade="a")]
    second = [fill(2, "buy", 4, 1.0, trade="b"), fill(3, "sell", 4, 1.0, trade="b")]

    points = equity_curve(first + second, [], HOURS[:5], wallet_usd=10.0)

    assert [point.held_usd for point in points] == [10.0, 0.0, 4.0, 0.0, 0.0]


def test_selling_more_than_is_held_is_refused():
    with pytest.raises(ValueError, match="more than"):
        equity_curve([fill(0, "buy", 1, 1.0), fill(1, "sell", 2, 1.0)], [], HOURS, wallet_usd=1.0)


@given(st.permutations(range(6)), st.permutations(range(4)))
def test_the_order_they_are_given_in_does_not_count(of_fills, of_closes):
    fills = [fill(hour / 2, "buy", 1 + hour, 1.0 + hour / 3, position=f"p{hour % 3}") for hour in range(6)]
    closes = [close(hour, 1.0 + hour, position=f"p{hour % 3}") for hour in range(4)]

    shuffled = equity_curve([fills[i] for i in of_fills], [closes[i] for i in of_closes], HOURS, wallet_usd=50.0)

    assert shuffled == equity_curve(fills, closes, HOURS, wallet_usd=50.0)


def test_the_deepest_fall_is_from_the_highest_point_before():
    values = [100.0, 120.0, 90.0, 130.0, 104.0]
    points = [EquityPoint(at=START, cash_usd=value, held_usd=0.0, holdings=0) for value in values]

    assert max_drawdown_frac(points) == pytest.approx(0.25)
    assert max_drawdown_frac([]) is None
