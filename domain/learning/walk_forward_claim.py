"""Whether the trades an override applied to ended better, or worse, as it claims: one verdict a claim.

Compared are the trades it applied to with the others of its category that were bought while it was live, so that a
market which lifts everything confirms nothing. Intervals come from resampled closing days.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from domain.config.override import WalkForwardConfig
from domain.learning.day_bootstrap import DayBootstrap, Estimate
from domain.learning.pattern_scope_stat import RR_SCALE, rr_steps
from domain.learning.walk_forward import ForwardClaim, TradeForward

BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]


class ForwardVerdict(StrEnum):
    """What later trades say of a claim. noise: its interval contains 0; too_few: there is none."""

    CONFIRMED = "confirmed"
    CONTRADICTED = "contradicted"
    NOISE = "noise"
    TOO_FEW = "too_few"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimForward:
    """One claim on later trades.

    Attributes
    ----------
    n_trades, n_others : int
        Trades with a known rr it applied to, and those of its category bought while it was live, to which it did not.
    difference_r : Estimate
        Mean winsorised rr of the first less that of the others.
    part_usd : float
        Its part of learned - neutral PnL.
    """

    claim: ForwardClaim
    n_trades: int
    n_others: int
    difference_r: Estimate
    part_usd: float
    verdict: ForwardVerdict


def claim_forwards(
    rows: Sequence[TradeForward], *, max_abs_rr: float, config: WalkForwardConfig
) -> tuple[ClaimForward, ...]:
    """Judge every claim that applied to a trade, by lesson; parameters as of `walk_forward_report`."""
    claims = sorted({claim for row in rows for claim in row.parts_usd})
    known = [row for row in rows if not math.isnan(row.rr)]
    days = DayBootstrap([row.closed_at for row in known], config)
    steps = np.array([rr_steps(row.rr, max_abs_rr) for row in known], dtype=np.int64)
    groups: dict[frozenset[ForwardClaim], list[int]] = {}
    for place, row in enumerate(known):
        groups.setdefault(row.claims, []).append(place)
    found = []
    for claim in claims:
        in_force = np.zeros(len(known), dtype=np.bool_)
        for standing, places in groups.items():
            if claim in standing:
                in_force[places] = True
        applied = np.array([claim in row.parts_usd for row in known], dtype=np.bool_)
        parts = [row.parts_usd[claim] for row in rows if claim in row.parts_usd]
        part = math.fsum(part for part in parts if not math.isnan(part))
        found.append(_judged(claim, part, days, steps, applied, in_force & ~applied, config))
    return tuple(found)


def _judged(
    claim: ForwardClaim,
    part_usd: float,
    days: DayBootstrap,
    steps: IntArray,
    applied: BoolArray,
    others: BoolArray,
    config: WalkForwardConfig,
) -> ClaimForward:
    n, n_others = int(np.count_nonzero(applied)), int(np.count_nonzero(others))
    lower = upper = value = math.nan
    if n and n_others:
        value = (int(steps[applied].sum()) / n - int(steps[others].sum()) / n_others) / RR_SCALE
        with np.errstate(divide="ignore", invalid="ignore"):
            own_mean = days.sums(steps * applied) / days.sums(applied.astype(np.int64))
            other_mean = days.sums(steps * others) / days.sums(others.astype(np.int64))
        spoken = min(np.unique(days.of_trade[applied]).size, np.unique(days.of_trade[others]).size)
        lower, upper = days.interval((own_mean - other_mean) / RR_SCALE, spoken)
    if n < config.min_trades or math.isnan(lower):
        verdict = ForwardVerdict.TOO_FEW
    elif lower <= 0 <= upper:
        verdict = ForwardVerdict.NOISE
    else:
        is_as_claimed = (lower > 0) == (claim.direction > 0)
        verdict = ForwardVerdict.CONFIRMED if is_as_claimed else ForwardVerdict.CONTRADICTED
    return ClaimForward(
        claim=claim,
        n_trades=n,
        n_others=n_others,
        difference_r=Estimate(value, lower, upper),
        part_usd=part_usd,
        verdict=verdict,
    )
