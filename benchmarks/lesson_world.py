"""Groups of closed trades in which nothing is to be learned, or one thing is, seeded: what lessons are held to."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from benchmarks.workloads import SEED
from domain.learning.pattern_scope_stat import RR_SCALE, RR_STEP
from domain.learning.trade_group import N_BITS, TradeGroup
from domain.vocabulary.action import ActionCategory

MAX_ABS_RR = 10.0
DAY_US = 86_400_000_000
FIRST_DAY = 20_000
DAYS = 180
DIMENSIONS = 20
PATTERN = "pm.uptrend.S1.buy_flag"
PATTERNS = tuple(
    f"pm.uptrend.{state}.{flag}"
    for state, flags in (
        ("S1", ("buy_flag",)),
        ("S2", ("buy_flag", "rebuy_flag", "trim_flag")),
        ("S3", ("buy_flag", "first_dip_buy_flag", "reclaimed_ema333", "rebuy_flag", "trim_flag")),
        ("S0", ("exit_position", "emergency_exit")),
    )
    for flag in flags
)
FloatArray = NDArray[np.float64]
Codes = NDArray[np.int64]


def heavy_tails(n: int, seed: int) -> TradeGroup:
    """Student t of 3 degrees; 20 dimensions of 3 or 4 values that have nothing to do with it."""
    rng = np.random.default_rng([SEED, n, seed, 1])
    return trade_group(rng.standard_t(3, n), _values(rng, n), rng.uniform(0, DAYS, n))


def skewed(n: int, seed: int) -> TradeGroup:
    """Many small losses, few large wins: log-normal less its mean, never below -1 R."""
    rng = np.random.default_rng([SEED, n, seed, 2])
    rr = np.maximum(rng.lognormal(0.0, 1.0, n) - np.exp(0.5), -1.0)
    return trade_group(rr, _values(rng, n), rng.uniform(0, DAYS, n))


def shared_days(n: int, seed: int) -> TradeGroup:
    """Trades of a day share a shock of 1 R; the dimensions are constant in a day and stay the same for five or so."""
    rng = np.random.default_rng([SEED, n, seed, 3])
    day = np.sort(rng.integers(0, DAYS, n))
    values = rng.integers(1, 4, (DAYS, DIMENSIONS))
    for t in range(1, DAYS):
        stays = rng.random(DIMENSIONS) < 0.8
        values[t, stays] = values[t - 1, stays]
    rr = rng.standard_t(3, n) + rng.standard_normal(DAYS)[day]
    return trade_group(rr, values[day], day + rng.random(n))


def planted(n: int, seed: int, *, conditions: int, effect: float) -> TradeGroup:
    """Heavy tails, and the fifth of the trades with value 1 in the first dimension (or in both of two) ends better."""
    rng = np.random.default_rng([SEED, n, seed, 4, conditions])
    values = _values(rng, n)
    for j in range(conditions):
        values[:, j] = np.where(rng.random(n) < 0.2 ** (1 / conditions), 1, rng.integers(2, 4, n))
    rr = rng.standard_t(3, n) + effect * np.all(values[:, :conditions] == 1, axis=1)
    return trade_group(rr, values, rng.uniform(0, DAYS, n))


def many_patterns(n: int, seed: int) -> tuple[TradeGroup, ...]:
    """Heavy tails in each of the patterns there are, trades of their own."""
    groups = []
    for k, pattern in enumerate(PATTERNS):
        rng = np.random.default_rng([SEED, n, seed, 5, k])
        category = ActionCategory.ENTRY if "buy" in pattern or "reclaimed" in pattern else ActionCategory.EXIT
        groups.append(
            trade_group(rng.standard_t(3, n), _values(rng, n), rng.uniform(0, DAYS, n), pattern, category, f"{k}-")
        )
    return tuple(groups)


NOISE: dict[str, Callable[[int, int], tuple[TradeGroup, ...]]] = {
    "heavy tails": lambda n, seed: (heavy_tails(n, seed),),
    "skewed": lambda n, seed: (skewed(n, seed),),
    "days share a shock": lambda n, seed: (shared_days(n, seed),),
    f"{len(PATTERNS)} patterns, heavy tails": many_patterns,
}


def _values(rng: np.random.Generator, n: int) -> Codes:
    return rng.integers(1, rng.integers(3, 5, DIMENSIONS) + 1, (n, DIMENSIONS))


def trade_group(
    rr: FloatArray,
    values: Codes,
    day: FloatArray,
    pattern: str = PATTERN,
    category: ActionCategory = ActionCategory.ENTRY,
    prefix: str = "",
) -> TradeGroup:
    """Trades of 12 hours with one scope each; dimension j is bit j."""
    order = np.argsort(day, kind="stable")
    n = rr.size
    steps = np.rint(np.clip(rr[order], -MAX_ABS_RR, MAX_ABS_RR) * RR_SCALE).astype(np.int64)
    closed_us = np.rint((FIRST_DAY + day[order]) * DAY_US).astype(np.int64)
    codes = np.zeros((n, N_BITS), np.uint16)
    codes[:, : values.shape[1]] = values[order]
    return TradeGroup(
        pattern_key=pattern,
        action_category=category,
        trade_ids=tuple(f"{prefix}{i:07d}" for i in range(n)),
        rr=steps * RR_STEP,
        rr_steps=steps,
        closed_us=closed_us,
        opened_us=closed_us - DAY_US // 2,
        hold_hours=np.full(n, 12.0),
        hours_to_s3=np.full(n, np.nan),
        pnl_usd=steps * RR_STEP,
        row_trade=np.arange(n, dtype=np.int32),
        row_actions=np.ones(n, np.int32),
        codes=codes,
        values=tuple(tuple(map(str, range(1, int(column.max()) + 1))) for column in codes.T),
        n_trades_without_rr=0,
    )
