"""Stamp of a row: who wrote it, when, with which code."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

import polars as pl

from sql.schema import TableSchema

STAMPS = ("run_id", "computed_at", "code_version")
"""Columns every row carries about its making; two writes are the same when all columns but the first two are."""


@dataclass(frozen=True)
class Stamp:
    """Who wrote a row, when, with which code."""

    run_id: str
    code_version: str
    computed_at: datetime = field(default_factory=lambda: datetime.now(UTC))


def stamped(table: TableSchema, frame: pl.DataFrame, stamp: Stamp) -> pl.DataFrame:
    """Rows of a table as they are stored: its columns in order, with the stamps it has.

    Raises
    ------
    ValueError
        If the frame lacks a column or has one that the table has not.
    """
    values = {"run_id": stamp.run_id, "computed_at": stamp.computed_at, "code_version": stamp.code_version}
    columns = [column.name for column in table.columns]
    rows = frame.with_columns(**{name: pl.lit(value) for name, value in values.items() if name in columns})
    missing, foreign = set(columns) - set(rows.columns), set(rows.columns) - set(columns)
    if missing or foreign:
        raise ValueError(
            f"{table.schema}.{table.name}: frame lacks {sorted(missing)} and has unknown columns {sorted(foreign)}"
        )
    return rows.select(columns).with_columns(pl.col(pl.Datetime).dt.cast_time_unit("us"))
