"""Venues under test, each with the means to arrange what happens to an order there.

`LedgerVenue` behaves as a live one: it keeps what it was told under the order's id, may take an order and fail to say
so, and fills at prices of its own. A live venue joins the contract with a harness like the two below.
"""

from collections import Counter
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from domain.config.paper_venue import PaperVenueConfig
from domain.portfolio.fill import Fill
from domain.portfolio.token_bar import TokenBar
from domain.vocabulary.action import ActionCategory, OrderSide
from pm_runtime.paper_venue import PaperVenue
from pm_runtime.portfolio_row import OrderRow, OrderStatus
from pm_runtime.venue import STILL_OPEN, Settlement, UnknownOrderError, Venue, VenueTimeoutError
from tests.portfolio_rows import BAR, order_row, position_row, token_bar

NEXT = BAR.following()
FEE_FRAC = 0.002


class LedgerVenue:
    """A venue with books: what it was told, what it did, how often it did it."""

    def __init__(self) -> None:
        self.told: dict[str, OrderRow] = {}
        self.executions: Counter[str] = Counter()
        self.lost_answers = 0
        self.settlements: dict[str, Settlement] = {}

    @property
    def name(self) -> str:
        return "ledger"

    def submit(self, order: OrderRow) -> None:
        if order.venue != self.name:
            raise UnknownOrderError(order.order_id)
        if order.order_id not in self.told:
            self.told[order.order_id] = order
            self.executions[order.order_id] += 1
        if self.lost_answers:
            self.lost_answers -= 1
            raise VenueTimeoutError(order.order_id)

    def settle(self, order: OrderRow, bar: TokenBar | None, *, at: datetime) -> Settlement:
        if order.order_id not in self.told:
            raise UnknownOrderError(order.order_id)
        return self.settlements.get(order.order_id, STILL_OPEN)

    def wallet_usd(self, *, cash_flow_usd: float, held_usd: float) -> float:
        return max(1_000.0 + cash_flow_usd + held_usd, 0.0)


class VenueHarness(Protocol):
    """Arranges what becomes of orders at `venue`."""

    venue: Venue

    def fill(self, order: OrderRow, *, frac: float = 1.0, price_usd: float = 2.0) -> None:
        """Let the order be filled, about `frac` of it, about at a price."""

    def reject(self, order: OrderRow) -> None:
        """Let the order be rejected."""

    def ask(self, order: OrderRow) -> Settlement:
        """Settle the order at the bar after the decision, under what was arranged."""


class PaperHarness:
    """A paper venue, and the bar its orders meet."""

    def __init__(self) -> None:
        self.venue: Venue = PaperVenue(PaperVenueConfig())
        self._bar: TokenBar | None = None

    def fill(self, order: OrderRow, *, frac: float = 1.0, price_usd: float = 2.0) -> None:
        wanted = order.order_quantity or (order.order_usd or 0.0) / price_usd
        volume = (100 if frac == 1.0 else frac) * wanted / PaperVenueConfig().max_volume_frac
        prices = dict.fromkeys(("open_usd", "high_usd", "low_usd", "close_usd"), price_usd)
        self._bar = token_bar(NEXT, volume=volume, **prices)

    def reject(self, order: OrderRow) -> None:
        self.venue = PaperVenue(PaperVenueConfig(reject_frac=1.0))

    def ask(self, order: OrderRow) -> Settlement:
        return self.venue.settle(order, self._bar, at=NEXT.closed_at)


class LedgerHarness:
    """A venue with books, and what it will say."""

    def __init__(self) -> None:
        self.ledger = LedgerVenue()
        self.venue: Venue = self.ledger

    def fill(self, order: OrderRow, *, frac: float = 1.0, price_usd: float = 2.0) -> None:
        whole = order.order_quantity or (order.order_usd or 0.0) / (1 + FEE_FRAC) / price_usd
        halves = [
            Fill(
                fill_id=f"{order.order_id}-{part}",
                side=order.side,
                quantity=frac * whole / 2,
                price_usd=price_usd,
                notional_usd=frac * whole / 2 * price_usd,
                fee_usd=frac * whole / 2 * price_usd * FEE_FRAC,
                at=NEXT.timestamp,
            )
            for part in range(2)
        ]
        self.ledger.settlements[order.order_id] = Settlement(
            status=OrderStatus.FILLED,
            fills=tuple(halves),
            reason=None if frac == 1.0 else "partial: no more to be had",
            settled_at=NEXT.timestamp,
        )

    def reject(self, order: OrderRow) -> None:
        self.ledger.settlements[order.order_id] = Settlement(
            status=OrderStatus.REJECTED, reason="not enough money", settled_at=NEXT.timestamp
        )

    def ask(self, order: OrderRow) -> Settlement:
        return self.venue.settle(order, None, at=NEXT.closed_at)


def planned(harness: VenueHarness, category: ActionCategory = ActionCategory.ENTRY, token: str = "t") -> OrderRow:
    """An order for the harness' venue that was not submitted yet."""
    return order_row(position_row(token), category=category, venue=harness.venue.name)


def submitted(harness: VenueHarness, category: ActionCategory = ActionCategory.ENTRY, token: str = "t") -> OrderRow:
    """An order the venue has taken, as its row says afterwards."""
    order = planned(harness, category, token)
    harness.venue.submit(order)
    return replace(order, status=OrderStatus.SUBMITTED)


def spent_usd(settlement: Settlement) -> float:
    """Money that left the wallet for the fills of a settlement."""
    return sum(fill.notional_usd + fill.fee_usd for fill in settlement.fills if fill.side is OrderSide.BUY)
