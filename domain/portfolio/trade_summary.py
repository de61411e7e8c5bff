"""Many closed trades in a few numbers: how many, how often they won, how their results are spread."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LEVELS = (0.05, 0.25, 0.50, 0.75, 0.95)
"""Quantiles that are told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedTrade:
    """A trade that has ended. rr, roi_frac, held_hours: None where the trade has none. fees_usd: part of pnl_usd."""

    trade_id: str
    timeframe: str
    bucket: str | None
    pnl_usd: float
    fees_usd: float
    rr: float | None
    roi_frac: float | None
    held_hours: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Mean and quantiles of the values there are; `n` of them. None of no value."""

    n: int
    mean: float | None
    quantiles: tuple[float, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeSummary:
    """Some trades together. won: trades with a PnL above 0; win_rate: their share, None of no trade."""

    trades: int
    won: int
    win_rate: float | None
    pnl_usd: float
    fees_usd: float
    rr: Spread
    roi_frac: Spread
    held_hours: Spread


def summarise_trades(trades: Sequence[ClosedTrade]) -> TradeSummary:
    """Sum up some trades; what a trade does not have is left out, not taken for 0.

    >>> def trade(pnl): return ClosedTrade(
    ...     trade_id="t", timeframe="1h", bucket=None, pnl_usd=pnl, fees_usd=1.0, rr=pnl, roi_frac=None, held_hours=2.0)
    >>> found = summarise_trades([trade(3.0), trade(-1.0)])
    >>> found.win_rate, found.rr.mean, found.roi_frac
    (0.5, 1.0, Spread(n=0, mean=None, quantiles=None))
    """
    won = sum(trade.pnl_usd > 0 for trade in trades)
    return TradeSummary(
        trades=len(trades),
        won=won,
        win_rate=won / len(trades) if trades else None,
        pnl_usd=sum(trade.pnl_usd for trade in trades),
        fees_usd=sum(trade.fees_usd for trade in trades),
        rr=spread([trade.rr for trade in trades]),
        roi_frac=spread([trade.roi_frac for trade in trades]),
        held_hours=spread([trade.held_hours for trade in trades]),
    )


def spread(values: Sequence[float | None]) -> Spread:
    """Mean and `LEVELS` of some numbers, between two of them in proportion.

    >>> spread([1.0, 3.0, None]).quantiles[2]
    2.0
    """
    known = np.array([value for value in values if value is not None], dtype=float)
    if known.size == 0:
        return Spread(n=0, mean=None, quantiles=None)
    return Spread(
        n=int(known.size),
        mean=float(known.mean()),
        quantiles=tuple(float(value) for value in np.quantile(known, LEVELS)),
    )
