"""Benchmark E: one closed trade arrives; its fact is durable and all its 3,683 cells are current.

`python -m benchmarks.trade_arrival [--small]`. The server is one of its own, and a commit waits for the disk. Ours
commits the row of the fact and adds the trade to the ledger in memory; the peers commit the same row and every cell in
a table. They take turns, trade by trade, each with tables of its own; at the end every cell must be the same. All of it
is done on the disk, and again, where there is one, in a file system in memory: as on a disk that syncs at once, for the
wait of a commit is the same for everyone and hides what the rest costs. It reports and does not judge: exit code 0.
"""

import argparse
import gc
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

import psycopg

from benchmarks.trade_arrival_peer import Keeper, copy_upsert, make_tables, many_upserts, summed_cells, unnest_upsert
from benchmarks.trade_arrival_world import CELLS_A_TRADE, MAX_ABS_RR, Arrival, ArrivalMaker
from benchmarks.window_bars import scratch_server
from domain.learning.cell_ledger import CellLedger
from domain.learning.trade_fact import ScopeCell, TradeFact
from domain.scopes.bitmask import mask_of
from sql.database_url import DatabaseUrl

EARLIER, EARLIER_SMALL = 2_000, 300
"""Trades that are there already."""
ROUNDS = 300
EVERY, EVERY_SMALL = 1, 10
"""Of how many trades a peer is given one; the one that takes longest is given a third of those."""
IN_MEMORY = Path("/dev/shm")
OURS, FLOOR, MANY = "ours", "floor: the row of the fact alone", "executemany of upserts"
PEERS: Mapping[str, Callable[[Keeper, Arrival], None]] = {
    "unnest + upsert of all cells": unnest_upsert,
    "COPY to a temporary table + upsert": copy_upsert,
    MANY: many_upserts,
}
COMPARED = 10
"""Latest trades whose every cell is compared."""
CELLS_OF = "SELECT name, n_trades, total, squares, n_wins FROM {schema}.cell WHERE name = ANY(%s)"
SUMS_OF_CELLS = "SELECT count(*), sum(n_trades), sum(total), sum(squares) FROM {schema}.cell"


@dataclass
class Taken:
    """What a contender was given, and what each trade took: seconds, and bytes of write-ahead log."""

    given: list[Arrival] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    wal: list[int] = field(default_factory=list)


def main() -> None:
    """Build, time and compare, on the disk and in memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="300 trades before instead of 2,000, fewer for the peers")
    small = parser.parse_args().small
    n_earlier, every = (EARLIER_SMALL, EVERY_SMALL) if small else (EARLIER, EVERY)
    maker = ArrivalMaker()
    arrivals = maker.make(n_earlier + ROUNDS)
    earlier, cells = arrivals[:n_earlier], summed_cells(arrivals[:n_earlier])
    for folder in (None, IN_MEMORY):
        if folder is None or folder.is_dir():
            tempfile.tempdir = None if folder is None else str(folder)
            run(maker, earlier, arrivals[n_earlier:], cells, every)


def run(maker: ArrivalMaker, earlier: Sequence[Arrival], arriving: Sequence[Arrival], cells: str, every: int) -> None:
    """Time all contenders on one server, compare their cells, print the table."""
    ledger = ledger_of(earlier)
    with scratch_server() as url, ExitStack() as opened:
        keepers = {
            name: Keeper(f"keeper_{number}", opened.enter_context(psycopg.connect(url.libpq(), autocommit=True)))
            for number, name in enumerate((OURS, FLOOR, *PEERS))
        }
        for name, keeper in keepers.items():
            make_tables(keeper, cells if name in PEERS else "")
        ((wait,),) = keepers[OURS].connection.execute("SELECT current_setting('synchronous_commit')").fetchall()
        measured = measure(url, keepers, ledger, arriving, every)
        differing = {name: n_differing(keepers[name], maker, [*earlier, *measured[name].given]) for name in PEERS}
    print(
        f"\nE. {ROUNDS} trades arrive after {len(earlier):,}; {CELLS_A_TRADE:,} cells each, {ledger.n_cells:,} in all;"
        f" {tempfile.gettempdir()}, synchronous_commit {wait}"
    )
    report(measured, differing)


def ledger_of(arrivals: Sequence[Arrival]) -> CellLedger:
    """Ledger of some trades."""
    ledger = CellLedger(max_abs_rr=MAX_ABS_RR)
    for arrival in arrivals:
        ledger.add_trade(arrival.facts)
    return ledger


def measure(
    url: DatabaseUrl, keepers: Mapping[str, Keeper], ledger: CellLedger, arriving: Sequence[Arrival], every: int
) -> dict[str, Taken]:
    """Time each contender at each trade it is given."""

    def ours(keeper: Keeper, arrival: Arrival) -> None:
        keeper.insert_fact(arrival)
        ledger.add_trade(arrival.facts)

    contenders = {OURS: ours, FLOOR: Keeper.insert_fact, **PEERS}
    rests = {OURS: 1, FLOOR: 1, **dict.fromkeys(PEERS, every), MANY: 3 * every}
    measured = {name: Taken() for name in contenders}
    gc.collect()
    gc.freeze()
    gc.disable()  # as the runtime does
    with psycopg.connect(url.libpq(), autocommit=True) as watching:
        for number, arrival in enumerate(arriving):
            for name in (name for name, rest in rests.items() if number % rest == 0):
                before = wal_position(watching)
                started = time.perf_counter()
                contenders[name](keepers[name], arrival)
                measured[name].seconds.append(time.perf_counter() - started)
                measured[name].wal.append(wal_position(watching) - before)
                measured[name].given.append(arrival)
    gc.enable()
    gc.unfreeze()
    return measured


def wal_position(watching: psycopg.Connection) -> int:
    """Bytes written to the write-ahead log so far."""
    ((position,),) = watching.execute("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn").fetchall()
    return int(position)


def n_differing(keeper: Keeper, maker: ArrivalMaker, given: Sequence[Arrival]) -> int:
    """Cells of the latest trades that a peer has otherwise than a ledger of the same trades, to the last digit.

    What all cells add up to must be right too, and how many there are.
    """
    ledger = ledger_of(given)
    steps = [each.steps for each in given]
    sums_of_all = (CELLS_A_TRADE * len(steps), CELLS_A_TRADE * sum(steps), CELLS_A_TRADE * sum(n * n for n in steps))
    ((n_cells, *sums),) = keeper.connection.execute(keeper.statement(SUMS_OF_CELLS)).fetchall()
    cells = {maker.name_of(cell): cell for each in given[-COMPARED:] for cell in cells_of(each.facts[0])}
    rows = keeper.connection.execute(keeper.statement(CELLS_OF), [list(cells)]).fetchall()
    stored = {name: numbers for name, *numbers in rows}
    wrong = (n_cells != ledger.n_cells) + (tuple(map(int, sums)) != sums_of_all)
    for name, cell in cells.items():
        found = ledger.sums(cell)
        ours = [found.n_trades, found.sum_steps, found.sum_squares, found.n_wins] if found is not None else None
        wrong += stored.get(name) != ours
    return wrong


def cells_of(fact: TradeFact) -> Iterator[ScopeCell]:
    """Cells of a fact, by the combinations of what its scope knows."""
    for depth in range(4):
        for items in combinations(fact.scope, depth):
            mask = mask_of(dimension for dimension, _ in items)
            yield ScopeCell(fact.pattern_key, fact.action_category, mask, tuple(value for _, value in items))


def report(measured: Mapping[str, Taken], differing: Mapping[str, int]) -> None:
    """Print the times, the ratio of the medians, the log and the cells that differ."""
    print(f"{'':38}{'p50 ms':>10}{'p99 ms':>10}{'max ms':>10}{'x ours':>9}{'WAL bytes':>12}{'differing':>11}")
    base = statistics.median(measured[OURS].seconds)
    for name, taken in measured.items():
        times = sorted(taken.seconds)
        middle, p99 = statistics.median(times), times[int(0.99 * len(times))]
        shown = f"{1e3 * middle:10.3f}{1e3 * p99:10.3f}{1e3 * times[-1]:10.3f}{middle / base:9.1f}"
        print(f"{name:38}{shown}{statistics.median(taken.wal):12,.0f}{differing.get(name, '-'):>11}")


if __name__ == "__main__":
    main()
