"""Loads of raw bars without a database, and the indicators and states made of what a load lets in."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import polars as pl

from domain.config.bar import BarConfig
from domain.config.pm_config import PmConfig
from domain.regime.bar_load import Load, load_bars
from domain.regime.bar_quarantine import BAR_KEY, RAW_SCHEMA, SERIES_KEY
from domain.regime.indicator import indicator_frame
from domain.regime.uptrend_engine import uptrend_frame
from domain.vocabulary.window import Window

CONFIG = PmConfig().regime
STORED = {**RAW_SCHEMA, "coverage": pl.Float64(), "partial": pl.Boolean(), "known_at": pl.Datetime("us", "UTC")}
START = datetime(2025, 10, 10, tzinfo=UTC)
"""Midnight before which there is no bar."""


def loaded(
    raw: pl.DataFrame,
    stored: pl.DataFrame | None = None,
    *,
    first_day: int = 0,
    released: Sequence[str] = (),
    config: BarConfig = CONFIG.bar,
) -> Load:
    """Load all bars of 60 days, from a day on, over what is stored."""
    before = pl.DataFrame(schema=STORED) if stored is None else stored.select(STORED.keys())
    window = Window(START + timedelta(days=first_day), START + timedelta(days=60))
    earlier = before.filter(pl.col("timestamp") < window.start).sort("timestamp")
    inside = pl.col("timestamp") >= window.start
    return load_bars(
        raw.select(RAW_SCHEMA.keys()).filter(inside).sample(fraction=1.0, shuffle=True, seed=1),
        before.filter(inside),
        earlier.unique(SERIES_KEY, keep="last").select(*BAR_KEY, "close_usd"),
        window=window,
        as_of=window.end,
        config=config,
        released=released,
    )


def made_of(load: Load) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Indicators and uptrend states of the bars a load let in."""
    rows = load.rows.filter(pl.col("timeframe").is_in(["1h", "4h"]))
    averages = indicator_frame(rows, None, key=SERIES_KEY, config=CONFIG.indicator)
    evaluated = rows.join(averages, on=[*SERIES_KEY, "timestamp"])
    return averages, uptrend_frame(evaluated, None, key=SERIES_KEY, config=CONFIG.uptrend)
