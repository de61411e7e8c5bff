"""From open orders to facts: what the venue said, the fills it gave, the position they make, the actions they were.

An action is told once its order is settled, with what became of it; so it stands in the log before the closure of the
trade that tells of it.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from domain.portfolio.fill import Fill
from domain.portfolio.lifecycle import PositionStatus, status_after_fill
from domain.portfolio.mark import Mark
from domain.portfolio.position import NO_POSITION, Position, apply_fill, apply_mark
from domain.portfolio.strand import StrandKind
from domain.portfolio.token_bar import TokenBar
from domain.portfolio.trade_memory import Execution, remember_bar, remember_execution
from domain.scopes.pattern_key import parse_pattern_key
from domain.vocabulary.action import ActionCategory
from pm_runtime.closing import REMEMBERED_KEYS
from pm_runtime.log_line import fields
from pm_runtime.portfolio_row import FillRow, OrderRow, OrderStatus, PositionRow, StrandRow
from pm_runtime.strand_row import strand_row
from pm_runtime.tick_market import TickMarket
from pm_runtime.venue import STILL_OPEN, Settlement, UnknownOrderError, Venue, VenueTimeoutError

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """A position after its open orders were asked about and its bar was seen. `open_order`: one that still waits."""

    row: PositionRow
    open_order: ActionCategory | None
    orders: tuple[OrderRow, ...]
    fills: tuple[FillRow, ...]
    strands: tuple[StrandRow, ...]


def settle_position(
    row: PositionRow, orders: Sequence[OrderRow], bar: TokenBar | None, market: TickMarket, venue: Venue
) -> Settled:
    """Settle the orders of one position, fold their fills and the bar into it.

    Orders that were planned and never submitted are left: the process that starts next submits them.
    """
    settled: list[OrderRow] = []
    fills: list[FillRow] = []
    strands: list[StrandRow] = []
    open_order: ActionCategory | None = None
    for order in orders:
        if order.status is OrderStatus.PLANNED:
            open_order = order.action_category
            continue
        said = _said(order, bar, market, venue)
        if said.status.is_open:
            open_order = order.action_category
            continue
        settled.append(replace(order, status=said.status, status_reason=said.reason, settled_at=said.settled_at))
        fills += [_fill_row(order, fill) for fill in said.fills]
        row = _with_fills(row, order, said.fills)
        strands.append(_action(row, order, said))
    return Settled(
        row=_with_bar(row, bar, market),
        open_order=open_order,
        orders=tuple(settled),
        fills=tuple(fills),
        strands=tuple(strands),
    )


def _said(order: OrderRow, bar: TokenBar | None, market: TickMarket, venue: Venue) -> Settlement:
    """Return what became of an order; of one the venue says nothing of, it is as open as before."""
    try:
        return venue.settle(order, bar, at=market.at)
    except (VenueTimeoutError, UnknownOrderError):
        logger.exception("order_not_settled", extra=fields(order=order.order_id, venue=venue.name))
        return STILL_OPEN


def _with_fills(row: PositionRow, order: OrderRow, fills: Sequence[Fill]) -> PositionRow:
    """Position after the fills of one order; the first fill of a trade opens it."""
    if not fills:
        return row
    position = row.position
    for fill in fills:
        position = apply_fill(position, _told_now(fill, position))
    execution = Execution(
        category=order.action_category,
        pattern_key=parse_pattern_key(order.pattern_key),
        bar_timestamp=order.bar_timestamp,
        filled_at=fills[0].at,
        is_flat_after=position.is_flat,
        decision={key: order.decision[key] for key in REMEMBERED_KEYS},
    )
    return replace(
        row,
        position=position,
        trade_memory=remember_execution(row.trade_memory, execution),
        current_trade_id=order.trade_id,
        status=_status_after_fill(row.status),
    )


def _told_now(fill: Fill, position: Position) -> Fill:
    """Fill as it enters the sums: one that a venue told late, at the last instant they know; its row keeps its own."""
    known_to = position.last_event_at or fill.at
    return fill if fill.at >= known_to else replace(fill, at=known_to)


def _status_after_fill(status: PositionStatus) -> PositionStatus:
    """Return the status after a fill; a position that was put away while its order was out is sold, not bought."""
    is_put_away = status in (PositionStatus.DORMANT, PositionStatus.ARCHIVED)
    return PositionStatus.PAUSED if is_put_away else status_after_fill(status)


def _with_bar(row: PositionRow, bar: TokenBar | None, market: TickMarket) -> PositionRow:
    """Position after its bar: what it is worth, and what its trade has seen."""
    if bar is None:
        return row
    position = row.position
    if position != NO_POSITION:
        mark = Mark(opened_at=bar.opened_at, closed_at=bar.closed_at, low_usd=bar.low_usd, close_usd=bar.close_usd)
        grace = timedelta(seconds=market.config.portfolio.trade_outcome.fill_grace_seconds)
        position = apply_mark(position, mark, fill_grace=grace)
    return replace(
        row,
        position=position,
        trade_memory=remember_bar(row.trade_memory, bar),
        last_bar_timestamp=bar.opened_at,
    )


def _fill_row(order: OrderRow, fill: Fill) -> FillRow:
    return FillRow(fill=fill, order_id=order.order_id, position_id=order.position_id, trade_id=order.trade_id)


def _action(row: PositionRow, order: OrderRow, said: Settlement) -> StrandRow:
    result = {
        "status": said.status.value,
        "reason": said.reason,
        "fills": [
            {
                "fill_id": fill.fill_id,
                "quantity": fill.quantity,
                "price_usd": fill.price_usd,
                "notional_usd": fill.notional_usd,
                "fee_usd": fill.fee_usd,
                "filled_at": fill.at.isoformat(),
            }
            for fill in said.fills
        ],
    }
    return strand_row(
        StrandKind.PM_ACTION,
        {**order.decision, "execution_result": result},
        row=row,
        trade_id=order.trade_id,
        occurred_at=order.decided_at,
    )
