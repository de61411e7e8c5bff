"""Groups of trades for tests of the lattice: from facts, and straight from columns."""

from collections.abc import Iterable
from datetime import timedelta
from itertools import combinations

import numpy as np

from domain.config.lesson import MiningConfig
from domain.learning.lattice import MinedCells, mine_cells
from domain.learning.pattern_scope_stat import RR_STEP
from domain.learning.trade_fact import TradeFact
from domain.learning.trade_group import N_BITS, TradeGroup, trade_groups
from domain.vocabulary.action import ActionCategory
from tests.domain.learning.closed_trades import OPENED_AT, PATTERN, facts

LATER = OPENED_AT + timedelta(days=99)
VALUES = {
    "curator": ("ann", "bob", None),
    "chain": ("base", "bsc", "solana", "sui"),
    "mcap_bucket": ("nano", "micro", None),
    "intent": ("a", "b", "c", "d", "e"),
    "timeframe": ("15m", "1h", "4h"),
    "A_mode": ("normal",),
    "btc_macro": ("S1", "S2", "S3"),
}


def random_facts(rng: np.random.Generator, n_trades: int, *, max_scopes: int = 1) -> list[TradeFact]:
    """Facts in random order: some without rr, some outcomes equal, btc_meso always as btc_macro, A_mode constant."""
    rows: list[TradeFact] = []
    for trade in range(n_trades):
        scopes = [random_scope(rng) for _ in range(rng.integers(1, max_scopes + 1))]
        scopes += [scope for scope in scopes if rng.random() < 0.3]
        changed = {
            "rr": None if rng.random() < 0.1 else round(float(2.0 * rng.standard_t(2)), int(rng.integers(4))),
            "s3_at": None if rng.random() < 0.5 else OPENED_AT + timedelta(hours=float(rng.integers(9))),
            "closed_at": OPENED_AT + timedelta(hours=float(rng.integers(10, 40))),
        }
        rows += facts(f"t{trade}", scopes=tuple(scopes), **changed)
    return [rows[i] for i in rng.permutation(len(rows))]


def random_scope(rng: np.random.Generator) -> dict[str, str]:
    """A value of each dimension; None is left out."""
    drawn = {name: values[rng.integers(len(values))] for name, values in VALUES.items()}
    return {name: value for name, value in {**drawn, "btc_meso": drawn["btc_macro"]}.items() if value is not None}


def group_of(rows: Iterable[TradeFact]) -> TradeGroup:
    """The one group of some facts."""
    (group,) = trade_groups(rows, as_of_at=LATER, max_abs_rr=10.0)
    return group


def mined(rows: Iterable[TradeFact], **changed) -> MinedCells:
    """Cells of the one group of some facts."""
    return mine_cells(group_of(rows), MiningConfig(**{"min_trades": 1, **changed}))


def masks_of(group: TradeGroup, depth: int) -> list[int]:
    """Masks of so many of the dimensions that have a value in a group, or fewer."""
    bits = [bit for bit in range(N_BITS) if group.values[bit]]
    return [sum(1 << bit for bit in chosen) for k in range(depth + 1) for chosen in combinations(bits, k)]


def column_group(codes: np.ndarray, steps: np.ndarray) -> TradeGroup:
    """A group of trades of one row each, of codes of shape (n_trades, n_dimensions), from bit 0."""
    n, n_dimensions = codes.shape
    wide = np.zeros((n, N_BITS), np.uint16)
    wide[:, :n_dimensions] = codes
    hours = np.ones(n)
    return TradeGroup(
        pattern_key=PATTERN,
        action_category=ActionCategory.ENTRY,
        trade_ids=tuple(f"t{i:06}" for i in range(n)),
        rr=steps * RR_STEP,
        rr_steps=steps.astype(np.int64),
        closed_us=np.arange(n),
        opened_us=np.arange(n),
        hold_hours=hours,
        hours_to_s3=np.full(n, np.nan),
        pnl_usd=hours,
        row_trade=np.arange(n, dtype=np.int32),
        row_actions=np.ones(n, np.int32),
        codes=wide,
        values=tuple(tuple(f"v{code:05}" for code in range(top)) for top in wide.max(axis=0)),
        n_trades_without_rr=0,
    )
