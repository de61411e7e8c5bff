"""Which bars of the tokens have indicators and states.

A token is followed from the first day it had a tag other than xl, for good: a day without a tag, or with xl, leaves no
hole in its series. Its series begin at its first bar of that day, cold, whatever older bars there are: a row is then
the same whether the days were made one by one or at once. Minutes are followed on the last days only.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

import polars as pl

from domain.vocabulary.timeframe import Timeframe

TOKEN = ("token_contract", "chain")


def minutes_start(as_of: datetime, minute_days: int) -> datetime:
    """Midnight of the first day whose 1m bars are followed, the day of `as_of` being the last.

    Raises
    ------
    ValueError
        If `minute_days` is not positive.

    >>> from datetime import UTC
    >>> str(minutes_start(datetime(2025, 1, 3, 11, 7, tzinfo=UTC), 3))
    '2025-01-01 00:00:00+00:00'
    """
    if minute_days < 1:
        raise ValueError(f"minute_days must be > 0, was {minute_days}")
    return Timeframe.D1.floor(as_of) - timedelta(days=minute_days - 1)


def followed_bars(
    bars: pl.DataFrame, followed: pl.DataFrame, *, timeframes: Collection[str], minutes_from: datetime
) -> pl.DataFrame:
    """Bars of followed tokens, from the day they are followed from.

    Parameters
    ----------
    bars : DataFrame
        token_contract, chain, timeframe, timestamp (open, UTC), and any other columns, which are kept.
    followed : DataFrame
        token_contract, chain, followed_from: the midnight that opens the first day; one row a token.
    timeframes : collection of str
        Bars to follow.
    minutes_from : datetime
        Earlier 1m bars are left out.

    Returns
    -------
    DataFrame
        Columns and order of `bars`.
    """
    is_kept = pl.col("timeframe").is_in(list(timeframes)) & (
        (pl.col("timeframe") != Timeframe.M1.value) | (pl.col("timestamp") >= minutes_from)
    )
    joined = bars.filter(is_kept).join(
        followed.select(*TOKEN, "followed_from"), on=TOKEN, how="inner", maintain_order="left", validate="m:1"
    )
    return joined.filter(pl.col("timestamp") >= pl.col("followed_from")).drop("followed_from")
