"""The series functions of cap buckets as the look-ahead test calls them: inputs by name, rows that say their length."""

from datetime import datetime, timedelta

import polars as pl

from domain.config.cap_bucket import CapBucketConfig
from domain.config.spiral import SpiralConfig
from domain.regime.bucket_return import bucket_returns, member_coverage, reference_returns
from domain.regime.composite_return import composite_returns
from domain.regime.spiral_phase import phase_frame
from domain.vocabulary.timeframe import Timeframe
from tests.faulty_feed import END, START, UTC_US
from tests.look_ahead import Inputs

CONFIG = CapBucketConfig(bucket_phase_min_population=2, weighting="liquidity", max_abs_log_return=0.05)
NO_LEVELS = pl.DataFrame(schema={"bucket": pl.String, "timestamp": UTC_US, "index_level": pl.Float64})
IS_HOURLY = pl.lit(Timeframe.H1.value).alias("timeframe")


def membership(tags: pl.DataFrame) -> pl.DataFrame:
    """Members by day: what was read of a day holds on the next one."""
    return tags.with_columns(day=pl.col("timestamp").dt.date() + timedelta(days=1))


def hourly_references(inputs: Inputs, as_of: datetime) -> pl.DataFrame:
    """Returns of BTC and ALT."""
    del as_of  # the caller gives closed bars only, here and below
    return reference_returns(inputs["drivers"], timeframe=Timeframe.H1, config=CONFIG).with_columns(IS_HOURLY)


def group_rows(inputs: Inputs, as_of: datetime) -> pl.DataFrame:
    """Returns of the buckets, and the hours that were skipped."""
    del as_of
    given = (inputs["bars"], membership(inputs["tags"]), inputs["references"], NO_LEVELS)
    made = pl.concat(bucket_returns(*given, start=START, end=END, config=CONFIG), how="diagonal")
    return made.with_columns(IS_HOURLY, coverage=member_coverage()).sort("bucket", "timestamp")


def composite_rows(inputs: Inputs, as_of: datetime) -> pl.DataFrame:
    """Returns of the composite, and the hours that were skipped."""
    del as_of
    given = (inputs["returns"], inputs["references"], NO_LEVELS)
    asked = inputs["evaluations"]["timestamp"]
    made = composite_returns(*given, start=START, end=END, timestamps=asked, config=CONFIG)
    return pl.concat(made, how="diagonal").with_columns(IS_HOURLY).sort("timestamp")


def phases(inputs: Inputs, as_of: datetime) -> pl.DataFrame:
    """Phases of every subject and horizon."""
    del as_of
    return phase_frame(inputs["streams"], None, start=START, config=SpiralConfig()).with_columns(IS_HOURLY)
