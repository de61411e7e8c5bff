import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("command", [["config", "show"], ["ae"], ["states"], ["config", "set", "a=1", "--reason", "x"]])
def test_a_database_that_cannot_be_reached_is_told_in_words(lowcap, monkeypatch, command):
    monkeypatch.setenv("DATABASE_URL_CONSOLE", "postgresql://ann:secret@127.0.0.1:1/nowhere")

    result = lowcap(*command)

    assert result.exit_code == 1
    assert "Cannot connect" in result.stderr
    assert "secret" not in result.stderr


@pytest.mark.postgres
@pytest.mark.parametrize("command", [["config", "show"], ["ae"], ["states"], ["config", "unset", "a"]])
def test_a_database_without_tables_is_told_what_to_run(lowcap, empty_database, command):
    result = lowcap(*command)

    assert result.exit_code == 1
    assert "python -m sql.migrate" in result.stderr


@pytest.mark.parametrize("view", ["ae", "states"])
@pytest.mark.parametrize("instant", ["yesterday", "2025-06-01T00:00"])
def test_an_instant_without_an_offset_is_refused(lowcap, view, instant):
    result = lowcap(view, "--as-of", instant)

    assert result.exit_code == 2
    assert "Expected an" in result.stderr


def test_a_fresh_interpreter_loads_nothing_heavy():
    program = "import sys, console.cli; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    loaded = subprocess.run(
        [sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=True
    ).stdout.split()

    assert "psycopg" in loaded
    assert {"dagster", "polars", "scipy", "numba", "sqlalchemy", "alembic"} & set(loaded) == set()
