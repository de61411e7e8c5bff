"""Revision of stored rows by a new load: what is known since when, what was believed before, what is no revision.

What belongs here: the merge of rows stored and rows loaded, for any table with `known_at`, and the limit of what a load
may change in a stored bar. What does not: reading and writing them.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from domain.regime.bar_quarantine import BAR_KEY, RAW_SCHEMA, VALUE_COLUMNS, payload_and_id, quarantine_frame
from domain.vocabulary.bar_quarantine import QuarantineReason

KNOWN_AT = pl.Datetime("us", "UTC")
ROW: tuple[str, ...] = (*BAR_KEY, *VALUE_COLUMNS)
_PAYLOAD = (*RAW_SCHEMA, "timestamp_text")
"""Columns of a row as `domain.regime.bar.validate_bars` receives it: one row has one id, whoever refuses it."""


@dataclass(frozen=True, eq=False)
class MergedRevisions:
    """Outcome of a merge.

    Attributes
    ----------
    rows_to_store : DataFrame
        Columns of the load plus known_at, one row a key, sorted by key.
    superseded : DataFrame
        Columns of `QUARANTINE_SCHEMA`: the stored rows that a changed one replaces, reason superseded.
    """

    rows_to_store: pl.DataFrame
    superseded: pl.DataFrame


@dataclass(frozen=True, eq=False)
class FarRevisions:
    """Rows of a load that would move a stored bar into another unit, and what the load is judged by in their place.

    Attributes
    ----------
    refused : DataFrame
        Columns of `QUARANTINE_SCHEMA`, reason unit_step, one row a value: whatever equals it in `ROW` is refused.
    standing : DataFrame
        Columns of `RAW_SCHEMA`: the stored bars that no other row of the load speaks for.
    certain : frozenset of str
        Ids under which those stored bars, and the rows a person released, would be refused: neither is in doubt.
    """

    refused: pl.DataFrame
    standing: pl.DataFrame
    certain: frozenset[str]


def far_revisions(
    accepted: pl.DataFrame,
    others: pl.DataFrame,
    stored: pl.DataFrame,
    *,
    min_ratio: float,
    released: Collection[str] = (),
) -> FarRevisions:
    """Find the rows of a load too far from the stored bar to be a correction of it.

    A row is far when its close is at least `min_ratio` times the stored one, or at most 1 / `min_ratio` of it. Far
    rows are refused where a bar has no others, or one of them was accepted; elsewhere the rows of the bar compete as
    they did when it was stored. Found in review: nothing is odd about a series that is loaded anew in its chain's own
    coin from the first bar on, and all that was stored was superseded at a ratio of 0.00625.

    Parameters
    ----------
    accepted, others : DataFrame
        Columns of `RAW_SCHEMA`: the well-formed rows of a load, accepted and not; prices finite and > 0.
    stored : DataFrame
        Columns of `RAW_SCHEMA`: bars as they stand, one row a bar.
    min_ratio : float
        Ratio of closes, > 1.
    released : collection of str
        Ids of refused bars that a person found to be right: they are not far.

    Returns
    -------
    FarRevisions
        A bar that is not stored is never among them.
    """
    ratio = pl.col("close_usd") / pl.col("close_usd_stored")
    closes = stored.select(*BAR_KEY, close_usd_stored="close_usd")
    told = (
        pl.concat([accepted.with_columns(is_taken=True), others.with_columns(is_taken=False)])
        .join(closes, on=list(BAR_KEY))
        .with_columns(is_far=(ratio >= min_ratio) | (ratio * min_ratio <= 1))
    )
    away = told.filter("is_far")
    is_right = pl.Series([not ids.isdisjoint(released) for ids in _ids(away)], dtype=pl.Boolean)
    right, far = away.filter(is_right), away.filter(~is_right)
    near = pl.concat([told.filter(~pl.col("is_far")), right])
    alone = far.join(near, on=list(BAR_KEY), how="anti")
    beside = far.join(far.filter("is_taken"), on=list(BAR_KEY), how="semi").join(alone, on=list(BAR_KEY), how="anti")
    standing = stored.join(alone, on=list(BAR_KEY), how="semi").select(*RAW_SCHEMA)
    refused = (
        pl.concat([alone, beside])
        .unique(ROW, keep="first", maintain_order=True)
        .with_columns(
            timestamp_text=pl.lit(None, pl.String),
            reason=pl.lit(QuarantineReason.UNIT_STEP.value),
            detail=pl.format(
                "close {} is {} times the stored close {}", "close_usd", ratio.round_sig_figs(6), "close_usd_stored"
            ),
        )
    )
    certain = _ids(pl.concat([standing, right.select(*RAW_SCHEMA)]))
    return FarRevisions(quarantine_frame(refused, list(_PAYLOAD)), standing, frozenset().union(*certain))


def _ids(rows: pl.DataFrame) -> list[frozenset[str]]:
    """Ids of each row under the reasons that can be released."""
    by_reason = [
        payload_and_id(
            rows.with_columns(timestamp_text=pl.lit(None, pl.String), reason=pl.lit(reason)), list(_PAYLOAD)
        )[1]
        for reason in (QuarantineReason.UNIT_STEP.value, QuarantineReason.PRICE_JUMP.value)
    ]
    return [frozenset(ids) for ids in zip(*by_reason, strict=True)]


def merge_revisions(
    stored: pl.DataFrame,
    accepted: pl.DataFrame,
    *,
    known_at: datetime,
    key_columns: Sequence[str] = BAR_KEY,
    value_columns: Sequence[str] = VALUE_COLUMNS,
) -> MergedRevisions:
    """Merge a new load into the rows stored for the same window.

    A loaded row whose values equal the stored ones (null equals null, NaN equals NaN) leaves the stored row as it is,
    its `known_at` included. A changed or new row gets the new `known_at`. A stored row the load no longer has is kept:
    nothing is lost because a venue forgot it.

    Parameters
    ----------
    stored : DataFrame
        Columns of `accepted` and known_at; one row a key, any order; may be empty.
    accepted : DataFrame
        `key_columns`, `value_columns` and any others; one row a key, any order.
    known_at : datetime
        When the load became known.
    key_columns : sequence of str
        Columns that name a row; never null.
    value_columns : sequence of str
        Columns whose change makes a revision. Other columns follow the row they belong to.

    Returns
    -------
    MergedRevisions
        What to store in place of `stored`, and what that replaces.

    Raises
    ------
    ValueError
        If `known_at` is naive, a column is missing, or a key occurs twice in either frame.
    """
    if known_at.tzinfo is None:
        raise ValueError(f"known_at must be timezone-aware, was {known_at!r}")
    keys = list(key_columns)
    columns = [*accepted.columns, "known_at"]
    fresh = accepted.with_columns(known_at=pl.lit(known_at).cast(KNOWN_AT))
    for name, frame in (("stored", stored), ("accepted", fresh)):
        _require_rows_of(name, frame, columns, keys, value_columns)
    old = stored.select(pl.col(column).cast(fresh.schema[column]) for column in columns)
    is_new_value = pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"{name}_loaded")) for name in value_columns)
    met = old.join(fresh.select(*keys, *value_columns), on=keys, suffix="_loaded").filter(is_new_value)
    replaced = met.with_columns(
        reason=pl.lit(QuarantineReason.SUPERSEDED.value), detail=_detail(value_columns, known_at)
    )
    kept = old.join(replaced, on=keys, how="anti")
    arrived = fresh.join(kept, on=keys, how="anti")
    return MergedRevisions(
        rows_to_store=pl.concat([kept, arrived]).sort(keys), superseded=quarantine_frame(replaced, columns)
    )


def _require_rows_of(
    name: str, frame: pl.DataFrame, columns: list[str], keys: list[str], value_columns: Sequence[str]
) -> None:
    missing = sorted({*columns, *keys, *value_columns} - set(frame.columns))
    if missing:
        raise ValueError(f"{name} must have the columns {missing}")
    repeated = frame.filter(pl.struct(keys).is_duplicated())
    if repeated.height:
        raise ValueError(f"{name} must have one row a key, was twice {repeated.select(keys).sort(keys).row(0)}")


def _detail(value_columns: Sequence[str], known_at: datetime) -> pl.Expr:
    changes = [
        pl.when(pl.col(name).ne_missing(pl.col(f"{name}_loaded"))).then(
            pl.format(f"{name} {{}} -> {{}}", _text(name), _text(f"{name}_loaded"))
        )
        for name in value_columns
    ]
    changed = pl.concat_str(changes, separator=", ", ignore_nulls=True)
    return pl.format("{} at {}", changed, pl.lit(known_at.isoformat()))


def _text(name: str) -> pl.Expr:
    return pl.col(name).cast(pl.String).fill_null("null")
