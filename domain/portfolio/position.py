"""Where one trade stands: folded from its fills and from the bars it was held through, and from nothing else.

Cost is the moving average of what is held. With fees counted where they were paid:

    total PnL = value + extracted - invested - fees = realised + unrealised
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import reduce

from domain.portfolio.fill import Fill
from domain.portfolio.mark import Mark
from domain.vocabulary.action import OrderSide

Event = Fill | Mark

ROUNDING_FRAC = 1e-12
"""Of all that was bought: a rest below this is rounding, and is cleared."""

OVERSOLD_FRAC = 1e-9
"""Of all that was bought: a sale that exceeds the holding by more cannot be right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """The sums of one trade, from its first fill on.

    quantity, bought_quantity, sold_quantity: tokens. cost_basis_usd: what the held quantity cost, fees of buying
    included. invested_usd, extracted_usd: money paid and received, without fees. realised_pnl_usd: proceeds of sales,
    less their fees and what was sold had cost. max_adverse_usd: the deepest total loss the trade was ever in, >= 0.
    last_price_usd: of the last fill or bar, None before the first fill; so are the instants.
    """

    quantity: float = 0.0
    cost_basis_usd: float = 0.0
    bought_quantity: float = 0.0
    sold_quantity: float = 0.0
    invested_usd: float = 0.0
    extracted_usd: float = 0.0
    fees_usd: float = 0.0
    realised_pnl_usd: float = 0.0
    max_adverse_usd: float = 0.0
    last_price_usd: float | None = None
    first_fill_at: datetime | None = None
    last_fill_at: datetime | None = None
    last_event_at: datetime | None = None

    @property
    def is_flat(self) -> bool:
        """Whether nothing is held."""
        return self.quantity == 0

    @property
    def net_invested_usd(self) -> float:
        """Money that has gone in and not come out; negative once more came out."""
        return self.invested_usd - self.extracted_usd

    @property
    def avg_entry_price_usd(self) -> float | None:
        """USD per token over all buys; None before the first."""
        return self.invested_usd / self.bought_quantity if self.bought_quantity else None

    @property
    def avg_exit_price_usd(self) -> float | None:
        """USD per token over all sales; None before the first."""
        return self.extracted_usd / self.sold_quantity if self.sold_quantity else None

    @property
    def value_usd(self) -> float:
        """What the holding is worth at the last price; 0 when nothing is held."""
        return self.quantity * (self.last_price_usd or 0.0)

    @property
    def unrealised_pnl_usd(self) -> float:
        """Value less cost of what is held."""
        return self.value_usd - self.cost_basis_usd

    @property
    def total_pnl_usd(self) -> float:
        """PnL of the whole trade at the last price."""
        return self.pnl_at(self.last_price_usd or 0.0)

    def pnl_at(self, price_usd: float) -> float:
        """PnL of the whole trade if the token stood at a price; USD."""
        return self.quantity * price_usd + self.extracted_usd - self.invested_usd - self.fees_usd


NO_POSITION = Position()


def apply_fill(position: Position, fill: Fill) -> Position:
    """Position after one more fill.

    Raises
    ------
    ValueError
        If the fill is older than the last event, or sells more than is held.
    """
    _refuse_the_past(position, fill.at)
    moved = _bought(position, fill) if fill.side is OrderSide.BUY else _sold(position, fill)
    moved = replace(
        moved,
        fees_usd=moved.fees_usd + fill.fee_usd,
        last_price_usd=fill.price_usd,
        first_fill_at=position.first_fill_at or fill.at,
        last_fill_at=fill.at,
        last_event_at=fill.at,
    )
    return _worst_seen(moved, fill.price_usd)


def apply_mark(position: Position, mark: Mark, *, fill_grace: timedelta) -> Position:
    """Position after one more closed bar; unchanged when nothing is held.

    The low of a bar counts if the bar was held through: if no fill came later than `fill_grace` after it opened.
    Otherwise the low may be older than the fill, and only the close counts.

    Raises
    ------
    ValueError
        If the bar closed before the last event.
    """
    if position.is_flat or position.last_fill_at is None:
        return position
    _refuse_the_past(position, mark.closed_at)
    is_held_through = mark.opened_at + fill_grace >= position.last_fill_at
    moved = replace(position, last_price_usd=mark.close_usd, last_event_at=mark.closed_at)
    return _worst_seen(moved, mark.low_usd if is_held_through else mark.close_usd)


def fold_position(events: Iterable[Event], *, fill_grace: timedelta) -> Position:
    """Position after all events of one trade.

    The order they are given in does not count, only their time; at one instant a bar that closes comes first, then
    buys, then sales. A fill that is told twice counts once.

    Raises
    ------
    ValueError
        If two different fills share an id, or more is sold than held.
    """

    def step(position: Position, event: Event) -> Position:
        if isinstance(event, Fill):
            return apply_fill(position, event)
        return apply_mark(position, event, fill_grace=fill_grace)

    return reduce(step, sorted(_distinct(events), key=_order), NO_POSITION)


def _distinct(events: Iterable[Event]) -> list[Event]:
    kept: dict[str | Mark, Event] = {}
    for event in events:
        key = event.fill_id if isinstance(event, Fill) else event
        if kept.setdefault(key, event) != event:
            raise ValueError(f"Two different fills share the id {key}")
    return list(kept.values())


def _order(event: Event) -> tuple[datetime, int, str]:
    if isinstance(event, Mark):
        return event.closed_at, 0, event.opened_at.isoformat()
    return event.at, 1 if event.side is OrderSide.BUY else 2, event.fill_id


def _bought(position: Position, fill: Fill) -> Position:
    return replace(
        position,
        quantity=position.quantity + fill.quantity,
        cost_basis_usd=position.cost_basis_usd + fill.notional_usd + fill.fee_usd,
        bought_quantity=position.bought_quantity + fill.quantity,
        invested_usd=position.invested_usd + fill.notional_usd,
    )


def _sold(position: Position, fill: Fill) -> Position:
    left = position.quantity - fill.quantity
    if left < -OVERSOLD_FRAC * position.bought_quantity or position.is_flat:
        raise ValueError(f"Fill {fill.fill_id} sells {fill.quantity}, more than the {position.quantity} held")
    left = left if left > ROUNDING_FRAC * position.bought_quantity else 0.0
    cost = position.cost_basis_usd * (1 - left / position.quantity)
    return replace(
        position,
        quantity=left,
        cost_basis_usd=position.cost_basis_usd - cost if left else 0.0,
        sold_quantity=position.sold_quantity + fill.quantity,
        extracted_usd=position.extracted_usd + fill.notional_usd,
        realised_pnl_usd=position.realised_pnl_usd + fill.notional_usd - fill.fee_usd - cost,
    )


def _worst_seen(position: Position, price_usd: float) -> Position:
    loss_usd = -position.pnl_at(price_usd)
    return replace(position, max_adverse_usd=loss_usd) if loss_usd > position.max_adverse_usd else position


def _refuse_the_past(position: Position, at: datetime) -> None:
    if position.last_event_at is not None and at < position.last_event_at:
        raise ValueError(f"Events must come in order of time, was {at} after {position.last_event_at}")
