"""Klines of Binance, spot and USD-M perpetuals: GET, oldest first, a page at a time.

An open bar comes as the newest row. A limit above the largest is no error but gives the largest page.
Weights and limits: Binance API documentation, "LIMITS" of spot and USD-M futures.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from domain.vocabulary.timeframe import Timeframe
from resources.http_client import Answer, HttpClient
from resources.venue_bar import Row, VenueBars, instant, list_of, made_by, number, unexpected, venue_bars

SPOT_URL = "https://api.binance.com"
USD_M_URL = "https://fapi.binance.com"
SPOT_WEIGHT_PER_MINUTE = 6000
USD_M_WEIGHT_PER_MINUTE = 2400
FIRST_BAR = datetime(2017, 8, 17, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Klines:
    """What differs between the two markets."""

    source: str
    path: str
    page_limit: int
    weight: int


SPOT = Klines(source="binance_spot", path="/api/v3/klines", page_limit=1000, weight=2)
USD_M = Klines(source="binance_usd_m", path="/fapi/v1/klines", page_limit=1500, weight=10)


@dataclass(frozen=True)
class Binance:
    """One market of Binance; a symbol is its own, such as "BTCUSDT"."""

    client: HttpClient
    klines: Klines
    volume_unit: Literal["base"] = "base"

    @property
    def source(self) -> str:
        """Name of the market."""
        return self.klines.source

    def reach_start(self, timeframe: Timeframe, now: datetime) -> datetime:
        """Everything is kept."""
        return FIRST_BAR

    def bars(self, symbol: str, timeframe: Timeframe, start: datetime, end: datetime, *, now: datetime) -> VenueBars:
        """Page forward from `start`; see `CandleVenue.bars`.

        Raises
        ------
        SourceError
            Also when a page does not lead past the one before, or there are more pages than bars to fill them.
        """
        rows: list[Row] = []
        known_by, cursor = now, start
        wanted = -(-(end - start) // timeframe.duration)
        for _ in range(wanted // self.klines.page_limit + 3):
            answer = self._page(symbol, timeframe, cursor, end)
            known_by = made_by(answer, known_by)
            page = [_row(each, answer) for each in list_of(answer, answer.body, "a list of klines")]
            rows += page
            last = max((row[0] for row in page), default=end)
            if last + timeframe.duration >= min(end, now):
                return venue_bars(rows, Counter(), timeframe, (start, end), known_by)
            if last < cursor:
                raise unexpected(answer, f"bars from {cursor.isoformat()} on, the last was {last.isoformat()}")
            cursor = last + timeframe.duration
        raise unexpected(answer, f"{wanted} bars at most, in pages of {self.klines.page_limit}; there are more pages")

    def _page(self, symbol: str, timeframe: Timeframe, start: datetime, end: datetime) -> Answer:
        params = {
            "symbol": symbol,
            "interval": timeframe.value,
            "startTime": (start - _EPOCH) // _MS,
            "endTime": (end - _EPOCH) // _MS - 1,
            "limit": self.klines.page_limit,
        }
        return self.client.get(self.klines.path, params, weight=self.klines.weight)


def _row(kline: object, answer: Answer) -> Row:
    if not isinstance(kline, list) or len(kline) < 6:
        raise unexpected(answer, f"klines of at least 6 values, was {repr(kline)[:80]}")
    open_usd, high_usd, low_usd, close_usd, volume = (number(each) for each in kline[1:6])
    return instant(kline[0], _MS, answer), open_usd, high_usd, low_usd, close_usd, volume
