"""An exchange on 127.0.0.1 with books, which the stranger's venue speaks to, and the means to arrange what it does."""

import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from json import dumps, loads
from typing import Any

from domain.portfolio.token_bar import TokenBar
from pm_runtime.portfolio_row import OrderRow
from pm_runtime.venue import Settlement, Venue
from tests.portfolio_rows import BAR
from tests.seams.http_venue import HttpVenue

NEXT = BAR.following()
FEE_FRAC = 0.001


class Exchange(ThreadingHTTPServer):
    """Orders by id, and what became of each."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.orders: dict[str, dict[str, Any]] = {}
        self.taken: Counter[str] = Counter()
        self.said: dict[str, dict[str, Any]] = {}
        self.failures: list[int] = []
        """Statuses that the next calls get, after what they asked for was done."""
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def close(self) -> None:
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: Exchange

    def do_PUT(self) -> None:
        order_id = self.path.rpartition("/")[2]
        wanted = loads(self.rfile.read(int(self.headers["Content-Length"])))
        if order_id not in self.server.orders:
            self.server.orders[order_id] = wanted
            self.server.taken[order_id] += 1
        self._answer(200, {})

    def do_GET(self) -> None:
        order_id = self.path.rpartition("/")[2]
        if order_id not in self.server.orders:
            self._answer(404, {})
        else:
            self._answer(200, self.server.said.get(order_id, {"status": "submitted"}))

    def log_message(self, format: str, *args: Any) -> None:
        """Not a word on the terminal."""

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        content = dumps(body).encode()
        self.send_response_only(self.server.failures.pop(0) if self.server.failures else status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


class ExchangeHarness:
    """The stranger's venue, and the exchange behind it."""

    def __init__(self) -> None:
        self.exchange = Exchange()
        self.venue: Venue = HttpVenue(self.exchange.url, deposit_usd=1_000.0)
        self._bar: TokenBar | None = None

    def fill(self, order: OrderRow, *, frac: float = 1.0, price_usd: float = 2.0) -> None:
        quantity = frac * (order.order_quantity or (order.order_usd or 0.0) / (1 + FEE_FRAC) / price_usd)
        fill = {"id": f"{order.order_id}.1", "side": order.side.value, "quantity": quantity, "price_usd": price_usd}
        money = {"notional_usd": quantity * price_usd, "fee_usd": quantity * price_usd * FEE_FRAC}
        self._say(order, "filled", None if frac == 1.0 else "partial: the book was empty", fill | money)

    def reject(self, order: OrderRow) -> None:
        self._say(order, "rejected", "no such market")

    def ask(self, order: OrderRow) -> Settlement:
        return self.venue.settle(order, self._bar, at=NEXT.closed_at)

    def close(self) -> None:
        self.exchange.close()

    def _say(self, order: OrderRow, status: str, reason: str | None, *fills: dict[str, Any]) -> None:
        at = NEXT.timestamp.isoformat()
        said = {"status": status, "reason": reason, "at": at, "fills": [fill | {"at": at} for fill in fills]}
        self.exchange.said[order.order_id] = said
