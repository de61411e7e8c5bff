"""A watchlist as a CSV file: its header, and each row with the number of its line."""

import csv
import difflib
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from console.session import RefusedError
from console.watch_request import COLUMNS, NAMES, WatchRequest, read_request

LONGEST_FILE_BYTES = 20_000_000


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that is not stored; `line` is that of the file its last cell ends on, from 1."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class RequestedRow:
    """A row that could be read."""

    line: int
    request: WatchRequest


def read_watch_file(path: Path) -> list[RequestedRow | RefusedRow]:
    """Rows of a file in its order; lines without anything on them are none.

    Raises
    ------
    RefusedError
        If the file cannot be read as a whole: absent, too long, not UTF-8, or a header that is not of COLUMNS.
    """
    reader = csv.DictReader(io.StringIO(_text(path), newline=""), strict=True)
    try:
        header = [name.strip() for name in reader.fieldnames or ()]
    except csv.Error as error:
        raise RefusedError(f"{path}: the first line is no CSV: {error}") from None
    _check_header(header)
    reader.fieldnames = header
    return list(_rows(reader))


def _rows(reader: "csv.DictReader[str]") -> Iterator[RequestedRow | RefusedRow]:
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:  # where the next row begins nobody can say
            yield RefusedRow(reader.line_num, f"no CSV from here on: {error}")
            return
        if cells is None:
            return
        texts = [text for text in cells.values() if text]
        if not any("".join(text).strip() for text in texts):
            continue
        yield _row(reader.line_num, cells)


def _row(line: int, cells: Mapping[str, str]) -> RequestedRow | RefusedRow:
    """Row of the cells of a line; the reader puts surplus cells under None, and None where one is missing."""
    if None in cells or None in cells.values():
        return RefusedRow(line, f"expected as many cells as the first line has, {len(set(cells) - {None})}")
    try:
        return RequestedRow(line, read_request(cells))
    except RefusedError as error:
        return RefusedRow(line, str(error))


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > LONGEST_FILE_BYTES:
            raise RefusedError(f"{path} is longer than {LONGEST_FILE_BYTES:,} bytes")
        stored = path.read_bytes()
    except OSError as error:
        raise RefusedError(f"{path} cannot be read: {error.strerror}") from None
    try:
        return stored.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = stored.count(b"\n", 0, error.start) + 1
        raise RefusedError(f"{path} is not UTF-8: line {line}, {error.reason}") from None


def _check_header(header: list[str]) -> None:
    for name in header:
        if name not in COLUMNS:
            near = difflib.get_close_matches(name, COLUMNS, n=1)
            said = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(COLUMNS)}"
            raise RefusedError(f"No column {name!r}; {said}")
        if header.count(name) > 1:
            raise RefusedError(f"The column {name!r} is there twice")
    lacking = [name for name in NAMES if name not in header]
    if lacking:
        raise RefusedError(f"The first line must name the columns {', '.join(NAMES)}; missing: {', '.join(lacking)}")
