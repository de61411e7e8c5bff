"""Where orders go: a venue takes an order under its id, and says later what became of it.

Paper and live venues pass the same contract tests. A venue is told an order before and may be told it again after a
crash; it knows it by its `order_id`, so being told twice does nothing.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.portfolio.fill import Fill
from domain.portfolio.token_bar import TokenBar
from pm_runtime.portfolio_row import OrderRow, OrderStatus


class VenueTimeoutError(RuntimeError):
    """The venue did not answer: whether it took the order is not known. Tell it again, under the same id."""


class UnknownOrderError(LookupError):
    """The venue was never told this order; nothing can be said of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What became of an order: still open (submitted), filled wholly or in part, rejected or expired.

    An open order has no fills yet. What an order that was filled in part did not get is void, and `reason` says so.

    Raises
    ------
    ValueError
        If fills, reason and instant do not go with the status.
    """

    status: OrderStatus
    fills: tuple[Fill, ...] = ()
    reason: str | None = None
    settled_at: datetime | None = None

    def __post_init__(self) -> None:
        if self.status is OrderStatus.PLANNED:
            raise ValueError("A venue says nothing of an order it was not told")
        if (self.status is OrderStatus.FILLED) != bool(self.fills):
            raise ValueError(f"Exactly a filled order has fills, was {self.status} with {len(self.fills)}")
        if self.status.is_open != (self.settled_at is None):
            raise ValueError(f"Exactly a settled order has an instant, was {self.status} at {self.settled_at}")
        if self.status in (OrderStatus.REJECTED, OrderStatus.EXPIRED) and not self.reason:
            raise ValueError(f"An order that is {self.status} must say why")


STILL_OPEN = Settlement(status=OrderStatus.SUBMITTED)


class Venue(Protocol):
    """Takes orders, settles them, and knows the money they are paid from."""

    @property
    def name(self) -> str:
        """Name that stands in the orders that go there."""

    def submit(self, order: OrderRow) -> None:
        """Take an order; one that was taken before is not taken again.

        Raises
        ------
        UnknownOrderError
            If the order names another venue.
        VenueTimeoutError
            If there was no answer; ask again later.
        """

    def settle(self, order: OrderRow, bar: TokenBar | None, *, at: datetime) -> Settlement:
        """Say what became of an order that was submitted. Asking again says the same.

        Parameters
        ----------
        order : OrderRow
            As it was submitted.
        bar : TokenBar or None
            The bar of the present tick; None where the token has none. Only a paper venue looks at it.
        at : datetime
            Close of the present tick's bar, which stands for now.

        Raises
        ------
        UnknownOrderError
            If it was never submitted there.
        VenueTimeoutError
            If there was no answer: the order is as open as before.
        """

    def wallet_usd(self, *, cash_flow_usd: float, held_usd: float) -> float:
        """Money a share of which a token may take: cash and what is held, USD, >= 0.

        Parameters
        ----------
        cash_flow_usd : float
            Sales less buys less fees of all fills of the book, `Snapshot.cash_flow_usd()`.
        held_usd : float
            Value of everything the book holds, at the last prices.
        """
