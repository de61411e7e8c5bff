"""Reading the times of a file: which instant, and what to say when none was given.

What belongs here: expressions from one timestamp column of any type. What does not: windows of whole frames.
"""

from datetime import datetime, timedelta

import polars as pl

from resources.candle_layout import FileEntry, LayoutError

WINDOW_AT = "window_at"
UTC_US = pl.Datetime("us", "UTC")

_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_OFFSET = r"(?:Z|[+-]\d{2}:?\d{2})$"
_NAIVE_FORMATS = ("%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%d")


def timestamp_columns(column: str, dtype: pl.DataType, entry: FileEntry) -> tuple[pl.Expr, pl.Expr, pl.Expr]:
    """Expressions of the instant, of the text where there is none, and of the time to choose a window by.

    A time with a zone or offset is converted. A naive one is read in the entry's `time_zone`; without one, or where
    daylight saving makes it ambiguous, the instant is null, the text is kept, and the window takes it as UTC. A time
    that cannot be read is null in all three.

    Raises
    ------
    LayoutError
        If the column is a number and the entry declares no `timestamp_unit`, or of a type that is no time.
    """
    raw = pl.col(column)
    no_naive = pl.lit(None, pl.Datetime("us"))
    if entry.timestamp_unit is not None or dtype.is_numeric():
        return _named(_from_number(raw, column, entry), no_naive, None)
    if isinstance(dtype, pl.Datetime) and dtype.time_zone is not None:
        return _named(raw.cast(pl.Datetime("us", dtype.time_zone)).dt.convert_time_zone("UTC"), no_naive, None)
    if isinstance(dtype, pl.Datetime | pl.Date):
        return _named(pl.lit(None, UTC_US), raw.cast(pl.Datetime("us")), entry.time_zone)
    if isinstance(dtype, pl.String):
        aware, naive = _from_text(raw.str.strip_chars().str.replace("T", " "), entry.timestamp_format)
        return _named(aware, naive, entry.time_zone)
    raise LayoutError(f"{entry.path}: column {column!r} must hold times, was of type {dtype}")


def near_window(column: str, dtype: pl.DataType, start: datetime, end: datetime) -> pl.Expr:
    """Filter that a reader can apply before it decodes rows: wider than the window by a day, whatever the zone."""
    if not isinstance(dtype, pl.Datetime):
        return pl.lit(value=True)
    low, high = start - timedelta(days=1), end + timedelta(days=1)
    if dtype.time_zone is None:
        low, high = low.replace(tzinfo=None), high.replace(tzinfo=None)
    return pl.col(column).is_between(low, high) | pl.col(column).is_null()


def _named(aware: pl.Expr, naive: pl.Expr, time_zone: str | None) -> tuple[pl.Expr, pl.Expr, pl.Expr]:
    at = aware
    if time_zone is not None:
        local = naive.dt.replace_time_zone(time_zone, ambiguous="null", non_existent="null")
        at = pl.coalesce(aware, local.dt.convert_time_zone("UTC"))
    text = pl.when(at.is_null()).then(naive.dt.to_string("iso:strict"))
    window_at = pl.coalesce(at, naive.dt.replace_time_zone("UTC"))
    return at.alias("timestamp"), text.alias("timestamp_text"), window_at.alias(WINDOW_AT)


def _from_number(raw: pl.Expr, column: str, entry: FileEntry) -> pl.Expr:
    if entry.timestamp_unit is None:
        raise LayoutError(
            f'{entry.path}: column {column!r} holds numbers; set timestamp_unit = "s", "ms", "us" or "ns"'
        )
    per_second = _PER_SECOND[entry.timestamp_unit]
    number = raw.cast(pl.Int64, strict=False)
    microseconds = number * (1_000_000 // per_second) if per_second <= 1_000_000 else number // 1_000
    return microseconds.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")


def _from_text(text: pl.Expr, declared_format: str | None) -> tuple[pl.Expr, pl.Expr]:
    if declared_format is not None:
        declared_format = declared_format.replace("T", " ")
        has_offset = "%z" in declared_format or "%#z" in declared_format
        parsed = text.str.to_datetime(declared_format, time_unit="us", strict=False)
        if has_offset:
            return parsed.dt.convert_time_zone("UTC"), pl.lit(None, pl.Datetime("us"))
        return pl.lit(None, UTC_US), parsed
    with_offset = text.str.replace("Z$", "+00:00").str.replace(r"([+-]\d{2})(\d{2})$", "$1:$2")
    aware = pl.when(text.str.contains(_OFFSET)).then(with_offset)
    naive = [text.str.to_datetime(known, time_unit="us", strict=False) for known in _NAIVE_FORMATS]
    return aware.str.to_datetime("%Y-%m-%d %H:%M:%S%.f%:z", time_unit="us", strict=False), pl.coalesce(naive)
