"""Whether weights by state tell states apart, and whether an edge weighted with them ranks cells better out of sample.

`python -m benchmarks.regime_weight [--small]`. Worlds are seeded. Weights and edges are made of the trades closed in
the first half; the mean rr of each cell in each state over the trades decided in the second is what they are held to,
by Spearman's rank correlation inside each state, averaged over states. Beside the plain edge stand the edge weighted by
state, that with what the state adds to the expected rr (`shift_by_state`), and the plain edge of the cell's trades of
that state alone. Gains are those of the second and the third over the plain, with their standard error over worlds. It
reports and does not judge: exit code 0.
"""

import argparse
import math
import statistics
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import numpy as np
from scipy.stats import spearmanr

from benchmarks.regime_weight_world import DAYS, START_AT, STATES, WORLDS, signature_of, world_facts
from domain.config.learning import EdgeConfig
from domain.config.regime_weight import RegimeWeightConfig
from domain.learning.edge import EdgeScore, compute_edge_score, get_rr_baseline
from domain.learning.pattern_scope_stat import pattern_scope_stats
from domain.learning.regime_edge import regime_edge_score
from domain.learning.regime_feature import cell_features
from domain.learning.regime_signature import RegimeSignature, regime_signature
from domain.learning.regime_trade import FEATURE_MASK, regime_trades
from domain.learning.regime_weight import RegimeWeights, regime_weights
from domain.learning.trade_fact import ScopeCell, TradeFact
from domain.scopes.scope import scope_values
from domain.vocabulary.action import ActionCategory

EDGE = EdgeConfig()
MAX_ABS_RR = 10.0
MIN_LATER_TRADES = 5
HALF_AT = START_AT + timedelta(days=DAYS / 2)
FIRST = signature_of(STATES[0])
ORDERS = ("plain", "weighted", "shifted", "own trades")


def main() -> None:
    """Weights, ranks, times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="fewer worlds")
    is_small = parser.parse_args().small
    report_worlds(RegimeWeightConfig(), 5 if is_small else 20, (1_500, 4_000))
    if not is_small:
        report_strengths(10, 3_000)
    report_time((5_000, 10_000) if is_small else (10_000, 20_000, 40_000))


def report_worlds(config: RegimeWeightConfig, n_seeds: int, sizes: Sequence[int]) -> None:
    """Print weights of time efficiency and rank correlations, by world and size."""
    print(f"{n_seeds} worlds each{'w time efficiency':>44}   rank correlation, later half")
    heads = "".join(f"{name:>11}" for name in ORDERS)
    print(f"{'world':28}{'trades':>7}{'first':>8}{'others':>8}{heads}{'gain, weighted':>17}{'gain, shifted':>17}")
    for name, world in WORLDS.items():
        for n in sizes:
            first, others, ranks = [], [], []
            for seed in range(n_seeds):
                facts = world_facts(world, n, seed)
                weights = learned(facts, HALF_AT, config)
                found = {key[1]: each.weights.time_efficiency for key, each in weights.of_state.items()}
                first.append(found.pop(FIRST))
                others += found.values()
                ranks.append(rank_correlations(facts, weights, config))
            means = "".join(f"{statistics.mean(each[order] for each in ranks):11.3f}" for order in ORDERS)
            gains = "".join(f"{told_gain(ranks, order):>17}" for order in ("weighted", "shifted"))
            print(f"{name:28}{n:7,}{statistics.mean(first):8.2f}{statistics.mean(others):8.2f}{means}{gains}")


def report_strengths(n_seeds: int, n: int) -> None:
    """Print what the strength of the pull to all states changes."""
    strengths = (10.0, 30.0, 100.0, 300.0)
    print(f"\n{'gain, shifted, by prior_trades':43}" + "".join(f"{k:17.0f}" for k in strengths))
    for name, world in WORLDS.items():
        worlds = [world_facts(world, n, seed) for seed in range(n_seeds)]
        gains = []
        for k in strengths:
            config = RegimeWeightConfig(prior_trades=k)
            ranks = [rank_correlations(each, learned(each, HALF_AT, config), config) for each in worlds]
            gains.append(told_gain(ranks, "shifted"))
        print(f"{name:43}" + "".join(f"{gain:>17}" for gain in gains))


def report_time(sizes: Sequence[int]) -> None:
    """Print the time of rows and of fits as trades grow."""
    print(f"\n{'time':30}{'trades':>8}{'rows, ms':>12}{'fits, ms':>12}{'us a trade':>12}")
    config = RegimeWeightConfig()
    for n in sizes:
        facts = world_facts(WORLDS["matters in one state"], n, 0)
        end_at = START_AT + timedelta(days=10 * DAYS)
        start = time.perf_counter()
        trades = regime_trades(facts, as_of_at=end_at, max_abs_rr=MAX_ABS_RR, edge=EDGE, config=config)
        rows_ms = (time.perf_counter() - start) * 1e3
        start = time.perf_counter()
        regime_weights(trades, config)
        fits_ms = (time.perf_counter() - start) * 1e3
        print(f"{'':30}{n:8,}{rows_ms:12.0f}{fits_ms:12.0f}{(rows_ms + fits_ms) * 1e3 / n:12.1f}")


def learned(facts: Sequence[TradeFact], as_of_at: datetime, config: RegimeWeightConfig) -> RegimeWeights:
    """Weights as of an instant."""
    trades = regime_trades(facts, as_of_at=as_of_at, max_abs_rr=MAX_ABS_RR, edge=EDGE, config=config)
    return regime_weights(trades, config)


def rank_correlations(
    facts: Sequence[TradeFact], weights: RegimeWeights, config: RegimeWeightConfig
) -> dict[str, float]:
    """Rank correlation of each kind of edge with the later means, averaged over states."""
    early = [fact for fact in facts if fact.closed_at < HALF_AT]
    baseline = get_rr_baseline(early, as_of_at=HALF_AT, config=EDGE, max_abs_rr=MAX_ABS_RR)
    plain = edges(early, baseline)
    features = cell_features(early, [FEATURE_MASK], as_of_at=HALF_AT, max_abs_rr=MAX_ABS_RR, edge=EDGE, config=config)
    found: defaultdict[str, list[float]] = defaultdict(list)
    for signature, means in later_means(facts).items():
        own = edges([fact for fact in early if signature_of_fact(fact) == signature], baseline)
        cells = sorted(means.keys() & plain.keys() & own.keys())
        by_state = weights.weights(signature, ActionCategory.ENTRY)
        shift = {cell: weights.shift_r(signature, ActionCategory.ENTRY, features[cell]) for cell in cells}
        scores = {
            "plain": [plain[cell].edge_raw for cell in cells],
            "weighted": [regime_edge_score(plain[cell], features[cell], by_state).edge_regime for cell in cells],
            "shifted": [
                regime_edge_score(plain[cell], features[cell], by_state, shift_r=shift[cell]).edge_regime
                for cell in cells
            ],
            "own trades": [own[cell].edge_raw for cell in cells],
        }
        for name, score in scores.items():
            found[name].append(float(spearmanr(score, [means[cell] for cell in cells]).statistic))
    return {name: statistics.mean(each) for name, each in found.items()}


def edges(facts: Sequence[TradeFact], baseline: float) -> dict[ScopeCell, EdgeScore]:
    """Plain edge of each cell."""
    stats = pattern_scope_stats(facts, [FEATURE_MASK], max_abs_rr=MAX_ABS_RR)
    return {
        cell: compute_edge_score(stat, baseline_rr=baseline, recent_edges=(), config=EDGE)
        for cell, stat in stats.items()
    }


def later_means(facts: Sequence[TradeFact]) -> Mapping[RegimeSignature, Mapping[ScopeCell, float]]:
    """Mean rr of each state and cell over the trades decided in the second half, where there are enough."""
    outcomes: defaultdict[RegimeSignature, defaultdict[ScopeCell, list[float]]] = defaultdict(lambda: defaultdict(list))
    for fact in facts:
        signature, values = signature_of_fact(fact), scope_values(dict(fact.scope), FEATURE_MASK)
        if fact.action_ts >= HALF_AT and signature and values and fact.rr is not None:
            cell = ScopeCell(fact.pattern_key, fact.action_category, FEATURE_MASK, tuple(values.values()))
            outcomes[signature][cell].append(float(np.clip(fact.rr, -MAX_ABS_RR, MAX_ABS_RR)))
    return {
        signature: {cell: statistics.mean(rr) for cell, rr in cells.items() if len(rr) >= MIN_LATER_TRADES}
        for signature, cells in outcomes.items()
    }


def signature_of_fact(fact: TradeFact) -> RegimeSignature | None:
    """Signature at an action."""
    return regime_signature(dict(fact.scope))


def told_gain(ranks: Sequence[Mapping[str, float]], order: str) -> str:
    """Mean gain of an order over `plain`, and its standard error over worlds."""
    gains = [each[order] - each["plain"] for each in ranks]
    return f"{statistics.mean(gains):+.3f} ± {statistics.stdev(gains) / math.sqrt(len(gains)):.3f}"


if __name__ == "__main__":
    main()
