"""How fast the judge moves a gate that is set wrongly, and how far it moves gates for nothing.

`python -m benchmarks.tuning_judge [--small]`. The bare bounds stand beside ours, which also hold a step against all
that a run asks. That rule was added after 5 of 12 worlds of coin flips (seeds 0 to 11, twice the windows) had left the
one step under the bare bounds: those seeds are not fresh to it. Its size was not searched. It reports and does not
judge: exit code 0. Goals: a wrong gate has moved towards the right value within 8 weekly runs and never stands more
than a step beyond it; where outcomes depend on nothing no threshold is ever more than one step away in 26 runs.
"""

import argparse
import statistics
import time
from collections.abc import Sequence
from itertools import pairwise

from benchmarks.tuning_world import CONFIG, GATES, TuningWorld, coin, right_at
from domain.learning.tuned_gate import TunedGate
from domain.portfolio.gate import Gate
from domain.scopes.pattern_key import TuningFamily

SEEDS, SMALL_SEEDS = 50, 5
BARE_BOUNDS = CONFIG.model_copy(update={"false_step_rate": 1.0})
WRONG = (
    (TuningFamily.S1_ENTRY, Gate.TREND_STRENGTH, 0.48),
    (TuningFamily.S1_ENTRY, Gate.TREND_STRENGTH, 0.72),
    (TuningFamily.S1_ENTRY, Gate.NEAR_EMA60, 1.5),
    (TuningFamily.S1_ENTRY, Gate.NEAR_EMA60, 0.6),
    (TuningFamily.S3_RETEST, Gate.DISCOUNTED, 0.48),
    (TuningFamily.S3_RETEST, Gate.DISCOUNTED, 0.72),
)
"""Gates, and where their thresholds belong."""


def main() -> None:
    """Wrong gates, then worlds in which nothing matters."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help=f"{SMALL_SEEDS} worlds of each kind instead of {SEEDS}")
    n_seeds = SMALL_SEEDS if parser.parse_args().small else SEEDS
    report_wrong(n_seeds)
    report_random(n_seeds)


def report_wrong(n_seeds: int) -> None:
    """Print how many worlds have moved the right way, and where the threshold then stands."""
    print(f"{'a gate set wrongly':30}{'base':>6}{'right':>7}{'runs':>6}{'moved':>8}{'back':>7}{'too far':>9}", end="")
    print(f"{'after 8':>9}{'after 16':>10}")
    for family, name, right in WRONG:
        gate = next(each for each in GATES if (each.family, each.gate) == (family, name))
        paths = [
            TuningWorld(right_at(name, right), seed, families=(family,)).play(16).path(family, name)
            for seed in range(n_seeds)
        ]
        towards = 1 if right > gate.base else -1
        moved = share([towards * (path[7] - 1.0) > 0 for path in paths])
        back = share([any(towards * (b - a) < 0 for a, b in pairwise(path)) for path in paths])
        too_far = share([is_too_far(gate, path, right, towards) for path in paths])
        ends = [statistics.mean(gate.threshold(path[run]) for path in paths) for run in (7, 15)]
        print(
            f"{family + ' ' + name:30}{gate.base:6.2f}{right:7.2f}{n_seeds:6}{moved:8.0%}{back:7.0%}{too_far:9.0%}",
            end="",
        )
        print(f"{ends[0]:9.3f}{ends[1]:10.3f}")


def is_too_far(gate: TunedGate, path: Sequence[float], right: float, towards: int) -> bool:
    """Whether a path ever stood more than a step beyond the right threshold."""
    return any(towards * (gate.threshold(each) / right - 1.0) > CONFIG.step_frac for each in path)


def report_random(n_seeds: int) -> None:
    """Print how often a threshold moves where outcomes depend on nothing, with and without the hold on chance."""
    print(
        f"\n{'outcomes that depend on nothing':34}{'runs':>6}{'moved any':>11}{'beyond 1':>10}{'farthest':>10}{'s':>7}"
    )
    for chance in (0.50, 0.55):
        for name, config in (("ours", CONFIG), ("bare bounds", BARE_BOUNDS)):
            start = time.perf_counter()
            steps = [
                TuningWorld(coin(chance), seed, weekly=60, config=config).play(26).farthest() for seed in range(n_seeds)
            ]
            moved, beyond = share([each > 0 for each in steps]), share([each > 1.01 for each in steps])
            title = f"{chance:.0%} succeed, {name}"
            took = time.perf_counter() - start
            print(f"{title:34}{n_seeds:6}{moved:11.0%}{beyond:10.0%}{max(steps):10.2f}{took:7.0f}")


def share(is_so: Sequence[bool]) -> float:
    """Share of those that are."""
    return sum(is_so) / len(is_so)


if __name__ == "__main__":
    main()
