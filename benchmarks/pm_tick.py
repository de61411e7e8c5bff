"""Benchmark G: a whole tick over a real Postgres, with 100, 1,000 and 10,000 positions and 5,000 overrides.

`python -m benchmarks.pm_tick [--small]`. The server is one of its own. At every bar all positions are held and marked,
a tenth trims, a tenth buys, and what was ordered on the bar before is settled: each action with the whole document of
its decision. What bounds it from below are the statements of that very tick, sent again with rows that are packed
already, fetched and thrown away. Of the peers one sends them row by row; the other does a tick with ADBC, NumPy and
Polars, without documents (`benchmarks.pm_tick_adbc`). All take turns, each on a copy of one database, so that a busy
machine slows all of them. It reports and does not judge: exit code 0.
"""

import argparse
import gc
import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import psycopg
from psycopg.conninfo import conninfo_to_dict

from benchmarks.pm_tick_adbc import AdbcTick
from benchmarks.pm_tick_peer import RecordingStore, bare, one_by_one
from benchmarks.pm_tick_world import bar_at, build, make_book
from benchmarks.window_bars import scratch_server
from pm_runtime.postgres_store import open_postgres_store
from pm_runtime.tick import run_tick
from sql.database import connect
from sql.database_role import DatabaseRole
from sql.database_url import DatabaseUrl
from sql.scratch_database import scratch_database

SIZES, SIZES_SMALL = (100, 1_000, 10_000), (100, 1_000)
ROUNDS, ROUNDS_SMALL = 12, 8
WARM_UP = 4
"""Bars until every kind of action happens at every bar."""
OVERRIDES = 5_000
OURS, BARE, ONE_BY_ONE = "ours", "bare I/O of the same rows", "N+1: a statement a row"
ADBC = "ADBC + NumPy, no documents"
MOST_ONE_BY_ONE = 3
"""Rounds of the peer that takes longest, at the largest size."""


def main() -> None:
    """Time each size and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="up to 1,000 positions and eight rounds")
    small = parser.parse_args().small
    rounds = ROUNDS_SMALL if small else ROUNDS
    print(
        f"G. A whole tick, {OVERRIDES:,} overrides, {rounds} rounds\n{'':28}{'p50 ms':>10}{'p99 ms':>10}{'x bare':>8}"
    )
    for positions in SIZES_SMALL if small else SIZES:
        with scratch_server() as url:
            build(make_book(positions), bars=WARM_UP + rounds, overrides=OVERRIDES)
            measured, actions = measure(url, rounds, most_one_by_one=rounds if positions < 10_000 else MOST_ONE_BY_ONE)
        report(positions, actions, measured)


def measure(url: DatabaseUrl, rounds: int, *, most_one_by_one: int) -> tuple[dict[str, list[float]], int]:
    """Seconds of each contender at each round, and the orders of the last one."""
    taken: dict[str, list[float]] = {OURS: [], BARE: [], ADBC: [], ONE_BY_ONE: []}
    with (
        copied(url) as bare_url,
        copied(url) as row_url,
        copied(url) as adbc_url,
        connected(bare_url) as bare_connection,
        connected(row_url) as row_connection,
        closing(AdbcTick(adbc_url.libpq())) as adbc,
        closing(open_postgres_store("benchmark:1:ours")) as opened,
    ):
        store = RecordingStore(opened._connection, holder=opened.holder)
        gc.collect()
        gc.freeze()
        gc.disable()  # as the runtime does; it collects between ticks
        for number in range(WARM_UP + rounds):
            recorder = store.record()
            bar = bar_at(2 + number)
            times = {OURS: seconds(lambda bar=bar: run_tick(store, bar))}
            packed = recorder.packed()
            times[BARE] = seconds(lambda packed=packed: bare(bare_connection, packed))
            times[ADBC] = seconds(lambda bar=bar: adbc.tick(bar.timestamp))
            if number < WARM_UP + most_one_by_one:
                times[ONE_BY_ONE] = seconds(lambda packed=packed: one_by_one(row_connection, packed))
            gc.collect()
            if number >= WARM_UP:
                for name, each in times.items():
                    taken[name].append(each)
        gc.enable()
        gc.unfreeze()
        return taken, orders_of(bare_url, bar_at(1 + WARM_UP + rounds).timestamp)


@contextmanager
def copied(url: DatabaseUrl) -> Iterator[DatabaseUrl]:
    """Copy a database to which nobody is connected."""
    template = conninfo_to_dict(url.libpq())["dbname"]
    with scratch_database(url.with_database("postgres"), template=str(template)) as name:
        yield url.with_database(name)


@contextmanager
def connected(url: DatabaseUrl) -> Iterator[psycopg.Connection]:
    """Connect as the runtime does, to another database."""
    named = os.environ["DATABASE_URL"]
    os.environ["DATABASE_URL"] = url.libpq()
    try:
        connection = connect(DatabaseRole.PM, autocommit=True)
    finally:
        os.environ["DATABASE_URL"] = named
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    with closing(connection):
        yield connection


def orders_of(url: DatabaseUrl, at: object) -> int:
    """Orders planned on a bar: a peer that has none did not do the same."""
    with connected(url) as connection:
        statement = b"SELECT orders_planned FROM pm_tick WHERE bar_timestamp = %s"
        ((planned,),) = connection.execute(statement, [at]).fetchall()
    return int(planned)


def seconds(run: Callable[[], object]) -> float:
    """Wall time of one run."""
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def report(positions: int, actions: int, measured: dict[str, list[float]]) -> None:
    """Print the times of one size; the ratio is that of the medians."""
    print(f"{positions:,} positions, {actions:,} orders planned at the last bar")
    floor = statistics.median(measured[BARE])
    for name, times in measured.items():
        p50, p99 = statistics.median(times), sorted(times)[min(int(0.99 * len(times)), len(times) - 1)]
        print(f"  {name:26}{1e3 * p50:10.1f}{1e3 * p99:10.1f}{p50 / floor:8.1f}", flush=True)
    ours = statistics.median(measured[OURS])
    print(f"  {'ours, us a position':26}{1e6 * ours / positions:10.0f}")


if __name__ == "__main__":
    main()
