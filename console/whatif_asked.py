"""What is asked: some overrides left out, all of them, or another set; and how each buy would then be taken.

An override has another number in every version. It is the same one as long as its lesson and its lever are, so it is
left out of all versions that decided in the window.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

from console.learned_day import look_at_learned
from console.replay import look_at
from console.session import RefusedError
from console.stored_rows import rows_of
from console.whatif_rows import Case, ToldBuy
from domain.portfolio.buy_check import GATE_LEVER
from domain.portfolio.override_row import OverrideLever
from domain.portfolio.override_set import OverrideSet, compile_overrides
from domain.portfolio.plan import buy_check_pattern
from domain.portfolio.pm_strength import StrengthBasis, StrengthRequest, pm_strengths
from domain.portfolio.what_if import BuyChoice
from domain.portfolio.what_if_lever import blend_without, is_told_again, stays_open
from domain.scopes.pattern_key import PatternKey

LEARNED_FROM = "learned:"
Key = tuple[str, OverrideLever]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """How a buy is taken, or why that cannot be said."""

    taken: BuyChoice | None
    problem: str | None


class LeftOut:
    """Some overrides left out, or with None all of them: strength 1, thresholds as configured."""

    def __init__(self, keys: Collection[Key] | None) -> None:
        self._keys = keys

    def strength(self, told: ToldBuy) -> float:
        """Strength of a buy without them."""
        return 1.0 if self._keys is None else blend_without(told.applied, self._keys)

    def thresholds(self, told: ToldBuy) -> dict[OverrideLever, float]:
        """Multipliers of the thresholds that were moved, without them."""
        if self._keys is None:
            return dict.fromkeys(told.tuned, 1.0)
        return {lever: blend_without(applied, self._keys) for lever, applied in told.tuned.items()}


class AnotherSet:
    """Another version of the overrides, matched against the scope each buy was decided in."""

    def __init__(self, overrides: OverrideSet) -> None:
        self.overrides = overrides

    def strength(self, told: ToldBuy) -> float:
        """Strength of a buy under that version."""
        return self._multipliers(told, told.pattern)[OverrideLever.PM_STRENGTH]

    def thresholds(self, told: ToldBuy) -> dict[OverrideLever, float]:
        """Multipliers of all thresholds under that version, as the buy rule of the state asks for them."""
        pattern = buy_check_pattern(told.pattern.state)
        found = {} if pattern is None else self._multipliers(told, pattern)
        return {lever: found.get(lever, 1.0) for lever in OverrideLever if lever is not OverrideLever.PM_STRENGTH}

    def _multipliers(self, told: ToldBuy, pattern: PatternKey) -> dict[OverrideLever, float]:
        request = StrengthRequest(pattern_key=str(pattern), category=told.buy.category, scope=told.scope)
        panel = pm_strengths(
            self.overrides,
            [request],
            as_of=told.buy.decided_at,
            weights=told.config.portfolio.mask_weight,
            is_on=told.basis != StrengthBasis.SWITCHED_OFF,
        )
        return {lever: float(values[0]) for lever, values in panel.multiplier.items()}


def choice_of(asked: LeftOut | AnotherSet, told: ToldBuy) -> Choice:
    """Work out how a buy would be taken."""
    was = {lever: blend_without(applied) for lever, applied in told.tuned.items()}
    then = asked.thresholds(told)
    moved = {lever: then[lever] for lever in then if then[lever] != was.get(lever, 1.0)}
    gates = [gate for gate in told.gates if GATE_LEVER.get(gate.name) in moved]
    is_open = stays_open(gates, moved, uptrend=told.config.regime.uptrend, bounds=told.config.plan.tuning_bounds)
    if is_open is None:
        return Choice(taken=None, problem="a threshold cannot be worked out from what its gate kept")
    return Choice(taken=BuyChoice(pm_strength=asked.strength(told), is_taken=is_open), problem=None)


def faults_of(told: ToldBuy) -> list[str]:
    """Name what comes out otherwise than it was stored, when nothing is left out."""
    faults = [] if blend_without(told.applied) == told.multiplier else ["strength"]
    for gate in told.gates:
        applied = told.tuned.get(GATE_LEVER[gate.name]) if gate.name in GATE_LEVER else None
        if applied is not None and not is_told_again(
            gate,
            blend_without(applied),
            uptrend=told.config.regime.uptrend,
            bounds=told.config.plan.tuning_bounds,
        ):
            faults.append(f"threshold of {gate.name.value}")
    return faults


def keys_of(
    connection: psycopg.Connection, numbers: Sequence[int], cases: Sequence[Case], replay: str | None
) -> list[dict[str, Any]]:
    """Find what each number of an override means: of those that applied in the window, else of the stored ones.

    Raises
    ------
    RefusedError
        If a number is of no override.
    """
    seen = {
        each["override_id"]: {"lesson_id": each["lesson_id"], "lever": strength["lever"]}
        for case in cases
        for told in case.buys
        for strength in _strengths(told.row)
        for each in strength["matched"]
    }
    found = []
    for number in dict.fromkeys(numbers):
        known = seen.get(number) or _stored_key(connection, number, replay)
        if known is None:
            raise RefusedError(f"No override {number}, neither stored nor behind a buy of the window; see: lowcap sets")
        found.append({"override_id": number, **known, "has_applied": known in seen.values()})  # by any of its numbers
    return found


def compiled_set(
    connection: psycopg.Connection, number: int, from_at: datetime, replay: str | None
) -> tuple[OverrideSet, dict[str, Any]]:
    """Read and compile a version as of the beginning of the window; what has expired by then does not apply.

    Raises
    ------
    RefusedError
        If there is no such version; the message says which there are.
    """
    look_at_learned(connection, _taught_by(connection, replay))
    told = rows_of(connection, "override_set_told", set_id=number)
    rows = rows_of(connection, "live_rows_of_set", set_id=number)
    ((first, last),) = [tuple(row.values()) for row in rows_of(connection, "override_sets_span")]
    look_at(connection, replay)
    if not told:
        there = "there are none" if first is None else f"there are {first} to {last}"
        raise RefusedError(f"No set {number}; {there}")
    compiled = compile_overrides(rows, from_at, set_id=number)
    facts = {"set_id": number, "as_of": told[0]["as_of"].isoformat(), "live": len(rows)}
    return compiled, facts | {"refused": [str(each) for each in compiled.refused]}


def _stored_key(connection: psycopg.Connection, number: int, replay: str | None) -> dict[str, Any] | None:
    taught = _taught_by(connection, replay)
    look_at_learned(connection, taught)
    rows = rows_of(connection, "override_numbered", override_id=number)
    look_at(connection, replay)
    return None if not rows else {"lesson_id": rows[0]["lesson_id"], "lever": rows[0]["lever"]}


def _taught_by(connection: psycopg.Connection, replay: str | None) -> str | None:
    """Name the replay whose lessons decided in a replay; None where live ones, or none, did."""
    if replay is None:
        return None
    ((settings,),) = [tuple(row.values()) for row in rows_of(connection, "what_if_replay_settings")]
    overrides = str(settings.get("overrides", ""))
    return overrides.removeprefix(LEARNED_FROM) if overrides.startswith(LEARNED_FROM) else None


def _strengths(row: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [row["strength"], *(each["strength"] for each in row["thresholds"] or ())]
