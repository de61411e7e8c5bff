"""Benchmark H: replace a window of 1,000,000 bars (H1), read it into Polars (H3).

`python -m benchmarks.window [--small]`. The server is one of its own. Every contender must leave, or give, the same
rows before it is timed (writers on a slice of them); then all take turns, so that a busy machine slows all of them.
Before each run, and untimed, the table is made anew and checkpointed. Ours starts from an asset's frame and has to
sort, stamp and hash it; the peers get rows that are sorted and stamped, the floor gets them packed. Every contender
connects and commits. It reports and does not judge: exit code 0.
"""

import argparse
import dataclasses
import statistics
import time
from collections.abc import Callable, Mapping, Sequence

import polars as pl

from benchmarks import window_peer as peer
from benchmarks.window_bars import (
    KEY,
    STAMP,
    TABLE,
    Bars,
    fill,
    fingerprint,
    make_bars,
    reset,
    scratch_server,
)
from resources.inline_check import InlineCheck
from resources.tables import Tables

ROUNDS, ROUNDS_SMALL = 5, 3
TOKENS, TOKENS_SMALL = 500, 50
GROWTH, GROWTH_SMALL = (125, 250, 500), (6, 12, 24)
SLICE, SLICE_SMALL = 25, 5
"""Tokens for the writers that go row by row through SQLAlchemy."""
OPTIONAL = ("pandas", "connectorx", "pyarrow")
CHECK = InlineCheck("bars_had_closed", "check_lowcap_bars_had_closed", "the check this table's asset runs")
RAW_COPY = "floor: delete, raw COPY BINARY"
ON_SERVER = "floor: COPY TO /dev/null on the server"


@dataclasses.dataclass(frozen=True)
class Entry:
    """What is timed: a contender, the rows it gets, and by how much its time is scaled up."""

    run: peer.Contender
    bars: Bars
    scale: float = 1.0


def main() -> None:
    """Check and time both benchmarks, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="100,000 bars and three rounds instead of 1,000,000, five")
    small = parser.parse_args().small
    tokens, rounds = (TOKENS_SMALL, ROUNDS_SMALL) if small else (TOKENS, ROUNDS)
    if missing := [name for name in OPTIONAL if not peer.is_installed(name)]:
        print(f"Peers left out, not installed: {', '.join(missing)}")
    with scratch_server() as url:
        bars = make_bars(url, tokens)
        few = bars.first(SLICE_SMALL if small else SLICE)
        size = f"{bars.n:,} bars, median of {rounds}"
        again = replacements(bars, few, is_small=small)
        check_replacements(again, few, is_filled=True)
        report(f"H1. Replace a window that holds {size}", time_replacements(again, rounds, is_filled=True), RAW_COPY)
        first = fillings(bars)
        check_replacements(first, few, is_filled=False)
        report(f"H1. Fill an empty window, {size}", time_replacements(first, rounds, is_filled=False), RAW_COPY)
        fill(bars)
        report(f"H3. Read {size}", time_readers(readers(), bars, rounds), ON_SERVER)
        report_growth(bars, GROWTH_SMALL if small else GROWTH, rounds)


def replace(bars: Bars) -> None:
    """Ours, without a check."""
    Tables().replace(TABLE, bars.window, bars.frame, stamp=STAMP)


def replace_checked(bars: Bars) -> None:
    """Ours, with the check the table's asset runs before the commit."""
    Tables().replace(TABLE, bars.window, bars.frame, stamp=STAMP, checks=[CHECK])


def read(bars: Bars) -> pl.DataFrame:
    """Ours."""
    return Tables().read(TABLE, bars.window)


def replacements(bars: Bars, few: Bars, *, is_small: bool) -> dict[str, Entry]:
    """Contenders for a window that holds its rows already; the slowest get a few rows only."""
    entries = {
        "ours": Entry(replace, bars),
        "ours, with the asset's check": Entry(replace_checked, bars),
        "COPY BINARY to a temporary table, upsert": Entry(peer.upsert_by_copy, bars),
        "ADBC to a temporary table, upsert": Entry(peer.upsert_by_adbc, bars),
    }
    if peer.is_installed("pandas", "pyarrow"):
        scale, scaled = bars.n / few.n, f"{few.n:,} rows scaled up"
        entries[f"write_database, {scaled}"] = Entry(peer.replace_by_write_database, few, scale)
        if not is_small:
            entries[f"pandas.to_sql, {scaled}"] = Entry(peer.replace_by_pandas, few, scale)
    return entries | {RAW_COPY: Entry(peer.replace_by_raw_copy, bars)}


def fillings(bars: Bars) -> dict[str, Entry]:
    """Contenders for a window without rows, as in a backfill."""
    return {
        "ours": Entry(replace, bars),
        "delete, ADBC ingest": Entry(peer.replace_by_adbc, bars),
        RAW_COPY: Entry(peer.replace_by_raw_copy, bars),
    }


def readers() -> dict[str, peer.Reader]:
    """Contenders of H3."""
    found: dict[str, peer.Reader] = {"ours": read, "ADBC": peer.read_by_adbc}
    if peer.is_installed("connectorx", "pyarrow"):
        found["connectorx"] = peer.read_by_connectorx
    return found | {
        "psycopg fetchall": peer.read_by_psycopg,
        "polars.read_database": peer.read_by_read_database,
        ON_SERVER: peer.discard_on_server,
    }


def check_replacements(entries: Mapping[str, Entry], few: Bars, *, is_filled: bool) -> None:
    """Refuse to time contenders that leave other rows than the server was given as text."""
    reset(few, is_filled=True)
    expected = fingerprint(few)
    for name, entry in entries.items():
        reset(few, is_filled=is_filled)
        entry.run(few)
        if (found := fingerprint(few)) != expected:
            raise ValueError(f"{name} left other rows: {found} instead of {expected}")


def time_replacements(entries: Mapping[str, Entry], rounds: int, *, is_filled: bool) -> dict[str, float]:
    """Median seconds of each contender."""
    taken: dict[str, list[float]] = {name: [] for name in entries}
    for _ in range(rounds):
        for name, entry in entries.items():
            reset(entry.bars, is_filled=is_filled)
            taken[name].append(entry.scale * seconds(lambda entry=entry: entry.run(entry.bars)))
    return {name: statistics.median(times) for name, times in taken.items()}


def time_readers(contenders: Mapping[str, peer.Reader], bars: Bars, rounds: int) -> dict[str, float]:
    """Median seconds of each contender, after one run of each whose rows are compared."""
    for name, run in contenders.items():
        frame = run(bars)
        if frame is not None and not frame.cast(bars.stamped.schema).sort(KEY).equals(bars.stamped):
            raise ValueError(f"{name} gave other rows than were stored")
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, run in contenders.items():
            taken[name].append(seconds(lambda run=run: run(bars)))
    return {name: statistics.median(times) for name, times in taken.items()}


def report_growth(bars: Bars, tokens: Sequence[int], rounds: int) -> None:
    """Print what ours costs per row as the rows are doubled: linear when the last column stays the same."""
    print(f"\nCost as rows double, ours, median of {rounds}\n{'':30}{'rows':>10}{'ms':>10}{'us a row':>10}")
    parts = {str(part.n): part for part in map(bars.first, tokens)}
    entries = {rows: Entry(replace, part) for rows, part in parts.items()}
    measured = {"replace": time_replacements(entries, rounds, is_filled=True), "read": {}}
    for rows, part in parts.items():
        fill(part)
        measured["read"] |= time_readers({rows: read}, part, rounds)
    for name, times in measured.items():
        for rows, taken in times.items():
            print(f"{name:30}{int(rows):10,}{1e3 * taken:10.1f}{1e6 * taken / int(rows):10.2f}")


def report(title: str, measured: Mapping[str, float], floor: str) -> None:
    """Print times, ratios to ours, and the speed reached of the floor's."""
    print(f"\n{title}\n{'':46}{'ms':>10}{'x ours':>9}{'of the floor':>14}")
    for name, taken in measured.items():
        ratio, share = taken / measured["ours"], measured[floor] / taken
        print(f"{name:46}{1e3 * taken:10.1f}{ratio:9.2f}{share:14.0%}", flush=True)


def seconds(run: Callable[[], object]) -> float:
    """Wall time of one run."""
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
