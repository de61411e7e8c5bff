"""Phases of any subjects in a window: the wiring that buckets and the composite share."""

from collections.abc import Sequence
from datetime import timedelta

import polars as pl

from domain.regime.spiral_phase import phase_frame
from domain.regime.spiral_stream import stream_frame
from domain.vocabulary.timeframe import Timeframe
from domain.vocabulary.window import Window
from regime_assets.chain_asset import Work

DRIVERS = "regime.regime_price_data_ohlc"
SHOWN_DAYS = timedelta(days=7)


def lookback(work: Work) -> timedelta:
    """How far before the window its phases read."""
    bridged = work.config.regime.cap_bucket.max_missing_bars
    return timedelta(hours=work.config.regime.spiral.lookback_hours + bridged)


def phases(work: Work, subjects: pl.DataFrame, previous: pl.DataFrame) -> pl.DataFrame:
    """Phase rows of the window, its time named `ts`.

    `subjects` has subject, timestamp, index_level and coverage of the window and its look-back; `previous` the last
    stored row of each subject and horizon.
    """
    drivers = work.tables.read(
        DRIVERS, work.window, lookback(work), columns=["driver", "timeframe", "timestamp", "close_usd"]
    )
    streams = stream_frame(
        subjects,
        drivers,
        start=work.window.start - lookback(work),
        end=Timeframe.H1.floor(work.usable_end),
        max_missing_bars=work.config.regime.cap_bucket.max_missing_bars,
    )
    rows = phase_frame(
        streams, previous.rename({"ts": "timestamp"}), start=work.window.start, config=work.config.regime.spiral
    )
    return rows.rename({"timestamp": "ts"})


def shown_before(work: Work, columns: Sequence[str]) -> pl.DataFrame:
    """Rows of the week before the window: a picture of one day says little."""
    week = Window(work.window.start - SHOWN_DAYS, work.window.start)
    return work.tables.read(work.table, week, columns=columns)


def with_count(rows: pl.DataFrame, counted: pl.DataFrame) -> pl.DataFrame:
    """Phase rows with the newest count of their subject at or before the hour: a bridged hour has that of the last."""
    return rows.sort("ts").join_asof(
        counted.rename({"timestamp": "ts"}).sort("ts"),
        on="ts",
        by="subject",
        strategy="backward",
        check_sortedness=False,
    )
