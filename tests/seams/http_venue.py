"""A stranger's venue: an exchange that speaks JSON over HTTP. Uses public names only.

    LOWCAP_VENUE=http_venue:open_exchange EXCHANGE_URL=http://127.0.0.1:8080

PUT /orders/ID takes an order once, whatever the number of times it is told; GET /orders/ID says what became of it.
"""

import json
import os
import urllib.error
import urllib.request
from datetime import datetime
from typing import Any

from domain.config.pm_config import PmConfig
from domain.portfolio.fill import Fill
from domain.portfolio.token_bar import TokenBar
from domain.vocabulary.action import OrderSide
from pm_runtime.portfolio_row import OrderRow, OrderStatus
from pm_runtime.venue import STILL_OPEN, Settlement, UnknownOrderError, VenueTimeoutError

NAME = "exchange"
TIMEOUT_S = 2.0


class HttpVenue:
    """One account on the exchange."""

    name = NAME

    def __init__(self, url: str, deposit_usd: float) -> None:
        self._url = url
        self._deposit_usd = deposit_usd

    def submit(self, order: OrderRow) -> None:
        if order.venue != self.name:
            raise UnknownOrderError(f"{order.order_id} is for {order.venue}")
        wanted = {"side": order.side.value, "usd": order.order_usd, "quantity": order.order_quantity}
        self._ask("PUT", order, wanted)

    def settle(self, order: OrderRow, bar: TokenBar | None, *, at: datetime) -> Settlement:
        said = self._ask("GET", order)
        status = OrderStatus(said["status"])
        if status is OrderStatus.SUBMITTED:
            return STILL_OPEN
        return Settlement(
            status=status,
            fills=tuple(_fill(each) for each in said["fills"]),
            reason=said["reason"],
            settled_at=datetime.fromisoformat(said["at"]),
        )

    def wallet_usd(self, *, cash_flow_usd: float, held_usd: float) -> float:
        return max(self._deposit_usd + cash_flow_usd + held_usd, 0.0)

    def _ask(self, method: str, order: OrderRow, body: dict[str, Any] | None = None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self._url}/orders/{order.order_id}", data=data, method=method)
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
                said: dict[str, Any] = json.load(answer)
                return said
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == 404:
                raise UnknownOrderError(f"{order.order_id} was never submitted to {self.name}") from None
            raise VenueTimeoutError(f"{order.order_id}: status {error.code}") from None
        except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
            raise VenueTimeoutError(f"{order.order_id}: {error}") from None


def open_exchange(config: PmConfig) -> HttpVenue:
    """What LOWCAP_VENUE names: called at each tick with the configuration in force."""
    return HttpVenue(os.environ["EXCHANGE_URL"], deposit_usd=10_000.0)


def _fill(row: dict[str, Any]) -> Fill:
    numbers = {name: float(row[name]) for name in ("quantity", "price_usd", "notional_usd", "fee_usd")}
    return Fill(fill_id=row["id"], side=OrderSide(row["side"]), at=datetime.fromisoformat(row["at"]), **numbers)
