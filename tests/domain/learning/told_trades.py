"""A closed trade as the event log tells it: the documents of its actions and of its closure, stored."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from domain.learning.closed_trade import ClosedTrade, closed_trade
from domain.learning.trade_intake import StoredStrand
from domain.portfolio.pm_action import PmAction
from domain.portfolio.position_closed import PositionClosed
from domain.portfolio.strand import DeadLetter, StrandKind, parse_strand, strand_content, strand_id
from tests.domain.portfolio.strand_documents import iso, pm_action, position_closed, strength

SALE = {
    "decision_type": "emergency_exit",
    "action_category": "exit",
    "pattern_key": "pm.uptrend.S0.exit_position",
    "learning_multipliers": {"pm_strength": strength(multiplier=1.0), "exposure_skew": None},
    "pm_strength_applied": 1.0,
    "exposure_skew_applied": 1.0,
    "pm_final_multiplier": 1.0,
}
NAMED = ("ts", "decision_type", "action_category", "pattern_key", "scope", "scope_mask")


@dataclass(frozen=True)
class ToldTrade:
    """Strands of a trade: an entry, an exit 30 hours later, and the closure that names both."""

    closure: StoredStrand
    actions: dict[str, StoredStrand]

    @property
    def document(self) -> PositionClosed:
        """The closure, read."""
        document = parse_strand(self.closure.kind, self.closure.content)
        assert isinstance(document, PositionClosed)
        return document

    @property
    def action_documents(self) -> dict[str, PmAction]:
        """The actions, read."""
        read = {name: parse_strand(strand.kind, strand.content) for name, strand in self.actions.items()}
        return {name: document for name, document in read.items() if isinstance(document, PmAction)}


def stored(kind: StrandKind, content: dict[str, Any], sequence: int, **changed: Any) -> StoredStrand:
    """A document as a row of the event log; one that breaks its schema is stored as it is."""
    document = parse_strand(kind.value, content)
    whole = content if isinstance(document, DeadLetter) else strand_content(document)
    strand = StoredStrand(
        strand_id=strand_id(kind, whole),
        kind=kind.value,
        schema_version=1,
        trade_id=content["trade_id"],
        occurred_at=datetime.fromisoformat(content["ts"]),
        content=whole,
        sequence=sequence,
    )
    return replace(strand, **changed)


def told_trade(
    trade_id: str = "t1",
    sequence: int = 10,
    *,
    entry: dict[str, Any] | None = None,
    leave: dict[str, Any] | None = None,
    outcome: dict[str, Any] | None = None,
    closure: dict[str, Any] | None = None,
) -> ToldTrade:
    """A whole trade; what is given replaces fields of the entry, the exit, the outcome and the closure."""
    named = {"trade_id": trade_id}
    first = stored(StrandKind.PM_ACTION, pm_action() | named | (entry or {}), sequence)
    late = {"order_id": "o2", "ts": iso(30)}
    last = stored(StrandKind.PM_ACTION, pm_action() | SALE | named | late | (leave or {}), sequence + 1)
    done = [{"strand_id": each.strand_id} | {key: each.content[key] for key in NAMED} for each in (first, last)]
    whole = position_closed() | named | (closure or {})
    (trade,) = position_closed()["completed_trades"]
    whole["completed_trades"] = [trade | named | {"actions": done} | (outcome or {})]
    actions = {each.strand_id: each for each in (first, last)}
    return ToldTrade(stored(StrandKind.POSITION_CLOSED, whole, sequence + 2), actions)


def evidence(told: ToldTrade) -> ClosedTrade:
    """What learning makes of it."""
    return closed_trade(told.document, told.action_documents, closed_strand_id=told.closure.strand_id)
