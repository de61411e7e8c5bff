"""The streams SPIRAL measures: log indices of BTC, of the ALT basket and of a subject, on one hourly grid.

What belongs here: lining up and bridging short silences. What does not: what a stream's shape says.
"""

from datetime import datetime, timedelta

import polars as pl

from domain.regime.rollup import TIMESTAMP
from domain.regime.spiral_phase import STREAM_SCHEMA
from domain.vocabulary.driver import ALT, BTC
from domain.vocabulary.timeframe import Timeframe

HOUR = Timeframe.H1.duration


def stream_frame(
    subjects: pl.DataFrame, driver_bars: pl.DataFrame, *, start: datetime, end: datetime, max_missing_bars: int
) -> pl.DataFrame:
    """Streams of every subject at every hour of a window.

    A stream is cumulative: ln of an index level. A silence of at most `max_missing_bars` hours is bridged by the last
    level, which says that nothing moved; a longer one is a gap, and the hours after it wait until enough have followed.

    Parameters
    ----------
    subjects : DataFrame
        subject, timestamp (open of the hour), index_level > 0, coverage (0..1, null when unknown).
    driver_bars : DataFrame
        driver, timeframe, timestamp, close_usd > 0; the 1h bars of BTC and ALT are read.
    start, end : datetime
        Opens of the hours that come out, start <= timestamp < end; `start` reaches back by the look-back of the
        phases and the hours bridged. `end` must not lie beyond the hours that have closed.
    max_missing_bars : int
        Longest silence bridged, hours.

    Returns
    -------
    DataFrame
        `STREAM_SCHEMA` of `domain.regime.spiral_phase`: a row where a subject is known or bridged; BTC and ALT are
        null where they are neither. Coverage of a bridged hour is 0.
    """
    hours = pl.datetime_range(start, end, HOUR, closed="left", time_unit="us", eager=True).alias("timestamp")
    grid = hours.to_frame().set_sorted("timestamp")
    longest = timedelta(hours=max_missing_bars)
    for driver, name in ((BTC, "btc_log_index"), (ALT, "alt_log_index")):
        own = driver_bars.filter(driver=driver, timeframe=Timeframe.H1.value).sort("timestamp")
        log_index = own.select("timestamp", pl.col("close_usd").log().alias(name))
        grid = grid.join_asof(log_index, on="timestamp", strategy="backward", tolerance=longest)
    frames = [pl.DataFrame(schema=STREAM_SCHEMA)]
    for (subject,), rows in subjects.sort("subject", "timestamp").group_by("subject", maintain_order=True):
        own = rows.select(
            "timestamp",
            "coverage",
            pl.col("timestamp").alias("known"),
            pl.col("index_level").log().alias("subject_log_index"),
        )
        joined = grid.join_asof(own, on="timestamp", strategy="backward", tolerance=longest).drop_nulls("known")
        covered = pl.when(pl.col("known") == pl.col("timestamp")).then("coverage").otherwise(0.0)
        named = joined.with_columns(
            coverage=covered, subject=pl.lit(subject), timestamp=pl.col("timestamp").cast(TIMESTAMP)
        )
        frames.append(named.select(pl.col(name).cast(dtype) for name, dtype in STREAM_SCHEMA.items()))
    return pl.concat(frames)
