"""Log return of each cap bucket, hour by hour and day by day, against BTC and ALT, and the index it chains to.

Reads the bars of the low-caps, the tags of each day and the drivers BTC and ALT. Equal weights by default, each member
clipped at three times up or down; a member that joins or leaves moves nothing. Fresh within the hour.
"""

import dagster as dg
import polars as pl

from domain.regime.bucket_return import RETURN_TIMEFRAMES, BucketReturns, bucket_returns, reference_returns
from domain.vocabulary.timeframe import Timeframe
from regime_assets.bucket_member import BARS, ELIGIBILITY, TAGS, member_bars, members
from regime_assets.chain_asset import ChainTable, Work
from resources.inline_check import InlineCheck

DRIVERS = "regime.regime_price_data_ohlc"


def publish(work: Work) -> dg.MaterializeResult:
    bars, in_bucket = member_bars(work, ["close_usd"]), members(work)
    begun = [timeframe for timeframe in RETURN_TIMEFRAMES if timeframe.ceil(work.window.start) < work.window.end]
    made = {timeframe: _returns(work, bars, in_bucket, timeframe) for timeframe in begun}
    rows, skipped = (
        pl.concat([parts[number].with_columns(timeframe=pl.lit(timeframe.value)) for timeframe, parts in made.items()])
        for number in (0, 1)
    )
    lost = skipped.filter(timeframe=Timeframe.H1.value).group_by("bucket").len().sort("bucket")
    return work.replace(
        rows,
        metadata={
            "hours_skipped": dict(lost.iter_rows()),
            "returns_clipped": int(rows["clipped_count"].sum()),
            "members_dropped": int(rows["dropped_count"].sum()),
        },
    )


def _returns(work: Work, bars: pl.DataFrame, in_bucket: pl.DataFrame, timeframe: Timeframe) -> BucketReturns:
    config, start = work.config.regime.cap_bucket, timeframe.ceil(work.window.start)
    levels = work.tables.read_last(work.table, work.window.start, columns=["index_level"])
    return bucket_returns(
        bars,
        in_bucket,
        references(work, timeframe),
        levels.filter(timeframe=timeframe.value),
        start=start,
        end=work.window.end,
        config=config,
        timeframe=timeframe,
    )


def references(work: Work, timeframe: Timeframe) -> pl.DataFrame:
    """Log returns of BTC and ALT in the window."""
    config = work.config.regime.cap_bucket
    drivers = work.tables.read(
        DRIVERS,
        work.window,
        (config.max_missing_bars + 1) * timeframe.duration,
        columns=["driver", "timeframe", "timestamp", "close_usd"],
    )
    return reference_returns(drivers, timeframe=timeframe, config=config)


SPEC = ChainTable(
    table="regime.bucket_return_series",
    publish=publish,
    code_version="1",
    description=__doc__,
    reads=(BARS, TAGS, ELIGIBILITY, DRIVERS),
    shortest=Timeframe.H1,
    kinds=frozenset({"postgres", "polars", "numba"}),
    checks=(
        InlineCheck(
            "returns_have_their_members",
            "check_returns_have_their_members",
            "A bucket once had returns of a single token; here it needs as many as are asked for.",
        ),
        InlineCheck(
            "levels_chain",
            "check_bucket_levels_chain",
            "Each level is the one before times exp(return), joins and leaves included.",
        ),
    ),
)
