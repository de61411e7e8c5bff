"""SPIRAL phase of the low-cap composite, per horizon and hour: the regime every reader quotes.

Reads the composite returns and the drivers BTC and ALT, seven days back. Same rules as for the buckets. An hour
without a composite, or without enough data, has no row. Fresh within the hour.
"""

import dagster as dg
import polars as pl

from domain.vocabulary.timeframe import Timeframe
from regime_assets.chain_asset import ChainTable, Work
from regime_assets.phase_lanes import phase_lanes
from regime_assets.spiral_row import DRIVERS, lookback, phases, shown_before, with_count
from resources.inline_check import InlineCheck

RETURNS = "regime.composite_return_series"
SUBJECT = "composite"
PICTURED = ("horizon", "ts", "phase", "confidence")


def publish(work: Work) -> dg.MaterializeResult:
    returns = work.tables.read(RETURNS, work.window, lookback(work)).filter(timeframe=Timeframe.H1.value)
    subjects = returns.with_columns(subject=pl.lit(SUBJECT))
    previous = work.tables.read_last(work.table, work.window.start).with_columns(subject=pl.lit(SUBJECT))
    rows = with_count(phases(work, subjects, previous), subjects.select("subject", "timestamp", "group_count"))
    before = shown_before(work, PICTURED).with_columns(subject=pl.lit(SUBJECT))
    shown = pl.concat([before, rows.select(before.columns)])
    return work.replace(
        rows.drop("subject"),
        metadata={
            "hours_in_phase": dict(rows.group_by("phase").len().sort("phase").iter_rows()),
            "phase_lanes": dg.MetadataValue.md(
                phase_lanes(shown, title=f"Composite phases to {work.window.end:%Y-%m-%d}")
            ),
        },
    )


SPEC = ChainTable(
    table="regime.phase_state",
    publish=publish,
    code_version="1",
    description=__doc__,
    reads=(RETURNS, DRIVERS),
    shortest=Timeframe.H1,
    kinds=frozenset({"postgres", "polars", "numba"}),
    checks=(
        InlineCheck(
            "horizons_differ",
            "check_composite_horizons_differ",
            "The columns of three horizons once were those of the last one of a loop.",
        ),
        InlineCheck("labels_dwell", "check_composite_labels_dwell", "A label stands as long as its dwell says."),
    ),
)
