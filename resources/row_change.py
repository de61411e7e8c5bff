"""From when on the rows of a window are others than those stored."""

from collections.abc import Sequence
from datetime import datetime

import polars as pl

_STORED = "_stored"


def first_change(stored: pl.DataFrame, rows: pl.DataFrame, *, key: Sequence[str], time: str) -> datetime | None:
    """Time of the first row that is new, gone or different; None when all are the same.

    Parameters
    ----------
    stored : DataFrame
        Rows as they stand: `key` and the columns to compare.
    rows : DataFrame
        Rows as they shall stand, with at least the columns of `stored`; one row a key in both.
    key : sequence of str
        Columns that name a row, none of them null; `time` is one of them.

    Returns
    -------
    datetime or None
        The earliest; NaN equals NaN and null equals null.
    """
    values = [name for name in stored.columns if name not in key]
    both = (
        rows.select(stored.columns)
        .cast(dict(stored.schema))
        .with_columns(is_wanted=pl.lit(value=True))
        .join(stored.with_columns(is_there=pl.lit(value=True)), on=list(key), how="full", coalesce=True, suffix=_STORED)
    )
    is_same = pl.all_horizontal("is_wanted", "is_there", *(pl.col(n).eq_missing(pl.col(n + _STORED)) for n in values))
    return both.filter(~is_same.fill_null(value=False))[time].min()  # type: ignore[return-value]
