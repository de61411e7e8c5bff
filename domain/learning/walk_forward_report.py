"""Learned against neutral sizing over all trades so far, with what of it could be luck.

Intervals come from resampled closing days. The size-neutral variant rescales the learned sizes to the neutral total, in
each resample: what is left is not merely more or fewer dollars at work.

What belongs here: totals and hits. What does not: the rows (`walk_forward`), each claim alone (`walk_forward_claim`).
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from domain.config.override import WalkForwardConfig
from domain.learning.day_bootstrap import DayBootstrap, Estimate
from domain.learning.false_discovery import wilson_interval
from domain.learning.pattern_scope_stat import rr_steps
from domain.learning.walk_forward import TradeForward
from domain.learning.walk_forward_claim import ClaimForward, claim_forwards


@dataclass(frozen=True, slots=True, kw_only=True)
class HitRate:
    """How often a trade was moved the right way: up one that ended above the mean of all, down one that ended below.

    rate_frac, lower_frac, upper_frac: share and its Wilson interval. by_chance_frac: share to expect of the same moves
    dealt out at random. NaN where no trade was moved.
    """

    n_trades: int
    n_hits: int
    rate_frac: float
    lower_frac: float
    upper_frac: float
    by_chance_frac: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkForwardReport:
    """Learned against neutral sizing.

    Attributes
    ----------
    n_trades, n_unknown, n_moved, n_days : int
        Trades with a known size and PnL; trades without (in no sum); of the first, those with a multiplier other than
        1; and their closing days.
    neutral_usd, learned_usd : float
        Total PnL; 0 without trades.
    difference_usd, size_neutral_usd : Estimate
        Learned less neutral; the same with learned sizes rescaled to the neutral total.
    size_ratio : float
        Learned exposure over neutral; NaN without trades.
    claims : tuple of ClaimForward
        Of every claim that applied to a trade, by lesson.
    """

    n_trades: int
    n_unknown: int
    n_moved: int
    n_days: int
    neutral_usd: float
    learned_usd: float
    difference_usd: Estimate
    size_neutral_usd: Estimate
    size_ratio: float
    hits: HitRate
    claims: tuple[ClaimForward, ...]


def walk_forward_report(
    rows: Sequence[TradeForward], *, max_abs_rr: float, config: WalkForwardConfig
) -> WalkForwardReport:
    """Report over trades.

    Parameters
    ----------
    rows : sequence of TradeForward
        Any order; the result does not depend on it.
    max_abs_rr : float
        Winsor limit of an outcome, R.
    config : WalkForwardConfig
        Intervals, seed.

    Raises
    ------
    ValueError
        If a trade comes twice.
    """
    ordered = sorted(rows, key=lambda row: (row.closed_at, row.trade_id))
    if len({row.trade_id for row in ordered}) != len(ordered):
        raise ValueError("A trade comes once in a report")
    known = [row for row in ordered if not math.isnan(row.pnl_learned_usd)]
    neutral = math.fsum(row.pnl_neutral_usd for row in known)
    learned = math.fsum(row.pnl_learned_usd for row in known)
    exposure = math.fsum(row.neutral_exposure_usd for row in known)
    ratio = math.fsum(row.learned_exposure_usd for row in known) / exposure if known else math.nan
    days = DayBootstrap([row.closed_at for row in known], config)
    difference, size_neutral = _money_intervals(known, days)
    return WalkForwardReport(
        n_trades=len(known),
        n_unknown=len(ordered) - len(known),
        n_moved=sum(row.is_moved for row in known),
        n_days=days.n_days,
        neutral_usd=neutral,
        learned_usd=learned,
        difference_usd=Estimate(learned - neutral, *difference),
        size_neutral_usd=Estimate(learned / ratio - neutral if known else 0.0, *size_neutral),
        size_ratio=ratio,
        hits=_hits(ordered, max_abs_rr, config),
        claims=claim_forwards(ordered, max_abs_rr=max_abs_rr, config=config),
    )


def report_document(report: WalkForwardReport) -> dict[str, object]:
    """Return a report as a JSON object; null where a number is not known."""
    return {name: _json(value) for name, value in asdict(report).items()}


def _json(value: object) -> object:
    if isinstance(value, dict):
        return {str(key): _json(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_json(each) for each in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def _money_intervals(
    known: Sequence[TradeForward], days: DayBootstrap
) -> tuple[tuple[float, float], tuple[float, float]]:
    neutral, learned, neutral_size, learned_size = (
        days.sums(np.array(values, dtype=np.float64))
        for values in (
            [row.pnl_neutral_usd for row in known],
            [row.pnl_learned_usd for row in known],
            [row.neutral_exposure_usd for row in known],
            [row.learned_exposure_usd for row in known],
        )
    )
    if not known:
        return (math.nan, math.nan), (math.nan, math.nan)
    return (
        days.interval(learned - neutral, days.n_days),
        days.interval(learned * (neutral_size / learned_size) - neutral, days.n_days),
    )


def _hits(rows: Sequence[TradeForward], max_abs_rr: float, config: WalkForwardConfig) -> HitRate:
    """Hits among trades with a known rr; one exactly at the mean, or moved both ways to nothing, is no trial."""
    known = [row for row in rows if not math.isnan(row.rr)]
    steps = np.array([rr_steps(row.rr, max_abs_rr) for row in known], dtype=np.int64)
    above = np.sign(steps * len(known) - steps.sum())
    moved = np.array([_direction(row.multiplier) if row.is_moved else 0 for row in known], dtype=np.int64)
    tried = (above != 0) & (moved != 0)
    n, n_hits = int(np.count_nonzero(tried)), int(np.count_nonzero(tried & (above == moved)))
    if not n:
        return HitRate(
            n_trades=0, n_hits=0, rate_frac=math.nan, lower_frac=math.nan, upper_frac=math.nan, by_chance_frac=math.nan
        )
    up, is_above = np.count_nonzero(moved[tried] > 0) / n, float(np.mean(above[above != 0] > 0))
    lower, upper = wilson_interval(n_hits, n, config.interval_level)
    return HitRate(
        n_trades=n,
        n_hits=n_hits,
        rate_frac=n_hits / n,
        lower_frac=lower,
        upper_frac=upper,
        by_chance_frac=up * is_above + (1.0 - up) * (1.0 - is_above),
    )


def _direction(multiplier: float) -> int:
    return (multiplier > 1) - (multiplier < 1)
