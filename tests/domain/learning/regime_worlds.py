"""Closed trades by state of the market, as facts and as rows, for tests of regime weights."""

from datetime import datetime

import numpy as np

from domain.config.learning import EdgeConfig
from domain.config.regime_weight import RegimeWeightConfig
from domain.learning.regime_signature import RegimeSignature, Trend
from domain.learning.regime_trade import RegimeTrades, regime_trades
from domain.learning.trade_fact import TradeFact, trade_facts
from domain.vocabulary.action import ActionCategory
from tests.domain.learning.closed_trades import action, outcome
from tests.domain.learning.override_worlds import DAY, T0

CONFIG = RegimeWeightConfig()
EDGE = EdgeConfig()
LATER = T0 + 1000 * DAY
UP = RegimeSignature(Trend.UP, Trend.UP, Trend.UP)
DOWN = RegimeSignature(Trend.DOWN, Trend.FLAT, Trend.DOWN)
STATES = {
    UP: {"btc_macro": "S3", "alt_meso": "S1", "bucket_meso": "S3"},
    DOWN: {"btc_macro": "S0", "alt_meso": "S2", "bucket_meso": "S0"},
}


def decided(
    trade_id: str,
    rr: float | None,
    day: float,
    *,
    held_days: float = 0.5,
    s3_days: float | None = None,
    token: str = "So1ana",
    signature: RegimeSignature | None = UP,
    category: str = "entry",
    **scope: str | None,
) -> tuple[TradeFact, ...]:
    """Facts of a trade decided so many days after T0, in the micro cell of 1h unless another is named."""
    at = T0 + day * DAY
    closed_at = at + held_days * DAY
    s3_at = None if s3_days is None else at + s3_days * DAY
    told = {"mcap_bucket": "micro", "timeframe": "1h"} | (STATES[signature] if signature else {}) | scope
    known = {name: value for name, value in told.items() if value is not None}
    trade = outcome(trade_id, rr, token_contract=token, opened_at=at, closed_at=closed_at, s3_at=s3_at)
    return trade_facts(trade, [action(trade_id, category, known, action_ts=at)])


def rows_of(facts, as_of_at: datetime = LATER, config: RegimeWeightConfig = CONFIG) -> RegimeTrades:
    return regime_trades(facts, as_of_at=as_of_at, max_abs_rr=10.0, edge=EDGE, config=config)


def rows(
    features: np.ndarray,
    rr: np.ndarray,
    signatures: list[RegimeSignature | None],
    category: ActionCategory = ActionCategory.ENTRY,
) -> RegimeTrades:
    """Decisions whose features are given, not made of trades."""
    n = rr.size
    return RegimeTrades(
        trade_ids=tuple(f"t{i}" for i in range(n)),
        categories=(category,) * n,
        closed_at=(T0,) * n,
        signatures=tuple(signatures),
        cells=(None,) * n,
        rr=rr,
        features=features,
    )


def market(n: int, seed: int, *, effect_up: float, effect_down: float) -> list[TradeFact]:
    """A market of eight cells, quick to slow, in which what a cell's speed is worth depends on the state (R per sd)."""
    rng = np.random.default_rng(seed)
    buckets, timeframes = ("nano", "micro", "mid", "big"), ("1h", "4h")
    days_held = np.geomspace(0.2, 6.0, 8)
    speed = 1 / (1 + days_held)
    z = (speed - speed.mean()) / speed.std()
    told: list[TradeFact] = []
    for number, day in enumerate(np.sort(rng.uniform(0, 200, n)).tolist()):
        cell = int(rng.integers(8))
        signature = UP if int(day // 5) % 2 else DOWN
        effect = effect_up if signature is UP else effect_down
        told += decided(
            f"t{number:05d}",
            float(effect * z[cell] + rng.standard_normal()),
            day,
            held_days=float(days_held[cell] * rng.lognormal(0, 0.2)),
            signature=signature,
            token=f"token{rng.integers(4)}",
            mcap_bucket=buckets[cell // 2],
            timeframe=timeframes[cell % 2],
        )
    return told
