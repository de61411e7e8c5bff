"""Indicators of each regime driver: EMAs, slopes, ATR, ADX, RSI, separations, volume.

Reads the driver bars of the regime timeframes (1d, 1h, 1m). Typed columns, NULL until defined, recursive state carried
from row to row, so that one more bar costs the same whenever it comes. Fresh within the hour.
"""

import dagster as dg
import polars as pl

from domain.vocabulary.horizon import REGIME_TIMEFRAMES
from regime_assets.chain_asset import ChainTable, Work
from regime_assets.uptrend_series import SeriesTables
from resources.inline_check import InlineCheck

BARS, INDICATORS = "regime.regime_price_data_ohlc", "regime.regime_driver_ta"
DRIVERS = SeriesTables(BARS, INDICATORS, ("driver", "book_id", "timeframe"))


def publish(work: Work) -> dg.MaterializeResult:
    bars = DRIVERS.window_bars(work).filter(pl.col("timeframe").is_in(REGIME_TIMEFRAMES))
    frame = DRIVERS.indicator_rows(work, bars)
    cold = frame.filter(pl.col("bars_count") < work.config.regime.uptrend.min_bars).height
    return work.replace(frame, metadata={"bars_below_warm_up": cold})


SPEC = ChainTable(
    table=INDICATORS,
    publish=publish,
    code_version="1",
    description=__doc__,
    reads=(BARS,),
    kinds=frozenset({"postgres", "polars", "numba"}),
    checks=(
        InlineCheck(
            "one_row_per_driver_bar",
            "check_one_indicator_row_per_driver_bar",
            "A new price with old indicators once drove the engine; here both stand on the same bar.",
        ),
    ),
)
