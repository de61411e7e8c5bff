"""What was learned goes to a file and comes back equal, beside what is live and never over it."""

import csv
import json
from datetime import UTC, datetime

import polars as pl
import pytest

from learning_assets.__main__ import main
from learning_assets.exchanged_file import (
    ExchangedFileError,
    FileFormat,
    read_file,
    write_file,
)
from learning_assets.exchanged_kind import Exchanged, ExchangedKind
from learning_assets.exchanged_rows import ImportRefusedError, read_exchanged, take_in
from sql.database import connect
from sql.database_role import DatabaseRole
from tests.console.learned_rows import DAY, MIDNIGHT, lesson_row, make_taught, record, store, store_version
from tests.learned_world import look, season, tell_trades

KINDS, FORMATS = list(ExchangedKind), list(FileFormat)
NASTY = (
    *("=1+1", "+x", "-1", "@sum", "\tx", "\rx", "\nx", "'=1", "'", "", " ", "a,b", 'a"b', "a\nb", "a\r\nb", "\uff1dx"),
    *("é🙂", "null", "NaN", "true", "1e5", "\u202e"),
)
MICROSECOND = datetime(2025, 6, 10, 1, 2, 3, 456789, tzinfo=UTC)


def value_of(type_: str, number: int) -> object:
    """A value of a type that is easily lost."""
    values = {
        "text": NASTY,
        "json": ('{"a":  1}', "{}", '{"é":"=1"}'),
        "bigint": (2**53 + 1, 0, -5),
        "integer": (2**31 - 1, 0, -7),
        "boolean": (True, False),
        "double precision": (0.1 + 0.2, -0.5, 1e-300, 1.7976931348623157e308, float("nan"), float("-inf"), 5e-324),
        "date": (MIDNIGHT.date(),),
        "timestamp with time zone": (MICROSECOND, MIDNIGHT),
    }[type_]
    return values[number % len(values)]


def told_of(kind: ExchangedKind) -> Exchanged:
    """Rows with every nasty value, and NULL in every nullable column of every third row."""
    rows = [
        tuple(None if c.nullable and number % 3 == 0 else value_of(c.type, number) for c in kind.columns)
        for number in range(2 * len(NASTY))
    ]
    return Exchanged(kind, rows)


@pytest.mark.parametrize("file_format", FORMATS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_file_reads_back_as_the_rows_it_was_written_from(tmp_path, kind, file_format):
    told, file = told_of(kind), tmp_path / f"a.{file_format}"

    write_file(file, told, file_format)
    again = read_file(file, kind, file_format)

    assert list(map(repr, again.rows)) == list(map(repr, told.rows))
    assert [entry.name for entry in tmp_path.iterdir()] == [file.name]


@pytest.mark.parametrize("file_format", FORMATS)
def test_no_rows_are_no_rows(tmp_path, file_format):
    file = tmp_path / "a"
    write_file(file, Exchanged(ExchangedKind.TRADES, []), file_format)

    assert read_file(file, ExchangedKind.TRADES, file_format).rows == []


def test_no_cell_of_text_begins_as_a_formula_does(tmp_path):
    file = tmp_path / "a.csv"
    write_file(file, told_of(ExchangedKind.TRADES), FileFormat.CSV)
    types = [column.type for column in ExchangedKind.TRADES.columns]
    with file.open(newline="", encoding="utf-8") as text:
        _head, *lines = list(csv.reader(text))

    cells = [cell for line in lines for cell, type_ in zip(line, types, strict=True) if type_ in ("text", "json")]
    assert [cell for cell in cells if cell and cell[0] in "=+-@\t\r\n\uff1d"] == []
    assert "'=1+1" in cells


def test_parquet_keeps_the_types_of_the_table(tmp_path):
    file = tmp_path / "a.parquet"
    write_file(file, told_of(ExchangedKind.LESSONS), FileFormat.PARQUET)
    schema = pl.read_parquet_schema(file)

    assert schema["timestamp"] == pl.Datetime("us", "UTC")
    assert (schema["born_on"], schema["n_trades"], schema["scope_mask"]) == (pl.Date, pl.Int32, pl.Int64)


def damaged(path, file_format: FileFormat, change) -> None:
    if file_format is FileFormat.JSON:
        document = json.loads(path.read_text(encoding="utf-8"))
        change(document["rows"][1])
        path.write_text(json.dumps(document), encoding="utf-8")
    else:
        with path.open(newline="", encoding="utf-8") as text:
            rows = list(csv.DictReader(text))
        change(rows[1])
        with path.open("w", newline="", encoding="utf-8") as text:
            writer = csv.DictWriter(text, list(rows[1]))
            writer.writeheader()
            writer.writerows([{name: row.get(name, "") for name in rows[1]} for row in rows])


@pytest.mark.parametrize("file_format", [FileFormat.JSON, FileFormat.CSV])
@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda row: row.update(n_trades="many"), "n_trades: expected integer, was 'many'"),
        (lambda row: row.update(timestamp="2025-06-10T00:00:00"), "timestamp: expected timestamp with time zone"),
        (lambda row: row.pop("lesson_id"), r"missing: \['lesson_id'\]"),
        (lambda row: row.update(more="x"), r"unknown or twice: \['more'\]"),
    ],
)
def test_a_file_that_was_meddled_with_is_refused_with_the_place(tmp_path, file_format, change, complaint):
    file = tmp_path / "a"
    write_file(file, told_of(ExchangedKind.LESSONS), file_format)
    damaged(file, file_format, change)

    with pytest.raises(ExchangedFileError, match=complaint):
        read_file(file, ExchangedKind.LESSONS, file_format)


@pytest.mark.parametrize("file_format", FORMATS)
@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"PAR1", b"[]", b'{"kind":"trades","rows":[]}'])
def test_another_file_is_refused(tmp_path, file_format, content):
    file = tmp_path / "a"
    file.write_bytes(content)

    with pytest.raises(ExchangedFileError):
        read_file(file, ExchangedKind.LESSONS, file_format)


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path):
    with pytest.raises(IsADirectoryError):
        write_file(folder := make_folder(tmp_path / "a.json"), told_of(ExchangedKind.TRADES), FileFormat.JSON)

    assert [entry.name for entry in tmp_path.iterdir()] == [folder.name]


def make_folder(path):
    path.mkdir()
    return path


@pytest.fixture(scope="module")
def learned(module_database) -> None:
    """Lessons, two versions of overrides, one of them empty, and the facts of some trades."""
    store(
        "learning_lessons",
        lesson_row("a"),
        lesson_row("b", {"chain": "=cmd"}, retired_on=MIDNIGHT.date(), status="retired"),
    )
    store_version(0)
    store_version(1, record("a", expires_at=MIDNIGHT + 9 * DAY), record("b", "shadow", expires_at=MIDNIGHT + 9 * DAY))
    tell_trades(season(2))
    look(at=MIDNIGHT + 5 * DAY)


def live(kind: ExchangedKind, name: str | None = None) -> Exchanged:
    with connect(DatabaseRole.LEARNING, autocommit=True, read_only=True) as connection:
        return read_exchanged(connection, kind, name)


def import_as(name: str, told: Exchanged):
    with connect(DatabaseRole.OWNER, autocommit=True) as owner:
        return take_in(owner, told, name)


@pytest.mark.postgres
@pytest.mark.parametrize("file_format", FORMATS)
@pytest.mark.parametrize("kind", KINDS)
def test_what_was_exported_is_imported_equal_and_what_is_live_stays(learned, tmp_path, kind, file_format, capfd):
    file, again = tmp_path / f"a.{file_format}", tmp_path / f"b.{file_format}"
    before = live(kind)

    statuses = [
        main(["export", kind.value, "--out", str(file)]),
        main(["import", kind.value, str(file), "--name", f"of_{file_format}"]),
        main(["export", kind.value, "--out", str(again), "--replay", f"of_{file_format}", "--json"]),
    ]

    assert statuses == [0, 0, 0]
    assert len(before.rows) > 1
    assert file.read_bytes() == again.read_bytes()
    assert live(kind, f"of_{file_format}") == live(kind) == before
    assert json.loads(capfd.readouterr().out.splitlines()[-1])["rows"] == len(before.rows)


@pytest.mark.postgres
def test_importing_twice_is_importing_once_and_other_rows_are_refused(learned):
    told = live(ExchangedKind.LESSONS)
    less = Exchanged(told.kind, told.rows[:1])

    first, second = import_as("twice", told), import_as("twice", told)

    assert (first.is_new, second.is_new, second.rows) == (True, False, 2)
    with pytest.raises(ImportRefusedError, match="learned_twice holds other lessons already"):
        import_as("twice", less)
    assert live(ExchangedKind.LESSONS, "twice") == told


@pytest.mark.postgres
def test_what_a_replay_taught_is_not_imported_over(learned):
    make_taught("autumn")

    with pytest.raises(ImportRefusedError, match="holds what a replay taught"):
        import_as("autumn", live(ExchangedKind.LESSONS))


@pytest.mark.postgres
def test_a_row_that_breaks_a_rule_of_its_table_leaves_no_schema(learned):
    told = live(ExchangedKind.TRADES)
    names = [column.name for column in told.kind.columns]
    broken = list(told.rows[0])
    broken[names.index("action_category")] = "hold"

    with pytest.raises(ImportRefusedError, match="breaks a rule of pattern_trade_events"):
        import_as("broken", Exchanged(told.kind, [tuple(broken)]))
    with pytest.raises(ImportRefusedError, match="Nothing was learned"):
        live(ExchangedKind.TRADES, "broken")


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["export", "lessons", "--out", "{there}"], "is there already"),
        (["export", "lessons", "--out", "{folder}/none/a.csv"], "There is no folder"),
        (["export", "lessons", "--out", "{folder}/a.xls"], "Of which format"),
        (["export", "lessons", "--out", "{folder}/a.csv", "--replay", "none"], "Nothing was learned"),
        (["import", "lessons", "{there}", "--name", "x; DROP SCHEMA pm"], "Expected a name"),
        (["import", "lessons", "{there}", "--name", "../learning"], "Expected a name"),
    ],
)
def test_what_cannot_be_is_refused_with_exit_code_2(learned, tmp_path, capfd, arguments, complaint):
    there = tmp_path / "there.csv"
    write_file(there, live(ExchangedKind.LESSONS), FileFormat.CSV)

    assert main([each.format(there=there, folder=tmp_path) for each in arguments]) == 2
    assert complaint in capfd.readouterr().err


@pytest.mark.postgres
def test_a_file_that_is_not_there_is_exit_code_1(learned, tmp_path, capfd):
    assert main(["import", "trades", str(tmp_path / "none.csv"), "--name", "x"]) == 1
    assert "none.csv" in capfd.readouterr().err
