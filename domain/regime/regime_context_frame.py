"""Regime contexts of a window of hours, as rows of their table."""

from collections import defaultdict
from datetime import datetime

import polars as pl

from domain.config.cap_bucket import BucketOrderMultipliers
from domain.regime.regime_context import HOUR, Row, get_regime_context
from domain.vocabulary.timeframe import Timeframe
from domain.vocabulary.window import Window

CONTEXT_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "timestamp": pl.Datetime("us", "UTC"),
    "regime_label": pl.String,
    "context": pl.String,
}


def regime_context_frame(
    composite: pl.DataFrame,
    buckets: pl.DataFrame,
    eligibility: pl.DataFrame,
    *,
    window: Window,
    as_of: datetime,
    config: BucketOrderMultipliers,
    config_version: int,
) -> pl.DataFrame:
    """Make the document of every hour of a window that has closed.

    Parameters
    ----------
    composite, buckets : DataFrame
        Rows of phase_state and phase_state_bucket, in any order; rows of other hours are not looked at.
    eligibility : DataFrame
        Rows of bucket_eligibility from the midnight at or before the window on.
    window : Window
        Hours that lie wholly in it are made.
    as_of : datetime
        Hours that close later are not.
    config : BucketOrderMultipliers
        What rank and slope do.
    config_version : int
        Version that holds `config`.

    Returns
    -------
    DataFrame
        `CONTEXT_SCHEMA`, one row an hour; an hour without any phase has nulls in its document and Unknown in its label.
        A row depends on nothing but the rows of its hour and day.

    Raises
    ------
    ValueError
        As `get_regime_context`.
    """
    of_composite, of_buckets, of_day = _by_time(composite, "ts"), _by_time(buckets, "ts"), _by_time(eligibility)
    contexts = [
        get_regime_context(
            hour,
            of_composite[hour],
            of_buckets[hour],
            of_day[Timeframe.D1.floor(hour)],
            config=config,
            config_version=config_version,
        )
        for hour in window.opens(Timeframe.H1, min(window.end, as_of) - HOUR)
    ]
    rows = [(context.evaluated_at, context.regime_label, context.to_json()) for context in contexts]
    return pl.DataFrame(rows, schema=CONTEXT_SCHEMA, orient="row")


def _by_time(rows: pl.DataFrame, time: str = "timestamp") -> defaultdict[datetime, list[Row]]:
    by_time: defaultdict[datetime, list[Row]] = defaultdict(list)
    for row in rows.iter_rows(named=True):
        by_time[row[time]].append(row)
    return by_time
