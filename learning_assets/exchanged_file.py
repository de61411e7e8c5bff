"""Rows as a file of Parquet, CSV or JSON, and back: every value, type and NULL as it was.

In CSV a NULL is an empty cell. Text that a spreadsheet would take for a formula gets a quote before it, as does text
that is empty or begins with a quote itself; reading takes one leading quote away. Numbers are no text and keep their
sign. In JSON a number that is not finite is a word. Instants are ISO, UTC.
"""

import csv
import io
import json
import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from enum import StrEnum
from math import isfinite
from pathlib import Path
from typing import Any

import polars as pl

from learning_assets.exchanged_kind import Exchanged, ExchangedKind, Row, in_utc
from sql.schema import Column

QUOTE = "'"
FORMULA_STARTS = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
"""First characters after which a spreadsheet computes; the wide ones count in East Asian ones."""
LARGEST_CELL = 100_000_000


class FileFormat(StrEnum):
    """How rows are written; also how such a file's name ends."""

    PARQUET = "parquet"
    CSV = "csv"
    JSON = "json"


class ExchangedFileError(ValueError):
    """A file does not hold what it should; the message says where and what was expected."""


_POLARS: Mapping[str, Any] = {
    "text": pl.String,
    "json": pl.String,
    "bigint": pl.Int64,
    "integer": pl.Int32,
    "boolean": pl.Boolean,
    "double precision": pl.Float64,
    "date": pl.Date,
    "timestamp with time zone": pl.Datetime("us", "UTC"),
}


def write_file(path: Path, told: Exchanged, file_format: FileFormat) -> None:
    """Write rows to a file that appears whole or not at all.

    Raises
    ------
    OSError
        If there is no room or no right to write; nothing is left behind.
    """
    content = _WRITERS[file_format](told)
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.partial")
    try:
        with partial.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def read_file(path: Path, kind: ExchangedKind, file_format: FileFormat) -> Exchanged:
    """Read what `write_file` wrote.

    Raises
    ------
    ExchangedFileError
        If it is no such file, a column is missing or unknown, or a value is none of its column's type.
    OSError
        If it cannot be read.
    """
    return Exchanged(kind, list(_READERS[file_format](path.read_bytes(), kind)))


def _parquet(told: Exchanged) -> bytes:
    schema = {column.name: _POLARS[column.type] for column in told.kind.columns}
    buffer = io.BytesIO()
    pl.DataFrame(told.rows, schema=schema, orient="row").write_parquet(buffer, compression="zstd")
    return buffer.getvalue()


def _rows_of_parquet(content: bytes, kind: ExchangedKind) -> Iterator[Row]:
    schema = {column.name: _POLARS[column.type] for column in kind.columns}
    try:
        frame = pl.read_parquet(io.BytesIO(content))
    except (pl.exceptions.PolarsError, OSError) as error:
        raise ExchangedFileError(f"It is no Parquet: {error}") from None
    _require_columns(frame.columns, kind)
    wrong = [f"{name} is {frame.schema[name]}" for name, type_ in schema.items() if frame.schema[name] != type_]
    if wrong:
        raise ExchangedFileError(f"Of another type than the table's: {', '.join(wrong)}")
    yield from map(in_utc, frame.select(list(schema)).iter_rows())


def _csv(told: Exchanged) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([column.name for column in told.kind.columns])
    is_text = [_is_text(column) for column in told.kind.columns]
    for row in told.rows:
        writer.writerow([_cell(value, guards) for value, guards in zip(row, is_text, strict=True)])
    return text.getvalue().encode()


def _rows_of_csv(content: bytes, kind: ExchangedKind) -> Iterator[Row]:
    csv.field_size_limit(LARGEST_CELL)
    try:
        reader = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
        head, *lines = list(reader)
    except (UnicodeDecodeError, csv.Error, ValueError) as error:
        raise ExchangedFileError(f"It is no CSV in UTF-8: {error}") from None
    _require_columns(head, kind)
    columns = {column.name: column for column in kind.columns}
    for number, line in enumerate(lines, start=2):
        if len(line) != len(head):
            raise ExchangedFileError(f"Row {number}: expected {len(head)} cells, was {len(line)}")
        cells = dict(zip(head, line, strict=True))
        yield tuple(_value(_unguarded(cells[name], column), column, number) for name, column in columns.items())


def _json(told: Exchanged) -> bytes:
    names = [column.name for column in told.kind.columns]
    rows = [dict(zip(names, map(_plain, row), strict=True)) for row in told.rows]
    return json.dumps({"kind": told.kind.value, "rows": rows}, ensure_ascii=False, allow_nan=False, indent=1).encode()


def _rows_of_json(content: bytes, kind: ExchangedKind) -> Iterator[Row]:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ExchangedFileError(f"It is no JSON: {error}") from None
    if not isinstance(document, dict) or document.get("kind") != kind or not isinstance(document.get("rows"), list):
        raise ExchangedFileError(f'Expected an object with "kind": "{kind}" and a list of "rows"')
    for number, row in enumerate(document["rows"], start=1):
        if not isinstance(row, dict):
            raise ExchangedFileError(f"Row {number}: expected an object, was {type(row).__name__}")
        _require_columns(row, kind)
        yield tuple(_value(row[column.name], column, number) for column in kind.columns)


def _require_columns(found: Iterable[str], kind: ExchangedKind) -> None:
    names, wanted = list(found), [column.name for column in kind.columns]
    if sorted(names) != sorted(wanted):
        missing, unknown = sorted(set(wanted) - set(names)), sorted(set(names) - set(wanted))
        raise ExchangedFileError(f"Expected the columns of {kind}; missing: {missing}, unknown or twice: {unknown}")


def _is_text(column: Column) -> bool:
    return column.type in ("text", "json")


def _cell(value: object, is_text: bool) -> str:
    """Cell of a value; only text can be a formula."""
    if value is None:
        return ""
    if is_text:
        text = str(value)
        return QUOTE + text if not text or text.startswith((QUOTE, *FORMULA_STARTS)) else text
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else _said(value)


def _unguarded(cell: str, column: Column) -> str | None:
    if not cell:
        return None
    return cell.removeprefix(QUOTE) if _is_text(column) else cell


def _plain(value: object) -> object:
    """Value as JSON can say it."""
    if isinstance(value, float) and not isfinite(value):
        return repr(value)
    return _said(value) if isinstance(value, date) else value


def _said(value: object) -> str:
    """Instant, day or number as text that reads back as the same."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, date) else repr(value)


def _value(given: object, column: Column, row: int) -> object:
    """Value of a column from what a file says.

    Raises
    ------
    ExchangedFileError
        If it is none of its type.
    """
    if given is None:
        return None
    try:
        return _PARSERS[column.type](given)
    except (KeyError, ValueError, TypeError, OverflowError):
        raise ExchangedFileError(f"Row {row}, {column.name}: expected {column.type}, was {given!r:.80}") from None


def _text(given: object) -> str:
    if not isinstance(given, str):
        raise TypeError
    return given


def _int(given: object) -> int:
    if isinstance(given, bool) or not isinstance(given, int | str):
        raise TypeError
    return int(given)


def _float(given: object) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float | str):
        raise TypeError
    return float(given)


def _bool(given: object) -> bool:
    return given if isinstance(given, bool) else {"true": True, "false": False}[_text(given)]


def _instant(given: object) -> datetime:
    instant = datetime.fromisoformat(_text(given))
    if instant.utcoffset() is None:
        raise ValueError
    return instant.astimezone(UTC)


def _day(given: object) -> date:
    return date.fromisoformat(_text(given))


_PARSERS: Mapping[str, Callable[[object], object]] = {
    "text": _text,
    "json": _text,
    "bigint": _int,
    "integer": _int,
    "boolean": _bool,
    "double precision": _float,
    "date": _day,
    "timestamp with time zone": _instant,
}
_WRITERS: Mapping[FileFormat, Callable[[Exchanged], bytes]] = {
    FileFormat.PARQUET: _parquet,
    FileFormat.CSV: _csv,
    FileFormat.JSON: _json,
}
_READERS: Mapping[FileFormat, Callable[[bytes, ExchangedKind], Iterable[Sequence[Any]]]] = {
    FileFormat.PARQUET: _rows_of_parquet,
    FileFormat.CSV: _rows_of_csv,
    FileFormat.JSON: _rows_of_json,
}
