"""Cap bucket of each token: daily tags with history, kept steady at the edges, gone when the cap is old.

What belongs here: from a day's caps to tags, and reading tags back. What does not: whether a bucket is fit to be
scored, and what its members do.

The step of a day runs on what was known when the day ended, and its tags hold from that midnight on: a tag never
knows the future of the bars it is put on. History rows are never changed, only closed, so a day that is run again
first takes its own work back and comes to the same rows.
"""

from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import NamedTuple

import polars as pl

from domain.config.cap_bucket import CapBucketConfig
from domain.regime.cap_status import cap_status
from domain.regime.rollup import TIMESTAMP
from domain.vocabulary.cap_bucket import UPPER_EDGE_USD, CapBucket
from domain.vocabulary.cap_status import CapStatus

TOKEN = ("token_contract", "chain")

TAG_SCHEMA = pl.Schema(
    {
        "token_contract": pl.String(),
        "chain": pl.String(),
        "bucket": pl.String(),
        "market_cap_usd": pl.Float64(),
        "circulating_supply": pl.Float64(),
        "updated_at": TIMESTAMP,
        "valid_from": TIMESTAMP,
        "valid_to": TIMESTAMP,
    }
)
"""A tag: `valid_to` is null while current; `updated_at` is when the market cap was read."""

UNKNOWN_SCHEMA = pl.Schema(
    {
        "token_contract": pl.String(),
        "chain": pl.String(),
        "day": pl.Date(),
        "reason": pl.String(),
        "market_cap_usd": pl.Float64(),
        "last_bucket": pl.String(),
        "is_tagged": pl.Boolean(),
    }
)

_READING = ("market_cap_usd", "circulating_supply", "updated_at")


class UnknownReason(StrEnum):
    """Why a day gives a token no cap to go by: what its cap's status says, or that it is below the floor."""

    MISSING = CapStatus.MISSING.value
    ZERO = CapStatus.ZERO.value
    NOT_FINITE = CapStatus.NOT_FINITE.value
    NEGATIVE = CapStatus.NEGATIVE.value
    BELOW_FLOOR = "below_floor"
    STALE = CapStatus.STALE.value


class TaggedTokens(NamedTuple):
    """Tags after a step, and the tokens whose cap could not be used.

    tags : TAG_SCHEMA, all rows given, closed where their time is over, and the new ones.
    unknown : UNKNOWN_SCHEMA, one row a token. last_bucket is for display only; is_tagged says whether an earlier tag
    still holds. A token without a reading is `stale` on the day its tag expires.
    """

    tags: pl.DataFrame
    unknown: pl.DataFrame


def bucket_of(market_cap_usd: float | None) -> CapBucket | None:
    """Bucket of a cap in USD, edges half-open; None for what is no cap (missing, zero, negative, not finite).

    >>> bucket_of(99_999.99), bucket_of(100_000.0), bucket_of(0.0)
    (<CapBucket.NANO: 'nano'>, <CapBucket.MICRO: 'micro'>, None)
    """
    if market_cap_usd is None or not 0 < market_cap_usd < float("inf"):
        return None
    return next(bucket for bucket, edge_usd in UPPER_EDGE_USD.items() if market_cap_usd < edge_usd)


def tag_tokens(
    metadata: pl.DataFrame, previous_tags: pl.DataFrame, *, day: date, config: CapBucketConfig
) -> TaggedTokens:
    """Tags after the step of `day`; they hold from the midnight that ends it.

    To leave the bucket it was in during `day` a cap must pass the edge by `edge_hysteresis_frac`, the floor included.
    A cap that cannot be used leaves an earlier tag alone until that is `tag_ttl_hours` old; a cap below the floor
    ends it.

    Parameters
    ----------
    metadata : DataFrame
        token_contract, chain, day (Date), market_cap_usd, circulating_supply, updated_at. Rows of other days are not
        read. Of several rows of a token the latest usable one counts.
    previous_tags : DataFrame
        TAG_SCHEMA: the current rows, or the whole history. What was made by this step or later ones is taken back.
    day : date
        UTC day whose caps are read.
    config : CapBucketConfig
        Floor, hysteresis, time to live.

    Returns
    -------
    TaggedTokens
        Sorted by token and time. NaN and null caps are `not_finite` and `missing`, never a bucket.

    Raises
    ------
    ValueError
        If a reading is later than the day's end, or times are not UTC-aware.
    """
    ends_at = datetime.combine(day, time(), UTC) + timedelta(days=1)
    ttl = timedelta(hours=config.tag_ttl_hours)
    readings = _readings(metadata.filter(pl.col("day") == day), ends_at, ttl, config.min_market_cap_usd)
    history = _rewound(previous_tags, ends_at)
    was_current = pl.col("valid_to").is_null()
    expires_at = pl.col("updated_at") + ttl
    ended = history.filter(was_current & (expires_at <= ends_at)).with_columns(valid_to=expires_at)
    live = history.filter(was_current & (expires_at > ends_at))
    held_today = pl.concat([live, ended.filter(pl.col("valid_to") > ends_at - timedelta(days=1))])
    before = held_today.select(*TOKEN, was="bucket", read_at="updated_at")
    judged = readings.join(before, on=TOKEN, how="left")
    tagged, refused = _judged(judged, config)
    renewed = live.join(tagged, on=TOKEN, how="semi")
    dropped = live.join(refused.filter(reason=UnknownReason.BELOW_FLOOR.value), on=TOKEN, how="semi")
    kept = live.join(tagged, on=TOKEN, how="anti").join(dropped, on=TOKEN, how="anti")
    until_now = pl.concat([renewed, dropped]).with_columns(valid_to=pl.lit(ends_at, dtype=TIMESTAMP))
    new = tagged.with_columns(valid_from=pl.lit(ends_at), valid_to=None).select(*TAG_SCHEMA).cast(TAG_SCHEMA)
    tags = pl.concat([history.filter(~was_current), ended, until_now, kept, new])
    last = pl.concat([live, ended]).select(*TOKEN, last_bucket="bucket")
    unknown = _unknown(refused, ended.join(readings, on=TOKEN, how="anti"), last, kept, day)
    return TaggedTokens(tags.sort(*TOKEN, "valid_from"), unknown)


def tags_at(history: pl.DataFrame, at: datetime, *, config: CapBucketConfig) -> pl.DataFrame:
    """Tags that hold at `at`: valid_from <= at < valid_to, and the cap younger than its time to live."""
    is_valid = (pl.col("valid_from") <= at) & (pl.col("valid_to").is_null() | (pl.col("valid_to") > at))
    return history.filter(is_valid & (pl.col("updated_at") + timedelta(hours=config.tag_ttl_hours) > at))


def tag_of(history: pl.DataFrame, token: tuple[str, str], at: datetime, *, config: CapBucketConfig) -> CapBucket | None:
    """Bucket of a token (contract, chain) at `at`; None when no tag holds then."""
    rows = tags_at(history, at, config=config).filter(token_contract=token[0], chain=token[1])
    return CapBucket(rows["bucket"].item()) if rows.height else None


def _rewound(tags: pl.DataFrame, ends_at: datetime) -> pl.DataFrame:
    """Take back what the step that ends at `ends_at`, or a later one, opened or closed."""
    closed_since = pl.col("valid_to") > ends_at - timedelta(days=1)
    earlier = tags.select(*TAG_SCHEMA).cast(TAG_SCHEMA).filter(pl.col("valid_from") < ends_at)
    return earlier.with_columns(valid_to=pl.when(closed_since).then(None).otherwise(pl.col("valid_to")))


def _readings(today: pl.DataFrame, ends_at: datetime, ttl: timedelta, floor_usd: float) -> pl.DataFrame:
    """One reading a token: the latest usable one, else the latest; `reason` says what is wrong with it."""
    if today.schema["updated_at"] != TIMESTAMP:
        raise ValueError(f"updated_at must be {TIMESTAMP}, was {today.schema['updated_at']}")
    if (late := today.filter(pl.col("updated_at") > ends_at)).height:
        raise ValueError(f"{late.height} readings are later than the day's end {ends_at}, first {late.row(0)}")
    values = pl.col("market_cap_usd", "circulating_supply").cast(pl.Float64)
    status = pl.col("status")
    reason = pl.when(status != CapStatus.OK.value).then(status)
    typed = today.select(*TOKEN, *_READING).with_columns(values).with_columns(status=cap_status(ends_at, ttl=ttl))
    return (
        typed.select(*TOKEN, *_READING, reason=reason, is_small=pl.col("market_cap_usd") < floor_usd)
        .sort(*TOKEN, pl.col("reason").is_null(), "updated_at", *_READING[:2])
        .unique(subset=TOKEN, keep="last", maintain_order=True)
    )


def _judged(readings: pl.DataFrame, config: CapBucketConfig) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Split readings into those with a `bucket` and those refused; one no newer than the tag's own is neither."""
    cap, was, give = pl.col("market_cap_usd"), pl.col("was"), config.edge_hysteresis_frac
    lower = {CapBucket.NANO: config.min_market_cap_usd}
    lower |= dict(zip(tuple(CapBucket)[1:], list(UPPER_EDGE_USD.values())[:-1], strict=True))
    low, high = (was.replace_strict(edges, return_dtype=pl.Float64) for edges in (lower, dict(UPPER_EDGE_USD)))
    stays = ((cap >= low - low * give) & (cap < high + high * give)).fill_null(value=False)
    plain = pl.lit(CapBucket.XL.value)
    for bucket in reversed(tuple(CapBucket)[:-1]):
        plain = pl.when(cap < UPPER_EDGE_USD[bucket]).then(pl.lit(bucket.value)).otherwise(plain)
    is_usable = pl.col("reason").is_null()
    small = pl.when(is_usable & pl.col("is_small") & ~stays).then(pl.lit(UnknownReason.BELOW_FLOOR.value))
    is_old = (is_usable & (pl.col("updated_at") <= pl.col("read_at"))).fill_null(value=False)
    judged = readings.filter(~is_old).with_columns(
        reason=small.otherwise(pl.col("reason")), bucket=pl.when(stays).then(was).otherwise(plain)
    )
    return judged.filter(pl.col("reason").is_null()), judged.filter(pl.col("reason").is_not_null())


def _unknown(
    refused: pl.DataFrame, silent: pl.DataFrame, last: pl.DataFrame, kept: pl.DataFrame, day: date
) -> pl.DataFrame:
    """Name every token without a usable cap: refused readings, and tags that ran out in silence."""
    stale = silent.select(*TOKEN, "market_cap_usd", reason=pl.lit(UnknownReason.STALE.value))
    rows = pl.concat([refused.select(*TOKEN, "market_cap_usd", "reason"), stale])
    still = kept.select(*TOKEN, is_tagged=pl.lit(value=True))
    named = rows.join(last, on=TOKEN, how="left").join(still, on=TOKEN, how="left")
    named = named.with_columns(pl.col("is_tagged").fill_null(value=False), day=pl.lit(day))
    return named.select(*UNKNOWN_SCHEMA).cast(UNKNOWN_SCHEMA).sort(*TOKEN)
