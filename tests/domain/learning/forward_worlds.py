"""Sets of overrides and buys after them, for tests."""

from datetime import timedelta

import numpy as np

from domain.config.override import WalkForwardConfig
from domain.config.portfolio import MaskWeightConfig
from domain.learning.walk_forward import ForwardBuy, TradeForward, trade_forwards
from domain.learning.walk_forward_report import WalkForwardReport, walk_forward_report
from domain.portfolio.override_set import OverrideSet, compile_overrides
from domain.vocabulary.action import ActionCategory
from domain.vocabulary.scope_dimension import ScopeDimension
from tests.domain.learning.override_worlds import DAY, S1, T0
from tests.domain.portfolio.override_rows import override_row

WEIGHTS = MaskWeightConfig()
CONFIG = WalkForwardConfig(n_resamples=400)
BUCKET, CURATOR = ScopeDimension.MCAP_BUCKET, ScopeDimension.CURATOR


def live_set(day: float, *rows: dict, set_id: int | None = None) -> OverrideSet:
    """Compile a set as of so many days after T0; its rows expire a fortnight later unless they say otherwise."""
    at = T0 + day * DAY
    numbered = [{"override_id": i, "expires_at": at + 14 * DAY} | row for i, row in enumerate(rows, start=1)]
    return compile_overrides(numbered, at, set_id=set_id)


def says(multiplier: float, lesson_id: str = "l1", scope: dict | None = None, **changed) -> dict:
    """A row for S1 entries in a scope, micro caps unless said."""
    row = override_row(1, {BUCKET: "micro"} if scope is None else scope, multiplier=multiplier, lesson_id=lesson_id)
    del row["override_id"], row["expires_at"]
    return row | changed


def buy(trade_id: str = "t1", day: float = 1.0, bucket: str = "micro", **changed) -> ForwardBuy:
    """An S1 entry of 100 USD so many days after T0, of a trade closed 6 hours later with 10 USD, rr 1."""
    at = T0 + day * DAY
    fields = {
        "closed_at": at + timedelta(hours=6),
        "pattern_key": S1,
        "category": ActionCategory.ENTRY,
        "scope": {BUCKET: bucket},
        "filled_usd": 100.0,
        "pm_strength_applied": 1.0,
        "pnl_usd": 10.0,
        "rr": 1.0,
    }
    return ForwardBuy(trade_id=trade_id, decided_at=at, **(fields | changed))


def won(rr: float) -> dict[str, float]:
    """Outcome of a trade, 10 USD an R."""
    return {"rr": float(rr), "pnl_usd": 10.0 * float(rr)}


def forward(*buys: ForwardBuy, sets=()) -> tuple[TradeForward, ...]:
    return trade_forwards(buys, sets, weights=WEIGHTS)


def report(rows, config: WalkForwardConfig = CONFIG) -> WalkForwardReport:
    return walk_forward_report(rows, max_abs_rr=10.0, config=config)


def season(own_rr: float, others_rr: float, *, seed: int = 3, n_days: int = 40, noise: float = 1.0) -> list[ForwardBuy]:
    """Two trades a day in micro caps and two in nano caps, their rr about a mean each."""
    rng = np.random.default_rng(seed)
    means = {"micro": own_rr, "nano": others_rr}
    return [
        buy(f"{bucket}{day}-{i}", 1 + day + i / 10, bucket, **won(rng.normal(means[bucket], noise)))
        for day in range(n_days)
        for bucket in means
        for i in range(2)
    ]
