"""A venue on paper: what it says follows from the order, the bar and the configuration alone.

So live and replay are the same code, and a restart forgets nothing. An order decided at the close of bar t is filled at
the open of the first bar after t, which is known when that bar is stored: at the next tick. What it cannot pretend is
that an order moves the market; the slippage is the same for every size, and the volume of the bar bounds the size.
"""

import hashlib
from datetime import datetime

from domain.config.paper_venue import BPS, PaperVenueConfig
from domain.config.pm_config import PmConfig
from domain.portfolio.fill import Fill
from domain.portfolio.token_bar import TokenBar
from domain.vocabulary.action import OrderSide
from pm_runtime.portfolio_row import OrderRow, OrderStatus
from pm_runtime.venue import STILL_OPEN, Settlement, UnknownOrderError

PAPER = "paper"


class PaperVenue:
    """Fills orders at the open of a bar, with slippage and fee against us.

    Parameters
    ----------
    config : PaperVenueConfig
        Money, costs and obstacles.
    """

    def __init__(self, config: PaperVenueConfig) -> None:
        self._config = config

    @property
    def name(self) -> str:
        """Name that stands in the orders that go there."""
        return PAPER

    def submit(self, order: OrderRow) -> None:
        """Take an order: that it is submitted stands in its row, so there is nothing to keep."""
        self._refuse_foreign(order)

    def settle(self, order: OrderRow, bar: TokenBar | None, *, at: datetime) -> Settlement:
        """Say what became of an order.

        It is filled on the first bar that opens at or after the decision, has volume, and is at most `max_wait_bars`
        bars later than the bar of the decision; when those bars have passed, it expires. A buy spends at most
        `order_usd`, the fee included; a sale sells at most `order_quantity`.
        """
        self._refuse_foreign(order)
        if order.status is OrderStatus.PLANNED:
            raise UnknownOrderError(f"Order {order.order_id} was never submitted to {self.name}")
        if _lot(self._config.seed, order.order_id) < self._config.reject_frac:
            return Settlement(
                status=OrderStatus.REJECTED, reason="rejected by lot of the paper venue", settled_at=order.decided_at
            )
        expires_at = order.decided_at + self._config.max_wait_bars * order.timeframe.duration
        if bar is not None and order.decided_at <= bar.opened_at < expires_at:
            fill = self._fill(order, bar)
            if fill is not None:
                return self._filled(order, fill)
        if at >= expires_at:
            waited = f"no bar to fill on in {self._config.max_wait_bars} bars"
            return Settlement(status=OrderStatus.EXPIRED, reason=waited, settled_at=expires_at)
        return STILL_OPEN

    def wallet_usd(self, *, cash_flow_usd: float, held_usd: float) -> float:
        """Money at the start, plus what fills brought and took, plus the value of what is held; at least 0.

        That is the start plus the realised PnL of all trades and the unrealised PnL of those that are open.
        """
        return max(self._config.wallet_usd + cash_flow_usd + held_usd, 0.0)

    def _refuse_foreign(self, order: OrderRow) -> None:
        if order.venue != self.name:
            raise UnknownOrderError(f"Order {order.order_id} is for the venue {order.venue!r}, this is {self.name!r}")

    def _fill(self, order: OrderRow, bar: TokenBar) -> Fill | None:
        """Fill on a bar; None where the bar has no volume to take part in."""
        worse = self._config.slippage_bps * BPS
        fee_frac = self._config.fee_bps * BPS
        price = bar.open_usd * (1 + worse if order.side is OrderSide.BUY else 1 - worse)
        quantity = min(_wanted(order, price, fee_frac), self._available(bar))
        if quantity <= 0:
            return None
        notional = quantity * price
        return Fill(
            fill_id=f"{order.order_id}.1",
            side=order.side,
            quantity=quantity,
            price_usd=price,
            notional_usd=notional,
            fee_usd=notional * fee_frac,
            at=bar.opened_at,
        )

    def _available(self, bar: TokenBar) -> float:
        """Tokens one order may take of a bar."""
        volume = bar.volume if self._config.volume_unit == "base" else bar.volume / bar.open_usd
        return self._config.max_volume_frac * volume

    def _filled(self, order: OrderRow, fill: Fill) -> Settlement:
        wanted = _wanted(order, fill.price_usd, self._config.fee_bps * BPS)
        reason = None
        if fill.quantity < wanted:
            share = self._config.max_volume_frac
            reason = f"partial: {fill.quantity:.6g} of {wanted:.6g} tokens, {share:g} of the bar's volume"
        return Settlement(status=OrderStatus.FILLED, fills=(fill,), reason=reason, settled_at=fill.at)


def open_paper_venue(config: PmConfig) -> PaperVenue:
    """Open the venue with the money and costs of a configuration."""
    return PaperVenue(config.paper_venue)


def _wanted(order: OrderRow, price_usd: float, fee_frac: float) -> float:
    """Tokens an order asks for at a price."""
    if order.order_usd is not None:
        return order.order_usd / (1 + fee_frac) / price_usd
    return order.order_quantity or 0.0


def _lot(seed: int, order_id: str) -> float:
    """Draw a number in [0, 1), the same for the same order whenever it is drawn."""
    digest = hashlib.sha256(f"{seed}|{order_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
