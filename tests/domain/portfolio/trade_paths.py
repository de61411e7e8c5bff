"""Trades for tests: fills and bars by hand, and any sequence of them that could happen."""

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from domain.portfolio.fill import Fill
from domain.portfolio.mark import Mark
from domain.portfolio.position import Event, Position, fold_position
from domain.vocabulary.action import OrderSide

START = datetime(2025, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
GRACE = timedelta(minutes=1)


def fill(side: str, quantity: float, price: float, *, hour: float, fee: float = 0.0, fill_id: str = "") -> Fill:
    return Fill(
        fill_id=fill_id or f"{side}-{hour}",
        side=OrderSide(side),
        quantity=quantity,
        price_usd=price,
        notional_usd=quantity * price,
        fee_usd=fee,
        at=START + hour * HOUR,
    )


def bar(low: float, close: float, *, hour: float) -> Mark:
    """Bar of an hour that opens at `hour`."""
    return Mark(opened_at=START + hour * HOUR, closed_at=START + (hour + 1) * HOUR, low_usd=low, close_usd=close)


def folded(*events: Event) -> Position:
    return fold_position(events, fill_grace=GRACE)


@st.composite
def trades(draw: st.DrawFn) -> list[Event]:
    """Buys, partial and whole sales, and bars, one an hour, the first a buy; nothing is sold that is not held."""
    events: list[Event] = []
    held = 0.0
    scale = 10.0 ** draw(st.integers(-6, 9))
    for hour in range(draw(st.integers(1, 14))):
        kind = draw(st.sampled_from(["buy", "trim", "exit", "bar"])) if events else "buy"
        price = draw(st.floats(1e-3, 1e3)) / scale
        if kind == "bar":
            events.append(bar(price * draw(st.floats(0.1, 1.0)), price, hour=hour))
        elif kind == "buy" or not held:
            quantity = draw(st.floats(0.01, 100)) * scale
            held += quantity
            events.append(fill("buy", quantity, price, hour=hour, fee=draw(st.floats(0, 2))))
        else:
            quantity = held * (1.0 if kind == "exit" else draw(st.floats(0.01, 0.9)))
            held -= quantity
            events.append(fill("sell", quantity, price, hour=hour, fee=draw(st.floats(0, 2))))
    return events
