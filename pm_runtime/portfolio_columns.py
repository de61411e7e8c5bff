"""Rows of the portfolio to columns and back. Fields are named as columns; what differs is said here.

JSON is written as its canonical text, so that the same row is the same bytes whoever stores it.
"""

from collections.abc import Sequence
from dataclasses import fields
from enum import StrEnum
from typing import Any

from domain.portfolio.fill import Fill
from domain.portfolio.lifecycle import PositionStatus
from domain.portfolio.position import Position
from domain.portfolio.strand import StrandKind
from domain.portfolio.trade_memory import TradeMemory, memory_from_json
from domain.scores.intent import IntentMetrics
from domain.vocabulary.action import ActionCategory, OrderSide
from domain.vocabulary.timeframe import Timeframe
from pm_runtime.portfolio_row import (
    EpisodeRow,
    FillRow,
    OrderRow,
    OrderStatus,
    PositionRow,
    Provenance,
    StrandRow,
)
from sql.json_text import stored_json

Columns = Sequence[Any]
"""Values of a stored row, in the order of its query."""

SUM_FIELDS = tuple(each.name for each in fields(Position))
RENAMED = {"invested_usd": "total_allocation_usd", "extracted_usd": "total_extracted_usd"}
SUM_COLUMNS = tuple(RENAMED.get(name, name) for name in SUM_FIELDS)
"""Sums of a trade: their names in the domain, and as columns."""

OWN_FIELDS = tuple(each.name for each in fields(PositionRow) if each.name != "position")
ORDER_FIELDS = tuple(each.name for each in fields(OrderRow))
STRAND_FIELDS = tuple(each.name for each in fields(StrandRow) if each.name != "content_text")
EPISODE_FIELDS = tuple(each.name for each in fields(EpisodeRow))

JSON_FIELDS = frozenset({"decision", "content", "gates", "samples", "scope"})
"""Documents; the decision of an episode is a word."""


def provenance_values(made_by: Provenance) -> dict[str, object]:
    """Columns that say what made a row."""
    return {"config_version": made_by.config_version, "code_version": made_by.code_version}


def position_of(columns: Columns) -> PositionRow:
    """Position of `positions_of_timeframe` and `held_positions`: its own columns, then the sums of its trade."""
    own = dict(zip(OWN_FIELDS, columns[: len(OWN_FIELDS)], strict=True))
    sums = dict(zip(SUM_FIELDS, columns[len(OWN_FIELDS) :], strict=True))
    intent = own["intent"]
    own |= {
        "timeframe": Timeframe(own["timeframe"]),
        "status": PositionStatus(own["status"]),
        "intent": None if intent is None else IntentMetrics(**intent),
        "trade_memory": memory_from_json(own["trade_memory"]),
    }
    return PositionRow(**own, position=Position(**sums))


def position_values(row: PositionRow, *, memory_before: TradeMemory | None = None) -> dict[str, object]:
    """Return what the runtime writes of a position, and by what it is found; a memory that is as before is not."""
    return {column: getattr(row.position, name) for column, name in zip(SUM_COLUMNS, SUM_FIELDS, strict=True)} | {
        "position_id": row.position_id,
        "revision": row.revision,
        "status": row.status.value,
        "current_trade_id": row.current_trade_id,
        "trade_memory": None if row.trade_memory == memory_before else stored_json(row.trade_memory.to_json()),
        "last_bar_timestamp": row.last_bar_timestamp,
    }


def order_of(columns: Columns) -> OrderRow:
    """Order of `open_orders`."""
    values = dict(zip(ORDER_FIELDS, columns, strict=True))
    values |= {
        "timeframe": Timeframe(values["timeframe"]),
        "action_category": ActionCategory(values["action_category"]),
        "side": OrderSide(values["side"]),
        "status": OrderStatus(values["status"]),
    }
    return OrderRow(**values)


def strand_of(columns: Columns) -> StrandRow:
    """Strand of `strands_of_trades`."""
    values = dict(zip(STRAND_FIELDS, columns, strict=True))
    values |= {"kind": StrandKind(values["kind"]), "timeframe": Timeframe(values["timeframe"])}
    return StrandRow(**values)


def episode_of(columns: Columns) -> EpisodeRow:
    """Episode of `pending_episodes`."""
    values = dict(zip(EPISODE_FIELDS, columns, strict=True))
    return EpisodeRow(**values | {"timeframe": Timeframe(values["timeframe"])})


def named_values(row: OrderRow | EpisodeRow) -> dict[str, object]:
    """Return all fields of a row as the columns of the same names."""
    return {each.name: _stored(each.name, getattr(row, each.name)) for each in fields(row)}


def strand_values(row: StrandRow) -> dict[str, object]:
    """Columns of a strand; its text is not made a second time."""
    columns = {name: _stored(name, getattr(row, name)) for name in STRAND_FIELDS if name != "content"}
    return columns | {"content": row.content_text or stored_json(row.content)}


def fill_of(columns: Columns) -> FillRow:
    """Fill of `fills_of_trades` and `fills_by_id`."""
    fill_id, side, quantity, price_usd, notional_usd, fee_usd, at, order_id, position_id, trade_id = columns
    fill = Fill(
        fill_id=fill_id,
        side=OrderSide(side),
        quantity=quantity,
        price_usd=price_usd,
        notional_usd=notional_usd,
        fee_usd=fee_usd,
        at=at,
    )
    return FillRow(fill=fill, order_id=order_id, position_id=position_id, trade_id=trade_id)


def fill_values(row: FillRow) -> dict[str, object]:
    """Columns of a fill."""
    fill = row.fill
    return {
        "fill_id": fill.fill_id,
        "side": fill.side.value,
        "quantity": fill.quantity,
        "price_usd": fill.price_usd,
        "notional_usd": fill.notional_usd,
        "fee_usd": fill.fee_usd,
        "filled_at": fill.at,
        "order_id": row.order_id,
        "position_id": row.position_id,
        "trade_id": row.trade_id,
    }


def _stored(name: str, value: object) -> object:
    if name in JSON_FIELDS and value is not None and not isinstance(value, str):
        return stored_json(value)
    return value.value if isinstance(value, StrEnum) else value
