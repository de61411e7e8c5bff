"""What the gates of the next tick must know of one trade: a fold over its executions and bars, nothing else.

It belongs to the trade, not to the token: the next trade starts with `NO_MEMORY`. An order that was rejected or
expired leaves no trace here, so no one-shot is spent on what never happened.
"""

from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

from domain.portfolio.token_bar import TokenBar
from domain.scopes.pattern_key import PatternFlag, PatternKey
from domain.vocabulary.action import ActionCategory, OrderSide
from domain.vocabulary.uptrend import UptrendFlag, UptrendState


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """An order of the trade that was filled, wholly or in part.

    bar_timestamp: open of the bar it was decided on. filled_at: its first fill. is_flat_after: whether nothing is held
    any more. decision: what was decided and on what, as stored; kept of the first buy.

    Raises
    ------
    ValueError
        If an instant has no offset.
    """

    category: ActionCategory
    pattern_key: PatternKey
    bar_timestamp: datetime
    filled_at: datetime
    is_flat_after: bool
    decision: dict[str, Any]

    def __post_init__(self) -> None:
        for at in (self.bar_timestamp, self.filled_at):
            if at.utcoffset() is None:
                raise ValueError(f"Expected an instant with an offset, was {at.isoformat()}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeMemory:
    """Memory of one trade. Instants of decisions are the opens of their bars.

    bought_in: states it was bought in. has_state_changed: whether another state was seen since the last execution.
    trims_since_buy: trims after the last buy; above 0 the next buy is a rebuy. reclaims: bars whose reclaim of EMA333
    was bought. emergency_exit_at: bar of the emergency exit that sold everything, until the emergency is over.
    entered_at: first fill. entry: the decision it came from. first_s3_at: when S3 began, if within the trade.
    """

    bought_in: frozenset[UptrendState] = frozenset()
    last_buy_at: datetime | None = None
    last_buy_state: UptrendState | None = None
    last_trim_at: datetime | None = None
    trims: int = 0
    trims_since_buy: int = 0
    last_execution_state: UptrendState | None = None
    has_state_changed: bool = False
    first_dip_bought: bool = False
    reclaims: tuple[datetime, ...] = ()
    emergency_exit_at: datetime | None = None
    entered_at: datetime | None = None
    entry: dict[str, Any] | None = None
    first_s3_at: datetime | None = None

    @property
    def buy_category(self) -> ActionCategory:
        """What the next buy is: the first of a trade enters, a later one adds."""
        return ActionCategory.ADD if self.bought_in else ActionCategory.ENTRY

    def to_json(self) -> dict[str, Any]:
        """Return the memory as JSON stores it; `memory_from_json` reads it back."""
        stored: dict[str, Any] = {field.name: getattr(self, field.name) for field in fields(self)}
        stored["bought_in"] = sorted(self.bought_in)
        stored["reclaims"] = [at.isoformat() for at in self.reclaims]
        for name in _INSTANTS:
            stored[name] = stored[name] and stored[name].isoformat()
        return stored


NO_MEMORY = TradeMemory()

_INSTANTS = ("last_buy_at", "last_trim_at", "emergency_exit_at", "entered_at", "first_s3_at")
_STATES = ("last_buy_state", "last_execution_state")
_KEYS = {field.name for field in fields(TradeMemory)}


def memory_from_json(stored: dict[str, Any]) -> TradeMemory:
    """Memory as it was stored; an empty object is the memory of no trade.

    Raises
    ------
    ValueError
        If a key is missing or unknown, a state or an instant is none: a memory half understood would buy twice.

    >>> memory_from_json({}) == NO_MEMORY, memory_from_json(NO_MEMORY.to_json()) == NO_MEMORY
    (True, True)
    """
    if not stored:
        return NO_MEMORY
    if set(stored) != _KEYS:
        raise ValueError(f"Expected the keys {sorted(_KEYS)} of a trade's memory, was {sorted(stored)}")
    read = dict(stored)
    read["bought_in"] = frozenset(UptrendState(state) for state in stored["bought_in"])
    read["reclaims"] = tuple(_instant(text) for text in stored["reclaims"])
    for name in _STATES:
        read[name] = None if stored[name] is None else UptrendState(stored[name])
    for name in _INSTANTS:
        read[name] = None if stored[name] is None else _instant(stored[name])
    return TradeMemory(**read)


def remember_bar(memory: TradeMemory, bar: TokenBar) -> TradeMemory:
    """Memory after a closed bar, to be made before anything is planned on it; the same bar twice changes nothing.

    S3 is written down when it is seen, for the engine forgets when it began once it is over.
    """
    if memory.entered_at is None:
        return memory
    is_emergency = UptrendFlag.EMERGENCY_EXIT in bar.flags
    has_state_changed = memory.has_state_changed or bar.state is not memory.last_execution_state
    emergency_exit_at = memory.emergency_exit_at if is_emergency else None
    first_s3_at = memory.first_s3_at or _s3_within(memory.entered_at, bar)
    seen = (has_state_changed, emergency_exit_at, first_s3_at)
    if seen == (memory.has_state_changed, memory.emergency_exit_at, memory.first_s3_at):
        return memory
    return replace(
        memory, has_state_changed=has_state_changed, emergency_exit_at=emergency_exit_at, first_s3_at=first_s3_at
    )


def remember_execution(memory: TradeMemory, execution: Execution) -> TradeMemory:
    """Memory after an order of the trade was filled; told twice, it counts once: a bar has one action at most."""
    if execution.bar_timestamp in (memory.last_buy_at, memory.last_trim_at):
        return memory
    moved = replace(memory, last_execution_state=execution.pattern_key.state, has_state_changed=False)
    if execution.category.side is OrderSide.BUY:
        return _bought(moved, execution)
    if execution.category is ActionCategory.TRIM:
        return replace(
            moved,
            last_trim_at=execution.bar_timestamp,
            trims=memory.trims + 1,
            trims_since_buy=memory.trims_since_buy + 1,
        )
    if execution.pattern_key.flag is PatternFlag.EMERGENCY_EXIT and execution.is_flat_after:
        return replace(moved, emergency_exit_at=execution.bar_timestamp)
    return moved


def _bought(memory: TradeMemory, execution: Execution) -> TradeMemory:
    flag, at = execution.pattern_key.flag, execution.bar_timestamp
    is_reclaim = flag is PatternFlag.RECLAIMED_EMA333
    return replace(
        memory,
        bought_in=memory.bought_in | {execution.pattern_key.state},
        last_buy_at=at,
        last_buy_state=execution.pattern_key.state,
        trims_since_buy=0,
        first_dip_bought=memory.first_dip_bought or flag is PatternFlag.FIRST_DIP_BUY_FLAG,
        reclaims=(*memory.reclaims, at) if is_reclaim else memory.reclaims,
        entered_at=memory.entered_at or execution.filled_at,
        entry=execution.decision if memory.entry is None else memory.entry,
    )


def _s3_within(entered_at: datetime, bar: TokenBar) -> datetime | None:
    """When S3 began, unless the trade was opened in it: it then took no time to reach."""
    if bar.state is not UptrendState.S3:
        return None
    began = bar.s3_start_at or bar.opened_at
    return began if began >= entered_at else None


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.utcoffset() is None:
        raise ValueError(f"Expected an instant with an offset, was {text!r}")
    return at
