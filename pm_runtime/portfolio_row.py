"""Rows of the portfolio as a tick reads and writes them, named as the columns of their tables.

Not here: what a column means (its comment in the schema), what a trade adds up to (`domain.portfolio`), and who may
write which row (`pm_runtime.ports`).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from domain.portfolio.fill import Fill
from domain.portfolio.lifecycle import PositionStatus
from domain.portfolio.position import Position
from domain.portfolio.strand import StrandKind
from domain.portfolio.trade_memory import TradeMemory
from domain.scores.intent import IntentMetrics
from domain.vocabulary.action import ActionCategory, OrderSide
from domain.vocabulary.execution_bar import ExecutionBar
from domain.vocabulary.timeframe import Timeframe
from domain.vocabulary.uptrend import UptrendState

Token = tuple[str, str]
"""Contract and chain."""


class OrderStatus(StrEnum):
    """How far an order has come; the last three are final."""

    PLANNED = "planned"
    SUBMITTED = "submitted"
    FILLED = "filled"
    REJECTED = "rejected"
    EXPIRED = "expired"

    @property
    def is_open(self) -> bool:
        """Whether something can still happen to it.

        >>> OrderStatus.SUBMITTED.is_open, OrderStatus.EXPIRED.is_open
        (True, False)
        """
        return self in (OrderStatus.PLANNED, OrderStatus.SUBMITTED)


def order_id_of(position_id: str, bar: ExecutionBar, category: ActionCategory) -> str:
    """Id of the order a position may get for a bar: a decision made twice is one order, for the venue too."""
    return hashlib.sha256(f"{position_id}|{bar}|{category}".encode()).hexdigest()


def trade_id_of(position_id: str, bar: ExecutionBar) -> str:
    """Id of the trade whose first entry was decided on a bar."""
    return hashlib.sha256(f"{position_id}|{bar}".encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What a row was made by; stored with it."""

    config_version: int
    code_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionRow:
    """A position as it was read: what a person approved, and where it stands. `revision` is the one that was read."""

    position_id: str
    token_contract: str
    chain: str
    timeframe: Timeframe
    book_id: str
    token_ticker: str
    status: PositionStatus
    total_allocation_pct: float
    entry_context: Mapping[str, Any]
    intent: IntentMetrics | None
    approved_by: str
    approved_at: datetime
    current_trade_id: str | None
    position: Position
    trade_memory: TradeMemory
    last_bar_timestamp: datetime | None
    revision: int

    @property
    def token(self) -> Token:
        """Contract and chain."""
        return self.token_contract, self.chain


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRow:
    """An order and what has become of it.

    Raises
    ------
    ValueError
        If a buy does not say its USD and nothing else, a sale its tokens and nothing else, or the status does not go
        with `settled_at`.
    """

    order_id: str
    position_id: str
    trade_id: str
    timeframe: Timeframe
    bar_timestamp: datetime
    decided_at: datetime
    action_category: ActionCategory
    side: OrderSide
    pattern_key: str
    order_usd: float | None
    order_quantity: float | None
    decision: Mapping[str, Any]
    status: OrderStatus
    status_reason: str | None
    venue: str
    settled_at: datetime | None

    def __post_init__(self) -> None:
        is_buy = self.side is OrderSide.BUY
        if is_buy != (self.order_usd is not None) or is_buy != (self.order_quantity is None):
            raise ValueError(
                f"A buy is given in USD, a sale in tokens, was {self.side} of {self.order_usd} USD,"
                f" {self.order_quantity} tokens"
            )
        if self.status.is_open != (self.settled_at is None):
            raise ValueError(f"Order {self.order_id} is {self.status}, but settled_at was {self.settled_at}")


@dataclass(frozen=True, slots=True, kw_only=True)
class FillRow:
    """A fill, and what it belongs to."""

    fill: Fill
    order_id: str
    position_id: str
    trade_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StrandRow:
    """An event of the log that learning reads. content_text: its canonical text, where it is known; no column."""

    strand_id: str
    kind: StrandKind
    schema_version: int
    position_id: str
    trade_id: str
    token_contract: str
    chain: str
    timeframe: Timeframe
    occurred_at: datetime
    content: Mapping[str, Any]
    content_text: str | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class EpisodeRow:
    """A window of opportunity as it is stored; `domain.portfolio.episode_column` reads and writes its words."""

    episode_id: str
    position_id: str
    token_contract: str
    chain: str
    timeframe: Timeframe
    family: str
    started_at: datetime
    ended_at: datetime | None
    decision: str | None
    decided_at: datetime | None
    gates: Any
    samples: Any
    scope: Mapping[str, Any]
    trade_id: str | None
    outcome: str
    outcome_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelStates:
    """What stands behind a bucket's newest score: its levers before the clamp, and the state of each channel."""

    timestamp: datetime
    a_raw: float | None
    e_raw: float | None
    states: Mapping[str, UptrendState | None]
    """By CHANNEL_NAMES; None where a channel did not speak."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawOverrideSet:
    """The live set as it is stored, unchecked; `set_id` is None while none is live."""

    set_id: int | None
    rows: tuple[Mapping[str, Any], ...]
