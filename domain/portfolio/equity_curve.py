"""Cash and holdings of a book over time, from its fills and from the closes of the bars it was held at."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.portfolio.fill import Fill
from domain.portfolio.position import NO_POSITION, Position, apply_fill
from domain.vocabulary.action import OrderSide


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeFill:
    """A fill, and what it belongs to."""

    position_id: str
    trade_id: str
    fill: Fill


@dataclass(frozen=True, slots=True, kw_only=True)
class Close:
    """Price of a position's token at the close of a bar, USD."""

    position_id: str
    at: datetime
    price_usd: float


Event = tuple[datetime, int, Close | TradeFill]
"""When, whether it is a close (0) or a fill (1), and what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EquityPoint:
    """A book at an instant. cash_usd: the wallet less buys and fees plus sales; held_usd: value of what is held."""

    at: datetime
    cash_usd: float
    held_usd: float
    holdings: int

    @property
    def equity_usd(self) -> float:
        """Cash and holdings."""
        return self.cash_usd + self.held_usd

    @property
    def exposure_frac(self) -> float:
        """Share of the equity that is held; 0 of nothing.

        >>> at = datetime(2025, 1, 1)
        >>> EquityPoint(at=at, cash_usd=75.0, held_usd=25.0, holdings=1).exposure_frac
        0.25
        """
        return self.held_usd / self.equity_usd if self.equity_usd > 0 else 0.0


def equity_curve(
    fills: Iterable[TradeFill], closes: Iterable[Close], instants: Sequence[datetime], *, wallet_usd: float
) -> list[EquityPoint]:
    """Book at each instant, with everything that happened by then.

    A holding is worth its last price: of its last close or fill, whichever came later; of both at one instant, the
    fill.

    Parameters
    ----------
    fills, closes : iterable
        Of any positions, in any order; a close of a position that holds nothing does not count.
    instants : sequence of datetime
        Ascending.
    wallet_usd : float
        Cash before the first fill.

    Raises
    ------
    ValueError
        If the fills of a trade sell more than it holds.
    """
    events: list[Event] = [(close.at, 0, close) for close in closes]
    events += [(each.fill.at, 1, each) for each in fills]
    events.sort(key=_order)
    held: dict[str, tuple[str, Position]] = {}
    prices: dict[str, float] = {}
    cash, place, points = wallet_usd, 0, []
    for at in instants:
        while place < len(events) and events[place][0] <= at:
            event = events[place][2]
            place += 1
            if isinstance(event, Close):
                prices[event.position_id] = event.price_usd
                continue
            cash += _cash_flow(event.fill)
            prices[event.position_id] = event.fill.price_usd
            _, position = _trade(held, event)
            held[event.position_id] = (event.trade_id, apply_fill(position, event.fill))
        points.append(_point(at, cash, held, prices))
    return points


def max_drawdown_frac(points: Sequence[EquityPoint]) -> float | None:
    """Deepest fall of the equity from its highest value before, a fraction 0..1; None without a point.

    >>> at = datetime(2025, 1, 1)
    >>> max_drawdown_frac([EquityPoint(at=at, cash_usd=cash, held_usd=0.0, holdings=0) for cash in (4.0, 3.0, 5.0)])
    0.25
    """
    if not points:
        return None
    highest, deepest = points[0].equity_usd, 0.0
    for point in points:
        highest = max(highest, point.equity_usd)
        deepest = max(deepest, 1 - point.equity_usd / highest if highest > 0 else 0.0)
    return deepest


def _order(event: Event) -> tuple[datetime, int, str, int, str]:
    at, kind, each = event
    if isinstance(each, Close):
        return at, kind, each.position_id, 0, ""
    return at, kind, each.position_id, 0 if each.fill.side is OrderSide.BUY else 1, each.fill.fill_id


def _trade(held: Mapping[str, tuple[str, Position]], event: TradeFill) -> tuple[str, Position]:
    """Trade of a fill as far as it has come; a new one begins with nothing."""
    known = held.get(event.position_id)
    return known if known is not None and known[0] == event.trade_id else (event.trade_id, NO_POSITION)


def _cash_flow(fill: Fill) -> float:
    money = fill.notional_usd if fill.side is OrderSide.SELL else -fill.notional_usd
    return money - fill.fee_usd


def _point(
    at: datetime, cash: float, held: Mapping[str, tuple[str, Position]], prices: Mapping[str, float]
) -> EquityPoint:
    values = [
        position.quantity * prices[position_id]
        for position_id, (_, position) in sorted(held.items(), key=lambda item: item[0])
        if not position.is_flat
    ]
    return EquityPoint(at=at, cash_usd=cash, held_usd=sum(values), holdings=len(values))
