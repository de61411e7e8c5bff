"""From stored strands to facts: a closed trade is taken once, and only when all its actions have come.

Reads the event log. What belongs here: what is taken, waits, is given up or refused, and why. What does not: what a
closure says (`closed_trade`).

Strands come twice, late and in any order, and the facts are the same. A trade that lacks an action waits, for half of
its actions would be counted as all of them. Nothing one strand says stops another.

Two different closures of one trade cannot both be right, and facts are never changed: the one that was taken stands;
of several that come together the first by `sequence` that can be read and is consistent stands, whether it is taken
or waits. The others are refused. A refusal because of a rival is told again at each look, so that it ends when the
rival turns out to be inconsistent.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from domain.learning.closed_trade import ClosedTrade, closed_trade
from domain.learning.trade_fact import TradeFact
from domain.portfolio.pm_action import PmAction
from domain.portfolio.position_closed import PositionClosed
from domain.portfolio.strand import DeadLetter, parse_strand

PARK_HOURS = 72.0
"""Three days: an event log that is replicated or restored by hand has come by then."""

RIVAL_REASON = "another closure of this trade stands: "
"""How the reason of a refusal begins that may end: the rival may turn out to be inconsistent. All others are for good,
for what a strand says is never changed."""

_NEVER_SEEN: Mapping[str, datetime] = MappingProxyType({})


class IntakeStatus(StrEnum):
    """What became of a closure. One that was given up is still taken if its actions do come."""

    PARKED = "parked"
    GIVEN_UP = "given_up"
    REFUSED = "refused"
    TAKEN = "taken"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredStrand:
    """A row of the event log. content: the document, read or as JSON text. sequence: order of storing."""

    strand_id: str
    kind: str
    schema_version: int
    trade_id: str
    occurred_at: datetime
    content: Mapping[str, Any] | str
    sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeRecord:
    """What became of one closure, and why.

    occurred_at: as stored. first_seen_at: when it was first looked at. actions_told: actions it names, of which
    actions_missing have not come and actions_not_filled were rejected or expired; 0 where it cannot be read.
    pointer: the place that is wrong (RFC 6901); "" is all of it, or none.
    """

    strand_id: str
    trade_id: str
    status: IntakeStatus
    occurred_at: datetime
    first_seen_at: datetime
    actions_told: int = 0
    actions_missing: int = 0
    actions_not_filled: int = 0
    pointer: str = ""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """What one look at the event log gives; records in the order of `sequence`.

    facts: of the trades taken now, by closure, trade, time and action. taken: those trades. parked: the waiting and
    the given up. refused: never taken as they are. n_repeated: closures that are taken already, or came more than once.
    """

    facts: tuple[TradeFact, ...]
    taken: tuple[IntakeRecord, ...]
    parked: tuple[IntakeRecord, ...]
    refused: tuple[IntakeRecord, ...]
    n_repeated: int


@dataclass(frozen=True, slots=True)
class _Judged:
    """Record of a closure, and the trade of one that is taken."""

    record: IntakeRecord
    trade: ClosedTrade | None = None


@dataclass(frozen=True, slots=True)
class _Refusal:
    pointer: str
    reason: str


@dataclass(frozen=True, slots=True)
class _Look:
    """What all closures of one look are judged by."""

    actions: Mapping[str, StoredStrand]
    at: datetime
    patience: timedelta
    first_seen: Mapping[str, datetime]

    def record(self, strand: StoredStrand, status: IntakeStatus, reason: str, **told: Any) -> IntakeRecord:
        return IntakeRecord(
            strand_id=strand.strand_id,
            trade_id=strand.trade_id,
            status=status,
            occurred_at=strand.occurred_at,
            first_seen_at=min(self.first_seen.get(strand.strand_id, self.at), self.at),
            reason=reason,
            **told,
        )


def take_in(
    closed: Iterable[StoredStrand],
    actions: Mapping[str, StoredStrand],
    already: Mapping[str, str],
    *,
    at: datetime,
    park_hours: float = PARK_HOURS,
    first_seen: Mapping[str, datetime] = _NEVER_SEEN,
) -> Intake:
    """Facts of every closed trade that is complete, and what became of the others.

    Parameters
    ----------
    closed : iterable of StoredStrand
        Closures not taken yet: new ones, and again those that were parked, given up or refused. Any order; one that
        comes twice counts once.
    actions : mapping of str to StoredStrand
        Stored actions by strand id; at least those the closures name, as far as they have come.
    already : mapping of str to str
        Trades whose facts are stored, with the strand of the closure they came from.
    at : datetime
        The instant of this look, with an offset.
    park_hours : float
        A trade that has waited so long is given up, but looked at again.
    first_seen : mapping of str to datetime
        When a closure was first looked at, by its strand id; `at` for those that are not in it.

    Returns
    -------
    Intake
        The same facts whatever came twice, late, in pieces or in another order. Nothing raises because of a strand.

    Raises
    ------
    ValueError
        If `at` has no offset or `park_hours` is not above 0.
    """
    if at.utcoffset() is None or not park_hours > 0:
        raise ValueError(f"Expected an instant with an offset and hours > 0, was {at.isoformat()}, {park_hours}")
    look = _Look(actions, at, timedelta(hours=park_hours), first_seen)
    by_trade: defaultdict[str, dict[str, StoredStrand]] = defaultdict(dict)
    n_told = 0
    for strand in sorted(closed, key=lambda each: (each.sequence, each.strand_id)):
        by_trade[strand.trade_id].setdefault(strand.strand_id, strand)
        n_told += 1
    judged = [
        each
        for trade_id, rivals in by_trade.items()
        for each in _of_one_trade(list(rivals.values()), already.get(trade_id), look)
    ]
    return _told(judged, [strand for rivals in by_trade.values() for strand in rivals.values()], n_told)


def _of_one_trade(rivals: Sequence[StoredStrand], standing: str | None, look: _Look) -> Iterator[_Judged]:
    """Judge the closures of one trade, in the order they came: one stands at most."""
    for strand in rivals:
        if strand.strand_id == standing:
            continue
        if standing is not None:
            yield _Judged(look.record(strand, IntakeStatus.REFUSED, RIVAL_REASON + standing))
            continue
        judged = _judge(strand, look)
        if judged.record.status is not IntakeStatus.REFUSED:
            standing = strand.strand_id
        yield judged


def _judge(strand: StoredStrand, look: _Look) -> _Judged:
    document = _closure(strand)
    if isinstance(document, _Refusal):
        return _Judged(look.record(strand, IntakeStatus.REFUSED, document.reason, pointer=document.pointer))
    named = [action.strand_id for action in document.completed_trades[-1].actions]
    missing = [strand_id for strand_id in named if strand_id not in look.actions]
    if missing:
        return _Judged(_waiting(strand, len(named), len(missing), look))
    try:
        done = {strand_id: _action(look.actions[strand_id]) for strand_id in named}
        trade = closed_trade(document, done, closed_strand_id=strand.strand_id)
    except ValueError as error:
        return _Judged(look.record(strand, IntakeStatus.REFUSED, str(error), actions_told=len(named)))
    reason = f"all {len(named)} actions have come"
    told = {"actions_told": len(named), "actions_not_filled": trade.n_not_filled}
    return _Judged(look.record(strand, IntakeStatus.TAKEN, reason, **told), trade)


def _closure(strand: StoredStrand) -> PositionClosed | _Refusal:
    """Document of a closure, if it is one and is what its row says."""
    document = parse_strand(strand.kind, strand.content)
    if isinstance(document, DeadLetter):
        return _Refusal(document.pointer, document.reason)
    if not isinstance(document, PositionClosed):
        return _Refusal("", f"expected a position_closed, was a {strand.kind}")
    for field in ("trade_id", "schema_version"):
        said, stored = getattr(document, field), getattr(strand, field)
        if said != stored:
            return _Refusal(f"/{field}", f"the row says {stored!r}, the document {said!r}"[:300])
    return document


def _action(strand: StoredStrand) -> PmAction:
    """Document of an action; one that breaks its schema makes its trade one that cannot be counted whole."""
    document = parse_strand(strand.kind, strand.content)
    if isinstance(document, DeadLetter):
        raise ValueError(f"Action {strand.strand_id}: {document.pointer or '/'}: {document.reason}")
    if not isinstance(document, PmAction):
        raise ValueError(f"Action {strand.strand_id}: expected a pm_action, was a {strand.kind}")
    return document


def _waiting(strand: StoredStrand, n_told: int, n_missing: int, look: _Look) -> IntakeRecord:
    since = min(look.first_seen.get(strand.strand_id, look.at), look.at)
    is_over = look.at - since >= look.patience
    status = IntakeStatus.GIVEN_UP if is_over else IntakeStatus.PARKED
    reason = f"{n_missing} of {n_told} actions have not come since {since.isoformat()}"
    return look.record(strand, status, reason, actions_told=n_told, actions_missing=n_missing)


def _told(judged: Sequence[_Judged], strands: Sequence[StoredStrand], n_told: int) -> Intake:
    place = {strand.strand_id: strand.sequence for strand in strands}
    records = sorted((each.record for each in judged), key=lambda each: (place[each.strand_id], each.strand_id))
    trades = [each.trade for each in judged if each.trade is not None]
    trades.sort(key=lambda trade: (trade.facts[0].closed_at, trade.record.trade_id))
    return Intake(
        facts=tuple(fact for trade in trades for fact in trade.facts),
        taken=tuple(each for each in records if each.status is IntakeStatus.TAKEN),
        parked=tuple(each for each in records if each.status in (IntakeStatus.PARKED, IntakeStatus.GIVEN_UP)),
        refused=tuple(each for each in records if each.status is IntakeStatus.REFUSED),
        n_repeated=n_told - len(judged),
    )
