"""What the runtime loads when it starts: nothing that costs seconds or belongs to the assets."""

import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
HEAVY = {"dagster", "polars", "scipy", "numba", "pandas", "sqlalchemy", "alembic", "adbc_driver_postgresql"}


def test_a_fresh_interpreter_loads_nothing_heavy():
    program = "import sys, pm_runtime.__main__; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    loaded = subprocess.run(
        [sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=True
    ).stdout.split()

    assert "psycopg" in loaded
    assert HEAVY & set(loaded) == set()
