"""Whether the market cap of a reading can be used: one rule for storing a reading and for tagging by it."""

from datetime import datetime, timedelta

import polars as pl

from domain.vocabulary.cap_status import CapStatus


def cap_status(ends_at: pl.Expr | datetime, *, ttl: timedelta) -> pl.Expr:
    """Status of each row's cap, first match first: missing, not_finite, negative, zero, stale, else ok.

    Reads market_cap_usd, circulating_supply and updated_at. A null cap is missing, never zero; a supply of 0 makes the
    cap zero whatever it says, while an unknown supply says nothing. A NaN supply is unknown.

    Parameters
    ----------
    ends_at : expression or datetime
        End of the day the reading is judged for, UTC.
    ttl : timedelta
        Age at `ends_at` from which a reading is stale; one without a time is.
    """
    cap, supply, read_at = pl.col("market_cap_usd"), pl.col("circulating_supply"), pl.col("updated_at")
    end = ends_at if isinstance(ends_at, pl.Expr) else pl.lit(ends_at)
    return (
        pl.when(cap.is_null())
        .then(pl.lit(CapStatus.MISSING.value))
        .when(~cap.is_finite())
        .then(pl.lit(CapStatus.NOT_FINITE.value))
        .when(cap < 0)
        .then(pl.lit(CapStatus.NEGATIVE.value))
        .when((cap == 0) | supply.eq(0).fill_null(value=False))
        .then(pl.lit(CapStatus.ZERO.value))
        .when((read_at + ttl <= end).fill_null(value=True))
        .then(pl.lit(CapStatus.STALE.value))
        .otherwise(pl.lit(CapStatus.OK.value))
    )
