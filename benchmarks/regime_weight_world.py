"""Closed trades of a market with states, seeded: time efficiency matters in one of them, in all, or in none."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product

import numpy as np

from benchmarks.workloads import SEED
from domain.learning.regime_signature import RegimeSignature, Trend
from domain.learning.trade_fact import TradeAction, TradeFact, TradeRecord, trade_facts
from domain.vocabulary.cap_bucket import REGIME_BUCKETS
from domain.vocabulary.timeframe import Timeframe

START_AT = datetime(2025, 1, 1, tzinfo=UTC)
DAYS = 180
BLOCK_DAYS = 6
TOKENS_A_CELL = 6
PATTERNS = ("pm.uptrend.S1.buy_flag", "pm.uptrend.S2.buy_flag")
TRENDS = {"S3": Trend.UP, "S2": Trend.FLAT, "S0": Trend.DOWN}
STATES = (("S3", "S3", "S3"), ("S0", "S0", "S2"), ("S2", "S3", "S0"))
"""States of BTC (macro), alts and bucket (meso), by turns; the first is the one in which something may matter."""


@dataclass(frozen=True)
class RegimeWorld:
    """What matters: R for one standard deviation of a cell's time efficiency, in the first state and in the others.

    cell_sd: standard deviation of the means of cells, R, the same in all states. noise: of the Student t of 3 degrees.
    """

    in_first: float
    elsewhere: float
    cell_sd: float = 0.3
    noise: float = 1.0


WORLDS = {
    "matters in one state": RegimeWorld(in_first=0.8, elsewhere=0.0),
    "turns with the state": RegimeWorld(in_first=0.8, elsewhere=-0.4),
    "matters in all alike": RegimeWorld(in_first=0.5, elsewhere=0.5),
    "cells differ, nothing else": RegimeWorld(in_first=0.0, elsewhere=0.0),
    "pure noise": RegimeWorld(in_first=0.0, elsewhere=0.0, cell_sd=0.0),
}


def signature_of(state: tuple[str, str, str]) -> RegimeSignature:
    """Signature of a state of the world."""
    return RegimeSignature(*(TRENDS[name] for name in state))


def world_facts(world: RegimeWorld, n_trades: int, seed: int) -> list[TradeFact]:
    """Facts of trades of one entry each, over 180 days, in a market that changes its state every six."""
    rng = np.random.default_rng([SEED, n_trades, seed])
    cells = list(product(PATTERNS, REGIME_BUCKETS, (Timeframe.M15, Timeframe.H1, Timeframe.H4)))
    hold_days = np.exp(rng.uniform(np.log(0.2), np.log(8.0), len(cells)))
    efficiency = 1.0 / (1.0 + hold_days)
    z = (efficiency - efficiency.mean()) / efficiency.std()
    means = world.cell_sd * rng.standard_normal(len(cells))
    states = rng.permutation(np.arange(DAYS // BLOCK_DAYS) % len(STATES))
    drawn = rng.integers(0, len(cells), n_trades), np.sort(rng.uniform(0, DAYS, n_trades))
    facts: list[TradeFact] = []
    for number, (cell, day) in enumerate(zip(*(column.tolist() for column in drawn), strict=True)):
        state = int(states[int(day // BLOCK_DAYS)])
        effect = (world.in_first if state == 0 else world.elsewhere) * z[cell]
        rr = float(means[cell] + effect + world.noise * rng.standard_t(3))
        held = float(hold_days[cell] * rng.lognormal(0.0, 0.4))
        token = f"token{cell}-{rng.integers(TOKENS_A_CELL)}"
        facts += _trade(f"t{number:06d}", cells[cell], STATES[state], token, rr, day, held)
    return facts


def _trade(
    trade_id: str,
    cell: tuple[str, str, Timeframe],
    state: tuple[str, str, str],
    token: str,
    rr: float,
    day: float,
    held_days: float,
) -> tuple[TradeFact, ...]:
    pattern, bucket, timeframe = cell
    opened_at = START_AT + timedelta(days=day)
    trade = TradeRecord(
        trade_id=trade_id,
        position_id=f"p-{trade_id}",
        token_contract=token,
        chain="solana",
        timeframe=timeframe,
        closed_strand_id=f"c-{trade_id}",
        opened_at=opened_at,
        closed_at=opened_at + timedelta(days=held_days),
        s3_at=None,
        rr=rr,
        rr_absent_reason=None,
        roi=None,
        pnl_usd=None,
    )
    scope = {"mcap_bucket": bucket, "timeframe": timeframe.value}
    scope |= dict(zip(("btc_macro", "alt_meso", "bucket_meso"), state, strict=True))
    return trade_facts(trade, [TradeAction(f"a-{trade_id}", pattern, "entry", opened_at, scope, None, None)])
