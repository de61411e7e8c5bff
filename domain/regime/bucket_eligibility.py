"""Which groups are fit to be scored on a day, and who their members are.

What belongs here: counting members and their volume. What does not: who is in which group, and what members return.
A group is a cap bucket or any other column of the tags, such as the chain.
"""

from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import NamedTuple

import polars as pl

from domain.config.cap_bucket import CapBucketConfig
from domain.regime.token_cap_bucket import TOKEN, tags_at
from domain.vocabulary.cap_bucket import CapBucket

CAP_BUCKETS: tuple[str, ...] = tuple(bucket.value for bucket in CapBucket)
TELEMETRY: tuple[str, ...] = (CapBucket.XL.value,)


class SkipReason(StrEnum):
    """Why a group is not scored on a day, first match first."""

    TOO_FEW_MEMBERS = "too_few_members"
    MEDIAN_VOLUME_UNKNOWN = "median_volume_unknown"
    MEDIAN_VOLUME_BELOW_FLOOR = "median_volume_below_floor"
    TELEMETRY_ONLY = "telemetry_only"


class GroupMembers(NamedTuple):
    """Groups of one day.

    eligibility : `group`, day, member_count, median_volume_24h_usd, is_eligible, reason (null when eligible); one row
    a group, those without members included. membership : `group`, token_contract, chain, day, liquidity_usd (null
    when unknown); members of the groups whose returns are made, which are the eligible ones and the telemetry.
    """

    eligibility: pl.DataFrame
    membership: pl.DataFrame


def group_members(
    tags: pl.DataFrame,
    metadata: pl.DataFrame,
    *,
    day: date,
    config: CapBucketConfig,
    group: str = "bucket",
    expected: Collection[str] = CAP_BUCKETS,
    telemetry: Collection[str] = TELEMETRY,
) -> GroupMembers:
    """Count groups and name their members on `day`, from what was known at its midnight.

    Parameters
    ----------
    tags : DataFrame
        Tag history with the column `group`. A tag that holds at the midnight counts for the whole day.
    metadata : DataFrame
        token_contract, chain, day, volume_24h_usd, liquidity_usd. The day before `day` is read; of several rows of a
        token the one with the latest updated_at.
    day : date
        UTC day on which the members count.
    config : CapBucketConfig
        Fewest members, volume floor (USD; 0 asks for none).
    group : str
        Column that names the groups.
    expected : collection of str
        Groups that get a row though nobody is in them.
    telemetry : collection of str
        Groups that are made but never eligible.

    Returns
    -------
    GroupMembers
        The median is over members whose volume is known, null when none is; NaN counts as unknown.
    """
    held = tags_at(tags, datetime.combine(day, time(), UTC), config=config).filter(pl.col(group).is_not_null())
    known = (
        metadata.filter(pl.col("day") == day - timedelta(days=1))
        .sort(*TOKEN, "updated_at")
        .unique(subset=TOKEN, keep="last", maintain_order=True)
        .select(*TOKEN, pl.col("volume_24h_usd", "liquidity_usd").cast(pl.Float64).fill_nan(None))
    )
    names = tuple(dict.fromkeys((group, *TOKEN)))
    members = held.select(names).join(known, on=TOKEN, how="left").with_columns(day=pl.lit(day))
    counted = members.group_by(group).agg(
        member_count=pl.len().cast(pl.Int32), median_volume_24h_usd=pl.col("volume_24h_usd").median()
    )
    empty = [name for name in expected if name not in set(counted[group])]
    absent = pl.DataFrame({group: empty}, schema={group: pl.String}).with_columns(
        member_count=pl.lit(0, dtype=pl.Int32), median_volume_24h_usd=pl.lit(None, dtype=pl.Float64)
    )
    judged = pl.concat([counted, absent]).with_columns(day=pl.lit(day), reason=_reason(group, telemetry, config))
    eligibility = judged.with_columns(is_eligible=pl.col("reason").is_null())
    made = eligibility.filter(_is_made())
    membership = members.join(made, on=group, how="semi")
    return GroupMembers(
        eligibility.select(group, "day", "member_count", "median_volume_24h_usd", "is_eligible", "reason").sort(group),
        membership.select(*names, "day", "liquidity_usd").sort(names),
    )


def _is_made() -> pl.Expr:
    return pl.col("is_eligible") | (pl.col("reason") == SkipReason.TELEMETRY_ONLY.value)


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
