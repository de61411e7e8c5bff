"""SPIRAL phase of each cap bucket: Euphoria, Good, Recover, Dip, Double-Dip, Oh-Shit or Chop, per horizon and hour.

Reads the bucket returns and the drivers BTC and ALT, seven days back. The phase is the shape of performance relative
to BTC and to the alts, not its direction. An hour without enough data has no row. Fresh within the hour.
"""

import dagster as dg
import polars as pl

from domain.regime.bucket_return import member_coverage
from domain.vocabulary.timeframe import Timeframe
from regime_assets.bucket_ladder import bucket_ladder
from regime_assets.chain_asset import ChainTable, Work
from regime_assets.phase_lanes import phase_lanes
from regime_assets.spiral_row import DRIVERS, lookback, phases, shown_before, with_count
from resources.inline_check import InlineCheck

RETURNS = "regime.bucket_return_series"
PICTURED = ("bucket", "horizon", "ts", "phase", "score", "confidence")


def publish(work: Work) -> dg.MaterializeResult:
    returns = work.tables.read(RETURNS, work.window, lookback(work)).filter(timeframe=Timeframe.H1.value)
    subjects = returns.with_columns(
        subject="bucket", coverage=member_coverage(), population_count=pl.col("member_count") + pl.col("dropped_count")
    )
    previous = work.tables.read_last(work.table, work.window.start).rename({"bucket": "subject"})
    rows = with_count(phases(work, subjects, previous), subjects.select("subject", "timestamp", "population_count"))
    named = rows.rename({"subject": "bucket"})
    shown = pl.concat([shown_before(work, PICTURED), named.select(PICTURED)])
    return work.replace(
        named,
        metadata={
            "hours_in_phase": dict(rows.group_by("phase").len().sort("phase").iter_rows()),
            "bucket_ladder": dg.MetadataValue.md(
                bucket_ladder(shown, title=f"Bucket ladder to {work.window.end:%Y-%m-%d}")
            ),
            "phase_lanes": dg.MetadataValue.md(
                phase_lanes(shown, title=f"Bucket phases to {work.window.end:%Y-%m-%d}")
            ),
        },
    )


SPEC = ChainTable(
    table="regime.phase_state_bucket",
    publish=publish,
    code_version="1",
    description=__doc__,
    reads=(RETURNS, DRIVERS),
    shortest=Timeframe.H1,
    kinds=frozenset({"postgres", "polars", "numba"}),
    checks=(
        InlineCheck(
            "horizons_differ",
            "check_bucket_horizons_differ",
            "The columns of three horizons once were those of the last one of a loop.",
        ),
        InlineCheck("labels_dwell", "check_bucket_labels_dwell", "A label stands as long as its dwell says."),
    ),
)
