"""The backfill command as a process of its own, over five days of the simulated market."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import polars as pl

from regime_assets.raw_bar import QUARANTINE
from resources.terminal_backfill import chunks
from tests.chain_runs import TABLES, stored

PROJECT = Path(__file__).resolve().parents[1]
FIRST, LAST, DAYS_PER_RUN = date(2025, 1, 5), date(2025, 1, 9), 3
CHUNKS = tuple(chunks(FIRST, LAST, DAYS_PER_RUN))
CLOCK = {"LOWCAP_DEPLOYMENT": "test", "LOWCAP_AS_OF": "2025-01-16T00:00:00+00:00", "LOWCAP_CANDLES": ""}
"""The market then has hours up to the eighth of January, and minutes on the ninth."""


@contextmanager
def backfill_command() -> Iterator[subprocess.Popen[str]]:
    """The running command, its output on one pipe; killed at the end if it still runs."""
    days = ["--from", FIRST.isoformat(), "--to", LAST.isoformat(), "--days-per-run", str(DAYS_PER_RUN)]
    with subprocess.Popen(
        [sys.executable, "-m", "regime_assets", "backfill", *days],
        cwd=PROJECT,
        env=os.environ | CLOCK,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def run_to_the_end() -> tuple[int, str]:
    """Exit status and output of an undisturbed command."""
    with backfill_command() as process:
        output, _ = process.communicate(timeout=300)
        return process.returncode, output


def wait_for_tables(process: subprocess.Popen[str], count: int) -> None:
    """Read the output until so many tables are reported as made."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        count -= " rows " in line
        if count == 0:
            return
    raise AssertionError(f"The command ended before {count} more tables were made:\n{''.join(lines)}")


def everything_stored() -> dict[str, pl.DataFrame]:
    """Rows of all tables of the chain and of the quarantine, without the two columns that tell runs apart."""
    return {table: stored(table) for table in (*TABLES, QUARANTINE)}


def rows_by_chunk(rows: pl.DataFrame) -> list[pl.DataFrame]:
    """Cut the rows of a table into those of each run."""
    day = pl.col("timestamp" if "timestamp" in rows.columns else "ts").dt.date()
    return [rows.filter(day.is_between(first, last)) for first, last in CHUNKS]
