"""What is known of each token on each day: the last reading of its market cap, and whether that cap can be used.

What belongs here: from readings to one row a token and day, and what bars add where a source is silent. What does not:
who is asked, and which bucket a cap makes.

A reading knows nothing after its instant: a close or a volume that fills its gaps had closed by then.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

import polars as pl

from domain.config.cap_bucket import CapBucketConfig
from domain.regime.cap_status import cap_status
from domain.regime.rollup import TIMESTAMP, bar_length
from domain.vocabulary.cap_status import CapBasis
from domain.vocabulary.timeframe import Timeframe
from domain.vocabulary.universe import MAJORS
from domain.vocabulary.window import Window

DAY = timedelta(days=1)
ROW_KEY = ("token_contract", "chain", "timestamp")
_TOKEN = ROW_KEY[:2]

READING_SCHEMA = pl.Schema(
    {
        "token_contract": pl.String(),
        "chain": pl.String(),
        "timestamp": TIMESTAMP,
        **dict.fromkeys(
            ("market_cap_usd", "circulating_supply", "fdv_usd", "volume_24h_usd", "liquidity_usd"), pl.Float64()
        ),
        "source": pl.String(),
    }
)
"""A reading as a source gave it; `timestamp` is the instant it was read."""

VALUE_COLUMNS = (
    "market_cap_usd",
    "market_cap_basis",
    "circulating_supply",
    "fdv_usd",
    "volume_24h_usd",
    "liquidity_usd",
    "updated_at",
    "source",
)
"""What was known; cap_status is a judgement of it."""

METADATA_SCHEMA = pl.Schema(
    {
        "token_contract": pl.String(),
        "chain": pl.String(),
        "timestamp": TIMESTAMP,
        "market_cap_usd": pl.Float64(),
        "market_cap_basis": pl.String(),
        "cap_status": pl.String(),
        **dict.fromkeys(("circulating_supply", "fdv_usd", "volume_24h_usd", "liquidity_usd"), pl.Float64()),
        "updated_at": TIMESTAMP,
        "source": pl.String(),
        "known_at": TIMESTAMP,
    }
)
"""A row of regime.token_metadata without its stamps; `timestamp` is the day's midnight."""


def token_metadata(
    readings: pl.DataFrame,
    stored: pl.DataFrame,
    bars: pl.DataFrame,
    *,
    window: Window,
    as_of: datetime,
    volume_units: Mapping[str, str],
    config: CapBucketConfig,
) -> pl.DataFrame:
    """Last reading of each low-cap token on each day of a window, laid over what is stored of it.

    Where a reading has no cap but a supply, the cap is supply times the last close, unless that is older than
    `tag_ttl_hours`: a token that no longer trades has no price. Where it has no volume, that is the sum over the hour
    bars of its last 24 hours, else its day bar; volume in coins counts at the bar's close.

    Parameters
    ----------
    readings : DataFrame
        `READING_SCHEMA`, any order, any universe. Majors are left out; so are readings later than `as_of`, and those
        of a day whose midnight is not in the window.
    stored : DataFrame
        `METADATA_SCHEMA`, the window as it stands. A row read later than the new reading of its day stays, as does
        one that has none: a live source forgets what it said.
    bars : DataFrame
        token_contract, chain, timeframe ("1h", "1d"; others are not read), timestamp (open), close_usd, volume,
        source (who printed the volume); from `bar_lookback` before the window on, any order, one row a bar.
    window : Window
        Days to make, by their midnights.
    as_of : datetime
        When the readings were loaded; known_at of what is new.
    volume_units : mapping of source to "base" or "usd"
        What a bar's volume counts; that of another source counts nothing.
    config : CapBucketConfig
        Time to live of a cap.

    Returns
    -------
    DataFrame
        `METADATA_SCHEMA`, sorted by token and day. Values are as received, NaN and 0 too; null is unknown.

    Raises
    ------
    ValueError
        If `as_of` is naive.
    """
    if as_of.tzinfo is None:
        raise ValueError(f"as_of must be timezone-aware, was {as_of!r}")
    closed = _with_closed_at(bars)
    ttl = timedelta(hours=config.tag_ttl_hours)
    last = _last_of_each_day(readings, window, as_of)
    filled = _with_volume(_with_cap(last, closed, ttl), closed, volume_units)
    fresh = filled.with_columns(known_at=pl.lit(as_of, dtype=TIMESTAMP))
    merged = _merged(stored.select(*ROW_KEY, *VALUE_COLUMNS, "known_at"), fresh)
    judged = merged.with_columns(cap_status=cap_status(pl.col("timestamp") + DAY, ttl=ttl))
    return judged.select(*METADATA_SCHEMA).cast(METADATA_SCHEMA).sort(*ROW_KEY)


def bar_lookback(config: CapBucketConfig) -> timedelta:
    """How far before a window its bars must reach: the oldest close that counts, and a day bar that ends by then."""
    return max(timedelta(hours=config.tag_ttl_hours), DAY) + DAY


def _with_closed_at(bars: pl.DataFrame) -> pl.DataFrame:
    hours_and_days = bars.filter(pl.col("timeframe").is_in([Timeframe.H1.value, Timeframe.D1.value]))
    return hours_and_days.with_columns(closed_at=pl.col("timestamp") + bar_length()).drop("timestamp")


def _last_of_each_day(readings: pl.DataFrame, window: Window, as_of: datetime) -> pl.DataFrame:
    """One reading a token and day, `timestamp` being the day and `updated_at` the instant.

    Of readings of one instant one that has a cap wins, then source and values decide, so that their order never does.
    """
    midnight = pl.col("updated_at").dt.truncate("1d")
    values = [name for name in READING_SCHEMA if name not in (*ROW_KEY, "source")]
    return (
        readings.select(*READING_SCHEMA)
        .cast(READING_SCHEMA)
        .rename({"timestamp": "updated_at"})
        .with_columns(timestamp=midnight)
        .filter(pl.col("updated_at") <= as_of, pl.col("timestamp").is_between(window.start, window.end, closed="left"))
        .filter(~pl.col("token_contract").is_in(MAJORS))
        .sort(*ROW_KEY, "updated_at", pl.col("market_cap_usd").is_not_null(), "source", *values)
        .unique(ROW_KEY, keep="last", maintain_order=True)
    )


def _with_cap(readings: pl.DataFrame, closed: pl.DataFrame, ttl: timedelta) -> pl.DataFrame:
    """Give a cap to each reading with a supply and a recent close, and say what each cap is based on."""
    closes = (
        closed.select(*_TOKEN, "closed_at", "timeframe", "close_usd")
        .sort("closed_at", pl.col("timeframe") == Timeframe.H1.value)
        .unique([*_TOKEN, "closed_at"], keep="last", maintain_order=True)
    )
    priced = readings.sort("updated_at").join_asof(
        closes,
        left_on="updated_at",
        right_on="closed_at",
        by=list(_TOKEN),
        tolerance=ttl,
        check_sortedness=False,  # polars cannot check it within groups; both were sorted just above
    )
    reported, supply = pl.col("market_cap_usd"), pl.col("circulating_supply")
    has_supply = (supply > 0) & supply.is_finite()
    made = pl.when(has_supply).then(supply * pl.col("close_usd"))
    basis = (
        pl.when(reported.is_not_null())
        .then(pl.lit(CapBasis.REPORTED.value))
        .when(made.is_not_null())
        .then(pl.lit(CapBasis.SUPPLY_TIMES_CLOSE.value))
    )
    with_cap = priced.with_columns(market_cap_usd=pl.coalesce(reported, made), market_cap_basis=basis)
    return with_cap.drop("closed_at", "timeframe", "close_usd")


def _with_volume(readings: pl.DataFrame, closed: pl.DataFrame, volume_units: Mapping[str, str]) -> pl.DataFrame:
    """Give each reading without a volume what its token had traded in the 24 hours before."""
    unit = pl.col("source").replace_strict(dict(volume_units), default=None, return_dtype=pl.String)
    in_usd = pl.when(unit == "usd").then("volume").when(unit == "base").then(pl.col("volume") * pl.col("close_usd"))
    # A bar lies in the last 24 hours of a reading of the day it closed in, or of the next one.
    label = pl.col("closed_at").dt.truncate("1d")
    candidates = (
        closed.select(
            *_TOKEN, "timeframe", "closed_at", traded_usd=in_usd, timestamp=pl.concat_list(label, label + DAY)
        )
        .drop_nulls("traded_usd")
        .explode("timestamp")
    )
    read_at = pl.col("updated_at")
    last_day = (
        readings.select(*ROW_KEY, "updated_at")
        .join(candidates, on=ROW_KEY)
        .filter((pl.col("closed_at") > read_at - DAY) & (pl.col("closed_at") <= read_at))
        .sort(*ROW_KEY, "timeframe", "closed_at")
    )
    sums = (
        last_day.group_by(*ROW_KEY, "timeframe", maintain_order=True)
        .agg("traded_usd")
        .with_columns(pl.col("traded_usd").list.sum())  # in one order, whatever else the window holds
        .sort(*ROW_KEY, pl.col("timeframe") == Timeframe.H1.value)
        .unique(ROW_KEY, keep="last", maintain_order=True)
    )
    known = readings.join(sums.select(*ROW_KEY, "traded_usd"), on=ROW_KEY, how="left")
    return known.with_columns(volume_24h_usd=pl.coalesce("volume_24h_usd", "traded_usd")).drop("traded_usd")


def _merged(stored: pl.DataFrame, fresh: pl.DataFrame) -> pl.DataFrame:
    """Rows of both, one a key: the later reading; of the same values the row that was known first."""
    beside = fresh.join(stored, on=ROW_KEY, how="left", suffix="_stored", nulls_equal=False)
    was_read_later = (pl.col("updated_at_stored") > pl.col("updated_at")).fill_null(value=False)
    is_same = pl.all_horizontal(pl.col(name).eq_missing(pl.col(f"{name}_stored")) for name in VALUE_COLUMNS)
    outdated = beside.filter(was_read_later | is_same)
    arrived = fresh.join(outdated, on=ROW_KEY, how="anti").select(stored.columns)
    return pl.concat([stored.join(arrived, on=ROW_KEY, how="anti"), arrived])
