"""Revision of stored rows by a new load: what is known since when, and what was believed before.

What belongs here: the merge of rows stored and rows loaded, for any table with `known_at`. What does not: reading and
writing them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from domain.regime.bar_quarantine import BAR_KEY, VALUE_COLUMNS, quarantine_frame
from domain.vocabulary.bar_quarantine import QuarantineReason

KNOWN_AT = pl.Datetime("us", "UTC")


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
