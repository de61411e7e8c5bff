"""Migration files are numbered without gaps, and each has its revision file."""

import re
from pathlib import Path

import pytest

from sql.migrate import write_pair
from sql.migration_file import MIGRATIONS_DIR, MigrationError, MigrationFile, list_migrations

COMMITTED = list_migrations()


@pytest.mark.parametrize(
    "names",
    [["0002_add_x.sql"], ["0001_add_x.sql", "0003_add_y.sql"], ["0001_add_x.sql", "0001_add_y.sql"], ["0001_add.sql"]],
    ids=["no first", "gap", "repeat", "no object"],
)
def test_misnumbered_or_misnamed_files_are_refused(tmp_path: Path, names: list[str]) -> None:
    for name in names:
        (tmp_path / name).touch()

    with pytest.raises(MigrationError, match=r"Expected migration \d{4}_verb_object\.sql, was"):
        list_migrations(tmp_path)


def test_a_checksum_does_not_depend_on_a_checkouts_line_ends(tmp_path: Path) -> None:
    unix, windows = MigrationFile(tmp_path / "0001_add_x.sql"), MigrationFile(tmp_path / "0002_add_y.sql")
    unix.path.write_bytes(b"SELECT 1;\nSELECT 2;\n")
    windows.path.write_bytes(b"SELECT 1;\r\nSELECT 2;\r\n")

    assert unix.sha256() == windows.sha256()


def test_a_new_pair_gets_the_next_number(tmp_path: Path) -> None:
    write_pair("add_x", tmp_path)

    assert write_pair("add_y", tmp_path) == tmp_path / "0002_add_y.sql"
    assert 'revision, down_revision = "0002", "0001"' in (tmp_path / "0002_add_y.py").read_text()


def test_a_new_pair_needs_a_verb_and_an_object(tmp_path: Path) -> None:
    with pytest.raises(MigrationError, match="verb_object"):
        write_pair("Add X", tmp_path)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("migration", COMMITTED, ids=lambda migration: migration.path.stem)
def test_a_revision_file_does_nothing_but_run_the_sql_beside_it(tmp_path: Path, migration: MigrationFile) -> None:
    for earlier in COMMITTED[: int(migration.revision) - 1]:
        (tmp_path / earlier.path.name).touch()
    written = write_pair(migration.path.stem[5:], tmp_path)

    assert migration.path.with_suffix(".py").read_text() == written.with_suffix(".py").read_text()


def test_every_revision_file_has_its_sql() -> None:
    assert [path.stem for path in sorted(MIGRATIONS_DIR.glob("*.py"))] == [m.path.stem for m in COMMITTED]


@pytest.mark.parametrize("migration", COMMITTED, ids=lambda migration: migration.path.stem)
def test_a_migration_says_why_and_leaves_its_transaction_open(migration: MigrationFile) -> None:
    assert migration.text().startswith("-- Why: ")
    assert re.search(r"^\s*(BEGIN|COMMIT|ROLLBACK)\s*;", migration.text(), re.MULTILINE | re.IGNORECASE) is None
