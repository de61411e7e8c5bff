"""The low-cap composite: a weighted blend of the buckets' returns, hour by hour and day by day.

Reads the bucket returns. Weights nano .15, micro .30, mid .25, big .20, large .10 over the buckets that have a return
in the bar; the weights in force are stored. xl has no part. Fresh within the hour.
"""

import dagster as dg
import polars as pl

from domain.regime.bucket_return import RETURN_TIMEFRAMES, member_coverage
from domain.regime.composite_return import CompositeReturns, composite_returns
from domain.vocabulary.timeframe import Timeframe
from regime_assets.bucket_return_series import DRIVERS, references
from regime_assets.chain_asset import ChainTable, Work
from resources.inline_check import InlineCheck

RETURNS = "regime.bucket_return_series"


def publish(work: Work) -> dg.MaterializeResult:
    returns = work.tables.read(RETURNS, work.window).with_columns(coverage=member_coverage())
    made = {timeframe: _composite(work, returns, timeframe) for timeframe in RETURN_TIMEFRAMES}
    rows = pl.concat([one.returns.with_columns(timeframe=pl.lit(tf.value)) for tf, one in made.items()])
    heard = rows.filter(timeframe=Timeframe.H1.value)["coverage"].mean()
    return work.replace(
        rows,
        metadata={"hours_without_a_composite": made[Timeframe.H1].skipped.height, "mean_coverage": heard or 0.0},
    )


def _composite(work: Work, returns: pl.DataFrame, timeframe: Timeframe) -> CompositeReturns:
    known = references(work, timeframe)
    levels = work.tables.read_last(work.table, work.window.start, columns=["index_level"])
    return composite_returns(
        returns.filter(timeframe=timeframe.value),
        known,
        levels.filter(timeframe=timeframe.value),
        start=work.window.start,
        end=work.window.end,
        timestamps=known["timestamp"],
        config=work.config.regime.cap_bucket,
    )


SPEC = ChainTable(
    table="regime.composite_return_series",
    publish=publish,
    code_version="1",
    description=__doc__,
    reads=(RETURNS, DRIVERS),
    shortest=Timeframe.H1,
    checks=(
        InlineCheck(
            "weights_sum_to_one", "check_composite_weights_sum_to_one", "The weights in force share the whole."
        ),
        InlineCheck(
            "blend_is_of_its_buckets",
            "check_composite_is_of_its_buckets",
            "The return is the weighted sum of the bucket returns of the same bar.",
        ),
    ),
)
