"""The live market as one source of candles: each symbol from the first of its venues that has it, dominance by sample.

What belongs here: who is asked, in which order, and what is done when one does not answer. What does not: how a venue
is asked, and from which folder or variable the configuration comes.
"""

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import polars as pl
from pydantic import SecretStr

from domain.vocabulary.timeframe import Timeframe
from domain.vocabulary.universe import Universe, universe_of
from resources import binance, coingecko, geckoterminal, hyperliquid
from resources.candle_source import CANDLE_SCHEMA, DOMINANCE_SCHEMA, SourceTerms, require_window
from resources.coingecko import CoinGecko
from resources.http_client import CallLimits, HttpClient
from resources.live_config import LiveConfig, LiveSymbol, VenueName, VenueSymbol
from resources.rate_limit import RateLimit, Stopwatch
from resources.source_error import RequestRefusedError, SourceError
from resources.venue_bar import CandleVenue, VenueBars

logger = logging.getLogger(__name__)

FAILURES_BEFORE_A_VENUE_IS_LEFT = 2
"""In a row, within one load; after that its symbols go to their next venue at once."""


@dataclass
class LiveCounts:
    """What did not become a row, since the market was opened. Every count was logged when it was made.

    Attributes
    ----------
    left_out : Counter of (source, token_contract, timeframe, reason)
        Rows of answers that are no bar: forming, repeated, without a trade.
    failed : Counter of (source, token_contract)
        Series not had: no usable answer, or not asked for because the venue had failed just before.
    """

    left_out: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)
    failed: Counter[tuple[str, str]] = field(default_factory=Counter)


@dataclass
class _Load:
    """One call of `candles`: its bars, and which venues failed how often in a row."""

    now: datetime
    frames: list[pl.DataFrame] = field(default_factory=list)
    in_a_row: Counter[VenueName] = field(default_factory=Counter)
    answered: int = 0
    last_error: SourceError | None = None

    def is_left(self, venue: VenueName) -> bool:
        return self.in_a_row[venue] >= FAILURES_BEFORE_A_VENUE_IS_LEFT


@dataclass(frozen=True, eq=False)
class LiveMarket:
    """Candles and dominance from the venues themselves, read anew with every call.

    A symbol's later venues are asked for what lies before the reach of the earlier ones, and for all of a window whose
    venue did not answer. Nothing is filled: a bar that no venue has is no row.

    Attributes
    ----------
    symbols : tuple of LiveSymbol
        What is traded where.
    venues : mapping of VenueName to CandleVenue
        In order of trust.
    depth : mapping of Timeframe to timedelta
        Native timeframes and how far back each is asked for.
    now : callable
        The present, in UTC; a bar that has not closed by then is not given.
    """

    symbols: tuple[LiveSymbol, ...]
    venues: Mapping[VenueName, CandleVenue]
    depth: Mapping[Timeframe, timedelta]
    now: Callable[[], datetime]
    coingecko: CoinGecko | None = None
    counts: LiveCounts = field(default_factory=LiveCounts)
    name: str = "live"
    is_simulated: bool = False

    @property
    def terms(self) -> tuple[SourceTerms, ...]:
        """Venues that any symbol names."""
        named = {each.venue for symbol in self.symbols for each in symbol.venues}
        return tuple(SourceTerms(at.source, at.volume_unit) for name, at in self.venues.items() if name in named)

    def candles(self, universe: Universe, start: datetime, end: datetime) -> pl.DataFrame:
        """Give the closed bars of the window.

        Raises
        ------
        ValueError
            If a bound is naive or `end` is before `start`.
        SourceError
            If no venue answered at all; a symbol that none answered for is missing, logged and counted.
        """
        require_window(start, end)
        load = _Load(now=self.now())
        for symbol in self.symbols:
            if universe_of(symbol.token_contract) is universe:
                for timeframe in self.depth:
                    self._load_series(symbol, timeframe, start, end, load)
        if load.last_error is not None and load.answered == 0:
            raise load.last_error
        return pl.concat([pl.DataFrame(schema=CANDLE_SCHEMA), *load.frames])

    def dominance(self, start: datetime, end: datetime) -> pl.DataFrame:
        """Sample dominance where the window reaches the present; there is no history to ask for.

        Raises
        ------
        ValueError
            If a bound is naive or `end` is before `start`.
        SourceError
            If there is no current figure.
        """
        require_window(start, end)
        empty, now = pl.DataFrame(schema=DOMINANCE_SCHEMA), self.now()
        if self.coingecko is None or end <= now - self.coingecko.max_age or start > now or start == end:
            return empty
        samples = self.coingecko.dominance(now)
        return samples.filter(pl.col("timestamp").is_between(start, end, closed="left"))

    def span(self) -> tuple[datetime, datetime]:
        """Give the bounds of what is asked for: no bar lies outside, but the first may open later."""
        if not self.depth or not self.symbols:
            raise ValueError("the live market is configured without a symbol or a timeframe")
        now = self.now()
        return min(self._first_open(each, now) for each in self.depth), max(each.floor(now) for each in self.depth)

    def description(self) -> str:
        """How many symbols, from which venues."""
        venues = ", ".join(terms.source for terms in self.terms)
        return f"{self.name}: {len(self.symbols)} symbols from {venues}"

    def _first_open(self, timeframe: Timeframe, now: datetime) -> datetime:
        return timeframe.floor(now - self.depth[timeframe])

    def _load_series(
        self, symbol: LiveSymbol, timeframe: Timeframe, start: datetime, end: datetime, load: _Load
    ) -> None:
        """Bars of one symbol and timeframe from its venues, the earlier ones first."""
        first, until = max(start, self._first_open(timeframe, load.now)), min(end, timeframe.floor(load.now))
        for wanted in symbol.venues:
            venue = self.venues[wanted.venue]
            reached = max(first, venue.reach_start(timeframe, load.now), wanted.listed_at or first)
            if reached >= until:
                continue
            if load.is_left(wanted.venue):
                self.counts.failed[venue.source, symbol.token_contract] += 1
                continue
            found = self._ask(symbol, wanted, timeframe, (reached, until), load)
            if found is not None:
                load.frames.append(_as_candles(found.bars, symbol, wanted, timeframe, venue))
                until = reached
            if first >= until:
                return

    def _ask(
        self,
        symbol: LiveSymbol,
        wanted: VenueSymbol,
        timeframe: Timeframe,
        window: tuple[datetime, datetime],
        load: _Load,
    ) -> VenueBars | None:
        """Bars of a venue; None, logged and counted, if it does not give them."""
        venue, about = self.venues[wanted.venue], symbol.token_contract
        try:
            found = venue.bars(wanted.symbol, timeframe, *window, now=load.now)
        except SourceError as error:
            load.last_error = error
            load.in_a_row[wanted.venue] += not isinstance(error, RequestRefusedError)
            self.counts.failed[venue.source, about] += 1
            logger.warning("venue_failed: %s %s %s: %s", venue.source, about, timeframe.value, error)
            return None
        load.answered += 1
        load.in_a_row[wanted.venue] = 0
        for reason, count in found.left_out.items():
            self.counts.left_out[venue.source, about, timeframe.value, reason] += count
        if found.left_out:
            logger.info(
                "rows_left_out: %s %s %s: %s",
                venue.source,
                about,
                timeframe.value,
                dict(sorted(found.left_out.items())),
            )
        return found


def open_live_market(
    config: LiveConfig,
    now: Callable[[], datetime],
    *,
    stopwatch: Stopwatch | None = None,
    limits: CallLimits | None = None,
) -> LiveMarket:
    """Join the venues of a configuration; asks nobody yet.

    Raises
    ------
    ValueError
        If a base URL holds a user, a password or a query, or a key is no header value.
    """

    def client(url: str, per_minute: int, secrets: Mapping[str, SecretStr] | None = None) -> HttpClient:
        rate = RateLimit(per_minute, stopwatch or Stopwatch())
        return HttpClient(url, rate, secrets or {}, limits or CallLimits())

    key = config.coingecko_demo_key
    gecko_rate = coingecko.DEMO_CALLS_PER_MINUTE if key else coingecko.KEYLESS_CALLS_PER_MINUTE
    venues: dict[VenueName, CandleVenue] = {
        "hyperliquid": hyperliquid.Hyperliquid(client(config.hyperliquid_url, hyperliquid.WEIGHT_PER_MINUTE)),
        "binance_usd_m": binance.Binance(
            client(config.binance_usd_m_url, binance.USD_M_WEIGHT_PER_MINUTE), binance.USD_M
        ),
        "binance_spot": binance.Binance(client(config.binance_spot_url, binance.SPOT_WEIGHT_PER_MINUTE), binance.SPOT),
        "geckoterminal": geckoterminal.GeckoTerminal(client(config.geckoterminal_url, geckoterminal.CALLS_PER_MINUTE)),
    }
    return LiveMarket(
        symbols=config.symbols,
        venues=venues,
        depth={timeframe: timedelta(days=days) for timeframe, days in config.depth_days.items()},
        now=now,
        coingecko=CoinGecko(client(config.coingecko_url, gecko_rate, coingecko.demo_key_header(key))),
    )


def _as_candles(
    bars: pl.DataFrame, symbol: LiveSymbol, wanted: VenueSymbol, timeframe: Timeframe, venue: CandleVenue
) -> pl.DataFrame:
    """Bars in the port's shape; a contract of many coins is priced and counted by the coin."""
    prices = ("open_usd", "high_usd", "low_usd", "close_usd")
    return bars.with_columns(
        *(pl.col(name) / wanted.coins for name in prices),
        volume=pl.col("volume") * (wanted.coins if venue.volume_unit == "base" else 1.0),
        token_contract=pl.lit(symbol.token_contract),
        chain=pl.lit(symbol.chain),
        timeframe=pl.lit(timeframe.value),
        source=pl.lit(venue.source),
    ).select(CANDLE_SCHEMA.keys())
