"""What the trades since its proposal say of an override: the guardrail.

An override is made from trades of the past. Those entered after it was proposed, while it was watched and while it
acted, are the first it had no part in choosing. The trades it applied to are compared with all others of the same
category entered in the same time, so that a market which lifts or sinks everything says nothing of it.

    difference = mean rr (applied to) - mean rr (others)
    bound = difference -+ t x sqrt(var_1 / n_1 + var_2 / n_2), t one-sided, Welch's degrees of freedom

Contradicted: what is claimed lies beyond the bound (upper bound < 0 of one that strengthens, lower bound > 0 of one
that weakens). The unit is the trade, and rr is winsorised.

References
----------
Welch (1947), The generalization of Student's problem when several different population variances are involved.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from domain.config.override import GuardrailConfig
from domain.learning.override import OverrideKey, WantedOverride
from domain.learning.pattern_scope_stat import RR_STEP, rr_steps
from domain.learning.trade_fact import ScopeCell, TradeFact
from domain.portfolio.override_row import OverrideLever
from domain.portfolio.override_set import microseconds
from domain.vocabulary.scope_dimension import ScopeDimension

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
Condition = tuple[ScopeDimension, str]


class EvidenceVerdict(StrEnum):
    """What an override's own trades say of it."""

    CONFIRMS = "confirms"
    CONTRADICTS = "contradicts"
    UNDECIDED = "undecided"
    TOO_FEW = "too_few"


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardrailVerdict:
    """Trades since the proposal, and what they say.

    Attributes
    ----------
    n_trades, n_others : int
        Closed trades with a known rr the override applied to, and the others of its category.
    n_without_rr : int
        Trades it applied to whose rr is unknown; in no other number.
    difference_r, lower_r, upper_r : float
        Mean rr of the first less that of the others, and its one-sided bounds, R; NaN where not known.
    """

    verdict: EvidenceVerdict
    n_trades: int
    n_others: int
    n_without_rr: int
    difference_r: float
    lower_r: float
    upper_r: float


def guardrail_verdicts(
    proposed: Iterable[tuple[WantedOverride, datetime]],
    facts: Iterable[TradeFact],
    *,
    as_of_at: datetime,
    max_abs_rr: float,
    config: GuardrailConfig,
) -> dict[OverrideKey, GuardrailVerdict]:
    """Judge overrides by the trades entered since each was proposed.

    Parameters
    ----------
    proposed : iterable of (WantedOverride, datetime)
        Overrides with the instant each was proposed at. Those of thresholds claim nothing of the outcome of a trade
        and get no verdict.
    facts : iterable of TradeFact
        Facts of closed trades, any order; the result does not depend on it.
    as_of_at : datetime
        Trades closed at it or later are not known yet; with an offset.
    max_abs_rr : float
        Winsor limit of an outcome, R.
    config : GuardrailConfig
        How many trades, how sure.

    Returns
    -------
    dict of OverrideKey to GuardrailVerdict
        Of every override of size.

    Raises
    ------
    ValueError
        If a time has no offset, or facts of one trade bear different outcomes.
    """
    asked = [(each, microseconds(at)) for each, at in proposed if each.key.lever is OverrideLever.PM_STRENGTH]
    known_us = microseconds(as_of_at)
    closed = [fact for fact in facts if microseconds(fact.closed_at) < known_us]
    books = {
        category: _TradeBook.of([fact for fact in closed if fact.action_category is category], max_abs_rr)
        for category in {each.cell.action_category for each, _ in asked}
    }
    return {
        each.key: _verdict(each, books[each.cell.action_category].split(each, since_us), config)
        for each, since_us in asked
    }


def mean_difference_bounds(own: FloatArray, others: FloatArray, level: float) -> tuple[float, float, float]:
    """Difference of two means, and the bounds it exceeds and stays below with a confidence each.

    Parameters
    ----------
    own, others : ndarray of shape (n_trades,)
        Outcomes, without NaN.
    level : float
        Confidence of each bound, one-sided.

    Returns
    -------
    tuple of float
        Difference, lower, upper. All NaN where a side has fewer than 2. Where nothing varies, the bounds meet.

    >>> bounds = mean_difference_bounds(np.array([1.0, 2.0, 3.0]), np.array([0.0, 0.0, 1.0, 1.0]), 0.9)
    >>> [round(bound, 4) for bound in bounds]
    [1.5, 0.4428, 2.5572]
    """
    if min(own.size, others.size) < 2:
        return math.nan, math.nan, math.nan
    parts = np.array([each.var(ddof=1) / each.size for each in (own, others)])
    difference, variance = float(own.mean() - others.mean()), float(parts.sum())
    if variance == 0:
        return difference, difference, difference
    df = variance**2 / float((parts**2 / np.array([own.size - 1, others.size - 1])).sum())
    reach = float(stdtrit(df, level)) * math.sqrt(variance)
    return difference, difference - reach, difference + reach


@dataclass(frozen=True, slots=True, eq=False)
class _Sides:
    own: FloatArray
    others: FloatArray
    n_without_rr: int


@dataclass(frozen=True, slots=True, eq=False)
class _TradeBook:
    """Trades of one category, by (closure, id), and the facts of each pattern: place of the trade, and its scope.

    rr: R, NaN where unknown. opened_us: microseconds since 1970.
    """

    rr: FloatArray
    opened_us: NDArray[np.int64]
    places: Mapping[str, NDArray[np.int64]]
    scopes: Mapping[str, Sequence[frozenset[Condition]]]
    _has: dict[tuple[str, Condition], BoolArray] = field(default_factory=dict)

    @classmethod
    def of(cls, facts: Sequence[TradeFact], max_abs_rr: float) -> "_TradeBook":
        outcomes: dict[tuple[datetime, str], TradeFact] = {}
        for fact in facts:
            first = outcomes.setdefault((fact.closed_at, fact.trade_id), fact)
            if (first.rr, first.opened_at) != (fact.rr, fact.opened_at):
                raise ValueError(f"Facts of trade {fact.trade_id} bear different rr: {first.rr}, {fact.rr}")
        trades = [outcomes[key] for key in sorted(outcomes)]
        place = {trade.trade_id: index for index, trade in enumerate(trades)}
        if len(place) != len(trades):
            raise ValueError("Facts of one trade bear different closures")
        places: defaultdict[str, list[int]] = defaultdict(list)
        scopes: defaultdict[str, list[frozenset[Condition]]] = defaultdict(list)
        for fact in facts:
            places[fact.pattern_key].append(place[fact.trade_id])
            scopes[fact.pattern_key].append(frozenset(fact.scope))
        return cls(
            rr=np.array([_winsorised(trade.rr, max_abs_rr) for trade in trades], dtype=np.float64),
            opened_us=np.array([microseconds(trade.opened_at) for trade in trades], dtype=np.int64),
            places={pattern: np.array(of_pattern, dtype=np.int64) for pattern, of_pattern in places.items()},
            scopes=scopes,
        )

    def split(self, override: WantedOverride, since_us: int) -> _Sides:
        """Outcomes of the trades opened since an instant: those it applied to, and the others."""
        applied = np.zeros(self.rr.size, dtype=np.bool_)
        applied[self._applied(override.cell, override.scope.items())] = True
        entered, known = self.opened_us >= since_us, ~np.isnan(self.rr)
        return _Sides(
            own=self.rr[entered & applied & known],
            others=self.rr[entered & ~applied & known],
            n_without_rr=int(np.count_nonzero(entered & applied & ~known)),
        )

    def _applied(self, cell: ScopeCell, conditions: Iterable[Condition]) -> NDArray[np.int64]:
        places = self.places.get(cell.pattern_key, np.zeros(0, dtype=np.int64))
        hit = np.ones(places.size, dtype=np.bool_)
        for condition in conditions:
            key = (cell.pattern_key, condition)
            if key not in self._has:
                scopes = self.scopes.get(cell.pattern_key, ())
                self._has[key] = np.array([condition in scope for scope in scopes], dtype=np.bool_)
            hit &= self._has[key]
        return places[hit]


def _verdict(override: WantedOverride, sides: _Sides, config: GuardrailConfig) -> GuardrailVerdict:
    difference, lower, upper = mean_difference_bounds(sides.own, sides.others, config.confidence_level)
    if sides.own.size < config.min_trades or math.isnan(difference):
        verdict = EvidenceVerdict.TOO_FEW
    else:
        found = (lower > 0) - (upper < 0)
        verdict = _OF_AGREEMENT[found * override.direction]
    return GuardrailVerdict(
        verdict=verdict,
        n_trades=int(sides.own.size),
        n_others=int(sides.others.size),
        n_without_rr=sides.n_without_rr,
        difference_r=difference,
        lower_r=lower,
        upper_r=upper,
    )


_OF_AGREEMENT = {1: EvidenceVerdict.CONFIRMS, 0: EvidenceVerdict.UNDECIDED, -1: EvidenceVerdict.CONTRADICTS}


def _winsorised(rr: float | None, max_abs_rr: float) -> float:
    return math.nan if rr is None else rr_steps(rr, max_abs_rr) * RR_STEP
