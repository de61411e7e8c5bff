"""How often lessons are taught by noise, and how often one thing that is there is found, told once.

`python -m benchmarks.lesson_noise [--small]`. Worlds are seeded. The rule of the documents (33 trades, an edge of 0.05)
stands beside ours, and ours with each trade taken for a look at the market of its own. It reports and does not judge:
exit code 0. Goals: noise teaches anything in at most 10 % of runs; a planted effect is found in 7 of 8 worlds or more,
with at most 2 slices told.
"""

import argparse
import statistics
import time
from collections.abc import Sequence

import numpy as np

from benchmarks.lesson_world import NOISE, heavy_tails, planted
from domain.config.learning import EdgeConfig
from domain.config.lesson import LessonConfig, MiningConfig
from domain.learning.lattice import MinedCells, mine_cells
from domain.learning.lesson import build_lessons
from domain.learning.lesson_hypothesis import LessonRun
from domain.learning.trade_group import TradeGroup

HONEST = LessonConfig()
DOCUMENTS = LessonConfig(promotion="documents")
BY_TRADE = LessonConfig(cluster_by="trade")
WIDE = LessonConfig(descend_rate=0.3)
SIZES = (500, 2_000)
SEEDS, SEEDS_SMALL, SEEDS_OF_PATTERNS = 50, 20, 4
PLANTED_TRADES = 1_000
DEPTH = 2
REPEATS = 3


def main() -> None:
    """Noise, planted effects, times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="fewer worlds of the slower kinds")
    is_small = parser.parse_args().small
    report_noise(is_small)
    report_documents(is_small)
    report_planted(8 if is_small else 40)
    report_growth((5_000, 10_000) if is_small else (25_000, 50_000, 100_000))


def taught(groups: Sequence[TradeGroup], config: LessonConfig, mined: Sequence[MinedCells]) -> LessonRun:
    """Lessons of a run whose baseline is the mean of its trades."""
    baseline_rr = float(np.mean(np.concatenate([group.rr for group in groups])))
    return build_lessons(groups, mined, baseline_rr=baseline_rr, recent_edges={}, config=config, edge=EdgeConfig())


def mined_cells(groups: Sequence[TradeGroup], depth: int = DEPTH) -> list[MinedCells]:
    """Cells of each group."""
    return [mine_cells(group, MiningConfig(max_depth=depth)) for group in groups]


def report_noise(is_small: bool) -> None:
    """Print the share of runs that teach anything, by kind of noise."""
    print(f"{'noise: runs that teach anything':36}{'trades':>8}{'runs':>6}{'discover':>10}{'ours':>8}{'by trade':>10}")
    for name, world in NOISE.items():
        n_seeds = (SEEDS_OF_PATTERNS if "patterns" in name else SEEDS_SMALL) if is_small else SEEDS
        for n in SIZES:
            runs, by_trade = [], []
            for seed in range(n_seeds):
                groups = world(n, seed)
                mined = mined_cells(groups)
                runs.append(taught(groups, HONEST, mined))
                by_trade.append(taught(groups, BY_TRADE, mined))
            found = share([any(each.q <= HONEST.false_discovery_rate for each in run.hypotheses) for run in runs])
            ours, trades = (share([bool(run.lessons) for run in each]) for each in (runs, by_trade))
            print(f"{name:36}{n:8,}{n_seeds:6}{found:10.0%}{ours:8.0%}{trades:10.0%}")


def report_documents(is_small: bool) -> None:
    """Print the share of slices of heavy-tailed noise that the documents' rule promotes."""
    print(f"\n{'noise: slices the documents promote':36}{'trades':>8}{'runs':>6}{'slices':>10}{'promoted':>10}")
    for n, n_seeds in zip(SIZES, (3, 1) if is_small else (SEEDS, 5), strict=True):
        groups = [(heavy_tails(n, seed),) for seed in range(n_seeds)]
        runs = [taught(each, DOCUMENTS, mined_cells(each, 3)) for each in groups]
        n_slices = sum(len(run.hypotheses) for run in runs)
        promoted = sum(len(run.lessons) for run in runs) / n_slices
        print(f"{'heavy tails':36}{n:8,}{n_seeds:6}{n_slices:10,}{promoted:10.0%}")


def report_planted(n_seeds: int) -> None:
    """Print how often 1 R on a fifth of the trades is found, and how many slices are told."""
    print(f"\n{'planted in a fifth of 1,000 trades':36}{'found':>8}{'first 8':>9}{'told, mean':>12}{'largest':>9}")
    cells = {1: (1, ("1",)), 2: (3, ("1", "1"))}
    for conditions, config, note in ((1, HONEST, ""), (2, HONEST, ""), (2, WIDE, ", descend_rate 0.3")):
        for effect in (1.0, -1.0):
            found, told = [], []
            for seed in range(n_seeds):
                groups = (planted(PLANTED_TRADES, seed, conditions=conditions, effect=effect),)
                names = [
                    (each.cell.mask, each.cell.values) for each in taught(groups, config, mined_cells(groups)).lessons
                ]
                found.append(cells[conditions] in names)
                told.append(len(names))
            title = f"{effect:+.0f} R, {conditions} condition{'s'[: conditions - 1]}{note}"
            of_eight = f"{sum(found[:8])} of 8"
            print(f"{title:36}{share(found):8.0%}{of_eight:>9}{statistics.mean(told):12.2f}{max(told):9}")


def report_growth(sizes: Sequence[int]) -> None:
    """Print the time of a run as trades grow, without the mining: linear when the last column stands still."""
    print(f"\n{'time of ours, a planted effect':36}{'trades':>8}{'asked':>8}{'ms':>10}{'us a trade':>12}")
    for n in sizes:
        groups = (planted(n, 0, conditions=1, effect=1.0),)
        mined = mined_cells(groups)
        times = []
        for _ in range(REPEATS):
            start = time.perf_counter()
            run = taught(groups, HONEST, mined)
            times.append((time.perf_counter() - start) * 1e3)
        ms = statistics.median(times)
        print(f"{'':36}{n:8,}{len(run.hypotheses):8,}{ms:10.0f}{ms * 1e3 / n:12.2f}")


def share(is_so: Sequence[bool]) -> float:
    """Share of those that are."""
    return sum(is_so) / len(is_so)


if __name__ == "__main__":
    main()
