"""Log return of each cap bucket, bar by bar, against BTC and ALT, and the index it chains to.

What belongs here: frames in, one row a group and bar out. What does not: who is a member (`bucket_eligibility`) and
the arithmetic of the mean (`group_return`). Unit: natural log per bar. A group is a cap bucket or any other tag.
"""

import math
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import NamedTuple

import numpy as np
import polars as pl

from domain.config.cap_bucket import CapBucketConfig
from domain.regime.group_return import NO_GROUP, GroupDays, GroupRule, MemberCloses, group_returns
from domain.regime.rollup import TIMESTAMP
from domain.regime.token_cap_bucket import TOKEN
from domain.vocabulary.driver import ALT, BTC
from domain.vocabulary.timeframe import Timeframe

RETURN_TIMEFRAMES = (Timeframe.H1, Timeframe.D1)
"""Bars that have returns; phases stand on the hours."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_COUNTS = ("member_count", "traded_count", "dropped_count", "clipped_count")


class BucketReturns(NamedTuple):
    """Rows of the groups, and the bars in which a group has none.

    returns : `group`, timestamp (open), r_bucket, resid_btc, resid_alt (null without a reference), index_level,
    member_count = members with a return, traded_count = those with a bar, dropped_count = members without a fresh
    close, clipped_count = returns clipped. skipped : `group`, timestamp and the counts; fewer members than
    `bucket_phase_min_population`, or none of them traded.
    """

    returns: pl.DataFrame
    skipped: pl.DataFrame


def bucket_returns(
    bars: pl.DataFrame,
    membership: pl.DataFrame,
    references: pl.DataFrame,
    last_levels: pl.DataFrame,
    *,
    start: datetime,
    end: datetime,
    config: CapBucketConfig,
    group: str = "bucket",
    timeframe: Timeframe = Timeframe.H1,
) -> BucketReturns:
    """Return series of every group in a window.

    Formula: r = weighted mean over members of ln(P(t) / P(t-1)), each clipped; level(t) = level(t-1) x exp(r). A
    member joins with its move since its last fresh close and leaves with its last one, so neither moves the level,
    nor does its unit of price. A skipped bar leaves the level where it is.

    Parameters
    ----------
    bars : DataFrame
        token_contract, chain, timeframe, timestamp (open), close_usd, in any order, closed bars only, reaching back
        before `start` by `max_missing_bars` + 1 bars. Rows from `end` on are not read.
    membership : DataFrame
        `group`, token_contract, chain, day, and liquidity_usd when weighting is by liquidity: a member without one
        is dropped. A token is in one group a day.
    references : DataFrame
        timestamp, r_btc, r_alt, as `reference_returns` makes them.
    last_levels : DataFrame
        `group`, timestamp, index_level of stored rows; the latest before `start` is gone on from.
    start, end : datetime
        Bars with start <= timestamp < end come out, `start` on the grid.
    config : CapBucketConfig
        Weighting, freshness, clip, fewest members, base.
    group : str
        Column that names the groups.
    timeframe : Timeframe
        Bars to read.

    Returns
    -------
    BucketReturns
        Sorted by group and time. Cut anywhere, with the look-back and the last levels, the same to the last bit.

    Raises
    ------
    ValueError
        If a token is twice in a day or a timestamp, a price is not finite and > 0, or times are not UTC-aware.
    """
    _require_window(bars, start, end)
    inside = (pl.col("timeframe") == timeframe.value) & (pl.col("timestamp") < end)
    tokens = membership.select(TOKEN).unique().sort(TOKEN).with_row_index("member")
    names = membership[group].unique().sort().to_list()
    rows = group_returns(
        _closes(bars.filter(inside), tokens),
        _group_days(membership, tokens, names, start, end, group, config),
        n_groups=len(names),
        start_us=_us(start - _EPOCH),
        rule=GroupRule(_us(timeframe.duration), config.max_missing_bars, config.max_abs_log_return),
    )
    counts = (rows.used, rows.traded, rows.dropped, rows.clipped)
    frame = pl.DataFrame(
        {
            group: np.tile(np.arange(len(names)), len(rows.at_us)),
            "timestamp": np.repeat(rows.at_us, len(names)),
            "r_bucket": rows.log_return.reshape(-1),
            **{name: count.reshape(-1) for name, count in zip(_COUNTS, counts, strict=True)},
        },
        schema_overrides={"timestamp": TIMESTAMP, **dict.fromkeys(_COUNTS, pl.Int32)},
    ).with_columns(pl.col(group).replace_strict(dict(enumerate(names)), return_dtype=pl.String))
    concerned = frame.filter(pl.col("member_count") + pl.col("dropped_count") > 0).sort(group, "timestamp")
    is_made = (pl.col("member_count") >= config.bucket_phase_min_population) & (pl.col("traded_count") > 0)
    levelled = _with_levels(concerned.filter(is_made), last_levels, start, group, config.index_base)
    return BucketReturns(
        with_residuals(levelled, references, "r_bucket").select(
            group, "timestamp", "r_bucket", "resid_btc", "resid_alt", "index_level", *_COUNTS
        ),
        concerned.filter(~is_made).select(group, "timestamp", *_COUNTS),
    )


def reference_returns(driver_bars: pl.DataFrame, *, timeframe: Timeframe, config: CapBucketConfig) -> pl.DataFrame:
    """Log returns of BTC and ALT: timestamp, r_btc, r_alt; null after a hole of more than `max_missing_bars`.

    Parameters
    ----------
    driver_bars : DataFrame
        driver, timeframe, timestamp (open), close_usd > 0, with one bar of look-back.
    """
    longest = (config.max_missing_bars + 1) * timeframe.duration
    columns = []
    for driver, name in ((BTC, "r_btc"), (ALT, "r_alt")):
        own = driver_bars.filter(driver=driver, timeframe=timeframe.value).sort("timestamp")
        move = (pl.col("close_usd") / pl.col("close_usd").shift(1)).log()
        is_fresh = pl.col("timestamp").diff() <= longest
        columns.append(own.select("timestamp", pl.when(is_fresh).then(move).alias(name)))
    btc, alt = columns
    return btc.join(alt, on="timestamp", how="full", coalesce=True).sort("timestamp")


def with_residuals(rows: pl.DataFrame, references: pl.DataFrame, own: str) -> pl.DataFrame:
    """Add resid_btc = own - r_btc and resid_alt = own - r_alt, null where the reference is."""
    joined = rows.join(
        references.select("timestamp", "r_btc", "r_alt"), on="timestamp", how="left", maintain_order="left"
    )
    return joined.with_columns(resid_btc=pl.col(own) - pl.col("r_btc"), resid_alt=pl.col(own) - pl.col("r_alt"))


def member_coverage() -> pl.Expr:
    """Share of a group's members with a fresh close, 0..1, from the counts of its row."""
    return pl.col("member_count") / (pl.col("member_count") + pl.col("dropped_count"))


def chain_levels(log_returns: Iterable[float], level: float) -> list[float]:
    """Levels after each return, one after the other, so that a chain can be gone on with to the last bit.

    >>> chain_levels([0.0, 0.1], 100.0)
    [100.0, 110.5170918]
    """
    if not 0 < level < math.inf:
        raise ValueError(f"level must be finite and > 0, was {level}")
    return list(accumulate(log_returns, lambda at, r: at * math.exp(r), initial=level))[1:]


def level_before(stored: pl.DataFrame, start: datetime, index_base: float) -> float:
    """Level of the latest stored row before `start`; the base when there is none."""
    earlier = stored.filter(pl.col("timestamp") < start).sort("timestamp")
    return float(earlier["index_level"][-1]) if earlier.height else index_base


def _with_levels(
    made: pl.DataFrame, last_levels: pl.DataFrame, start: datetime, group: str, index_base: float
) -> pl.DataFrame:
    levels: list[float] = []
    for (name,), rows in made.group_by(group, maintain_order=True):
        level = level_before(last_levels.filter(pl.col(group) == name), start, index_base)
        levels += chain_levels(rows["r_bucket"], level)
    return made.with_columns(index_level=pl.Series(levels, dtype=pl.Float64))


def _closes(bars: pl.DataFrame, tokens: pl.DataFrame) -> MemberCloses:
    rows = bars.join(tokens, on=TOKEN).select("timestamp", "member", "close_usd").sort("timestamp", "member")
    return MemberCloses(
        rows["timestamp"].to_physical().to_numpy(), rows["member"].to_numpy(), rows["close_usd"].to_numpy()
    )


def _group_days(
    membership: pl.DataFrame,
    tokens: pl.DataFrame,
    names: list[str],
    start: datetime,
    end: datetime,
    group: str,
    config: CapBucketConfig,
) -> GroupDays:
    """Group and weight of each token on each UTC day of the window."""
    first, last = start.astimezone(UTC).date(), (end - timedelta(microseconds=1)).astimezone(UTC).date()
    dated = membership.filter(pl.col("day").is_between(first, last)).join(tokens, on=TOKEN)
    if dated.select("member", "day").is_duplicated().any():
        raise ValueError("A token must be in one group a day, was in two")
    at = (dated["day"] - first).dt.total_days().to_numpy(), dated["member"].to_numpy()
    numbers = np.full(((last - first).days + 1, tokens.height), NO_GROUP, dtype=np.int16)
    numbers[at] = dated[group].replace_strict({name: i for i, name in enumerate(names)}, return_dtype=pl.Int16)
    if config.weighting == "equal":
        return GroupDays(numbers, None)
    weight = np.full(numbers.shape, np.nan)
    usd = pl.col("liquidity_usd")
    weight[at] = dated.select(pl.when((usd > 0) & usd.is_finite()).then(usd)).to_series().to_numpy()
    return GroupDays(numbers, weight)


def _require_window(bars: pl.DataFrame, start: datetime, end: datetime) -> None:
    if not start.utcoffset() == end.utcoffset() == timedelta(0) or start >= end:
        raise ValueError(f"Expected UTC-aware start < end, was {start!r}, {end!r}")
    if bars.schema["timestamp"] != TIMESTAMP:
        raise ValueError(f"timestamp must be {TIMESTAMP}, was {bars.schema['timestamp']}")


def _us(duration: timedelta) -> int:
    return duration // timedelta(microseconds=1)
