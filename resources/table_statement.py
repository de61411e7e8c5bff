"""SQL statements over any table with a time column, made from the templates in sql/queries/window.sql.

Names come from schema.sql. Values that are written out are instants, counts and the keys of series, each quoted here:
a statement without parameters streams by binary COPY.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

import polars as pl

from domain.vocabulary.window import Window
from sql.queries import query
from sql.schema import TableSchema

TIME_COLUMNS = ("timestamp", "ts")
"""Column of a table's key that places a row in time; the phase tables keep the shorter name of their document."""

SINCE, BEFORE = "since", "before"
"""Columns of a frame of series that narrow the rows of each."""

_ALWAYS = "timestamptz '-infinity'"


def time_column(table: TableSchema) -> str:
    """Column that places a row of a table in time: of its key, or of a table keyed by a hash any column of that name.

    Raises
    ------
    ValueError
        If the table has no such column: it has no windows.
    """
    columns = [column.name for column in table.columns]
    found = next((name for name in TIME_COLUMNS if name in table.primary_key), None) or next(
        (name for name in TIME_COLUMNS if name in columns), None
    )
    if found is None:
        raise ValueError(f"{table.schema}.{table.name} has no column {' or '.join(TIME_COLUMNS)}")
    return found


def series_key(table: TableSchema) -> list[str]:
    """Columns that name a series: the primary key without the time."""
    return [column for column in table.primary_key if column != time_column(table)]


def read_window_statement(table: TableSchema, window: Window, columns: Sequence[str], *, is_ordered: bool) -> str:
    """Rows of a window; all columns when none is named."""
    return query("read_window").format(
        columns=names(columns or [column.name for column in table.columns]),
        table=qualified(table),
        time=quoted(time_column(table)),
        start=_instant(window.start),
        end=_instant(window.end),
        order=f"ORDER BY {names(table.primary_key)}" if is_ordered else "",
    )


def read_last_statement(
    table: TableSchema, before: datetime, rows: int, columns: Sequence[str], series: pl.DataFrame | None
) -> str:
    """Last rows of every series before an instant, or of the series given, each in its own stretch of time.

    Raises
    ------
    ValueError
        If an instant is naive, or `series` lacks a column of the key.
    """
    at, key = time_column(table), series_key(table)
    wanted = [column.name for column in table.columns if not columns or column.name in {*columns, *key, at}]
    parts = {
        "columns": names(wanted, "t"),
        "last_columns": names(wanted, "last"),
        "table": qualified(table),
        "key": names(key),
        "known_key": names(key, "known"),
        "t_key": names(key, "t"),
        "time": quoted(at),
        "last_order": names([*key, at], "last"),
        "before": _instant(before),
        "rows": int(rows),
    }
    if series is None:
        return query("read_last_rows").format(**parts)
    return query("read_last_rows_of").format(**parts, series=_series_values(series, key, before))


def qualified(table: TableSchema) -> str:
    """Name of a table with its schema."""
    return f"{quoted(table.schema)}.{quoted(table.name)}"


def names(columns: Sequence[str], relation: str = "") -> str:
    """Columns, each with the relation it is of."""
    prefix = f"{relation}." if relation else ""
    return ", ".join(prefix + quoted(column) for column in columns)


def quoted(name: str) -> str:
    """Write an identifier as SQL does."""
    return '"' + name.replace('"', '""') + '"'


def _series_values(series: pl.DataFrame, key: Sequence[str], before: datetime) -> str:
    """Rows of VALUES: the key of each series, and the two instants between which its rows count."""
    missing = [name for name in key if name not in series.columns]
    if missing:
        raise ValueError(f"series must have the columns {list(key)}, lacks {missing}")
    if series.is_empty():
        return f"({', '.join(['NULL'] * len(key))}, {_ALWAYS}, {_ALWAYS})"
    since = series[SINCE] if SINCE in series.columns else [None] * series.height
    until = series[BEFORE] if BEFORE in series.columns else [before] * series.height
    rows = zip(series.select(key).rows(), since, until, strict=True)
    return ", ".join(
        f"({', '.join(map(_text, row))}, {_ALWAYS if first is None else _instant(first)}, {_instant(end)})"
        for row, first, end in rows
    )


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _instant(at: datetime) -> str:
    if at.tzinfo is None:
        raise ValueError(f"Expected a timezone-aware instant, was {at}")
    return f"timestamptz '{at.astimezone(UTC).isoformat()}'"
