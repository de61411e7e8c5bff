"""A made-up market with real-looking faults: five majors, low-caps of every size, dominance. Nothing in it is real.

What belongs here: the source of the port, which days come in which timeframe, dominance from the simulated caps. What
does not: how paths are drawn (`simulated_path`, `simulated_bridge`).

A row depends on the seed, the start, the instrument and its day, never on the window asked for: the rows of a window
are those of any larger one, cut. Nothing is drawn but the days asked for, apart from the daily paths.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from domain.vocabulary.timeframe import Timeframe
from domain.vocabulary.universe import Universe
from resources.candle_source import (
    CANDLE_SCHEMA,
    DOMINANCE_SCHEMA,
    MARKET_CAP_SCHEMA,
    SourceTerms,
    require_window,
)
from resources.simulated_breakout import BreakoutListing
from resources.simulated_bridge import draws, split
from resources.simulated_dominance import dominance_pct
from resources.simulated_imperfection import impair
from resources.simulated_instrument import Instrument, lowcaps, majors
from resources.simulated_path import Bars, FloatArray, daily_bars

SOURCE = "simulated"
LISTED_DAY = 380
"""Day of the market from which the breakouts trade: with 500 days, all of their bars are hours."""
DAY = timedelta(days=1)
UTC_US = pl.Datetime("us", "UTC")

_HOUR_LAYER, _MINUTE_LAYER = 2, 3
_CORRELATION = {Universe.MAJORS: 0.7, Universe.LOWCAP: 0.4}


@dataclass(frozen=True)
class SimulatedMarket:
    """Seeded market over [start, end).

    A day comes in one timeframe only: 1m within the last `minute_days`, 1h within the last `hour_days`, else 1d.

    Attributes
    ----------
    end : datetime
        Midnight UTC after the last day.
    seed : int
        Decides everything that is drawn.
    start : datetime, optional
        Midnight UTC of the first day; 500 days before the end when absent.
    minute_days, hour_days : int
        Reach of the finer timeframes, in days before the end.
    n_lowcaps : int
        Number of low-caps, spread evenly over the five tiers; 40 makes just the 8 members a bucket needs.
    n_breakouts : int
        Number of low-caps listed on day `LISTED_DAY` whose breakouts carry the planted edges; hourly bars at most.
    imperfections : bool
        Whether the bars of the other low-caps, where finer than a day, have faults in them.
    """

    end: datetime
    seed: int = 7
    start: datetime | None = None
    minute_days: int = 8
    hour_days: int = 120
    n_lowcaps: int = 40
    n_breakouts: int = 0
    imperfections: bool = True

    def __post_init__(self) -> None:
        for name, at in (("end", self.end), ("start", self.first_day)):
            if at.tzinfo is None or at.utcoffset() != timedelta(0) or Timeframe.D1.floor(at) != at:
                raise ValueError(f"{name} must be midnight UTC, was {at!r}")
        if self.first_day >= self.end or not self._is_sound:
            raise ValueError(f"start < end, 0 <= minute_days <= hour_days and counts >= 0 must hold, was {self}")

    @property
    def _is_sound(self) -> bool:
        return 0 <= self.minute_days <= self.hour_days and min(self.n_lowcaps, self.n_breakouts) >= 0

    @property
    def first_day(self) -> datetime:
        """Midnight UTC of the first day."""
        return self.end - 500 * DAY if self.start is None else self.start

    @property
    def name(self) -> str:
        """Name that says what it is."""
        return "simulated_market"

    @property
    def is_simulated(self) -> bool:
        """Always."""
        return True

    @property
    def terms(self) -> tuple[SourceTerms, ...]:
        """One source, volume in coins."""
        return (SourceTerms(SOURCE, "base"),)

    def span(self) -> tuple[datetime, datetime]:
        """First midnight and end."""
        return self.first_day, self.end

    def description(self) -> str:
        """Say what is simulated, and over which time."""
        listed = len(self._breakouts.tokens)
        planted = f", {listed} more with planted edges" if listed else ""
        return (
            f"SIMULATED market, seed {self.seed}: 5 majors and {self.n_lowcaps} low-caps{planted},"
            f" {self.first_day:%Y-%m-%d} to {self.end:%Y-%m-%d}; no price in it is real"
        )

    def instruments(self, universe: Universe) -> list[Instrument]:
        """Instruments of a universe, in the order of the rows."""
        return majors() if universe is Universe.MAJORS else lowcaps(self.n_lowcaps, self.seed)

    def candles(self, universe: Universe, start: datetime, end: datetime) -> pl.DataFrame:
        """Bars of the window, each day in its own timeframe."""
        require_window(start, end)
        instruments = self.instruments(universe)
        days = self._days(start, end) if instruments else range(0)
        frames = [self._day_frame(universe, instruments, day) for day in days]
        if universe is Universe.LOWCAP:
            frames += [self._breakout_frame(day) for day in self._days(start, end)]
        found = pl.concat([pl.DataFrame(schema=CANDLE_SCHEMA), *frames])
        return found.filter(pl.col("timestamp").is_between(start, end, closed="left"))

    def dominance(self, start: datetime, end: datetime) -> pl.DataFrame:
        """Sample at the opens of the day's bars: every 5 minutes, every hour, or once a day."""
        require_window(start, end)
        frames = [self._day_samples(day) for day in self._days(start, end)]
        found = pl.concat([pl.DataFrame(schema=DOMINANCE_SCHEMA), *frames])
        return found.filter(pl.col("timestamp").is_between(start, end, closed="left"))

    def market_caps(self, start: datetime, end: datetime) -> pl.DataFrame:
        """Caps of all instruments at each midnight of the window, from what had traded by then.

        Volume is that of the day before, null on the first day. Every coin of a low-cap circulates, and the smaller
        its cap, the larger the share of it that lies in pools; a major has no pool, and its FDV is not known.
        """
        require_window(start, end)
        days = self._days(start, end)
        frames = [self._day_caps(universe, day) for universe in Universe for day in days]
        frames += [self._breakout_caps(day) for day in days if day >= LISTED_DAY]
        found = pl.concat([pl.DataFrame(schema=MARKET_CAP_SCHEMA), *frames])
        return found.filter(pl.col("timestamp").is_between(start, end, closed="left"))

    def watchlist(self) -> list[dict[str, str]]:
        """Tokens worth watching and what is known of them on their listing: columns of a file of `lowcap watch`."""
        return self._breakouts.watchlist()

    @cached_property
    def _breakouts(self) -> BreakoutListing:
        n_days = (self.end - self.first_day).days
        return BreakoutListing.of(self.seed, self.n_breakouts, listed_day=LISTED_DAY, n_days=n_days)

    @cached_property
    def _paths(self) -> dict[Universe, Bars]:
        n_days = (self.end - self.first_day).days
        groups = {universe: self.instruments(universe) for universe in Universe}
        return {universe: daily_bars(self.seed, n_days, group) for universe, group in groups.items() if group}

    def _days(self, start: datetime, end: datetime) -> range:
        """Numbers of the days that overlap the window, counted from the first."""
        first = max(0, (start - self.first_day) // DAY)
        return range(first, min((self.end - self.first_day).days, -((self.first_day - end) // DAY)))

    def _timeframe(self, day: int) -> Timeframe:
        days_left = (self.end - self.first_day).days - day
        if days_left <= self.minute_days:
            return Timeframe.M1
        return Timeframe.H1 if days_left <= self.hour_days else Timeframe.D1

    def _day_bars(self, universe: Universe, instruments: list[Instrument], day: int) -> Bars:
        """Bars of one day in its timeframe, of shape (n_instruments, parts)."""
        timeframe = self._timeframe(day)
        bars = Bars(*(values[:, day] for values in self._paths[universe]))
        numbers, correlation = [instrument.number for instrument in instruments], _CORRELATION[universe]
        if timeframe is Timeframe.D1:
            return Bars(*(values[:, None] for values in bars))
        bars = split(bars, 24, *draws(self.seed, numbers, day, 24, _HOUR_LAYER, correlation))
        if timeframe is Timeframe.M1:
            hours = Bars(*(values.ravel() for values in bars))
            step, wick = draws(self.seed, numbers, day, 1440, _MINUTE_LAYER, correlation)
            bars = split(hours, 60, step.reshape(-1, 60), wick.reshape(-1, 180))
        return Bars(*(values.reshape(len(instruments), -1) for values in bars))

    def _opens(self, day: int, parts: int) -> pl.Series:
        """List the opens of `parts` bars that fill a day."""
        first = self.first_day + day * DAY
        return pl.datetime_range(first, first + DAY, DAY / parts, closed="left", time_unit="us", eager=True)

    def _day_frame(self, universe: Universe, instruments: list[Instrument], day: int) -> pl.DataFrame:
        bars = self._day_bars(universe, instruments, day)
        order = np.arange(bars.open.size)
        if self.imperfections and universe is Universe.LOWCAP and bars.open.shape[1] > 1:
            bars, order = impair(bars, self.seed, day)
        return self._frame(instruments, bars, self._timeframe(day), day, order)

    def _breakout_frame(self, day: int) -> pl.DataFrame:
        is_hourly = self._timeframe(day) is not Timeframe.D1
        bars = self._breakouts.hours(day) if is_hourly else self._breakouts.whole(day)
        timeframe = Timeframe.H1 if is_hourly else Timeframe.D1
        instruments = self._breakouts.instruments if bars.open.size else []
        return self._frame(instruments, bars, timeframe, day, np.arange(bars.open.size))

    def _frame(
        self,
        instruments: list[Instrument],
        bars: Bars,
        timeframe: Timeframe,
        day: int,
        order: npt.NDArray[np.int64],
    ) -> pl.DataFrame:
        """Rows of some bars of a day, in the order of their flat indices."""
        parts = bars.open.shape[1]
        opens = self._opens(day, parts)
        named = {"token_contract": [i.token_contract for i in instruments], "chain": [i.chain for i in instruments]}
        return pl.DataFrame(
            {name: pl.Series(values, dtype=pl.String)[order // parts] for name, values in named.items()}
            | {"timeframe": pl.repeat(timeframe.value, order.size, eager=True), "timestamp": opens[order % parts]}
            | {f"{name}_usd": getattr(bars, name).ravel()[order] for name in ("open", "high", "low", "close")}
            | {"volume": bars.volume.ravel()[order], "source": pl.repeat(SOURCE, order.size, eager=True)},
            schema=CANDLE_SCHEMA,
        )

    def _day_samples(self, day: int) -> pl.DataFrame:
        instruments = self.instruments(Universe.MAJORS)
        timeframe = self._timeframe(day)
        every = 5 if timeframe is Timeframe.M1 else 1
        prices = self._day_bars(Universe.MAJORS, instruments, day).open[:, ::every]
        n_samples = prices.shape[1]
        shares = dominance_pct(prices, instruments, day + np.arange(n_samples) / n_samples)
        interval = Timeframe.M5 if timeframe is Timeframe.M1 else timeframe
        return pl.concat(
            pl.DataFrame({"timestamp": self._opens(day, n_samples), "value_pct": values}).select(
                pl.lit(metric).alias("metric"),
                "timestamp",
                pl.lit(interval.value).alias("timeframe"),
                "value_pct",
                pl.lit(SOURCE).alias("source"),
            )
            for metric, values in shares.items()
        )

    def _day_caps(self, universe: Universe, day: int) -> pl.DataFrame:
        paths = self._paths.get(universe)
        if paths is None:
            return pl.DataFrame(schema=MARKET_CAP_SCHEMA)
        traded = paths.volume[:, day - 1] * paths.close[:, day - 1] if day else None
        instruments = self.instruments(universe)
        return self._caps(instruments, day, paths.open[:, day], traded, is_lowcap=universe is Universe.LOWCAP)

    def _breakout_caps(self, day: int) -> pl.DataFrame:
        before = self._breakouts.whole(day - 1)
        traded = (before.volume * before.close)[:, 0] if before.open.size else None
        opens = self._breakouts.whole(day).open[:, 0]
        return self._caps(self._breakouts.instruments, day, opens, traded, is_lowcap=True)

    def _caps(
        self,
        instruments: list[Instrument],
        day: int,
        opens: FloatArray,
        traded_usd: FloatArray | None,
        *,
        is_lowcap: bool,
    ) -> pl.DataFrame:
        """Caps at the midnight that opens a day; traded_usd: volume of the day before, None on the first."""
        supply = np.array([instrument.supply for instrument in instruments], dtype=np.float64)
        cap = opens * supply
        return pl.DataFrame(
            {
                "token_contract": [instrument.token_contract for instrument in instruments],
                "chain": [instrument.chain for instrument in instruments],
                "timestamp": pl.repeat(self.first_day + day * DAY, len(instruments), dtype=UTC_US, eager=True),
                "market_cap_usd": cap,
                "circulating_supply": supply,
                "fdv_usd": cap if is_lowcap else None,
                "volume_24h_usd": traded_usd,
                "liquidity_usd": 4.0 * cap**0.75 if is_lowcap else None,
                "source": SOURCE,
            },
            schema=MARKET_CAP_SCHEMA,
        )
