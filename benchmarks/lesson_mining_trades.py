"""Closed trades with planted effects, seeded: the workload of benchmark D."""

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from benchmarks.workloads import SEED
from domain.learning.pattern_scope_stat import RR_SCALE, RR_STEP
from domain.learning.trade_group import N_BITS, TradeGroup
from domain.vocabulary.action import ActionCategory

ENTRY_SIZES = (12, 5, 7, 6, 6, 8, 5, 2, 4, 3, 3, 7, 7)  # values of each dimension of a token and of an action
REGIME_SIZES = (4, 5, 6) * 5  # macro, meso and micro of five drivers: slow functions of time
SIZES = ENTRY_SIZES + REGIME_SIZES
N_PATTERNS = 12
CATEGORIES = tuple(ActionCategory)
CATEGORY_SHARES = (0.45, 0.15, 0.25, 0.15)
N_EFFECTS = 40
MAX_ABS_RR = 33.0


@dataclass(frozen=True)
class Trades:
    """Trades, one row each: group of pattern and category, value of each dimension, outcome in steps."""

    group: NDArray[np.int64]
    scope: NDArray[np.uint8]
    steps: NDArray[np.int64]

    @property
    def n(self) -> int:
        """Trades."""
        return self.steps.size

    @cached_property
    def groups(self) -> list[TradeGroup]:
        """The same as the product has them, the largest first."""
        numbers = np.argsort(-np.bincount(self.group), kind="stable").tolist()
        return [self._group(number) for number in numbers]

    def _group(self, number: int) -> TradeGroup:
        chosen = np.flatnonzero(self.group == number)
        n, steps = chosen.size, self.steps[chosen]
        codes = np.zeros((n, N_BITS), np.uint16)
        codes[:, : len(SIZES)] = self.scope[chosen] + 1
        names = [tuple(f"{value:02}" for value in range(size)) for size in SIZES]
        return TradeGroup(
            pattern_key=f"{number:02}",
            action_category=CATEGORIES[number % len(CATEGORIES)],
            trade_ids=tuple(map(str, chosen.tolist())),
            rr=steps * RR_STEP,
            rr_steps=steps,
            closed_us=chosen,
            opened_us=chosen,
            hold_hours=1.0 + chosen % 97,
            hours_to_s3=np.where(chosen % 3, np.nan, 1.0 + chosen % 31),
            pnl_usd=steps * RR_STEP,
            row_trade=np.arange(n, dtype=np.int32),
            row_actions=np.ones(n, np.int32),
            codes=codes,
            values=(*names, *[()] * (N_BITS - len(SIZES))),
            n_trades_without_rr=0,
        )


def mining_trades(n: int) -> Trades:
    """Outcomes with heavy tails, forty effects of one to three conditions; patterns and values are unequally common."""
    rng = np.random.default_rng([SEED, n, 4])
    pattern = rng.choice(N_PATTERNS, n, p=unequal(N_PATTERNS, 0.9))
    category = rng.choice(len(CATEGORIES), n, p=CATEGORY_SHARES)
    scope = scopes(n, rng)
    rr = 0.12 + 0.9 * rng.standard_t(2.3, n)
    for _ in range(N_EFFECTS):
        is_hit = pattern == rng.integers(0, 4)
        for j in rng.choice(len(SIZES), rng.integers(1, 4), replace=False):
            is_hit &= scope[:, j] == rng.integers(0, min(3, SIZES[j]))
        rr[is_hit] += rng.normal(0, 0.5)
    steps = np.rint(np.clip(rr, -MAX_ABS_RR, MAX_ABS_RR) * RR_SCALE).astype(np.int64)
    return Trades(pattern * len(CATEGORIES) + category, scope, steps)


def unequal(n: int, exponent: float) -> NDArray[np.float64]:
    """Shares of n values by Zipf's law."""
    shares = 1.0 / np.arange(1, n + 1) ** exponent
    return shares / shares.sum()


def scopes(n: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Values of all dimensions: those of tokens share six factors, those of the regime move slowly over the trades."""
    factors, n_knots = rng.standard_normal((n, 6)), max(n // 40, 8)
    horizons = [max(n_knots // by, 8) for by in (64, 8, 1)]
    drivers = [slow(n, knots, rng) for knots in horizons]
    out = np.empty((n, len(SIZES)), np.uint8)
    for j, size in enumerate(SIZES):
        load, k = rng.uniform(0.45, 0.9), j - len(ENTRY_SIZES)
        if k < 0:
            value = load * factors[:, j % 6] + np.sqrt(1 - load**2) * rng.standard_normal(n)
        else:
            own = slow(n, horizons[k % 3], rng)
            value = (load * drivers[k % 3] + np.sqrt(1 - load**2) * own + 0.15 * rng.standard_normal(n)) / 1.1
        out[:, j] = np.digitize(ndtr(value), np.cumsum(unequal(size, rng.uniform(0.3, 1.4)))[:-1])
    return out


def slow(n: int, knots: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw a line through so many random points."""
    return np.interp(np.linspace(0, knots - 1, n), np.arange(knots), rng.standard_normal(knots)) * 1.2


def dimension_sets(depth: int) -> list[tuple[int, ...]]:
    """Every set of up to so many dimensions; 3,683 up to three."""
    return [chosen for k in range(depth + 1) for chosen in combinations(range(len(SIZES)), k)]
