"""All driver bars of a window: BTC, the composites and the dominances, one frame.

What belongs here: which drivers there are and what each is made from. What does not: how any one of them is made.
"""

from datetime import datetime
from typing import NamedTuple

import polars as pl

from domain.config.driver_bar import DriverBarConfig
from domain.regime.driver_bar import dominance_bars, index_bars, majors_driver
from domain.regime.rollup import bar_length
from domain.regime.token_cap_bucket import TOKEN
from domain.vocabulary.cap_bucket import REGIME_BUCKETS
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


def bucket_membership(members: pl.DataFrame) -> pl.DataFrame:
    """Give the members of the cap buckets in the shape of a membership; xl has no driver.

    Parameters
    ----------
    members : DataFrame
        bucket, token_contract, chain, day, as `domain.regime.bucket_eligibility.made_members` gives them.
    """
    driven = members.filter(pl.col("bucket").is_in([bucket.value for bucket in REGIME_BUCKETS]))
    return driven.select("token_contract", "chain", "day", driver="bucket")


def driver_set_bars(
    *,
    majors: pl.DataFrame,
    lowcaps: pl.DataFrame,
    members: pl.DataFrame,
    samples: pl.DataFrame,
    last_levels: pl.DataFrame,
    window: Window,
    as_of: datetime,
    config: DriverBarConfig,
) -> DriverSetBars:
    """Make the bars of every driver that open in `window` and have closed by `as_of`.

    Parameters
    ----------
    majors, lowcaps, samples : DataFrame
        Rolled-up bars of the majors and of the low-cap tokens, and dominance samples, all with a look-back before
        the window; of a token's bars before it the last one of each timeframe is enough.
    members : DataFrame
        bucket, token_contract, chain, day: who is in which bucket on which day of the window.
    last_levels : DataFrame
        Last driver bar of each series before the window; empty at the start of history.

    Returns
    -------
    DriverSetBars
        Columns of `domain.regime.driver_bar.DRIVER_BAR_SCHEMA`.
    """
    closed = closed_bars(majors, as_of)
    composites = [
        index_bars(bars, membership, last_levels, member=member, start=window.start, end=window.end, config=config)
        for bars, membership, member in (
            (closed, alt_membership(config), ("symbol",)),
            (closed_bars(lowcaps, as_of), bucket_membership(members), TOKEN),
        )
    ]
    inside = closed.filter(pl.col("timestamp").is_between(window.start, window.end, closed="left"))
    dominance = dominance_bars(samples, start=window.start, end=window.end, as_of=as_of, config=config)
    indices, clipped, skipped = (pl.concat(parts) for parts in zip(*composites, strict=True))
    return DriverSetBars(pl.concat([majors_driver(inside), indices, dominance.bars]), clipped, skipped)


def closed_bars(bars: pl.DataFrame, as_of: datetime) -> pl.DataFrame:
    """Bars that have closed by `as_of`: open + timeframe <= as_of."""
    return bars.filter(pl.col("timestamp") + bar_length() <= as_of)
