"""Edge of a cell: how much better its trades end than all trades do, discounted for what is not known of it.

What belongs here: the six components and the baseline. What does not: the decay of an edge (`edge_decay`).
"""

import math
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from domain.config.learning import EdgeConfig
from domain.learning.pattern_scope_stat import RR_SCALE, PatternScopeStat, rr_steps
from domain.learning.trade_fact import TradeFact

NEUTRAL_AVG_RR = 1.0
"""Average outcome at which `edge_simple` is 0: the gain equals the largest loss on the way."""


class EdgeScore(NamedTuple):
    """Edge of a cell and what it is made of; all NaN for a cell without trades or without a baseline.

    Attributes
    ----------
    delta_rr : float
        EV: average rr of the cell minus the baseline, R.
    ev_score : float
        sigmoid(delta_rr), 0..1: told, but the product takes delta_rr itself.
    reliability_score : float
        1 / (1 + variance), 0..1.
    support_score : float
        1 - exp(-n_trades / k), 0..1.
    magnitude_score : float
        sigmoid(median rr), 0..1.
    time_score : float
        1 / (1 + ln(1 + hours)), 0..1.
    stability_score : float
        1 / (1 + volatility), 0..1.
    edge_raw : float
        delta_rr x reliability x (support + magnitude + time + stability), within 4 |delta_rr|.
    edge_simple : float
        Average rr - 1, for display.
    """

    delta_rr: float
    ev_score: float
    reliability_score: float
    support_score: float
    magnitude_score: float
    time_score: float
    stability_score: float
    edge_raw: float
    edge_simple: float


def compute_edge_score(
    stat: PatternScopeStat, *, baseline_rr: float, recent_edges: Sequence[float], config: EdgeConfig
) -> EdgeScore:
    """Edge of a cell by the six-component definition.

    With v = population variance + prior_variance / n (two alike outcomes have variance 0, and without the prior a
    reliability of 1), h = median hours to S3 of the trades that reached it, or median hours held when none did, and
    s = population standard deviation of the latest `stability_snapshots` edges (0 when there are fewer than
    `min_stability_snapshots`), the components are those of `edge_score`.

    Parameters
    ----------
    stat : PatternScopeStat
        Statistics of the cell.
    baseline_rr : float
        `get_rr_baseline`, R.
    recent_edges : sequence of float
        Earlier `edge_raw` of the same cell, oldest first, finite.
    config : EdgeConfig
        k, prior, windows.

    Returns
    -------
    EdgeScore
        NaN throughout when the cell has no trade or `baseline_rr` is NaN: no edge, not an edge of 0.
    """
    if not stat.n_trades or math.isnan(baseline_rr):
        return EdgeScore(*[math.nan] * len(EdgeScore._fields))
    hours = stat.median_hold_hours if math.isnan(stat.median_hours_to_s3) else stat.median_hours_to_s3
    return edge_score(
        avg_rr=stat.avg_rr,
        baseline_rr=baseline_rr,
        variance_rr=shrunk_variance(stat.variance_rr, stat.n_trades, config.prior_variance),
        n_trades=stat.n_trades,
        median_rr=stat.median_rr,
        duration_hours=hours,
        edge_volatility=edge_volatility(recent_edges, config),
        support_trades=config.support_trades,
    )


def edge_score(
    *,
    avg_rr: float,
    baseline_rr: float,
    variance_rr: float,
    n_trades: int,
    median_rr: float,
    duration_hours: float,
    edge_volatility: float,
    support_trades: float,
) -> EdgeScore:
    """Six components and their product, from numbers that are known.

    edge_raw = (avg_rr - baseline_rr) x 1 / (1 + variance_rr) x ((1 - exp(-n_trades / support_trades))
    + sigmoid(median_rr) + 1 / (1 + ln(1 + duration_hours)) + 1 / (1 + edge_volatility)).

    Raises
    ------
    ValueError
        If the variance, the hours or the volatility are negative or NaN, or n_trades < 1.

    >>> score = edge_score(avg_rr=1.85, baseline_rr=1.05, variance_rr=0.42, n_trades=45, median_rr=1.6,
    ...                    duration_hours=36, edge_volatility=0.25, support_trades=12)
    >>> round(score.reliability_score, 4), round(score.time_score, 4), round(score.edge_raw, 4)
    (0.7042, 0.2169, 1.5918)
    """
    for name, value in (("variance_rr", variance_rr), ("hours", duration_hours), ("volatility", edge_volatility)):
        if not value >= 0:
            raise ValueError(f"{name} must be >= 0, was {value}")
    if n_trades < 1:
        raise ValueError(f"n_trades must be >= 1, was {n_trades}")
    delta = avg_rr - baseline_rr
    reliability = 1.0 / (1.0 + variance_rr)
    support = -math.expm1(-n_trades / support_trades)
    magnitude = _sigmoid(median_rr)
    time = 1.0 / (1.0 + math.log1p(duration_hours))
    stability = 1.0 / (1.0 + edge_volatility)
    return EdgeScore(
        delta_rr=delta,
        ev_score=_sigmoid(delta),
        reliability_score=reliability,
        support_score=support,
        magnitude_score=magnitude,
        time_score=time,
        stability_score=stability,
        edge_raw=delta * reliability * (support + magnitude + time + stability),
        edge_simple=avg_rr - NEUTRAL_AVG_RR,
    )


def shrunk_variance(variance_rr: float, n_trades: int, prior_variance: float) -> float:
    """Return population variance + prior_variance / n_trades, R squared.

    >>> shrunk_variance(0.0, 2, 0.25)
    0.125
    """
    return variance_rr + prior_variance / n_trades


def edge_volatility(recent_edges: Sequence[float], config: EdgeConfig) -> float:
    """Return the population standard deviation of the latest edges; 0 when too few to have one, as documented.

    Parameters
    ----------
    recent_edges : sequence of float
        Edges of one cell, oldest first, finite; only the last `stability_snapshots` are read.
    """
    latest = recent_edges[-config.stability_snapshots :]
    if len(latest) < config.min_stability_snapshots:
        return 0.0
    mean = math.fsum(latest) / len(latest)
    return math.sqrt(math.fsum((edge - mean) ** 2 for edge in latest) / len(latest))


def get_rr_baseline(facts: Iterable[TradeFact], *, as_of_at: datetime, config: EdgeConfig, max_abs_rr: float) -> float:
    """Mean winsorised rr of all trades closed in the `baseline_days` before an instant, each trade once.

    Parameters
    ----------
    facts : iterable of TradeFact
        Facts of closed trades, any order, any number a trade.
    as_of_at : datetime
        Trades closed at `as_of_at` or later are not known yet; those closed earlier than `baseline_days` before it
        are forgotten. With an offset.
    config : EdgeConfig
        Window.
    max_abs_rr : float
        Winsor limit of an outcome, R.

    Returns
    -------
    float
        R, the same bits in any order of the facts; NaN when no trade with a known rr closed in the window.

    Raises
    ------
    ValueError
        If facts of one trade bear different outcomes, or `as_of_at` has no offset.
    """
    if as_of_at.utcoffset() is None:
        raise ValueError(f"as_of_at must have an offset, was {as_of_at.isoformat()}")
    since = as_of_at - timedelta(days=config.baseline_days)
    outcomes: dict[str, float] = {}
    for fact in facts:
        if fact.rr is None or not since <= fact.closed_at < as_of_at:
            continue
        if outcomes.setdefault(fact.trade_id, fact.rr) != fact.rr:
            raise ValueError(f"Facts of trade {fact.trade_id} bear different rr: {outcomes[fact.trade_id]}, {fact.rr}")
    total = sum(rr_steps(rr, max_abs_rr) for rr in outcomes.values())
    return total / (len(outcomes) * RR_SCALE) if outcomes else math.nan


def _sigmoid(x: float) -> float:
    return 0.5 * (1.0 + math.tanh(0.5 * x))
