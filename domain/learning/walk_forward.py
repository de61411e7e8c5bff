"""What the overrides of a day would have made of the trades after it: one row a closed trade, learned beside neutral.

Each buy is given the learned multiplier of the newest set known when it was decided, so no set is ever judged on a
trade it was made from. With u the USD a buy filled, a the multiplier that was applied to it then, m the learned one:

    neutral exposure = sum u / a        learned exposure = sum u / a x m
    PnL at a size = PnL as traded x exposure at that size / sum u

Fills are taken to scale with the size that was asked for: the clamp of a size to what is left of its cap, the smallest
order and slippage are ignored, and the PnL of a trade is shared by its buys in proportion to what each filled.

What belongs here: sizes and PnL trade by trade. What does not: whether they tell skill from luck
(`walk_forward_report`).
"""

import math
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from domain.config.portfolio import MaskWeightConfig
from domain.learning.trade_fact import TradeFact
from domain.portfolio.override_row import OverrideLever
from domain.portfolio.override_set import ALWAYS, LEVERS, OverrideSet, microseconds
from domain.portfolio.pm_strength import Strength, StrengthRequest, pm_strengths
from domain.scopes.scope import Scope
from domain.vocabulary.action import ActionCategory, OrderSide

STRENGTH = LEVERS.index(OverrideLever.PM_STRENGTH)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwardBuy:
    """A buy of a closed trade, with that trade's outcome.

    filled_usd: what its fills paid. pm_strength_applied: learned multiplier it had, a ratio. pnl_usd, rr: of the trade;
    rr is raw, R. None where not known.
    """

    trade_id: str
    closed_at: datetime
    decided_at: datetime
    pattern_key: str
    category: ActionCategory
    scope: Scope
    filled_usd: float | None
    pm_strength_applied: float | None
    pnl_usd: float | None
    rr: float | None


@dataclass(frozen=True, slots=True, order=True)
class ForwardClaim:
    """What an override says of the trades it applies to: better (1) or worse (-1) than the others of its category."""

    lesson_id: str
    pattern_key: str
    category: ActionCategory
    direction: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TradeForward:
    """A closed trade at the size it had, the neutral and the learned one. NaN where not known.

    Attributes
    ----------
    set_id : int or None
        Set in force at its first buy; None where there was none, or it has no number.
    exposure_usd, neutral_exposure_usd, learned_exposure_usd : float
        Filled, and what would have been.
    multiplier : float
        Learned exposure over neutral.
    is_moved : bool
        Whether any buy has a learned multiplier other than 1.
    rr, pnl_usd, pnl_neutral_usd, pnl_learned_usd : float
        rr as it was, raw.
    claims : frozenset of ForwardClaim
        What was claimed of its categories when it was bought, of trades like it or not.
    parts_usd : mapping of ForwardClaim to float
        Of the claims that applied to it, the part of learned - neutral PnL each made; they sum to it.
    """

    trade_id: str
    closed_at: datetime
    set_id: int | None
    exposure_usd: float
    neutral_exposure_usd: float
    learned_exposure_usd: float
    multiplier: float
    is_moved: bool
    rr: float
    pnl_usd: float
    pnl_neutral_usd: float
    pnl_learned_usd: float
    claims: frozenset[ForwardClaim]
    parts_usd: Mapping[ForwardClaim, float]

    @property
    def lesson_ids(self) -> tuple[str, ...]:
        """Lessons whose overrides applied, each once, in order."""
        return tuple(sorted({claim.lesson_id for claim in self.parts_usd}))


def forward_buys(facts: Iterable[TradeFact]) -> list[ForwardBuy]:
    """Buys among facts of closed trades."""
    return [
        ForwardBuy(
            trade_id=fact.trade_id,
            closed_at=fact.closed_at,
            decided_at=fact.action_ts,
            pattern_key=fact.pattern_key,
            category=fact.action_category,
            scope=dict(fact.scope),
            filled_usd=fact.filled_usd,
            pm_strength_applied=fact.pm_strength_applied,
            pnl_usd=fact.pnl_usd,
            rr=fact.rr,
        )
        for fact in facts
        if fact.action_category.side is OrderSide.BUY
    ]


def trade_forwards(
    buys: Iterable[ForwardBuy], sets: Sequence[OverrideSet], *, weights: MaskWeightConfig
) -> tuple[TradeForward, ...]:
    """Size every trade as it was, neutrally and as learned.

    Parameters
    ----------
    buys : iterable of ForwardBuy
        All buys of closed trades, any order; the result does not depend on it.
    sets : sequence of OverrideSet
        Compiled from the live rows of each set as of the instant the set is as of; any order.
    weights : MaskWeightConfig
        Those of the runtime.

    Returns
    -------
    tuple of TradeForward
        By closure and id. A buy decided before the first set has multiplier 1.

    Raises
    ------
    ValueError
        If two sets are as of one instant, a buy sells, was decided after the closure or has an impossible size, or
        the buys of a trade bear different outcomes.
    """
    by_instant = sorted(sets, key=lambda each: each.compiled_at)
    if len({each.compiled_at for each in by_instant}) != len(by_instant):
        raise ValueError("Two sets are as of one instant; give the one that was made last")
    ordered = sorted(buys, key=_buy_order)
    for buy in ordered:
        _refuse_impossible(buy)
    learned = _learned(ordered, by_instant, weights)
    of_trade: defaultdict[tuple[datetime, str], list[int]] = defaultdict(list)
    for place, buy in enumerate(ordered):
        of_trade[buy.closed_at, buy.trade_id].append(place)
    if len({trade_id for _, trade_id in of_trade}) != len(of_trade):
        raise ValueError("The buys of one trade bear different closures")
    return tuple(
        _forward([ordered[place] for place in places], [learned[place] for place in places])
        for _, places in sorted(of_trade.items())
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Learned:
    """Of one buy: the set in force, what the set claims of its category, its multiplier and what applied."""

    set_id: int | None
    claims: frozenset[ForwardClaim]
    multiplier: float
    applied: tuple[tuple[ForwardClaim, float], ...]


_NOTHING = _Learned(None, frozenset(), 1.0, ())


def _learned(buys: Sequence[ForwardBuy], sets: Sequence[OverrideSet], weights: MaskWeightConfig) -> list[_Learned]:
    """Of each buy; buys between the same two expiries of one set see the same overrides and are asked together."""
    found = [_NOTHING] * len(buys)
    instants = [each.compiled_at for each in sets]
    ends = [_changes(each) for each in sets]
    asked: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    for place, buy in enumerate(buys):
        newest = bisect_right(instants, buy.decided_at) - 1
        if newest >= 0:
            asked[newest, bisect_right(ends[newest], microseconds(buy.decided_at))].append(place)
    for (newest, _), places in asked.items():
        overrides = sets[newest]
        as_of = buys[places[0]].decided_at
        requests = [
            StrengthRequest(pattern_key=buys[place].pattern_key, category=buys[place].category, scope=buys[place].scope)
            for place in places
        ]
        panel = pm_strengths(overrides, requests, as_of=as_of, weights=weights)
        claims = _claims(overrides, as_of)
        for index, place in enumerate(places):
            strength = panel.strength(index)
            found[place] = _Learned(
                set_id=overrides.set_id,
                claims=claims[buys[place].category],
                multiplier=strength.multiplier,
                applied=_applied(strength, buys[place]),
            )
    return found


def _changes(overrides: OverrideSet) -> list[int]:
    """Instants at which what applies of a set changes, microseconds since 1970."""
    arrays = overrides.arrays
    instants = np.concatenate([arrays.live_from[arrays.live_from != ALWAYS], arrays.expires_at])
    return [int(instant) for instant in np.unique(instants)]


def _claims(overrides: OverrideSet, as_of: datetime) -> dict[ActionCategory, frozenset[ForwardClaim]]:
    now, arrays = microseconds(as_of), overrides.arrays
    alive = (arrays.lever == STRENGTH) & (arrays.live_from <= now) & (now < arrays.expires_at)
    claims: dict[ActionCategory, set[ForwardClaim]] = {category: set() for category in ActionCategory}
    for row in np.flatnonzero(alive):
        override = overrides.overrides[int(row)]
        claims[override.category].add(
            _claim(override.lesson_id, override.pattern_key, override.category, override.multiplier)
        )
    return {category: frozenset(of_category) for category, of_category in claims.items()}


def _applied(strength: Strength, buy: ForwardBuy) -> tuple[tuple[ForwardClaim, float], ...]:
    """Name the overrides behind a multiplier, with the logarithm each brought into the blend."""
    return tuple(
        (
            _claim(each.lesson_id, buy.pattern_key, buy.category, each.multiplier),
            (each.weight_share or 0.0) * math.log(each.multiplier),
        )
        for each in strength.matched
    )


def _claim(lesson_id: str, pattern_key: str, category: ActionCategory, multiplier: float) -> ForwardClaim:
    return ForwardClaim(lesson_id, pattern_key, category, (multiplier > 1) - (multiplier < 1))


def _forward(buys: Sequence[ForwardBuy], learned: Sequence[_Learned]) -> TradeForward:
    """Row of one trade; its buys by time."""
    if len({(buy.rr, buy.pnl_usd) for buy in buys}) > 1:
        raise ValueError(f"The buys of trade {buys[0].trade_id} bear different outcomes")
    filled = [_number(buy.filled_usd) for buy in buys]
    neutral = [usd / _number(buy.pm_strength_applied) for usd, buy in zip(filled, buys, strict=True)]
    sized = [usd * each.multiplier for usd, each in zip(neutral, learned, strict=True)]
    pnl, total = _number(buys[0].pnl_usd), math.fsum(filled)
    parts: defaultdict[ForwardClaim, list[float]] = defaultdict(list)
    for usd, each in zip(neutral, learned, strict=True):
        blend = math.fsum(log for _, log in each.applied)
        growth = math.expm1(blend) / blend if blend else 1.0
        for claim, log in each.applied:
            parts[claim].append(pnl * usd / total * growth * log)
    return TradeForward(
        trade_id=buys[0].trade_id,
        closed_at=buys[0].closed_at,
        set_id=learned[0].set_id,
        exposure_usd=total,
        neutral_exposure_usd=math.fsum(neutral),
        learned_exposure_usd=math.fsum(sized),
        multiplier=math.fsum(sized) / math.fsum(neutral),
        is_moved=any(each.multiplier != 1 for each in learned),
        rr=_number(buys[0].rr),
        pnl_usd=pnl,
        pnl_neutral_usd=pnl * math.fsum(neutral) / total,
        pnl_learned_usd=pnl * math.fsum(sized) / total,
        claims=frozenset().union(*(each.claims for each in learned)),
        parts_usd={claim: math.fsum(of_claim) for claim, of_claim in sorted(parts.items())},
    )


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def _buy_order(buy: ForwardBuy) -> tuple[object, ...]:
    sizes = _number(buy.filled_usd), _number(buy.pm_strength_applied)
    return buy.decided_at, buy.trade_id, buy.pattern_key, buy.category, sorted(buy.scope.items()), str(sizes)


def _refuse_impossible(buy: ForwardBuy) -> None:
    if buy.category.side is not OrderSide.BUY:
        raise ValueError(f"Expected a buy, was {buy.category} of trade {buy.trade_id}")
    if buy.decided_at > buy.closed_at:
        raise ValueError(f"A buy of trade {buy.trade_id} must not be decided after its closure")
    for name, value in (("filled_usd", buy.filled_usd), ("pm_strength_applied", buy.pm_strength_applied)):
        if value is not None and not (value > 0 and math.isfinite(value)):
            raise ValueError(f"{name} of a buy of trade {buy.trade_id} must be > 0 or absent, was {value}")
