"""Benchmark D: every cell of up to three conditions with 33 trades or more, of 100,000 trades in 28 dimensions.

`python -m benchmarks.lesson_mining [--small]`. A cell's count, mean, population variance, median and win rate, by ours
and by peers that group by each of the 3,683 sets of dimensions; all must find the same cells and numbers before their
times are told, on 3,000 trades and again on the trades that are timed. The slow ones run once, the others in turn.
Beside the time on the clock stands that of the processor, which other work on the machine disturbs less. Then what the
product does: one cell a set of trades, at most 20,000 a group, with hours, results and actions; depth 4 beside 2; and a
million trades, with the growth of the largest resident size in a process of its own. It reports and does not judge:
exit code 0.
"""

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from benchmarks import lesson_mining_peer as peer
from benchmarks.group_returns_peer import is_installed
from benchmarks.lesson_mining_peer import BASE, FIRST_ITEM, MEASURES, Cells
from benchmarks.lesson_mining_trades import Trades, mining_trades
from domain.config.lesson import MiningConfig
from domain.learning.lattice import FrequentCells, MinedCells, frequent_cells, mine_cells
from domain.learning.lattice_kernel import MIDDLE, NO_CONDITION, SQUARES, SUM, TRADES, WINS
from domain.learning.trade_group import TradeGroup

TRADES_FULL, TRADES_SMALL, TRADES_CHECKED, MANY = 100_000, 20_000, 3_000, 1_000_000
ROUNDS, ROUNDS_SMALL = 5, 3
MIN_TRADES, DEPTH, SMALL_DEPTH = 33, 3, 2
OURS_2, OURS_1, NUMPY = "ours, 2 threads", "ours, 1 thread", "NumPy, bincount and radix sort"
SLOW = {
    "Polars": ("polars", peer.PolarsPeer),
    "DuckDB": ("duckdb", peer.DuckDBPeer),
    "pandas": ("pandas", peer.PandasPeer),
}
TOLERANCE = {"mean": 1e-9, "variance": 1e-7, "win_rate": 1e-12}
"""Of the measures that are rounded on the way, relative."""

Time = tuple[float, float]
"""On the clock and of the processor, ms."""


class Contender(Protocol):
    """Runs, and lays what came out in one form."""

    def run(self) -> Any:
        """Find the cells."""

    def cells(self, found: Any) -> Cells:
        """Lay out what `run` gave."""


class Ours:
    """The product's walk over all frequent cells, several of one set of trades too, as the peers have them."""

    def __init__(self, trades: Trades, depth: int, min_trades: int, n_threads: int = 2) -> None:
        self.config = MiningConfig(max_depth=depth, min_trades=min_trades)
        self.groups, self.pool = trades.groups, ThreadPoolExecutor(n_threads)

    def run(self) -> list[tuple[FrequentCells, NDArray[np.float64]]]:
        """Mine a group at a time, the largest first."""
        return list(self.pool.map(self._measured, self.groups))

    def _measured(self, group: TradeGroup) -> tuple[FrequentCells, NDArray[np.float64]]:
        found = frequent_cells(group, self.config)
        sums, counts = found.cells.sums, found.cells.counts
        measures = np.empty((len(MEASURES), len(sums)))
        measures[0] = counts[:, TRADES]
        np.divide(sums[:, SUM], measures[0], out=measures[1])
        np.divide(sums[:, SQUARES], measures[0], out=measures[2])
        measures[2] -= measures[1] * measures[1]
        np.multiply(counts[:, MIDDLE], 0.5, out=measures[3])
        np.divide(counts[:, WINS], measures[0], out=measures[4])
        return found, measures

    def cells(self, found: Sequence[tuple[FrequentCells, NDArray[np.float64]]]) -> Cells:
        """With the key of all; a group with too few trades is no cell here."""
        parts = []
        for group, (cells, measures) in zip(self.groups, found, strict=True):
            is_used, named = cells.cells.conditions != NO_CONDITION, cells.cells.conditions.astype(np.int64)
            bits, codes = np.append(cells.items.bits, 0), np.append(cells.items.codes, 0).astype(np.int64)
            place = np.where(is_used, named, -1)
            items = np.where(is_used, FIRST_ITEM[bits[place]] + codes[place] - 1, 0)
            key = np.full(len(items), int(group.pattern_key)) * BASE ** (4 - items.shape[1])
            for k in range(items.shape[1]):
                key = key * BASE + np.take_along_axis(items, np.argsort(is_used, axis=1, kind="stable"), 1)[:, k]
            is_enough = measures[0] >= self.config.min_trades
            measured = dict(zip(MEASURES, measures[:, is_enough], strict=True))
            parts.append({"key": key[is_enough], **measured})
        return peer.joined(parts)


def main() -> None:
    """Check, time, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="20,000 trades, peers but NumPy to depth 2 only")
    parser.add_argument("--million", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.million:
        print_million()
        return
    slow = {name: made for name, (package, made) in SLOW.items() if is_installed(package)}
    if missing := sorted(set(SLOW) - set(slow)):
        print(f"Peers left out, not installed: {', '.join(missing)}")
    rounds = ROUNDS_SMALL if asked.small else ROUNDS
    check(mining_trades(TRADES_CHECKED), SMALL_DEPTH if asked.small else DEPTH, slow)
    trades = mining_trades(TRADES_SMALL if asked.small else TRADES_FULL)
    report(trades, DEPTH, rounds, {} if asked.small else slow)
    if asked.small:
        report(trades, SMALL_DEPTH, rounds, slow)
    report_product(trades, rounds)
    report_depths(rounds)
    if not asked.small:
        command = [sys.executable, "-m", "benchmarks.lesson_mining", "--million"]
        print(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def check(trades: Trades, depth: int, slow: Mapping[str, Callable[..., Contender]]) -> None:
    """Refuse to time contenders that find other cells than ours; compiles ours, too."""
    ours = Ours(trades, depth, MIN_TRADES)
    expected = ours.cells(ours.run())
    for name, made in {NUMPY: peer.NumpyPeer, **slow}.items():
        contender = made(trades, depth, MIN_TRADES)
        compare(name, contender.cells(contender.run()), expected)


def compare(name: str, cells: Cells, expected: Cells) -> None:
    """Raise where cells or numbers differ; only sums of squares in float64 lose anything to speak of."""
    for column in ("key", "n", "median"):
        if not np.array_equal(cells[column], expected[column]):
            raise ValueError(f"{name} gives another {column} than ours")
    for column, tolerance in TOLERANCE.items():
        if not np.allclose(cells[column], expected[column], rtol=tolerance, atol=0.0):
            raise ValueError(f"{name} gives another {column} than ours")


def report(trades: Trades, depth: int, rounds: int, slow: Mapping[str, Callable[..., Contender]]) -> None:
    """Run all contenders on the same trades, the slow ones once; print times and ratios."""
    fast: dict[str, Contender] = {
        OURS_2: Ours(trades, depth, MIN_TRADES),
        OURS_1: Ours(trades, depth, MIN_TRADES, 1),
        NUMPY: peer.NumpyPeer(trades, depth, MIN_TRADES),
    }
    expected = fast[OURS_1].cells(fast[OURS_1].run())
    for name, contender in fast.items():
        compare(name, contender.cells(contender.run()), expected)
    taken = {name: [] for name in fast}
    for _ in range(rounds):
        for name, contender in fast.items():
            taken[name].append(timed(contender.run)[0])
    times = {name: median_of(each) for name, each in taken.items()}
    for name, made in slow.items():
        contender = made(trades, depth, MIN_TRADES)
        times[name], found = timed(contender.run)
        compare(name, contender.cells(found), expected)
    print(f"\nD. {trades.n:,} trades, depth <= {depth}, {MIN_TRADES} trades or more: {expected['key'].size:,} cells")
    print_times(times)


def report_product(trades: Trades, rounds: int) -> None:
    """Time what the product keeps of the cells."""
    config = MiningConfig()
    with ThreadPoolExecutor(2) as pool:

        def mine_all() -> list[MinedCells]:
            return list(pool.map(lambda group: mine_cells(group, config), trades.groups))

        cells = mine_all()
        times = [timed(mine_all)[0] for _ in range(rounds)]
    sizes = [sum(getattr(group, name) for group in cells) for name in ("n_found", "n_closed", "n_cut", "n_cells")]
    wall, cpu = median_of(times)
    print("the product, 2 threads: {:,} found, {:,} sets of trades, {:,} cut, {:,} kept:".format(*sizes), end=" ")
    print(f"{wall:,.0f} ms, {cpu:,.0f} of the processor")


def report_depths(rounds: int) -> None:
    """Time depth 4 beside depth 2, on 10,000 trades."""
    trades = mining_trades(10_000)
    runs = {depth: Ours(trades, depth, MIN_TRADES) for depth in (2, 3, 4)}
    times = {depth: median_of([timed(ours.run)[0] for _ in range(2 * rounds)]) for depth, ours in runs.items()}
    print(f"\n10,000 trades, ours, 2 threads{'cells':>18}{'ms':>12}{'x depth 2':>12}{'CPU ms':>12}{'x depth 2':>12}")
    for depth, (wall, cpu) in times.items():
        n_cells = sum(len(cells.masks) for cells, _ in runs[depth].run())
        print(f"depth {depth}{n_cells:41,}{wall:12.1f}{wall / times[2][0]:12.2f}{cpu:12.1f}{cpu / times[2][1]:12.2f}")


def print_million() -> None:
    """Time and memory of a million trades."""
    warm = Ours(mining_trades(TRADES_CHECKED), DEPTH, MIN_TRADES)
    warm.run()
    trades = mining_trades(MANY)
    ours = Ours(trades, DEPTH, MIN_TRADES)
    before = resident_mb("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # forget the largest size so far
    times, found = timed(ours.run)
    extra = resident_mb("VmHWM") - before
    n_cells = sum(len(cells.masks) for cells, _ in found)
    print(f"\n{MANY:,} trades, depth <= {DEPTH}: {n_cells:,} cells, {extra:,.0f} MB extra, cells and measures included")
    del found
    print_times({OURS_2: times, NUMPY: timed(peer.NumpyPeer(trades, DEPTH, MIN_TRADES).run)[0]})


def timed(run: Callable[[], Any]) -> tuple[Time, Any]:
    """Time one run; what it gives, too."""
    wall, cpu = time.perf_counter(), time.process_time()
    found = run()
    return (1e3 * (time.perf_counter() - wall), 1e3 * (time.process_time() - cpu)), found


def median_of(times: Sequence[Time]) -> Time:
    """Median of each."""
    wall, cpu = zip(*times, strict=True)
    return statistics.median(wall), statistics.median(cpu)


def resident_mb(line: str) -> float:
    """One of the kernel's figures for this process, MB."""
    status = Path("/proc/self/status").read_text()
    return next(int(text.split()[1]) / 1024 for text in status.splitlines() if text.startswith(line))


def print_times(times: Mapping[str, Time]) -> None:
    """Print times, and ratios to ours on two threads."""
    print(f"{'':36}{'ms':>10}{'x ours':>9}{'CPU ms':>10}{'x ours':>9}")
    for name, (wall, cpu) in times.items():
        print(f"{name:36}{wall:10.0f}{wall / times[OURS_2][0]:9.1f}{cpu:10.0f}{cpu / times[OURS_2][1]:9.1f}")


if __name__ == "__main__":
    main()
