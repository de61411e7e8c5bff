"""Uptrend state of each regime driver: S0..S3, or S4 while unclear, with flags, scores and every transition's reason.

Reads the driver bars and their indicators (1d, 1h, 1m). Folds forward from the last stored state; evaluating a bar
twice changes nothing. Its heat-map shows the 15 channels as they stood at the end of the window. Fresh within the hour.
"""

import dagster as dg
import polars as pl

from domain.vocabulary.uptrend import StateStatus
from regime_assets.chain_asset import ChainTable, Work
from regime_assets.regime_driver_ta import BARS, DRIVERS, INDICATORS
from regime_assets.state_heat_map import heat_map
from resources.inline_check import InlineCheck


def publish(work: Work) -> dg.MaterializeResult:
    bars, indicators = DRIVERS.window_bars(work), DRIVERS.window_indicators(work)
    previous = work.tables.read_last(work.table, work.window.start)
    frame = DRIVERS.state_rows(work, bars.join(indicators, on=[*DRIVERS.key, "timestamp"]), previous)
    latest = pl.concat([previous.select(frame.columns), frame]).filter(pl.col("timestamp") < work.window.end)
    return work.replace(
        frame,
        metadata={
            "heat_map": dg.MetadataValue.md(heat_map(latest, title=f"Regime drivers, {work.window}")),
            "transitions": dict(frame["transition"].drop_nulls().value_counts().sort("transition").rows()),
            "rows_warming_up": frame.filter(pl.col("status") == StateStatus.WARMING_UP).height,
        },
    )


SPEC = ChainTable(
    table="regime.regime_driver_state",
    publish=publish,
    code_version="1",
    description=__doc__,
    reads=(BARS, INDICATORS),
    kinds=frozenset({"postgres", "polars", "numba"}),
    checks=(
        InlineCheck(
            "one_state_per_indicator_row",
            "check_one_state_per_indicator_row",
            "A driver without a state is a channel that silently says nothing.",
        ),
        InlineCheck("transitions_are_legal", "check_transitions_are_legal", "A state may move only along an arrow."),
        InlineCheck(
            "scores_are_present",
            "check_scores_are_present",
            "Transition bars once came without scores and flags, and trims never fired.",
        ),
    ),
)
