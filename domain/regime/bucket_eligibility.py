"""Which groups are fit to be scored on a day, and who their members are.

What belongs here: counting members and their volume. What does not: who is in which group, and what members return.
A group is a cap bucket or any other column of the tags, such as the chain.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from enum import StrEnum

import polars as pl

from domain.config.cap_bucket import CapBucketConfig
from domain.regime.rollup import TIMESTAMP
from domain.regime.token_cap_bucket import TOKEN
from domain.vocabulary.cap_bucket import CapBucket

CAP_BUCKETS: tuple[str, ...] = tuple(bucket.value for bucket in CapBucket)
TELEMETRY: tuple[str, ...] = (CapBucket.XL.value,)


class SkipReason(StrEnum):
    """Why a group is not scored on a day, first match first."""

    TOO_FEW_MEMBERS = "too_few_members"
    MEDIAN_VOLUME_UNKNOWN = "median_volume_unknown"
    MEDIAN_VOLUME_BELOW_FLOOR = "median_volume_below_floor"
    TELEMETRY_ONLY = "telemetry_only"


def group_eligibility(
    tags: pl.DataFrame,
    *,
    midnights: Sequence[datetime],
    config: CapBucketConfig,
    group: str = "bucket",
    expected: Collection[str] = CAP_BUCKETS,
    telemetry: Collection[str] = TELEMETRY,
) -> pl.DataFrame:
    """Count the groups of each day, from what was known at its midnight.

    Parameters
    ----------
    tags : DataFrame
        Daily tags: token_contract, chain, timestamp (midnight of the day they hold), volume_24h_usd and `group`. A
        tag that holds at the midnight counts for the whole day; a null group counts nowhere.
    midnights : sequence of datetime
        Days to judge.
    config : CapBucketConfig
        Fewest members, volume floor (USD; 0 asks for none).
    group : str
        Column that names the groups.
    expected : collection of str
        Groups that get a row a day though nobody is in them.
    telemetry : collection of str
        Groups that are made but never eligible.

    Returns
    -------
    DataFrame
        `group`, timestamp, member_count, median_volume_24h_usd (over members whose volume is known, null when none
        is; NaN counts as unknown), is_eligible, reason (null when eligible); sorted by group and day.
    """
    days = pl.DataFrame({"timestamp": list(midnights)}, schema={"timestamp": TIMESTAMP})
    asked = days.join(pl.DataFrame({group: list(expected)}, schema={group: pl.String}), how="cross")
    counted = (
        tags.join(days, on="timestamp", how="semi")
        .filter(pl.col(group).is_not_null())
        .group_by(group, "timestamp")
        .agg(
            member_count=pl.len().cast(pl.Int32),
            median_volume_24h_usd=pl.col("volume_24h_usd").cast(pl.Float64).fill_nan(None).median(),
        )
    )
    judged = (
        counted.join(asked, on=[group, "timestamp"], how="full", coalesce=True)
        .with_columns(pl.col("member_count").fill_null(0))
        .with_columns(reason=_reason(group, telemetry, config))
    )
    return judged.select(
        group,
        "timestamp",
        "member_count",
        "median_volume_24h_usd",
        pl.col("reason").is_null().alias("is_eligible"),
        "reason",
    ).sort(group, "timestamp")


def made_members(tags: pl.DataFrame, eligibility: pl.DataFrame, *, group: str = "bucket") -> pl.DataFrame:
    """Members of the groups whose returns are made: the eligible ones and the telemetry.

    Parameters
    ----------
    tags : DataFrame
        As for `group_eligibility`, with liquidity_usd.
    eligibility : DataFrame
        Its answer.

    Returns
    -------
    DataFrame
        `group`, token_contract, chain, day (Date), liquidity_usd (null when unknown); sorted.
    """
    made = eligibility.filter(pl.col("is_eligible") | (pl.col("reason") == SkipReason.TELEMETRY_ONLY.value))
    names = tuple(dict.fromkeys((group, *TOKEN)))
    members = tags.join(made, on=[group, "timestamp"], how="semi")
    return members.select(*names, pl.col("timestamp").dt.date().alias("day"), "liquidity_usd").sort(*names, "day")


def _reason(group: str, telemetry: Collection[str], config: CapBucketConfig) -> pl.Expr:
    volume, floor_usd = pl.col("median_volume_24h_usd"), config.min_median_volume_24h_usd
    return (
        pl.when(pl.col("member_count") < config.bucket_min_members)
        .then(pl.lit(SkipReason.TOO_FEW_MEMBERS.value))
        .when(pl.lit(floor_usd > 0) & volume.is_null())
        .then(pl.lit(SkipReason.MEDIAN_VOLUME_UNKNOWN.value))
        .when(volume < floor_usd)
        .then(pl.lit(SkipReason.MEDIAN_VOLUME_BELOW_FLOOR.value))
        .when(pl.col(group).is_in(list(telemetry)))
        .then(pl.lit(SkipReason.TELEMETRY_ONLY.value))
    )
