"""Groups of closed trades for tests of lessons: outcomes and values as arrays, with or without a planted effect."""

import numpy as np

from domain.config.learning import EdgeConfig
from domain.config.lesson import LessonConfig, MiningConfig
from domain.learning.lattice import mine_cells
from domain.learning.lesson import build_lessons
from domain.learning.lesson_hypothesis import LessonRun
from domain.learning.pattern_scope_stat import RR_STEP, rr_steps
from domain.learning.trade_group import N_BITS, TradeGroup
from domain.vocabulary.action import ActionCategory

DAY_US = 86_400_000_000
FIRST_DAY = 20_000
MAX_ABS_RR = 10.0
DAYS = 180
N_DIMENSIONS = 20


def noise(n_trades: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Outcomes with heavy tails, values of 20 dimensions (3 or 4 each, from 1), and days of closing, of `n_trades`."""
    rng = np.random.default_rng(seed)
    n_values = rng.integers(3, 5, N_DIMENSIONS)
    values = rng.integers(1, n_values + 1, (n_trades, N_DIMENSIONS))
    return rng.standard_t(3, n_trades), values, np.sort(rng.uniform(0, DAYS, n_trades))


def group_of(
    rr: np.ndarray,
    values: np.ndarray,
    day: np.ndarray,
    *,
    pattern: str = "pm.uptrend.S1.buy_flag",
    category: ActionCategory = ActionCategory.ENTRY,
    trade_ids: list[str] | None = None,
    hold_hours: float = 12.0,
) -> TradeGroup:
    """Trades with one scope each, in whatever order they are given; dimension j is bit j, its value v the name "v"."""
    ids = trade_ids or [f"t{i:06d}" for i in range(rr.size)]
    order = sorted(range(rr.size), key=lambda i: (day[i], ids[i]))
    steps = np.array([rr_steps(float(rr[i]), MAX_ABS_RR) for i in order], np.int64)
    closed_us = np.array([round((FIRST_DAY + day[i]) * DAY_US) for i in order], np.int64)
    codes = np.zeros((rr.size, N_BITS), np.uint16)
    codes[:, : values.shape[1]] = values[order]
    names = tuple(tuple(map(str, range(1, int(column.max(initial=0)) + 1))) for column in codes.T)
    return TradeGroup(
        pattern_key=pattern,
        action_category=category,
        trade_ids=tuple(ids[i] for i in order),
        rr=steps * RR_STEP,
        rr_steps=steps,
        closed_us=closed_us,
        opened_us=closed_us - round(hold_hours * DAY_US / 24),
        hold_hours=np.full(rr.size, hold_hours),
        hours_to_s3=np.full(rr.size, np.nan),
        pnl_usd=steps * RR_STEP,
        row_trade=np.arange(rr.size, dtype=np.int32),
        row_actions=np.ones(rr.size, np.int32),
        codes=codes,
        values=names,
        n_trades_without_rr=0,
    )


def lessons_of(*groups: TradeGroup, max_depth: int = 3, baseline_rr: float | None = None, **changed) -> LessonRun:
    """Lessons of some groups; the baseline is the mean of all their trades unless given, `changed` is configuration."""
    outcomes = {name: rr for group in groups for name, rr in zip(group.trade_ids, group.rr, strict=True)}
    fits = changed.pop("fits", {})
    return build_lessons(
        groups,
        [mine_cells(group, MiningConfig(max_depth=max_depth)) for group in groups],
        baseline_rr=float(np.mean(list(outcomes.values()))) if baseline_rr is None else baseline_rr,
        recent_edges={},
        config=LessonConfig(**changed),
        edge=EdgeConfig(),
        fits=fits,
    )
