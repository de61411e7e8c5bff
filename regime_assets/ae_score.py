"""A (appetite to add) and E (assertiveness to exit) per cap bucket and execution timeframe, 0..1.

Reads the driver states: 5 drivers x 3 horizons make 15 channels. A missing, stale or warming-up channel adds nothing
and is counted; below 12 of 15 the score is published as degraded. One row per execution bar, at its close.
"""

import dagster as dg
import polars as pl

from domain.regime.ae_channel import ae_score_frame, channel_lookback
from domain.vocabulary.driver import DEFAULT_BOOK_ID
from regime_assets.chain_asset import ChainTable, Work
from resources.inline_check import InlineCheck

BARS, STATES = "regime.regime_price_data_ohlc", "regime.regime_driver_state"


def publish(work: Work) -> dg.MaterializeResult:
    config = work.config.scores
    lookback = channel_lookback(config)
    recent = work.tables.read(STATES, work.window, lookback)
    older = work.tables.read_last(STATES, work.window.start - lookback)
    evaluations = work.tables.read(BARS, work.window, columns=["timeframe", "timestamp"])
    frame = ae_score_frame(
        pl.concat([older, recent]),
        evaluations.filter(pl.col("timeframe").is_in(config.execution_timeframes)),
        book_id=DEFAULT_BOOK_ID,
        config=config,
    )
    return work.replace(
        frame,
        metadata={
            "degraded_scores": int(frame["degraded"].sum()),
            "coverage": {str(key): count for key, count in frame["coverage"].value_counts().sort("coverage").rows()},
        },
    )


SPEC = ChainTable(
    table="regime.ae_score",
    publish=publish,
    code_version="1",
    description=__doc__,
    reads=(BARS, STATES),
    checks=(
        InlineCheck(
            "every_bucket_is_scored", "check_every_bucket_is_scored", "A token of any bucket finds a score or a reason."
        ),
        InlineCheck(
            "coverage_counts_its_channels",
            "check_coverage_counts_its_channels",
            "Missing channels once counted as neutral, silently.",
        ),
    ),
)
