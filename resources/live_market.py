"""The live market as one source: candles of each symbol from the first of its venues that has them, figures by sample.

What belongs here: which spans and figures are asked for, and when. What does not: how a venue is asked, what is done
when one does not answer, and from which file or variable the configuration comes.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from domain.regime.bar_gap import missing_spans, whole_days
from domain.regime.bar_quarantine import BAR_KEY, SERIES_KEY
from domain.regime.bar_splice import WANTED, splice
from domain.vocabulary.timeframe import Timeframe
from domain.vocabulary.universe import Universe, universe_of
from domain.vocabulary.window import Window
from resources import coingecko
from resources.candle_source import CANDLE_SCHEMA, DOMINANCE_SCHEMA, MARKET_CAP_SCHEMA, SourceTerms, require_window
from resources.coingecko import CAP_SCHEMA
from resources.geckoterminal import POOL_SCHEMA
from resources.http_client import CallLimits
from resources.live_caps import ask_coins, ask_pools, readings
from resources.live_config import LiveConfig, LiveSymbol, VenueSymbol
from resources.live_load import COMPARED_BARS, Known, LiveCounts, LiveLoad
from resources.live_offer import Offered
from resources.live_services import LiveServices, open_services
from resources.rate_limit import Stopwatch
from resources.source_error import SourceError

BRIDGED_BARS = 500
"""Missing spans with fewer bars between them are one question: the smallest page holds more."""

CAP_MAX_AGE = timedelta(days=1)
"""A window that ended longer ago is asked for no caps: what is read now would not lie in it."""

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_Key = tuple[str, str, Timeframe]


@dataclass
class LiveMemory:
    """What a process remembers between loads: when each series was last asked for, and the last figures."""

    asked_at: dict[_Key, datetime] = field(default_factory=dict)
    figures: dict[str, tuple[datetime, pl.DataFrame]] = field(default_factory=dict)

    def figure(
        self, name: str, now: datetime, every: timedelta, ask: Callable[[], pl.DataFrame | None]
    ) -> pl.DataFrame | None:
        """Give figures asked for less than `every` ago, or ask now; without an answer None, and none is kept."""
        at, found = self.figures.get(name, (_LONG_AGO, None))
        if found is not None and abs(now - at) < every:
            return found
        asked = ask()
        if asked is not None:
            self.figures[name] = (now, asked)
        return asked


@dataclass(frozen=True, eq=False)
class LiveMarket:
    """Candles, dominance and caps from the services themselves.

    A symbol's later venues are asked for what lies before the reach of the earlier ones, and for all of a span whose
    venue did not answer. Nothing is filled: a bar that no venue has is no row.

    Attributes
    ----------
    now : callable
        The present, in UTC; a bar that has not closed by then is not given.
    counts : LiveCounts
        Of this view of the market; see `at`.
    memory : LiveMemory
        Shared by all views.
    """

    config: LiveConfig
    services: LiveServices
    now: Callable[[], datetime]
    counts: LiveCounts = field(default_factory=LiveCounts)
    memory: LiveMemory = field(default_factory=LiveMemory, repr=False)
    name: str = "live"
    is_simulated: bool = False

    def at(self, instant: datetime) -> "LiveMarket":
        """View the same market at an instant, with counts that begin at zero; limits and memory are shared."""
        return replace(self, now=lambda: instant, counts=LiveCounts())

    @property
    def terms(self) -> tuple[SourceTerms, ...]:
        """Each venue's name of each symbol, in the order of trust."""
        units = {name: venue.volume_unit for name, venue in self.services.venues.items()}
        return tuple(dict.fromkeys(SourceTerms(each.source, units[each.venue]) for each in self._venue_symbols()))

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
        load = LiveLoad(self.services.venues, self.now(), self.counts)
        for symbol, timeframe in self._series(universe):
            span = max(start, self._first_open(timeframe, load.now)), min(end, timeframe.floor(load.now))
            load.add_span(symbol, timeframe, span)
        load.raise_if_nothing_answered()
        return load.bars().select(*CANDLE_SCHEMA)

    def missing_candles(self, universe: Universe, window: Window, known: pl.DataFrame) -> Offered:
        """Ask for the closed bars of a window that are not known, and for the newest ones once more.

        A window of minutes has little time: what it does not get, for want of an answer or of time, the next one asks
        for. A day that is over has no next load by itself, so its load fails when no venue answers.

        Raises
        ------
        SourceError
            If the window has a day that is over, and no venue answered.
        """
        now, days = self.now(), whole_days(window)
        load = self._load_of_days(now) if days else self._load_of_minutes(now)
        compared = known.filter(self._is_within_depth(now))
        stored, nothing = compared.partition_by(*SERIES_KEY, as_dict=True), known.clear()
        for symbol, timeframe in self._in_turn(universe):
            bars = stored.get((symbol.token_contract, symbol.chain, timeframe.value), nothing)
            self._add_missing(load, symbol, timeframe, window, bars)
        if days and days.start + timedelta(days=1) <= now:
            load.raise_if_nothing_answered()
        spliced = splice(
            _not_told_by_another(load.bars(), compared),
            compared,
            trust=[each.source for each in self._venue_symbols()],
            max_ratio=self.config.max_splice_ratio,
            anew={each.source for each in self._venue_symbols() if each.opens_anew},
        )
        return Offered(spliced.accepted, spliced.refused)

    def dominance(self, start: datetime, end: datetime) -> pl.DataFrame:
        """Sample dominance where the window reaches the present; there is no history to ask for.

        Without a current figure there is no row, which is logged and counted. Nothing old stands in for it.

        Raises
        ------
        ValueError
            If a bound is naive or `end` is before `start`.
        """
        if not self._reaches_now(start, end, self.services.coingecko.max_age):
            return pl.DataFrame(schema=DOMINANCE_SCHEMA)
        now, every = self.now(), timedelta(minutes=self.config.dominance_minutes)
        found = self.memory.figure("dominance", now, every, lambda: self._sample(now))
        return pl.DataFrame(schema=DOMINANCE_SCHEMA) if found is None else _inside(found, start, end)

    def market_caps(self, start: datetime, end: datetime) -> pl.DataFrame:
        """Read caps where the window reaches the present; there is no history to ask for.

        Raises
        ------
        ValueError
            If a bound is naive or `end` is before `start`.
        """
        if not self._reaches_now(start, end, CAP_MAX_AGE):
            return pl.DataFrame(schema=MARKET_CAP_SCHEMA)
        now, every = self.now(), timedelta(minutes=self.config.cap_minutes)
        symbols, services, counts = self.config.symbols, self.services, self.counts
        coins = self.memory.figure("coins", now, every, lambda: ask_coins(symbols, services.coingecko, counts))
        pools = self.memory.figure("pools", now, every, lambda: ask_pools(symbols, services.geckoterminal, now, counts))
        no_coins, no_pools = pl.DataFrame(schema=CAP_SCHEMA), pl.DataFrame(schema=POOL_SCHEMA)
        found = readings(symbols, no_coins if coins is None else coins, no_pools if pools is None else pools)
        return _inside(found, start, end)

    def span(self) -> tuple[datetime, datetime]:
        """Give the bounds of what is asked for: no bar lies outside, but the first may open later."""
        if not self.config.symbols:
            raise ValueError("the live market is configured without a symbol")
        now, depth = self.now(), self.config.depth_days
        return min(self._first_open(each, now) for each in depth), max(each.floor(now) for each in depth)

    def description(self) -> str:
        """How many symbols, from which venues."""
        named = {each.venue for each in self._venue_symbols()}
        venues = ", ".join(venue for venue in self.services.venues if venue in named)
        return f"{self.name}: {len(self.config.symbols)} symbols from {venues}"

    def report(self) -> Mapping[str, Any]:
        """Tell what was asked for and what was not had, since this view was made."""
        return self.counts.report()

    def _venue_symbols(self) -> list[VenueSymbol]:
        return [each for symbol in self.config.symbols for each in symbol.venues]

    def _first_open(self, timeframe: Timeframe, now: datetime) -> datetime:
        return timeframe.floor(now - timedelta(days=self.config.depth_days[timeframe]))

    def _is_within_depth(self, now: datetime) -> pl.Expr:
        """Rows of known bars that are asked for; a series whose last one is older begins anew."""
        first = {each.value: self._first_open(each, now) for each in self.config.depth_days}
        since = pl.col("timeframe").replace_strict(first, default=None, return_dtype=CANDLE_SCHEMA["timestamp"])
        return (pl.col("timestamp") >= since).fill_null(value=False)

    def _series(self, universe: Universe) -> Iterator[tuple[LiveSymbol, Timeframe]]:
        for symbol in self.config.symbols:
            if universe_of(symbol.token_contract) is universe:
                yield from ((symbol, timeframe) for timeframe in self.config.depth_days)

    def _in_turn(self, universe: Universe) -> list[tuple[LiveSymbol, Timeframe]]:
        """Series of a universe, the one that has waited longest first."""
        return sorted(self._series(universe), key=lambda series: self.memory.asked_at.get(_key(*series), _LONG_AGO))

    def _load_of_days(self, now: datetime) -> LiveLoad:
        return LiveLoad(self.services.venues, now, self.counts, COMPARED_BARS)

    def _load_of_minutes(self, now: datetime) -> LiveLoad:
        monotonic = self.services.stopwatch.monotonic
        end = monotonic() + self.config.minute_budget_s
        return LiveLoad(self.services.hurried, now, self.counts, COMPARED_BARS, is_over=lambda: monotonic() >= end)

    def _add_missing(
        self, load: LiveLoad, symbol: LiveSymbol, timeframe: Timeframe, window: Window, bars: pl.DataFrame
    ) -> None:
        """Ask for the missing spans of one series, unless time is up."""
        spans = missing_spans(
            bars["timestamp"],
            timeframe,
            window,
            since=self._first_open(timeframe, load.now),
            as_of=load.now,
            recheck=timedelta(hours=self.config.recheck_hours),
            bridged_bars=BRIDGED_BARS,
        )
        if spans and load.is_over():
            self.counts.postponed[symbol.token_contract] += 1
            return
        settled = load.settled
        for span in spans:
            load.add_span(symbol, timeframe, (span.start, span.end), _known(bars, timeframe, span, load.now))
        if load.settled > settled:
            self.memory.asked_at[_key(symbol, timeframe)] = load.now

    def _reaches_now(self, start: datetime, end: datetime, max_age: timedelta) -> bool:
        """Whether what is read now can lie in a window."""
        require_window(start, end)
        now = self.now()
        return now - max_age < end and start <= now and start < end

    def _sample(self, now: datetime) -> pl.DataFrame | None:
        self.counts.asked[coingecko.SOURCE] += 1
        try:
            return self.services.coingecko.dominance(now)
        except SourceError as error:
            self.counts.fail(coingecko.SOURCE, "dominance", error)
            return None


def _key(symbol: LiveSymbol, timeframe: Timeframe) -> _Key:
    return symbol.token_contract, symbol.chain, timeframe


def _known(bars: pl.DataFrame, timeframe: Timeframe, span: Window, now: datetime) -> Known | None:
    """Where stored bars lie beside a span: before it, or else behind it."""
    before = bars.filter(pl.col("timestamp") < span.start)["timestamp"].max()
    behind = bars.filter(pl.col("timestamp") >= span.end)["timestamp"].min()
    reach, sources = COMPARED_BARS * timeframe.duration, frozenset(bars["source"])
    if isinstance(before, datetime):
        return Known(sources, before - reach, span.end)
    if isinstance(behind, datetime):
        return Known(sources, span.start, min(behind + reach, timeframe.floor(now)))
    return Known(sources, span.start, span.end) if sources else None


def _not_told_by_another(bars: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Mark bars that are known from another source as not wanted: one that stands in replaces nothing."""
    told_by = known.select(*BAR_KEY, told_by="source")
    is_new = (pl.col("told_by") == pl.col("source")).fill_null(value=True)
    return bars.join(told_by, on=list(BAR_KEY), how="left").with_columns(pl.col(WANTED) & is_new).drop("told_by")


def _inside(rows: pl.DataFrame, start: datetime, end: datetime) -> pl.DataFrame:
    return rows.filter(pl.col("timestamp").is_between(start, end, closed="left"))


def open_live_market(
    config: LiveConfig,
    now: Callable[[], datetime],
    *,
    stopwatch: Stopwatch | None = None,
    limits: CallLimits | None = None,
) -> LiveMarket:
    """Join the services of a configuration; asks nobody yet. Raises as `open_services`."""
    return LiveMarket(config, open_services(config, stopwatch=stopwatch, limits=limits), now)
