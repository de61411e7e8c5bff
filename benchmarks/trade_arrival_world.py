"""Closed trades that know 28 dimensions, and the tables they arrive in: the workload of benchmark E."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.workloads import SEED
from domain.learning import cell_ledger_kernel as kernel
from domain.learning.pattern_scope_stat import rr_steps
from domain.learning.trade_fact import ScopeCell, TradeAction, TradeFact, TradeRecord, trade_facts
from domain.learning.trade_fact_row import fact_row
from domain.scopes.bitmask import dimensions_of
from domain.scopes.scope_value import WORDS
from domain.vocabulary.scope_dimension import ScopeDimension
from domain.vocabulary.timeframe import Timeframe

IntArray = NDArray[np.int64]
DIMENSIONS = tuple(ScopeDimension)[:28]
CELLS_A_TRADE = 1 + 28 + 378 + 3276
PATTERNS = ("pm.uptrend.S1.buy_flag", "pm.uptrend.S2.buy_flag", "pm.uptrend.S2.rebuy_flag", "pm.uptrend.S3.buy_flag")
MAX_ABS_RR = 10.0
START = datetime(2025, 1, 1, tzinfo=UTC)
STAMPS = {"run_id": "benchmark", "computed_at": START, "code_version": "0"}


@dataclass(frozen=True)
class Arrival:
    """A trade as each contender wants it; only `facts` is what a real one comes as."""

    facts: tuple[TradeFact, ...]
    row: dict[str, Any]
    """The row of its one fact, stamped."""
    names: IntArray
    """Names of its cells, as whole numbers: a gift to those who write them."""
    steps: int


class ArrivalMaker:
    """Trades of one entry each; outcomes have heavy tails, values are drawn with a skew, states last for some trades.

    Values and groups are numbered as they come, and with them the cells.
    """

    def __init__(self) -> None:
        self._numbers: dict[tuple[ScopeDimension, str], int] = {}
        self._groups: dict[str, int] = {}

    def make(self, n_trades: int) -> list[Arrival]:
        """Draw so many trades, seeded."""
        rng = np.random.default_rng([SEED, n_trades, 9])
        words = {dimension: _words(dimension) for dimension in DIMENSIONS}
        drawn = {dimension: _lasting(words[dimension], n_trades, rng) for dimension in DIMENSIONS}
        outcomes = (0.12 + 0.9 * rng.standard_t(2.3, n_trades)).tolist()
        patterns = rng.choice(PATTERNS, n_trades, p=[0.4, 0.3, 0.2, 0.1]).tolist()
        scopes = [{dimension.value: drawn[dimension][i] for dimension in DIMENSIONS} for i in range(n_trades)]
        made = zip(range(n_trades), outcomes, patterns, scopes, strict=True)
        return [self._arrival(_facts(*each)) for each in made]

    def name_of(self, cell: ScopeCell) -> int:
        """Name under which a cell is stored."""
        dimensions = dimensions_of(cell.mask)
        numbers = [self._numbers[item] for item in zip(dimensions, cell.values, strict=True)]
        first, second, third = (*numbers, 0, 0, 0)[:3]
        return kernel.cell_name(self._groups[cell.pattern_key], first, second, third)

    def _arrival(self, facts: tuple[TradeFact, ...]) -> Arrival:
        (fact,) = facts
        numbers = [self._numbers.setdefault(item, len(self._numbers) + 1) for item in fact.scope]
        group = self._groups.setdefault(fact.pattern_key, len(self._groups) + 1)
        names = np.empty(CELLS_A_TRADE, dtype=np.int64)
        kernel.cell_names(group, np.array(numbers, dtype=np.int64), kernel.MAX_DEPTH, names)
        return Arrival(facts, fact_row(fact) | STAMPS, names, rr_steps(fact.rr or 0.0, MAX_ABS_RR))


def _words(dimension: ScopeDimension) -> list[str]:
    """Every word of a dimension, or twelve names."""
    return sorted(WORDS[dimension]) if dimension in WORDS else [f"{dimension.value}-{i}" for i in range(12)]


def _lasting(words: list[str], n_trades: int, rng: np.random.Generator) -> list[str]:
    """Words of which some are common, each kept for some trades as the market's states are."""
    weight = 1 / np.arange(1, len(words) + 1)
    drawn = rng.choice(words, n_trades, p=weight / weight.sum())
    is_new = rng.random(n_trades) < 0.1
    kept: list[str] = drawn[np.maximum.accumulate(np.where(is_new, np.arange(n_trades), 0))].tolist()
    return kept


def _facts(number: int, rr: float, pattern: str, scope: dict[str, object]) -> tuple[TradeFact, ...]:
    opened_at = START + timedelta(hours=number)
    record = TradeRecord(
        trade_id=_hash("trade", number),
        position_id=_hash("position", number % 500),
        token_contract=_hash("token", number % 500)[:44],
        chain="solana",
        timeframe=Timeframe.H1,
        closed_strand_id=_hash("closure", number),
        opened_at=opened_at,
        closed_at=opened_at + timedelta(hours=30),
        s3_at=None,
        rr=rr,
        rr_absent_reason=None,
        roi=0.1 * rr,
        pnl_usd=100.0 * rr,
    )
    return trade_facts(record, [TradeAction(_hash("action", number), pattern, "entry", opened_at, scope, 1.1, 500.0)])


def _hash(kind: str, number: int) -> str:
    return sha256(f"{kind}{number}".encode()).hexdigest()
