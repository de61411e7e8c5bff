"""Rows as a frame of the columns a table has: what is not known is NULL there, never NaN."""

from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from resources.stamp import STAMPS
from sql.schema import table_schema

_FILLED_IN = {*STAMPS, "config_version"}
"""Columns that are written by whoever replaces a window."""

_TYPES: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "text": pl.String,
    "json": pl.String,
    "bigint": pl.Int64,
    "integer": pl.Int32,
    "boolean": pl.Boolean,
    "double precision": pl.Float64,
    "date": pl.Date,
    "timestamp with time zone": pl.Datetime("us", "UTC"),
    "text[]": pl.List(pl.String),
}


def table_frame(table: str, rows: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    """Frame of rows with the columns of a table but those of its making.

    Parameters
    ----------
    rows : iterable of mapping
        A value a column; NaN becomes NULL. An enumeration is stored as its word.

    Raises
    ------
    KeyError
        If a row lacks a column, or the table has one of another type.
    """
    columns = {
        column.name: _TYPES[column.type] for column in table_schema(table).columns if column.name not in _FILLED_IN
    }
    listed = list(rows)
    frame = pl.DataFrame({name: [row[name] for row in listed] for name in columns}, schema=columns, strict=False)
    return frame.with_columns(pl.col(pl.Float64).fill_nan(None))
