"""Bars of the regime drivers: the majors' own, return indices of baskets and cap buckets, and dominance.

What belongs here: bars in, driver bars out, each (driver, timeframe) a series of its own. What does not: which bars
are accepted, how they are rolled up, and any indicator.

A composite is a chained index of returns, never a mean of prices: a mean follows its dearest member and jumps when
one joins. The reasons and their price are in docs/decisions/0006-driver-bars-are-return-indices.md.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from domain.config.driver_bar import DriverBarConfig
from domain.regime.bar_quarantine import PRICE_COLUMNS, VALUE_COLUMNS
from domain.regime.dominance_sample import sampled_bars
from domain.regime.member_table import eligible_days, member_tables, of_members
from domain.regime.return_index import IndexRule, MemberBars, chain_returns
from domain.regime.rollup import TIMEFRAME_ORDER, TIMESTAMP, bar_length, roll_up
from domain.vocabulary.driver import BTC, DEFAULT_BOOK_ID
from domain.vocabulary.timeframe import Timeframe

DRIVER_BAR_SCHEMA = pl.Schema(
    {
        "driver": pl.String(),
        "book_id": pl.String(),
        "timeframe": pl.String(),
        "timestamp": TIMESTAMP,
        **dict.fromkeys(VALUE_COLUMNS, pl.Float64()),
        "source": pl.String(),
        "component_count": pl.Int32(),
        "coverage": pl.Float64(),
        "partial": pl.Boolean(),
        "carried": pl.Boolean(),
    }
)

_BAR_NAME = ("driver", "timeframe", "timestamp")
COMPOSITE_SOURCE = "composite"

_CHAIN_SCHEMA = pl.Schema(
    {
        **{name: DRIVER_BAR_SCHEMA[name] for name in (*_BAR_NAME, *VALUE_COLUMNS, "coverage", "component_count")},
        "clipped_count": pl.Int32(),
        "present_count": pl.Int32(),
        "is_made": pl.Boolean(),
    }
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class IndexBars(NamedTuple):
    """Bars of composites, and where they were not made or not taken as they came.

    clipped: (driver, timeframe, timestamp, clipped_count), bars in which a member's close return was clipped.
    skipped: (driver, timeframe, timestamp, component_count), a member traded but too few could be used: no bar.
    """

    bars: pl.DataFrame
    clipped: pl.DataFrame
    skipped: pl.DataFrame


class DominanceBars(NamedTuple):
    """Bars of dominance, and the samples refused: (metric, timestamp, value_pct, reason)."""

    bars: pl.DataFrame
    refused: pl.DataFrame


def majors_driver(bars: pl.DataFrame, driver: str = BTC, symbol: str = BTC) -> pl.DataFrame:
    """Copy the bars of one major as the bars of a driver.

    Parameters
    ----------
    bars : DataFrame
        Rolled-up bars of the majors: symbol, timeframe, timestamp (open), OHLC in USD, volume, source, coverage,
        partial.
    driver, symbol : str
        Name of the driver, and the symbol it copies.

    Returns
    -------
    DataFrame
        Driver bars with component_count 1, never carried; no row when the symbol has none.
    """
    own = bars.filter(symbol=symbol)
    return _driver_bars(own.with_columns(driver=pl.lit(driver), component_count=pl.lit(1), carried=pl.lit(False)))


def index_bars(
    bars: pl.DataFrame,
    membership: pl.DataFrame,
    last_levels: pl.DataFrame,
    *,
    member: Sequence[str],
    start: datetime,
    end: datetime,
    config: DriverBarConfig,
) -> IndexBars:
    """Equal-weight chained return index of each driver and timeframe.

    A member's reference is its last close before the bar, if that bar closed at most `max_fill_hours` before this
    one opens. Formula: bar = level x mean over members with a reference of (o, h, l, c) / reference, each ratio
    clipped to exp(+-max_abs_log_return), which keeps high and low outermost; the close is the next level. A member
    that does not trade counts as 1, 1, 1, 1: its next trade still moves the index from the same reference. One
    without a reference (new, or back after a longer hole) counts from its next bar. So neither joining nor leaving
    moves the level, and a member's unit of price means nothing.

    There is no bar when fewer members than the driver's minimum have a reference, or none of them traded: the level
    then waits. Cut anywhere, with the look-back and the last levels, the same bars come out to the last bit.

    Parameters
    ----------
    bars : DataFrame
        Closed bars of the members in any order: `member` columns, timeframe, timestamp (open), OHLC in USD, volume,
        coverage. They reach back before `start` by `max_fill_hours` and one bar of each timeframe.
    membership : DataFrame
        driver, `member` columns, day (Date): the UTC days on which the member counts; a null day means always.
    last_levels : DataFrame
        driver, timeframe, timestamp, close_usd of stored driver bars; the latest before `start` is the level to go
        on from. Without one the index starts at `index_base`.
    member : sequence of str
        Columns that name a member.
    start, end : datetime
        Bars with start <= timestamp < end come out; later rows of `bars` are not read.
    config : DriverBarConfig
        Minimum of members, fill, clip, base.

    Returns
    -------
    IndexBars
        Driver bars: component_count = members used, flat ones included; coverage = their mean, flat ones 0; volume =
        sum over those that traded (a NaN stays NaN). Also what was clipped and what was skipped.

    Raises
    ------
    ValueError
        If a member has two bars for one timestamp, a price is not finite and positive, or a time is not UTC-aware.
    """
    _require_window(bars, start, end)
    members = bars.select(member).unique().sort(member).with_row_index("member_code")
    tables = member_tables(bars.filter(pl.col("timestamp") < end).join(members, on=list(member)))
    chains = [pl.DataFrame(schema=_CHAIN_SCHEMA)]
    for driver in membership["driver"].unique().sort():
        eligible = eligible_days(membership.filter(driver=driver), members, member, start, end)
        for timeframe, table in tables.items():
            level = _level_before(last_levels, driver, timeframe, start, config.index_base)
            rule = IndexRule(
                bar_us=_us(timeframe.duration),
                max_fill_us=_us(timedelta(hours=config.max_fill_hours)),
                max_abs_log_return=config.max_abs_log_return,
                min_members=config.minimum_of(driver),
            )
            rows = _chain_members(table, eligible, start_us=_us(start - _EPOCH), level=level, rule=rule)
            named = rows.with_columns(driver=pl.lit(driver), timeframe=pl.lit(timeframe.value))
            chains.append(named.select(*_CHAIN_SCHEMA).cast(_CHAIN_SCHEMA))
    chain = pl.concat(chains)
    made, missed = chain.filter("is_made"), chain.filter(~pl.col("is_made") & (pl.col("present_count") > 0))
    return IndexBars(
        bars=_driver_bars(
            made.with_columns(source=pl.lit(COMPOSITE_SOURCE), partial=pl.col("coverage") < 1.0, carried=pl.lit(False))
        ),
        clipped=_sorted(made.filter(pl.col("clipped_count") > 0).select(*_BAR_NAME, "clipped_count")),
        skipped=_sorted(missed.select(*_BAR_NAME, "component_count")),
    )


def dominance_bars(
    samples: pl.DataFrame, *, start: datetime, end: datetime, as_of: datetime, config: DriverBarConfig
) -> DominanceBars:
    """Bars of sampled percentages: o = h = l = c = the value in a minute, rolled up from there.

    `domain.regime.dominance_sample` says which sample makes which minute or bar. Where minutes and rarer samples make
    the same bar, the higher coverage wins, ties go to the minutes: one sample is not a bar with a range.

    Parameters
    ----------
    samples : DataFrame
        metric, timestamp, timeframe (interval between samples), value_pct, source, in any order, reaching back
        before `start` by `max_carry_minutes`.
    start, end : datetime
        Bars that lie wholly in [start, end) come out: a 1d bar needs a window of that whole day.
    as_of : datetime
        A bar comes out only if its open + timeframe <= `as_of`; later samples change nothing.
    config : DriverBarConfig
        Longest carry.

    Returns
    -------
    DominanceBars
        Driver bars, driver = metric, volume 0, component_count 1. Carried minutes count as covered; `carried` is true
        when all minutes of a bar are carried. Values outside (0, 100), NaN and null are in `refused`.

    Raises
    ------
    ValueError
        If a metric or an interval is unknown, or a time is not UTC-aware.
    """
    _require_window(samples, start, end)
    sampled = sampled_bars(samples, end=end, max_carry_minutes=config.max_carry_minutes)
    # Until it is rolled up, the volume of a minute counts the samples seen in it: none means carried.
    minutes = sampled.minutes.with_columns(volume=pl.when("carried").then(0.0).otherwise(1.0))
    natives = (minutes, sampled.coarse.with_columns(volume=pl.lit(1.0)))
    rolled = [
        roll_up(
            native.with_columns(pl.col("value_pct").alias(name) for name in PRICE_COLUMNS), key=["metric"], as_of=as_of
        )
        for native in natives
    ]
    best = (
        pl.concat(rolled)
        .filter((pl.col("timestamp") >= start) & (pl.col("timestamp") + bar_length() <= end))
        .sort("coverage", descending=True, maintain_order=True)
        .unique(subset=["metric", "timeframe", "timestamp"], keep="first", maintain_order=True)
    )
    bars = best.with_columns(driver="metric", carried=pl.col("volume") == 0.0, component_count=pl.lit(1))
    return DominanceBars(_driver_bars(bars.with_columns(volume=pl.lit(0.0))), sampled.refused)


def _driver_bars(bars: pl.DataFrame) -> pl.DataFrame:
    """Select the columns of a driver bar, in order of driver, timeframe, timestamp."""
    named = bars.with_columns(book_id=pl.lit(DEFAULT_BOOK_ID)).select(*DRIVER_BAR_SCHEMA).cast(DRIVER_BAR_SCHEMA)
    return _sorted(named)


def _sorted(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.sort("driver", pl.col("timeframe").cast(TIMEFRAME_ORDER), "timestamp")


def _require_window(rows: pl.DataFrame, start: datetime, end: datetime) -> None:
    if not start.utcoffset() == end.utcoffset() == timedelta(0) or start >= end:
        raise ValueError(f"Expected UTC-aware start < end, was {start!r}, {end!r}")
    if rows.schema["timestamp"] != TIMESTAMP:
        raise ValueError(f"timestamp must be {TIMESTAMP}, was {rows.schema['timestamp']}")


def _us(duration: timedelta) -> int:
    return duration // timedelta(microseconds=1)


def _level_before(
    last_levels: pl.DataFrame, driver: str, timeframe: Timeframe, start: datetime, index_base: float
) -> float:
    """Close of the latest stored bar of this chain before `start`; the base when there is none."""
    stored = last_levels.filter(
        (pl.col("driver") == driver) & (pl.col("timeframe") == timeframe.value) & (pl.col("timestamp") < start)
    ).sort("timestamp")
    return float(stored["close_usd"][-1]) if stored.height else index_base


def _chain_members(
    table: MemberBars, eligible: NDArray[np.bool_], *, start_us: int, level: float, rule: IndexRule
) -> pl.DataFrame:
    """Index rows of one driver and timeframe, from the members it ever has in the window."""
    bars, eligible = of_members(table, eligible)
    rows = chain_returns(bars, eligible, start_us=start_us, level=level, rule=rule)
    values = dict(zip(PRICE_COLUMNS, rows.ohlc.T, strict=True))
    counts = {"component_count": rows.used, "clipped_count": rows.clipped, "present_count": rows.present}
    return pl.DataFrame(
        {
            "timestamp": rows.at_us,
            "volume": rows.volume,
            "coverage": rows.coverage,
            "is_made": rows.is_made,
            **values,
            **counts,
        }
    )
