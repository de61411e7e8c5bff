"""What the portfolio may do now, everywhere or in a scope, by what people have set.

Rows are only ever added. A row sets the mode, or whether learned overrides apply, or both; what it leaves out stays as
an earlier row of its scope had it. Of all rows that speak of a position the most restrictive counts: a person who halts
a chain need not know who else resumed what.

It fails closed. No row, or a row that cannot be read, is HALTED, which still lets exits through.
"""

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from domain.portfolio.strict_json import StrictJsonError, read_json
from domain.scopes.scope import Scope, parse_scope, scope_json
from domain.vocabulary.action import ActionCategory

EVERYWHERE = "{}"
"""Scope of a row that speaks of every position."""


class TradingMode(StrEnum):
    """What may be done, least restrictive first."""

    ACTIVE = "ACTIVE"
    REDUCE_ONLY = "REDUCE_ONLY"
    HALTED = "HALTED"

    def allows(self, category: ActionCategory) -> bool:
        """Whether an action may be planned: everything, what sells, or exits only.

        >>> [mode.value for mode in TradingMode if mode.allows(ActionCategory.TRIM)]
        ['ACTIVE', 'REDUCE_ONLY']
        """
        return category in _ALLOWED[self]


_ALLOWED: dict[TradingMode, frozenset[ActionCategory]] = {
    TradingMode.ACTIVE: frozenset(ActionCategory),
    TradingMode.REDUCE_ONLY: frozenset({ActionCategory.TRIM, ActionCategory.EXIT}),
    TradingMode.HALTED: frozenset({ActionCategory.EXIT}),
}
_RESTRICTION: dict[TradingMode, int] = {mode: place for place, mode in enumerate(TradingMode)}


class SwitchSetting(Protocol):
    """A row of `pm.trading_switch`, however it is held. `scope` may be an object or its JSON text."""

    @property
    def scope(self) -> Mapping[str, object] | str: ...  # noqa: D102 - the columns say it
    @property
    def mode(self) -> str | None: ...  # noqa: D102
    @property
    def overrides_on(self) -> bool | None: ...  # noqa: D102
    @property
    def author(self) -> str: ...  # noqa: D102
    @property
    def reason(self) -> str: ...  # noqa: D102
    @property
    def set_at(self) -> datetime: ...  # noqa: D102


@dataclass(frozen=True, slots=True, kw_only=True)
class DecidingRow:
    """The row that decided; `scope` is its canonical text."""

    scope: str
    author: str
    reason: str
    set_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectiveSwitch:
    """What holds for a scope, and by which row; `by` is None where no row decided, and `said` why then.

    said: one sentence for people, about the mode.
    """

    mode: TradingMode
    mode_by: DecidingRow | None
    overrides_on: bool
    overrides_by: DecidingRow | None
    said: str


@dataclass(frozen=True, slots=True)
class _Read:
    """A row that could be read."""

    scope: Scope
    mode: TradingMode | None
    overrides_on: bool | None
    row: DecidingRow


def most_restrictive(modes: Iterable[TradingMode]) -> TradingMode:
    """Strictest of some modes; HALTED of none.

    >>> most_restrictive([TradingMode.ACTIVE, TradingMode.REDUCE_ONLY])
    <TradingMode.REDUCE_ONLY: 'REDUCE_ONLY'>
    """
    return max(modes, key=_RESTRICTION.__getitem__, default=TradingMode.HALTED)


def effective_switch(rows: Sequence[SwitchSetting], scope: Scope) -> EffectiveSwitch:
    """Say what holds for a position, or for the tick as a whole.

    Parameters
    ----------
    rows : sequence
        Of each scope at least the newest row with a mode and the newest with `overrides_on`; older ones do no harm, and
        the order does not count.
    scope : Scope
        Of the position; empty asks for what is set everywhere. A row that restricts also counts where the position
        does not know a dimension of it: it may be meant.

    Returns
    -------
    EffectiveSwitch
        HALTED without overrides where no row sets a mode, or one cannot be read and nobody has set a mode everywhere
        since. Overrides are on where a row says so and none says off.
    """
    read: list[_Read] = []
    unreadable: list[tuple[SwitchSetting, str]] = []
    for row in rows:
        try:
            read.append(_read(row))
        except ValueError as error:
            unreadable.append((row, str(error)))
    seen_to = max((each.row.set_at for each in read if each.mode and not each.scope), default=None)
    for row, problem in unreadable:
        if seen_to is None or not _is_before(row.set_at, seen_to):
            return _halted(f"a switch row by {row.author} cannot be read: {problem}")
    modes = [(each, each.mode) for each in _newest(read, "mode") if each.mode and _speaks(each, scope, each.mode)]
    if not modes:
        return _halted("no switch row sets a mode here")
    by, mode = max(modes, key=lambda found: (_RESTRICTION[found[1]], found[0].row.set_at, found[0].row.scope))
    settings = [each for each in _newest(read, "overrides_on") if _speaks_of_overrides(each, scope)]
    switch = max(settings, key=lambda each: (not each.overrides_on, each.row.set_at, each.row.scope), default=None)
    where = "everywhere" if by.row.scope == EVERYWHERE else f"in {by.row.scope}"
    return EffectiveSwitch(
        mode=mode,
        mode_by=by.row,
        overrides_on=switch is not None and bool(switch.overrides_on),
        overrides_by=switch.row if switch else None,
        said=f"{mode} {where}, set by {by.row.author}: {by.row.reason}",
    )


def _read(row: SwitchSetting) -> _Read:
    scope = _scope_of_text(row.scope) if isinstance(row.scope, str) else _scope_of(row.scope)
    if row.mode is not None and row.mode not in {mode.value for mode in TradingMode}:
        raise ValueError(f"no mode {row.mode!r:.80}")
    if row.overrides_on not in (None, True, False) or (row.mode is None and row.overrides_on is None):
        raise ValueError(f"overrides_on must be true or false where no mode is set, was {row.overrides_on!r:.80}")
    if row.set_at.utcoffset() is None:
        raise ValueError(f"set_at must have an offset, was {row.set_at}")
    return _Read(
        scope=scope,
        mode=None if row.mode is None else TradingMode(row.mode),
        overrides_on=row.overrides_on,
        row=DecidingRow(scope=scope_json(scope), author=row.author, reason=row.reason, set_at=row.set_at),
    )


@functools.lru_cache(maxsize=1024)
def _scope_of_text(text: str) -> Scope:
    """Scope of a row; kept, for a tick asks for the same few rows with every position."""
    try:
        return _scope_of(read_json(text))
    except StrictJsonError as error:
        raise ValueError(f"its scope: {error}") from None


def _scope_of(given: object) -> Scope:
    if not isinstance(given, Mapping) or not all(isinstance(key, str) for key in given):
        raise ValueError(f"its scope must be an object, was {given!r:.80}")
    scope = parse_scope(given)
    if len(scope) != len(given):
        raise ValueError(f"its scope has dimensions without a value: {sorted(given)}")
    return scope


def _newest(read: Iterable[_Read], setting: str) -> list[_Read]:
    """Of each scope the newest row with a setting; of two at one instant the more restrictive."""
    newest: dict[str, _Read] = {}
    for each in read:
        if getattr(each, setting) is not None:
            best = newest.setdefault(each.row.scope, each)
            newest[each.row.scope] = max(best, each, key=_age_then_restriction)
    return list(newest.values())


def _age_then_restriction(each: _Read) -> tuple[datetime, int, bool, str, str]:
    strictness = 0 if each.mode is None else _RESTRICTION[each.mode]
    return each.row.set_at, strictness, each.overrides_on is False, each.row.author, each.row.reason


def _speaks(each: _Read, scope: Scope, mode: TradingMode) -> bool:
    return _is_certain(each, scope) if mode is TradingMode.ACTIVE else _is_possible(each, scope)


def _speaks_of_overrides(each: _Read, scope: Scope) -> bool:
    return _is_certain(each, scope) if each.overrides_on else _is_possible(each, scope)


def _is_certain(each: _Read, scope: Scope) -> bool:
    return all(scope.get(dimension) == value for dimension, value in each.scope.items())


def _is_possible(each: _Read, scope: Scope) -> bool:
    """Whether the row may be meant: nothing known says otherwise. Everywhere is not a position one knows little of."""
    if not scope:
        return not each.scope
    return all(scope.get(dimension, value) == value for dimension, value in each.scope.items())


def _is_before(at: datetime, other: datetime) -> bool:
    return at.utcoffset() is not None and at < other


def _halted(said: str) -> EffectiveSwitch:
    return EffectiveSwitch(
        mode=TradingMode.HALTED, mode_by=None, overrides_on=False, overrides_by=None, said=f"HALTED: {said}"
    )
