"""All driver bars of a window: BTC, the composites and the dominances, one frame.

What belongs here: which drivers there are and what each is made from. What does not: how any one of them is made.
"""

from datetime import datetime
from typing import NamedTuple

import polars as pl

from domain.config.driver_bar import DriverBarConfig
from domain.regime.driver_bar import dominance_bars, index_bars, majors_driver
from domain.regime.rollup import bar_length
from domain.vocabulary.driver import ALT
from domain.vocabulary.window import Window


class DriverSetBars(NamedTuple):
    """Bars of every driver in a window, and what was clipped or could not be made.

    clipped and skipped are those of `domain.regime.driver_bar.IndexBars`.
    """

    bars: pl.DataFrame
    clipped: pl.DataFrame
    skipped: pl.DataFrame


def alt_membership(config: DriverBarConfig) -> pl.DataFrame:
    """Give the fixed ALT basket in the shape of a membership: driver, symbol, day (null: always)."""
    return pl.DataFrame(
        {"driver": ALT, "symbol": list(config.alt_basket), "day": None},
        schema={"driver": pl.String, "symbol": pl.String, "day": pl.Date},
    )


def driver_set_bars(
    *,
    majors: pl.DataFrame,
    samples: pl.DataFrame,
    last_levels: pl.DataFrame,
    window: Window,
    as_of: datetime,
    config: DriverBarConfig,
) -> DriverSetBars:
    """Make the bars of every driver that open in `window` and have closed by `as_of`.

    Parameters
    ----------
    majors, samples : DataFrame
        Rolled-up bars of the majors, and dominance samples, both with a look-back before the window.
    last_levels : DataFrame
        Last driver bar of each series before the window; empty at the start of history.

    Returns
    -------
    DriverSetBars
        Columns of `domain.regime.driver_bar.DRIVER_BAR_SCHEMA`.
    """
    closed = closed_bars(majors, as_of)
    composites = index_bars(
        closed,
        alt_membership(config),
        last_levels,
        member=("symbol",),
        start=window.start,
        end=window.end,
        config=config,
    )
    inside = closed.filter(pl.col("timestamp").is_between(window.start, window.end, closed="left"))
    dominance = dominance_bars(samples, start=window.start, end=window.end, as_of=as_of, config=config)
    return DriverSetBars(
        pl.concat([majors_driver(inside), composites.bars, dominance.bars]), composites.clipped, composites.skipped
    )


def closed_bars(bars: pl.DataFrame, as_of: datetime) -> pl.DataFrame:
    """Bars that have closed by `as_of`: open + timeframe <= as_of."""
    return bars.filter(pl.col("timestamp") + bar_length() <= as_of)
