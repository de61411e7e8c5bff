"""One load from live venues: who is asked for a span of a series, and what is done when one does not answer.

What belongs here: order, failures, counts. What does not: which spans, and whether the answers fit together.
"""

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import polars as pl

from domain.regime.bar_quarantine import RAW_SCHEMA
from domain.regime.bar_splice import WANTED
from domain.vocabulary.timeframe import Timeframe
from resources.live_config import LiveSymbol, VenueName, VenueSymbol
from resources.source_error import RequestRefusedError, SourceError
from resources.venue_bar import CandleVenue, VenueBars

logger = logging.getLogger(__name__)

FAILURES_BEFORE_A_VENUE_IS_LEFT = 2
"""In a row, within one load; after that its symbols go to their next venue at once."""

COMPARED_BARS = 60
"""Bars asked for besides, so that two sources of a series have some in common: pools do not trade every minute."""


@dataclass
class LiveCounts:
    """What did not become a row, since the market was opened. Every count was logged when it was made.

    Attributes
    ----------
    asked : Counter of source
        Spans and figures asked for; a span may take several calls.
    left_out : Counter of (source, token_contract, timeframe, reason)
        Rows of answers that are no bar: forming, repeated, without a trade.
    failed : Counter of (source, what)
        Not had, of a token or a figure: no usable answer, or not asked for because the venue had failed just before.
    postponed : Counter of token_contract
        Series not asked for because time was up; the next load begins with them.
    """

    asked: Counter[str] = field(default_factory=Counter)
    left_out: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)
    failed: Counter[tuple[str, str]] = field(default_factory=Counter)
    postponed: Counter[str] = field(default_factory=Counter)

    def report(self) -> dict[str, Any]:
        """Give the counts as a materialization shows them."""
        left_out: Counter[str] = Counter()
        for (source, _, _, reason), count in self.left_out.items():
            left_out[f"{source} {reason}"] += count
        return {
            "spans_asked_for": dict(sorted(self.asked.items())),
            "rows_left_out": dict(sorted(left_out.items())),
            "not_had": {f"{source} {what}": count for (source, what), count in sorted(self.failed.items())},
            "series_postponed": sum(self.postponed.values()),
        }

    def fail(self, source: str, what: str, error: SourceError) -> None:
        """Count and log what could not be had."""
        self.failed[source, what] += 1
        logger.warning("venue_failed: %s %s: %s", source, what, error)


@dataclass(frozen=True)
class Known:
    """What is stored of a series: its sources, and where bars lie that another source can be compared with."""

    sources: frozenset[str]
    first: datetime
    end: datetime


@dataclass
class LiveLoad:
    """Bars of one load, and which venues failed how often in a row.

    Attributes
    ----------
    compared_bars : int
        How far beyond its span a further source of a series is asked, to be compared.
    settled : int
        Questions that were answered or refused for good.
    """

    venues: Mapping[VenueName, CandleVenue]
    now: datetime
    counts: LiveCounts
    compared_bars: int = 0
    is_over: Callable[[], bool] = bool
    frames: list[pl.DataFrame] = field(default_factory=list)
    in_a_row: Counter[VenueName] = field(default_factory=Counter)
    settled: int = 0
    answered: int = 0
    last_error: SourceError | None = None

    def bars(self) -> pl.DataFrame:
        """Rows of all answers: columns of `RAW_SCHEMA` and `is_wanted`."""
        return pl.concat([pl.DataFrame(schema={**RAW_SCHEMA, WANTED: pl.Boolean()}), *self.frames])

    def raise_if_nothing_answered(self) -> None:
        """Raise the last error if no question was answered and one failed."""
        if self.last_error is not None and self.answered == 0:
            raise self.last_error

    def add_span(
        self, symbol: LiveSymbol, timeframe: Timeframe, span: tuple[datetime, datetime], known: Known | None = None
    ) -> None:
        """Ask for the closed bars of a span: the earlier venues first, a later one for what lies before their reach."""
        start, end = span
        until = end
        for wanted in symbol.venues:
            venue = self.venues[wanted.venue]
            oldest = max(
                venue.reach_start(timeframe, self.now), wanted.listed_at or venue.reach_start(timeframe, self.now)
            )
            reached = max(start, oldest)
            if reached >= until:
                continue
            if self.in_a_row[wanted.venue] >= FAILURES_BEFORE_A_VENUE_IS_LEFT:
                self.counts.failed[venue.source, symbol.token_contract] += 1
                continue
            further = min(end, until + self.compared_bars * timeframe.duration)
            asked = (reached, further)
            if known is not None and wanted.source not in known.sources:
                asked = (min(reached, max(oldest, known.first)), max(further, known.end))
            found = self._ask(symbol, wanted, timeframe, asked)
            if found is not None:
                is_wanted = pl.col("timestamp").is_between(reached, until, closed="left")
                self.frames.append(
                    _as_candles(found.bars, symbol, wanted, timeframe, venue).with_columns(is_wanted.alias(WANTED))
                )
                until = reached
            if start >= until:
                return

    def _ask(
        self, symbol: LiveSymbol, wanted: VenueSymbol, timeframe: Timeframe, span: tuple[datetime, datetime]
    ) -> VenueBars | None:
        """Bars of a venue; None, logged and counted, if it does not give them."""
        venue, about = self.venues[wanted.venue], symbol.token_contract
        self.counts.asked[venue.source] += 1
        try:
            found = venue.bars(wanted.symbol, timeframe, *span, now=self.now)
        except SourceError as error:
            is_refused = isinstance(error, RequestRefusedError)
            self.last_error = error
            self.settled += is_refused
            self.in_a_row[wanted.venue] += not is_refused
            self.counts.failed[venue.source, about] += 1
            logger.warning("venue_failed: %s %s %s: %s", venue.source, about, timeframe.value, error)
            return None
        self.settled += 1
        self.answered += 1
        self.in_a_row[wanted.venue] = 0
        for reason, count in found.left_out.items():
            self.counts.left_out[venue.source, about, timeframe.value, reason] += count
        if found.left_out:
            told = dict(sorted(found.left_out.items()))
            logger.info("rows_left_out: %s %s %s: %s", venue.source, about, timeframe.value, told)
        return found


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
        source=pl.lit(wanted.source),
    ).select(RAW_SCHEMA.keys())
