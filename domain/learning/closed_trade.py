"""A closed position as evidence: its last trade, its outcome, and the actions that were really done.

Reads a `position_closed` document and the `pm_action` documents it names. What belongs here: which number of which
document becomes which field of a fact. What does not: waiting for documents (`trade_intake`), what a fact is
(`trade_fact`).

The runtime names in a `position_closed` only the actions whose order was filled, wholly or in part; rejected and
expired orders stand in the event log and in no trade. Another writer may name them: they are counted and left out,
for what was not done has no outcome.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.learning.trade_fact import TradeAction, TradeFact, TradeRecord, trade_facts
from domain.portfolio.pm_action import PmAction
from domain.portfolio.position_closed import ClosedAction, CompletedTrade, PositionClosed
from domain.portfolio.strand import StrandKind, strand_id
from domain.vocabulary.action import OrderSide

AGREEING = ("ts", "decision_type", "action_category", "pattern_key", "scope", "scope_mask")
"""What an action says of itself, and its closure says of it too."""

OF_THE_TRADE = ("trade_id", "position_id", "token_contract", "chain", "timeframe")
"""What every action of a trade shares with its closure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedTrade:
    """A closed trade whose actions are all known.

    record: the trade. actions: those whose order was filled, by time. facts: one of each. n_not_filled: named actions
    that were rejected or expired; evidence of nothing.
    """

    record: TradeRecord
    actions: tuple[TradeAction, ...]
    facts: tuple[TradeFact, ...]
    n_not_filled: int


def closed_trade(
    closed: PositionClosed, actions: Mapping[str, PmAction], *, closed_strand_id: str | None = None
) -> ClosedTrade:
    """Last trade of a closed position, with its facts.

    rr is `rr_raw`, for statistics winsorise by themselves; opened_at the first fill; closed_at the close of the bar
    the position was closed on, which is not before the last fill. The scope of an action is that of its decision, not
    that of the entry. Of a buy, filled_usd is the sum over its fills, without fees.

    Parameters
    ----------
    closed : PositionClosed
        The closure.
    actions : mapping of str to PmAction
        By strand id; others than those the closure names are not read.
    closed_strand_id : str, optional
        Id the closure is stored under; without it, the hash of its content.

    Raises
    ------
    ValueError
        If an action that is named is not there, is of another trade, or says something else of itself than the
        closure does; if none was filled; or if `trade_facts` refuses what the documents say.
    """
    trade = closed.completed_trades[-1]
    absent = [named.strand_id for named in trade.actions if named.strand_id not in actions]
    if absent:
        raise ValueError(f"Trade {trade.trade_id}: {len(absent)} of its actions are not there, the first {absent[0]}")
    told = [(named, actions[named.strand_id]) for named in trade.actions]
    for named, action in told:
        _check_agreement(closed, named, action)
    done = tuple(_action(named, action) for named, action in told if action.execution_result.fills)
    if not done:
        raise ValueError(f"Trade {trade.trade_id}: none of its {len(told)} actions was filled, so nothing was traded")
    record = _record(closed, trade, closed_strand_id or strand_id(StrandKind.POSITION_CLOSED, closed))
    return ClosedTrade(record=record, actions=done, facts=trade_facts(record, done), n_not_filled=len(told) - len(done))


def _record(closed: PositionClosed, trade: CompletedTrade, closed_strand_id: str) -> TradeRecord:
    return TradeRecord(
        trade_id=trade.trade_id,
        position_id=closed.position_id,
        token_contract=closed.token_contract,
        chain=closed.chain,
        timeframe=closed.timeframe,
        closed_strand_id=closed_strand_id,
        opened_at=trade.entry_timestamp,
        closed_at=closed.ts,
        s3_at=_s3_at(trade),
        rr=trade.rr_raw,
        rr_absent_reason=trade.rr_absent_reason,
        roi=trade.roi,
        pnl_usd=trade.pnl_usd,
    )


def _s3_at(trade: CompletedTrade) -> datetime | None:
    if trade.hours_to_s3 is None:
        return None
    try:
        return trade.entry_timestamp + timedelta(hours=trade.hours_to_s3)
    except OverflowError as error:
        raise ValueError(f"Trade {trade.trade_id}: no calendar has {trade.hours_to_s3} hours to S3") from error


def _action(named: ClosedAction, action: PmAction) -> TradeAction:
    is_buy = action.action_category.side is OrderSide.BUY
    return TradeAction(
        action_id=named.strand_id,
        pattern_key=action.pattern_key,
        action_category=action.action_category,
        action_ts=action.ts,
        scope={dimension.value: value for dimension, value in action.scope.items()},
        pm_strength_applied=action.pm_strength_applied if is_buy else None,
        filled_usd=math.fsum(fill.notional_usd for fill in action.execution_result.fills) if is_buy else None,
    )


def _check_agreement(closed: PositionClosed, named: ClosedAction, action: PmAction) -> None:
    for field, here, there in _compared(closed, named, action):
        if here != there:
            raise ValueError(
                f"Trade {closed.trade_id}, action {named.strand_id}: its {field} is {str(there)[:100]!r}, but"
                f" {str(here)[:100]!r} in the closure"
            )


def _compared(closed: PositionClosed, named: ClosedAction, action: PmAction) -> Iterator[tuple[str, object, object]]:
    for field in OF_THE_TRADE:
        yield field, getattr(closed, field), getattr(action, field)
    for field in AGREEING:
        yield field, getattr(named, field), getattr(action, field)
