"""Facts of closed trades: one row an action, all of a trade bearing its one outcome; and cells of a trade, once each.

What belongs here: what a fact is and when it is refused. What does not: sums over trades (`pattern_scope_stat`).

The unit of evidence is the trade. Fifty-six actions of one trade are one observation made fifty-six times, so in a
cell a trade counts once (`n_trades` 1) with its outcome taken once, and its actions are only told (`n_actions` 56).
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.scopes.bitmask import is_within
from domain.scopes.pattern_key import parse_pattern_key
from domain.scopes.scope import Scope, parse_scope, scope_mask
from domain.vocabulary.action import ActionCategory, parse_action_category
from domain.vocabulary.scope_dimension import BIT, ScopeDimension
from domain.vocabulary.timeframe import Timeframe

_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class TradeRecord:
    """A trade as its position stands; only a closed one has an outcome to learn from.

    Attributes
    ----------
    trade_id, position_id, token_contract, chain, closed_strand_id : str
        Not empty. The last is the strand that told the closure.
    timeframe : Timeframe
        It was traded on.
    opened_at : datetime
        First fill, with an offset.
    closed_at : datetime or None
        Closure; None while the trade is open.
    s3_at : datetime or None
        When S3 was first reached after the first fill.
    rr, roi, pnl_usd : float or None
        R, ratio, USD. Finite and of one sign, or None where unknown; rr is raw, not winsorised.
    rr_absent_reason : str or None
        Why there is no rr; None where there is one.
    """

    trade_id: str
    position_id: str
    token_contract: str
    chain: str
    timeframe: Timeframe
    closed_strand_id: str
    opened_at: datetime
    closed_at: datetime | None
    s3_at: datetime | None
    rr: float | None
    rr_absent_reason: str | None
    roi: float | None
    pnl_usd: float | None


@dataclass(frozen=True, slots=True)
class TradeAction:
    """One action of a trade: what was done, by which pattern, and under which scope.

    pm_strength_applied: learned multiplier of a buy, a ratio > 0. filled_usd: what its fills paid, USD. None of a sale.
    """

    action_id: str
    pattern_key: str
    action_category: str
    action_ts: datetime
    scope: Mapping[str, object]
    pm_strength_applied: float | None
    filled_usd: float | None


@dataclass(frozen=True, slots=True)
class TradeFact:
    """One action of one closed trade, with that trade's outcome. Made by `trade_facts`, which validates.

    Attributes
    ----------
    scope : tuple of (ScopeDimension, str)
        Known dimensions with their canonical values, in the order of the bits.
    hours_to_s3, hold_hours : float
        Hours from the first fill to S3 (None when it was never reached) and to the closure.
    rr, roi, pnl_usd, rr_absent_reason : float, str or None
        As in `TradeRecord`; the same in all facts of the trade.
    pm_strength_applied, filled_usd : float or None
        As in `TradeAction`.
    """

    trade_id: str
    action_id: str
    position_id: str
    token_contract: str
    chain: str
    timeframe: Timeframe
    pattern_key: str
    action_category: ActionCategory
    scope: tuple[tuple[ScopeDimension, str], ...]
    action_ts: datetime
    opened_at: datetime
    closed_at: datetime
    rr: float | None
    rr_absent_reason: str | None
    roi: float | None
    pnl_usd: float | None
    hours_to_s3: float | None
    hold_hours: float
    pm_strength_applied: float | None
    filled_usd: float | None
    closed_strand_id: str


@dataclass(frozen=True, slots=True, order=True)
class ScopeCell:
    """Trades of one pattern and category that share the values of a mask, in the order of its bits."""

    pattern_key: str
    action_category: ActionCategory
    mask: int
    values: tuple[str, ...]


def trade_facts(trade: TradeRecord, actions: Iterable[TradeAction]) -> tuple[TradeFact, ...]:
    """Facts of a closed trade, one an action, by time and then action id.

    An open trade is refused: those still open are selected for not having been stopped, so their average beside that
    of the closed ones (+9.9 % of 14 beside -3.1 % of 36, once) compares survival, not patterns.

    Parameters
    ----------
    trade : TradeRecord
        The trade.
    actions : iterable of TradeAction
        All its actions, any order; none gives no facts.

    Raises
    ------
    ValueError
        If the trade is open, lacks a name, closes before it opens or reaches S3 outside of that; if a time has no
        offset; if a number is not finite, rr, roi and pnl_usd differ in sign, or an rr that is absent has no reason;
        if an action has no id or one that came already, an unknown pattern, category, dimension or value, a strength or
        an amount that is not above 0, or happens after the closure.
    """
    if trade.closed_at is None:
        raise ValueError(f"Trade {trade.trade_id} is open: only closed trades are evidence")
    _check_outcome(trade, trade.closed_at)
    to_s3 = None if trade.s3_at is None else (trade.s3_at - trade.opened_at) / _HOUR
    ordered = sorted(actions, key=lambda action: (action.action_ts, action.action_id))
    _check_actions(trade.trade_id, trade.closed_at, ordered)
    return tuple(
        TradeFact(
            trade_id=trade.trade_id,
            action_id=action.action_id,
            position_id=trade.position_id,
            token_contract=trade.token_contract,
            chain=trade.chain,
            timeframe=trade.timeframe,
            pattern_key=str(parse_pattern_key(action.pattern_key)),
            action_category=parse_action_category(action.action_category),
            scope=tuple(parse_scope(action.scope).items()),
            action_ts=action.action_ts,
            opened_at=trade.opened_at,
            closed_at=trade.closed_at,
            rr=trade.rr,
            rr_absent_reason=trade.rr_absent_reason,
            roi=trade.roi,
            pnl_usd=trade.pnl_usd,
            hours_to_s3=to_s3,
            hold_hours=(trade.closed_at - trade.opened_at) / _HOUR,
            pm_strength_applied=action.pm_strength_applied,
            filled_usd=action.filled_usd,
            closed_strand_id=trade.closed_strand_id,
        )
        for action in ordered
    )


def actions_by_cell(facts: Sequence[TradeFact], masks: Iterable[int]) -> dict[ScopeCell, int]:
    """Cells in which one trade counts, with the number of its actions there.

    An action is in the cell of a mask when its scope has a value for every dimension of it. The trade counts once in
    each cell it has an action in, however many: in both of two when its actions saw two values.

    Parameters
    ----------
    facts : sequence of TradeFact
        All facts of one trade.
    masks : iterable of int
        Scope masks; one named twice counts once, 0 is the whole pattern.

    Returns
    -------
    dict of ScopeCell to int
        Number of actions, at least 1, by cell.

    Raises
    ------
    ValueError
        If the facts are of several trades, of several outcomes, or one comes twice.
    """
    check_one_trade(facts)
    wanted = sorted(set(masks))
    counts: Counter[ScopeCell] = Counter()
    for fact in facts:
        scope: Scope = dict(fact.scope)
        known = scope_mask(scope)
        for mask in wanted:
            if is_within(mask, known):
                values = tuple(value for dimension, value in fact.scope if 1 << BIT[dimension] & mask)
                counts[ScopeCell(fact.pattern_key, fact.action_category, mask, values)] += 1
    return dict(counts)


def check_one_trade(facts: Sequence[TradeFact]) -> None:
    """Refuse facts that are not those of one trade.

    Raises
    ------
    ValueError
        If they are of several trades, of several outcomes, or one comes twice.
    """
    outcomes = {(fact.trade_id, fact.rr, fact.pnl_usd, fact.opened_at, fact.closed_at) for fact in facts}
    if len(outcomes) > 1:
        raise ValueError(f"Expected the facts of one trade with one outcome, were of {sorted(map(str, outcomes))}")
    if len({fact.action_id for fact in facts}) != len(facts):
        raise ValueError(f"A fact of trade {facts[0].trade_id} comes twice")


def _check_outcome(trade: TradeRecord, closed_at: datetime) -> None:
    for name in ("trade_id", "position_id", "token_contract", "chain", "closed_strand_id"):
        if not getattr(trade, name):
            raise ValueError(f"A trade must have a {name}, had none: {trade.trade_id!r}, {trade.position_id!r}")
    if (trade.rr is None) != bool(trade.rr_absent_reason):
        raise ValueError(
            f"Trade {trade.trade_id}: an rr that is absent must say why, and no other,"
            f" was {trade.rr}, {trade.rr_absent_reason!r}"
        )
    times = {"opened_at": trade.opened_at, "s3_at": trade.s3_at or trade.opened_at, "closed_at": closed_at}
    for name, at in times.items():
        if at.utcoffset() is None:
            raise ValueError(f"Trade {trade.trade_id}: {name} must have an offset, was {at.isoformat()}")
    if not times["opened_at"] <= times["s3_at"] <= times["closed_at"]:
        raise ValueError(f"Trade {trade.trade_id}: must be opened_at <= s3_at <= closed_at, was {times}")
    numbers = {"rr": trade.rr, "roi": trade.roi, "pnl_usd": trade.pnl_usd}
    known = {name: value for name, value in numbers.items() if value is not None}
    for name, value in known.items():
        if not math.isfinite(value):
            raise ValueError(f"Trade {trade.trade_id}: {name} must be finite or absent, was {value}")
    if len({(value > 0) - (value < 0) for value in known.values()}) > 1:
        raise ValueError(f"Trade {trade.trade_id}: rr, roi and pnl_usd must have one sign, were {known}")


def _check_actions(trade_id: str, closed_at: datetime, actions: Sequence[TradeAction]) -> None:
    seen: set[str] = set()
    for action in actions:
        name = f"Trade {trade_id}, action {action.action_id!r}"
        if not action.action_id or action.action_id in seen:
            raise ValueError(f"{name}: the id must be there and come once")
        seen.add(action.action_id)
        if action.action_ts > closed_at:
            raise ValueError(f"{name}: must not be later than the closure {closed_at}, was {action.action_ts}")
        for number in (action.pm_strength_applied, action.filled_usd):
            if number is not None and not 0 < number < math.inf:
                raise ValueError(f"{name}: its strength and what it filled must be finite and > 0, was {number}")
