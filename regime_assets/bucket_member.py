"""Who is in which bucket, and what they last traded at: the reads that buckets and their drivers share."""

from collections.abc import Sequence

import polars as pl

from domain.regime.bucket_eligibility import made_members
from domain.regime.driver_set import closed_bars
from domain.vocabulary.timeframe import Timeframe
from domain.vocabulary.window import Window
from regime_assets.chain_asset import Work

BARS = "regime.lowcap_price_data_ohlc"
TAGS = "regime.token_cap_bucket"
ELIGIBILITY = "regime.bucket_eligibility"


def members(work: Work) -> pl.DataFrame:
    """Members of the buckets that are made, on every day the window touches."""
    days = Window(Timeframe.D1.floor(work.window.start), work.window.end)
    return made_members(work.tables.read(TAGS, days), work.tables.read(ELIGIBILITY, days))


def member_bars(work: Work, columns: Sequence[str]) -> pl.DataFrame:
    """Read the closed bars of the low-caps in the window, and of each series the last one before it."""
    key = ("token_contract", "chain", "timeframe", "timestamp")
    before = work.tables.read_last(BARS, work.window.start, columns=columns)
    inside = work.tables.read(BARS, work.window, columns=[*key, *columns])
    return closed_bars(pl.concat([before.select(inside.columns), inside]), work.as_of)
