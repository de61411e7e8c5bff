"""What stood between a bar and an action: every gate with its value, its threshold and by how much it passed.

A gate that lacks a value is shut and says what is missing. Thresholds are kept twice: as configured, and as learning
moved them; the second one decides.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any


class Gate(StrEnum):
    """What a gate asks. The first ten are the engine's, under its names; the others are the planner's."""

    NEAR_EMA60 = "near_ema60"
    MID_SLOPE_RISING = "mid_slope_rising"
    TREND_STRENGTH = "trend_strength"
    NEAR_EMA333 = "near_ema333"
    SLOW_SLOPE_RISING = "slow_slope_rising"
    DISCOUNTED = "discounted"
    AT_OR_BELOW_EMA144 = "at_or_below_ema144"
    AT_OR_ABOVE_EMA333 = "at_or_above_ema333"
    NOT_BOOTSTRAPPED = "not_bootstrapped"
    NOT_ON_A_FLIP = "not_on_a_flip"
    FIRST_MATCH = "first_match"
    HELD = "held"
    NO_OPEN_ORDER = "no_open_order"
    MODE = "mode"
    LIFECYCLE = "lifecycle"
    CAP_BUCKET = "cap_bucket"
    LEVER_A = "lever_a"
    LEVER_E = "lever_e"
    TRIM_COOLDOWN = "trim_cooldown"
    EMERGENCY_ONCE = "emergency_once"
    S1_ONCE = "s1_once"
    NEW_REASON_TO_BUY = "new_reason_to_buy"
    FIRST_DIP_ONCE = "first_dip_once"
    RECLAIM_ONCE = "reclaim_once"


@dataclass(frozen=True, slots=True, kw_only=True)
class GateReading:
    """One gate at one bar.

    value: what was measured, 1 or 0 of a fact; None when it is missing. threshold_base: as configured, threshold: as
    it decided, None where there is none. margin: by how much it passed (>= 0) or failed (< 0), in units of the gate's
    scale; None where it cannot be said. detail: the words for people.
    """

    name: Gate
    value: float | None
    threshold_base: float | None
    threshold: float | None
    margin: float | None
    passed: bool
    detail: str | None = None

    @property
    def shortfall(self) -> float:
        """Units by which it failed; 0 if it passed, 1 where no margin can be said.

        >>> fact(Gate.HELD, False).shortfall
        1.0
        """
        if self.passed:
            return 0.0
        return 1.0 if self.margin is None else -self.margin

    def to_json(self) -> dict[str, Any]:
        """Return the reading as JSON stores it; `reading_from_json` reads it back."""
        return {name: getattr(self, name) for name in _NAMES} | {"name": self.name.value}


_NAMES = tuple(field.name for field in fields(GateReading))
_KEYS = set(_NAMES)


def reading_from_json(stored: Mapping[str, Any]) -> GateReading:
    """Read a gate as it was stored.

    Raises
    ------
    ValueError
        If a key is missing or unknown, or the gate is.
    """
    if set(stored) != _KEYS:
        raise ValueError(f"Expected the keys {sorted(_KEYS)} of a gate, was {sorted(stored)}")
    return GateReading(**{**stored, "name": Gate(stored["name"])})


def is_open(gates: Iterable[GateReading]) -> bool:
    """Whether there are gates and all of them passed: what nothing was asked of is not allowed.

    >>> is_open([]), is_open([fact(Gate.HELD, True)])
    (False, True)
    """
    readings = tuple(gates)
    return bool(readings) and all(reading.passed for reading in readings)


def blocking_gates(gates: Iterable[GateReading]) -> tuple[Gate, ...]:
    """Gates that did not pass; of exactly one it can be said that it decided."""
    return tuple(reading.name for reading in gates if not reading.passed)


def fact(name: Gate, passed: bool, detail: str | None = None) -> GateReading:
    """Read something that is so or is not."""
    return GateReading(
        name=name,
        value=1.0 if passed else 0.0,
        threshold_base=1.0,
        threshold=1.0,
        margin=None,
        passed=passed,
        detail=detail,
    )


def missing(
    name: Gate, what: str, *, threshold_base: float | None = None, threshold: float | None = None
) -> GateReading:
    """Read a gate whose value is not known: it is shut."""
    return GateReading(
        name=name,
        value=None,
        threshold_base=threshold_base,
        threshold=threshold,
        margin=None,
        passed=False,
        detail=f"missing: {what}",
    )


def units(amount: float, unit: float) -> float | None:
    """How many units an amount is; None where that is no finite number.

    >>> units(3.0, 2.0), units(3.0, 0.0)
    (1.5, None)
    """
    count = amount / unit if unit else math.inf
    return count if math.isfinite(count) else None


def measured(
    name: Gate,
    *,
    value: float,
    threshold_base: float | None,
    threshold: float | None,
    passed: bool,
    margin: float | None,
    detail: str | None = None,
) -> GateReading:
    """Read a number. The margin gets the sign of the verdict, whatever rounding made of it."""
    if margin is not None:
        margin = max(margin, 0.0) if passed else min(margin, math.nextafter(0.0, -1.0))
    return GateReading(
        name=name,
        value=value,
        threshold_base=threshold_base,
        threshold=threshold,
        margin=margin,
        passed=passed,
        detail=detail,
    )


def at_least(name: Gate, value: float, *, base: float, threshold: float, scale: float) -> GateReading:
    """Read a number that must reach a threshold."""
    return measured(
        name,
        value=value,
        threshold_base=base,
        threshold=threshold,
        passed=value >= threshold,
        margin=units(value - threshold, scale),
    )
