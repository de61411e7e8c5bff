"""The portfolio's part of a tick: settle, close, decide, write, in one transaction in which no venue is told anything.

Orders are written before any venue hears of them; it is told after the commit (`pm_runtime.submitting`).
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from domain.portfolio.episode import Episode, episode_id, expire_episode, step_episodes
from domain.portfolio.episode_column import episode_columns, episode_from_columns
from domain.portfolio.lifecycle import PositionStatus, status_by_bars
from domain.portfolio.sizing import BuySize
from domain.portfolio.trading_switch import TradingMode
from domain.vocabulary.action import ActionCategory, OrderSide
from domain.vocabulary.execution_bar import ExecutionBar
from domain.vocabulary.timeframe import Timeframe
from pm_runtime.closing import closed, is_over
from pm_runtime.decision_document import decision_document, scope_words
from pm_runtime.log_line import fields
from pm_runtime.planning import Money, Planned, plan_positions
from pm_runtime.portfolio_row import (
    EpisodeRow,
    OrderRow,
    OrderStatus,
    PositionRow,
    StrandRow,
    Token,
    order_id_of,
    trade_id_of,
)
from pm_runtime.ports import Snapshot
from pm_runtime.settling import Settled, settle_position
from pm_runtime.submitting import planned_of
from pm_runtime.tick_market import TickMarket
from pm_runtime.tick_row import PortfolioTick
from pm_runtime.venue import Venue, VenueTimeoutError

logger = logging.getLogger(__name__)

SLOWER = (Timeframe.M15, Timeframe.H1, Timeframe.H4)
"""Timeframes beside which a token's minutes are not traded, once one of them has enough bars."""
MAY_OPEN = frozenset({PositionStatus.WATCHLIST, PositionStatus.ACTIVE})


def tick_portfolio(
    snapshot: Snapshot,
    market: TickMarket,
    positions: Sequence[PositionRow],
    book: Sequence[PositionRow],
    *,
    venue: Venue,
    tick_mode: TradingMode,
    watched: Sequence[PositionRow] = (),
) -> tuple[PortfolioTick, list[OrderRow]]:
    """Tick the positions of a bar; everything is written in the snapshot's transaction.

    A position that has seen a later bar takes no part: it cannot go back.

    Parameters
    ----------
    positions, book : sequence of PositionRow
        Positions of the bar's timeframe, and what other timeframes hold, as the snapshot has them.
    market : TickMarket
        What was read for them.
    tick_mode : TradingMode
        What the scores and the switch as a whole allow.
    watched : sequence of PositionRow
        What other timeframes have on the watchlist, where that counts.

    Returns
    -------
    PortfolioTick, list of OrderRow
        What was done; the orders the venue is to be told once this is committed, those of earlier ticks first.
    """
    everyone, ahead = len(positions), [row for row in positions if _has_seen_more(row, market)]
    positions = [row for row in positions if not _has_seen_more(row, market)]
    book = [*book, *ahead]
    waiting = snapshot.open_orders(market.bar.timeframe)
    settled = _settled(positions, waiting, market, venue)
    snapshot.write_fills([fill for each in settled for fill in each.fills])
    snapshot.settle_orders([order for each in settled for order in each.orders])
    snapshot.write_strands([strand for each in settled for strand in each.strands])
    ended, closures = _closed(snapshot, settled, market)
    snapshot.write_strands(closures)
    superseded = _superseded(snapshot, market.bar)
    rows = [
        row if each.open_order is not None else _with_status(row, market, superseded)
        for row, each in zip(ended, settled, strict=True)
    ]
    planned = plan_positions(
        [(row, each.open_order) for row, each in zip(rows, settled, strict=True)],
        book=_book(book, rows),
        market=market,
        money=_money(snapshot, rows, book, venue),
        tick_mode=tick_mode,
        watched=watched,
    )
    orders = [_order(each, market, venue) for each in planned if each.size is not None]
    read = {row.position_id: row for row in positions}
    snapshot.write_positions([row for row in rows if _has_moved(read[row.position_id], row)], market.made_by)
    snapshot.write_orders(orders, market.made_by)
    _write_episodes(snapshot, planned, orders, positions, market)
    done = PortfolioTick(
        positions=everyone,
        orders_settled=sum(len(each.orders) for each in settled),
        orders_planned=len(orders),
        trades_closed=len(closures),
        override_set_id=market.overrides.set_id,
        overrides_ignored=tuple(str(each) for each in market.overrides.refused),
    )
    return done, [*planned_of(waiting), *orders]


def _has_seen_more(row: PositionRow, market: TickMarket) -> bool:
    last = row.position.last_event_at
    return last is not None and last > market.at


def _settled(
    positions: Sequence[PositionRow], waiting: Sequence[OrderRow], market: TickMarket, venue: Venue
) -> list[Settled]:
    orders: dict[str, list[OrderRow]] = {}
    for order in waiting:
        orders.setdefault(order.position_id, []).append(order)
    return [
        settle_position(row, orders.get(row.position_id, ()), market.bars.get(row.token), market, venue)
        for row in positions
    ]


def _closed(
    snapshot: Snapshot, settled: Sequence[Settled], market: TickMarket
) -> tuple[list[PositionRow], list[StrandRow]]:
    """Positions without the trades that are over, and the documents of those."""
    over = {
        each.row.current_trade_id
        for each in settled
        if is_over(each.row, market.bars.get(each.row.token), each.open_order) and each.row.current_trade_id
    }
    actions: dict[str, list[StrandRow]] = {}
    for strand in snapshot.trade_strands(sorted(over)) if over else ():
        actions.setdefault(strand.trade_id, []).append(strand)
    rows, closures = [], []
    for each in settled:
        row = each.row
        if row.current_trade_id in over and row.current_trade_id is not None:
            row, closure = closed(row, actions.get(row.current_trade_id, ()), market)
            closures.append(closure)
        rows.append(row)
    return rows, closures


def _with_status(row: PositionRow, market: TickMarket, superseded: frozenset[Token]) -> PositionRow:
    bar = market.bars.get(row.token)
    status = status_by_bars(
        row.status,
        bars_count=None if bar is None else bar.bars_count,
        min_bars=market.config.regime.uptrend.min_bars,
        is_superseded=row.token in superseded,
    )
    return row if status is row.status else replace(row, status=status)


def _superseded(snapshot: Snapshot, bar: ExecutionBar) -> frozenset[Token]:
    """Tokens whose minutes are not traded, because a slower timeframe of them is watched or in a trade."""
    if bar.timeframe is not Timeframe.M1:
        return frozenset()
    slower = (row for timeframe in SLOWER for row in snapshot.positions(timeframe))
    return frozenset(row.token for row in slower if row.status in MAY_OPEN)


def _book(book: Sequence[PositionRow], rows: Sequence[PositionRow]) -> list[PositionRow]:
    """Return what all timeframes hold, with this tick's positions as they are now."""
    now = {row.position_id: row for row in book} | {row.position_id: row for row in rows}
    return [row for _, row in sorted(now.items()) if not row.position.is_flat]


def _money(snapshot: Snapshot, rows: Sequence[PositionRow], book: Sequence[PositionRow], venue: Venue) -> Money:
    """Wallet and cash after this tick's fills; what buys of any timeframe still wait to spend is not cash any more.

    Without a wallet nothing is bought; what sells does not ask for it.
    """
    held_usd = sum(row.position.value_usd for row in _book(book, rows))
    try:
        wallet_usd = venue.wallet_usd(cash_flow_usd=snapshot.cash_flow_usd(), held_usd=held_usd)
    except VenueTimeoutError:
        logger.exception("wallet_unknown", extra=fields(venue=venue.name))
        return Money(wallet_usd=0.0, cash_usd=0.0)
    return Money(wallet_usd=wallet_usd, cash_usd=wallet_usd - held_usd - snapshot.promised_usd())


def _order(planned: Planned, market: TickMarket, venue: Venue) -> OrderRow:
    row, category = planned.row, planned.decision.category or ActionCategory.EXIT
    order_id = order_id_of(row.position_id, market.bar, category)
    trade_id = row.current_trade_id or trade_id_of(row.position_id, market.bar)
    is_buy = isinstance(planned.size, BuySize)
    return OrderRow(
        order_id=order_id,
        position_id=row.position_id,
        trade_id=trade_id,
        timeframe=row.timeframe,
        bar_timestamp=market.bar.timestamp,
        decided_at=market.at,
        action_category=category,
        side=category.side,
        pattern_key=str(planned.decision.pattern_key),
        order_usd=planned.amount if is_buy else None,
        order_quantity=None if is_buy else planned.amount,
        decision=decision_document(planned, market, trade_id=trade_id, order_id=order_id),
        status=OrderStatus.PLANNED,
        status_reason=None,
        venue=venue.name,
        settled_at=None,
    )


def _has_moved(before: PositionRow, after: PositionRow) -> bool:
    """Whether there is anything to store; that a bar went by is not. Nothing else of a position ever moves."""
    return (
        before.position != after.position
        or before.trade_memory != after.trade_memory
        or before.status is not after.status
        or before.current_trade_id != after.current_trade_id
    )


def _write_episodes(
    snapshot: Snapshot,
    planned: Sequence[Planned],
    orders: Sequence[OrderRow],
    positions: Sequence[PositionRow],
    market: TickMarket,
) -> None:
    pending: dict[str, list[EpisodeRow]] = {}
    for row in snapshot.pending_episodes(market.bar.timeframe):
        pending.setdefault(row.position_id, []).append(row)
    trades = {order.position_id: order.trade_id for order in orders if order.side is OrderSide.BUY}
    config = market.config.plan.episode
    changed = []
    seen = set()
    for each in planned:
        position = each.row
        seen.add(position.position_id)
        stored = pending.get(position.position_id, [])
        moved = step_episodes(
            [_episode(row) for row in stored],
            each.bar,
            each.decision,
            trade_id=trades.get(position.position_id),
            config=config,
            may_begin=position.status in MAY_OPEN,
        )
        scopes = {(row.family, row.started_at): row.scope for row in stored}
        changed += [_episode_row(episode, each, scopes) for episode in moved]
    for position in positions:
        for row in pending.get(position.position_id, []) if position.position_id not in seen else ():
            before = _episode(row)
            after = expire_episode(before, market.bar.timestamp, config)
            if after != before:
                changed.append(replace(row, **episode_columns(after)))
    snapshot.write_episodes(changed, market.made_by)


def _episode(row: EpisodeRow) -> Episode:
    return episode_from_columns({name: getattr(row, name) for name in EpisodeRow.__slots__})


def _episode_row(
    episode: Episode, planned: Planned, scopes: Mapping[tuple[str, datetime], Mapping[str, Any]]
) -> EpisodeRow:
    """Episode as it is stored; its scope is the one it began with."""
    position = planned.row
    columns = episode_columns(episode)
    scope = scopes.get((columns["family"], columns["started_at"]), scope_words(planned.scope))
    return EpisodeRow(
        episode_id=episode_id(position.position_id, episode.family, episode.started_at),
        position_id=position.position_id,
        token_contract=position.token_contract,
        chain=position.chain,
        timeframe=position.timeframe,
        scope=scope,
        **columns,
    )
