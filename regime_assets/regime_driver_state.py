"""Uptrend state of each regime driver: S0..S3, or S4 while unclear, with flags, scores and every transition's reason.

Reads the driver bars and their indicators (1d, 1h, 1m). Folds forward from the last stored state; evaluating a bar
twice changes nothing. Its heat-map shows the 15 channels as they stood at the end of the window. Fresh within the hour.
"""

import dagster as dg
import polars as pl

from domain.regime.uptrend_engine import HISTORY_ROWS, uptrend_frame
from domain.vocabulary.horizon import REGIME_TIMEFRAMES
from domain.vocabulary.uptrend import StateStatus
from regime_assets.chain_asset import ChainTable, Work
from regime_assets.state_heat_map import heat_map
from resources.tables import InlineCheck

BARS, INDICATORS = "regime.regime_price_data_ohlc", "regime.regime_driver_ta"
KEY = ("driver", "book_id", "timeframe")


def publish(work: Work) -> dg.MaterializeResult:
    start = work.window.start
    rows = pl.concat([_evaluated_rows(work, past=True), _evaluated_rows(work, past=False)])
    previous = work.tables.read_last(work.table, start)
    frame = uptrend_frame(rows, previous, key=KEY, config=work.config.regime.uptrend, start=start)
    latest = pl.concat([previous.select(frame.columns), frame]).filter(pl.col("timestamp") < work.window.end)
    return work.replace(
        frame,
        metadata={
            "heat_map": dg.MetadataValue.md(heat_map(latest, title=f"Regime drivers, {work.window}")),
            "transitions": dict(frame["transition"].drop_nulls().value_counts().sort("transition").rows()),
            "rows_warming_up": frame.filter(pl.col("status") == StateStatus.WARMING_UP).height,
        },
    )


def _evaluated_rows(work: Work, *, past: bool) -> pl.DataFrame:
    """Bars joined with their indicators: those of the window, or the history the trend decay looks back on."""

    def read(table: str) -> pl.DataFrame:
        if past:
            return work.tables.read_last(table, work.window.start, rows=HISTORY_ROWS)
        return work.tables.read(table, work.window)

    bars = read(BARS).filter(pl.col("timeframe").is_in(REGIME_TIMEFRAMES))
    return bars.join(read(INDICATORS), on=[*KEY, "timestamp"], suffix="_ta")


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
