"""Bars and size of DEX pools from GeckoTerminal.

Bars come newest first, paged back by `before_timestamp`, 180 days without a paid key. There is a bar only for a time
with a trade, and nothing is filled here. Pages may share a bar, and the forming bar may come twice. Prices are of the
pool's base token in USD (`currency=usd`, `token=base`): the other choices are in units of the quote token. Limits:
GeckoTerminal API documentation, "Pool OHLCV" and "Multiple pools".
"""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from urllib.parse import quote

import polars as pl

from domain.vocabulary.timeframe import Timeframe
from resources.http_client import Answer, CallLimits, HttpClient
from resources.venue_bar import Row, VenueBars, instant, list_of, made_by, number, unexpected, venue_bars

URL = "https://api.geckoterminal.com/api/v2"
BAR_CALLS_PER_MINUTE = 20
POOL_CALLS_PER_MINUTE = 5
"""Together below the advertised 30; apart, so that bars do not starve the caps."""
PAGE_LIMIT = 1000
SHORTEST_PAGE = 100
"""The page of a call without a limit; shorter ones come only where the history ends."""
POOLS_A_CALL = 30
CAP_SOURCE = "geckoterminal_pools"
PATIENT = CallLimits(backoff_s=5.0)
"""It answers 429 after a handful of quick calls, with a Retry-After of 0: only waiting helps."""
POOL_SCHEMA: dict[str, pl.DataType] = {
    "pool": pl.String(),
    **{name: pl.Float64() for name in ("market_cap_usd", "fdv_usd", "volume_24h_usd", "liquidity_usd")},
    "updated_at": pl.Datetime("us", "UTC"),
}
_SECOND = timedelta(seconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_INTERVALS: dict[Timeframe, tuple[str, int]] = {
    Timeframe.M1: ("minute", 1),
    Timeframe.M5: ("minute", 5),
    Timeframe.M15: ("minute", 15),
    Timeframe.H1: ("hour", 1),
    Timeframe.H4: ("hour", 4),
    Timeframe.D1: ("day", 1),
}


@dataclass(frozen=True)
class GeckoTerminal:
    """Pools of decentralised exchanges; a symbol is network and pool address, such as "solana/8sLb...Pump"."""

    client: HttpClient
    reach: timedelta = timedelta(days=180)
    page_limit: int = PAGE_LIMIT
    source: str = "geckoterminal"
    volume_unit: Literal["usd"] = "usd"

    def reach_start(self, timeframe: Timeframe, now: datetime) -> datetime:
        """Open of the first bar that lies wholly within the reach."""
        return timeframe.floor(now - self.reach) + timeframe.duration

    def bars(self, symbol: str, timeframe: Timeframe, start: datetime, end: datetime, *, now: datetime) -> VenueBars:
        """Page back from `end` until a page begins at or before `start`, or is empty; see `CandleVenue.bars`.

        A short page is no end: only an empty one, or one that leads no further back, is.
        """
        rows: list[Row] = []
        known_by, before = now, end
        wanted = -(-(end - start) // timeframe.duration)
        for _ in range(wanted // SHORTEST_PAGE + 5):
            answer = self._page(symbol, timeframe, before, min(wanted + 1, self.page_limit))
            known_by = made_by(answer, known_by)
            page = [_row(each, answer) for each in _listed(answer)]
            rows += page
            oldest = min((row[0] for row in page), default=before)
            if oldest <= start or oldest >= before:
                return venue_bars(rows, Counter(), timeframe, (start, end), known_by)
            before = oldest
        raise unexpected(answer, f"{wanted} bars at most, in pages of {SHORTEST_PAGE} or more; there are more pages")

    def pools(self, symbols: Collection[str], *, now: datetime) -> pl.DataFrame:
        """Read the size of pools, up to 30 of a network a call.

        Returns
        -------
        DataFrame
            Columns of `POOL_SCHEMA`, one row a symbol it knows, sorted. Values are as received; the cap is null where
            nobody has told the circulating supply, which is so for every new pool. `updated_at` is when the answer was
            made, cut to the minute: it is cached for one.

        Raises
        ------
        SourceError
            If there is no answer, or it has another shape.
        """
        networks: dict[str, list[str]] = {}
        for symbol in sorted(set(symbols)):
            network, _, address = symbol.partition("/")
            networks.setdefault(network, []).append(address)
        rows = [
            row
            for network, addresses in networks.items()
            for first in range(0, len(addresses), POOLS_A_CALL)
            for row in self._pools_of(network, addresses[first : first + POOLS_A_CALL], now)
        ]
        return pl.DataFrame(rows, schema=POOL_SCHEMA, orient="row").unique("pool", keep="first").sort("pool")

    def _pools_of(self, network: str, addresses: list[str], now: datetime) -> list[tuple[object, ...]]:
        listed = ",".join(quote(address, safe="") for address in addresses)
        answer = self.client.get(f"/networks/{quote(network, safe='')}/pools/multi/{listed}")
        data = answer.body.get("data") if isinstance(answer.body, dict) else None
        at = Timeframe.M1.floor(made_by(answer, now))
        asked = {_spelled(address): address for address in addresses}
        pools = [_pool(each, answer) for each in list_of(answer, data, "a list of pools in data")]
        return [(f"{network}/{asked[name]}", *values, at) for name, values in pools if name in asked]

    def _page(self, symbol: str, timeframe: Timeframe, before: datetime, limit: int) -> Answer:
        network, _, pool = symbol.partition("/")
        unit, aggregate = _INTERVALS[timeframe]
        params: dict[str, str | int] = {
            "aggregate": aggregate,
            "before_timestamp": (before - _EPOCH) // _SECOND,
            "limit": limit,
            "currency": "usd",
            "token": "base",
        }
        return self.client.get(f"/networks/{quote(network, safe='')}/pools/{quote(pool, safe='')}/ohlcv/{unit}", params)


def _spelled(address: str) -> str:
    """Spell an address so that it may be compared: hexadecimal ones are told in either case."""
    return address.lower() if address.lower().startswith("0x") else address


def _pool(pool: object, answer: Answer) -> tuple[str, tuple[float | None, ...]]:
    """Address of a pool; its cap, FDV, volume and liquidity."""
    told = pool.get("attributes") if isinstance(pool, dict) else None
    if not isinstance(told, dict) or not isinstance(told.get("address"), str):
        raise unexpected(answer, f"pools with attributes.address, was {repr(pool)[:80]}")
    volume = told.get("volume_usd")
    traded = volume.get("h24") if isinstance(volume, dict) else None
    values = (told.get("market_cap_usd"), told.get("fdv_usd"), traded, told.get("reserve_in_usd"))
    return _spelled(told["address"]), tuple(number(value) for value in values)


def _listed(answer: Answer) -> list[object]:
    node = answer.body
    for name in ("data", "attributes", "ohlcv_list"):
        if not isinstance(node, dict) or name not in node:
            raise unexpected(answer, f"data.attributes.ohlcv_list, {name} is missing")
        node = node[name]
    return list_of(answer, node, "a list of bars")


def _row(bar: object, answer: Answer) -> Row:
    if not isinstance(bar, list) or len(bar) < 6:
        raise unexpected(answer, f"bars of 6 values, was {repr(bar)[:80]}")
    open_usd, high_usd, low_usd, close_usd, volume = (number(each) for each in bar[1:6])
    return instant(bar[0], _SECOND, answer), open_usd, high_usd, low_usd, close_usd, volume
