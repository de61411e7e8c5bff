"""Tags of every token on every day: what regime.token_cap_bucket holds.

What belongs here: the daily step of `token_cap_bucket` repeated over days, one row a token and day. What does not:
the step itself, and whether a bucket is fit to be scored.

A row says what was known at the day's midnight. It is never changed afterwards, so a day that is made again needs
only the tags of the day before.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import polars as pl

from domain.config.cap_bucket import CapBucketConfig
from domain.regime.grouping import CapGrouping, Grouping, grouped
from domain.regime.rollup import TIMESTAMP
from domain.regime.token_cap_bucket import TAG_SCHEMA, TOKEN, UNKNOWN_SCHEMA, tag_tokens, tags_at

DAY = timedelta(days=1)
BY_CAP = CapGrouping()

DAILY_TAG_SCHEMA = pl.Schema(
    {
        "token_contract": pl.String(),
        "chain": pl.String(),
        "timestamp": TIMESTAMP,
        "bucket": pl.String(),
        **dict.fromkeys(
            ("market_cap_usd", "circulating_supply", "volume_24h_usd", "liquidity_usd"),
            pl.Float64(),
        ),
        **dict.fromkeys(("updated_at", "bucket_since", "valid_from", "valid_to"), TIMESTAMP),
    }
)


class DailyTags(NamedTuple):
    """Tags of the days asked for, and the caps that could not be used.

    tags : DAILY_TAG_SCHEMA, sorted by token and day. unknown : UNKNOWN_SCHEMA, `day` being the day the cap was read.
    ungrouped : tokens and days (token_contract, chain, timestamp) with a usable cap that belong to no group.
    """

    tags: pl.DataFrame
    unknown: pl.DataFrame
    ungrouped: pl.DataFrame


def daily_tags(
    metadata: pl.DataFrame,
    previous: pl.DataFrame,
    *,
    midnights: Sequence[datetime],
    config: CapBucketConfig,
    grouping: Grouping = BY_CAP,
) -> DailyTags:
    """Tags that hold on each day, from the caps of the day before it.

    Parameters
    ----------
    metadata : DataFrame
        token_contract, chain, timestamp (midnight of the day of the reading), market_cap_usd, circulating_supply,
        volume_24h_usd, liquidity_usd, updated_at; from the day before the first midnight on, one row a token and day.
    previous : DataFrame
        DAILY_TAG_SCHEMA, tags of the day before the first midnight; other days are not read.
    midnights : sequence of datetime
        Days to make, UTC, in order and without a gap.
    config : CapBucketConfig
        Floor, hysteresis, time to live.
    grouping : Grouping
        What the buckets mean; by default the cap.

    Returns
    -------
    DailyTags
        Over many days the same as day by day. A token whose cap is unknown keeps its tag until that expires. Volume
        and liquidity are those of the day before, null when unknown; NaN counts as unknown.

    Raises
    ------
    ValueError
        If a midnight is none in UTC, or does not follow the one before; a `GroupingError` if the grouping answers what
        cannot be.
    """
    _require_days(midnights)
    tags, unknown = [pl.DataFrame(schema=DAILY_TAG_SCHEMA)], [pl.DataFrame(schema=UNKNOWN_SCHEMA)]
    ungrouped = [tags[0].select(*TOKEN, "timestamp")]
    by_day = {at: rows for (at,), rows in metadata.partition_by("timestamp", as_dict=True).items()}
    before = previous
    for midnight in midnights:
        read = by_day.get(midnight - DAY, metadata.clear())
        held = before.filter(pl.col("timestamp") == midnight - DAY)
        made, refused, outside = _one_day(read, held, midnight, config, grouping)
        tags.append(made)
        unknown.append(refused)
        ungrouped.append(outside)
        before = made
    return DailyTags(
        pl.concat(tags).sort(*TOKEN, "timestamp"),
        pl.concat(unknown).sort(*TOKEN, "day"),
        pl.concat(ungrouped).sort(*TOKEN, "timestamp"),
    )


def _one_day(
    read: pl.DataFrame, held: pl.DataFrame, midnight: datetime, config: CapBucketConfig, grouping: Grouping
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    day = (midnight - DAY).date()
    current = held.with_columns(valid_to=pl.lit(None, dtype=TIMESTAMP)).select(*TAG_SCHEMA)
    step = tag_tokens(read.with_columns(day=pl.lit(day)), current, day=day, config=config)
    measures = [pl.col("volume_24h_usd", "liquidity_usd").cast(pl.Float64).fill_nan(None)]
    expires_at = pl.col("updated_at") + timedelta(hours=config.tag_ttl_hours)
    by_cap = tags_at(step.tags, midnight, config=config).join(read.select(*TOKEN, *measures), on=TOKEN, how="left")
    inside = grouped(by_cap, grouping, day=day)
    outside = by_cap.join(inside, on=TOKEN, how="anti").select(*TOKEN, timestamp=pl.lit(midnight, dtype=TIMESTAMP))
    tags = inside.join(held.select(*TOKEN, was="bucket", since="bucket_since"), on=TOKEN, how="left").with_columns(
        timestamp=pl.lit(midnight),
        bucket_since=pl.when(pl.col("was") == pl.col("bucket")).then("since").otherwise(pl.lit(midnight)),
        valid_from=pl.lit(midnight),
        valid_to=pl.min_horizontal(expires_at, pl.lit(midnight + DAY)),
    )
    return tags.select(*DAILY_TAG_SCHEMA).cast(DAILY_TAG_SCHEMA), step.unknown, outside


def _require_days(midnights: Sequence[datetime]) -> None:
    for number, midnight in enumerate(midnights):
        is_midnight = midnight.utcoffset() == timedelta(0) and midnight.time() == datetime.min.time()
        if not is_midnight or midnight != midnights[0] + number * DAY:
            raise ValueError(f"Expected midnights in UTC one after the other, was {midnight!r} as number {number}")
