"""OHLCV of DEX pools from GeckoTerminal: newest first, paged back by `before_timestamp`, 180 days without a paid key.

There is a bar only for a time with a trade, and nothing is filled here. Pages may share a bar, and the forming bar may
come twice. Prices are of the pool's base token in USD (`currency=usd`, `token=base`): the other choices are in units
of the quote token. Limits: GeckoTerminal API documentation, "Pool OHLCV".
"""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from urllib.parse import quote

from domain.vocabulary.timeframe import Timeframe
from resources.http_client import Answer, HttpClient
from resources.venue_bar import Row, VenueBars, instant, list_of, made_by, number, unexpected, venue_bars

URL = "https://api.geckoterminal.com/api/v2"
CALLS_PER_MINUTE = 25
"""Below the advertised 30."""
PAGE_LIMIT = 1000
SHORTEST_PAGE = 100
"""The page of a call without a limit; shorter ones come only where the history ends."""
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
