"""Candles of Hyperliquid's perpetuals: `candleSnapshot`, the newest 5000 bars of an interval and no more.

The parameters stand in `req`; without it the answer is 422. Bars without a trade repeat a price, and those from before
a coin was listed are filled from an index: both have volume 0 and no trades, tell nothing, and are left out.
Weights: Hyperliquid API documentation, "Rate limits": 20 a call and 1 more for every 60 candles.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from domain.vocabulary.timeframe import Timeframe
from resources.http_client import Answer, HttpClient
from resources.venue_bar import NO_TRADE, Row, VenueBars, instant, list_of, made_by, number, unexpected, venue_bars

URL = "https://api.hyperliquid.xyz"
WEIGHT_PER_MINUTE = 1200
SNAPSHOT_WEIGHT = 20
CANDLES_A_WEIGHT = 60
_MS = timedelta(milliseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Hyperliquid:
    """Perpetuals of Hyperliquid; a symbol is its coin, such as "BTC" or "kPEPE"."""

    client: HttpClient
    reach_bars: int = 5000
    source: str = "hyperliquid"
    volume_unit: Literal["base"] = "base"

    def reach_start(self, timeframe: Timeframe, now: datetime) -> datetime:
        """Open of the oldest of the newest `reach_bars` bars, the forming one among them."""
        return timeframe.floor(now) - (self.reach_bars - 1) * timeframe.duration

    def bars(self, symbol: str, timeframe: Timeframe, start: datetime, end: datetime, *, now: datetime) -> VenueBars:
        """One snapshot, and further ones while an answer ends early; see `CandleVenue.bars`."""
        rows: list[Row] = []
        left_out: Counter[str] = Counter()
        known_by, cursor = now, start
        wanted = -(-(end - start) // timeframe.duration)
        for _ in range(wanted // 500 + 3):  # some answers of this API stop at 500 elements
            answer = self._snapshot(symbol, timeframe, cursor, end)
            known_by = made_by(answer, known_by)
            candles = list_of(answer, answer.body or [], "a list of candles")  # null: it knows none
            self.client.rate.charge(len(candles) // CANDLES_A_WEIGHT)
            opens = [self._read(candle, answer, (start, end), rows, left_out) for candle in candles]
            last = max(opens, default=end)
            if last + timeframe.duration >= min(end, now):
                return venue_bars(rows, left_out, timeframe, (start, end), known_by)
            if last < cursor:
                raise unexpected(answer, f"candles from {cursor.isoformat()} on, the last was {last.isoformat()}")
            cursor = last + timeframe.duration
        raise unexpected(answer, f"{wanted} candles at most, in pages of 500 or more; there are more pages")

    def _snapshot(self, symbol: str, timeframe: Timeframe, start: datetime, end: datetime) -> Answer:
        requested = {
            "coin": symbol,
            "interval": timeframe.value,
            "startTime": (start - _EPOCH) // _MS,
            "endTime": (end - _EPOCH) // _MS - 1,
        }
        return self.client.post("/info", {"type": "candleSnapshot", "req": requested}, weight=SNAPSHOT_WEIGHT)

    def _read(
        self,
        candle: Any,
        answer: Answer,
        window: tuple[datetime, datetime],
        rows: list[Row],
        left_out: Counter[str],
    ) -> datetime:
        """Add one candle to the rows or to what is left out; give its open."""
        if not isinstance(candle, dict) or not {"t", "o", "h", "l", "c", "v"} <= candle.keys():
            raise unexpected(answer, f"candles with t, o, h, l, c, v, was {repr(candle)[:80]}")
        at = instant(candle["t"], _MS, answer)
        open_usd, high_usd, low_usd, close_usd, volume = (number(candle[name]) for name in "ohlcv")
        if volume == 0 and candle.get("n", 0) == 0:
            left_out[NO_TRADE] += window[0] <= at < window[1]
        else:
            rows.append((at, open_usd, high_usd, low_usd, close_usd, volume))
        return at
