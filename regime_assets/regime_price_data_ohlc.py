"""Bars of the regime drivers: BTC, the ALT return index, the cap-bucket indices, BTC.d and USDT.d.

Reads the majors, the low-caps with their tags, and the dominance samples. BTC in USD, indices chained from 100,
dominance in percent carried forward between samples and flagged. Each driver and timeframe is a series of its own;
closed bars only. Fresh within the hour.
"""

from datetime import timedelta

import dagster as dg
import polars as pl

from domain.regime.driver_set import driver_set_bars
from regime_assets.bucket_member import BARS, ELIGIBILITY, TAGS, member_bars, members
from regime_assets.chain_asset import ChainTable, Work
from resources.inline_check import InlineCheck

MAJORS, SAMPLES = "regime.majors_price_data_ohlc", "regime.dominance_sample"
BAR_VALUES = ("open_usd", "high_usd", "low_usd", "close_usd", "volume", "coverage")


def publish(work: Work) -> dg.MaterializeResult:
    config = work.config.regime.driver_bar
    lookback = timedelta(hours=config.max_fill_hours) + timedelta(days=1)
    result = driver_set_bars(
        majors=work.tables.read(MAJORS, work.window, lookback),
        lowcaps=member_bars(work, BAR_VALUES),
        members=members(work),
        samples=work.tables.read(SAMPLES, work.window, lookback),
        last_levels=work.tables.read_last(work.table, work.window.start, columns=["close_usd"]),
        window=work.window,
        as_of=work.as_of,
        config=config,
    )
    return work.replace(
        result.bars,
        metadata={
            "coverage": dg.MetadataValue.md(coverage_table(result.bars)),
            "composite_bars_clipped": result.clipped.height,
            "composite_bars_skipped": result.skipped.height,
        },
    )


def coverage_table(bars: pl.DataFrame) -> str:
    """Bars, mean coverage and carried share per driver and timeframe, as a Markdown table."""
    rows = bars.group_by("driver", "timeframe").agg(
        bars=pl.len(), coverage=pl.col("coverage").mean().round(4), carried=pl.col("carried").mean().round(4)
    )
    lines = [f"| {' | '.join(map(str, row))} |" for row in rows.sort("driver", "timeframe").iter_rows()]
    return "\n".join(["| driver | timeframe | bars | coverage | carried |", "|---|---|---|---|---|", *lines])


SPEC = ChainTable(
    table="regime.regime_price_data_ohlc",
    publish=publish,
    code_version="2",
    description=__doc__,
    reads=(MAJORS, BARS, TAGS, ELIGIBILITY, SAMPLES),
    kinds=frozenset({"postgres", "polars", "numba"}),
    checks=(
        InlineCheck(
            "btc_copies_its_major", "check_btc_driver_copies_its_major", "BTC is a copy, never an average of sources."
        ),
        InlineCheck(
            "composite_never_jumps",
            "check_composite_never_jumps",
            "A mean of prices jumps when a dear token joins; a return index cannot.",
        ),
    ),
)
