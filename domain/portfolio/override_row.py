"""One learned override: what a row of `learning.pm_overrides` says, or why it is not believed.

The table has the same bounds. They are held here too: a row may come from a restored dump or a hand, and one row that
cannot be right must neither reach an order nor stop the others.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from domain.portfolio.strict_json import StrictJsonError, read_json
from domain.scopes.bitmask import FULL_MASK
from domain.scopes.pattern_key import PatternFlag, parse_pattern_key
from domain.scopes.scope import Scope, parse_scope, scope_mask
from domain.vocabulary.action import ActionCategory, OrderSide, parse_action_category

MULTIPLIER_MIN, MULTIPLIER_MAX = 0.3, 3.0
"""Bounds of an override and of what several of them make together; ratios."""

DECAY_MIN, DECAY_MAX = 0.33, 1.33
MAX_INTEGER, MAX_BIGINT = 2**31 - 1, 2**63 - 1

BUY_FLAGS: frozenset[PatternFlag] = frozenset(
    {PatternFlag.BUY_FLAG, PatternFlag.FIRST_DIP_BUY_FLAG, PatternFlag.REBUY_FLAG, PatternFlag.RECLAIMED_EMA333}
)
"""Flags that are bought on. What is sold never depends on what was learned."""


class OverrideLever(StrEnum):
    """What an override multiplies: the size of a buy, or a threshold of the check before it."""

    PM_STRENGTH = "pm_strength"
    TS_MIN_MULT = "ts_min_mult"
    HALO_MULT = "halo_mult"
    DX_MIN_MULT = "dx_min_mult"


class RefusalReason(StrEnum):
    """Why an override does not apply."""

    MALFORMED = "malformed"
    UNKNOWN_LEVER = "unknown_lever"
    UNKNOWN_PATTERN = "unknown_pattern"
    SELLS = "sells"
    UNKNOWN_SCOPE = "unknown_scope"
    MASK_MISMATCH = "mask_mismatch"
    OUT_OF_BOUNDS = "out_of_bounds"
    EXPIRED = "expired"
    DUPLICATE = "duplicate"


class OverrideError(ValueError):
    """A row was refused; `reason` is the kind, the message what was wrong."""

    def __init__(self, reason: RefusalReason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class PmOverride:
    """A believed row. `values` are canonical and exactly those of `mask`; `multiplier` is a ratio, 1 is neutral.

    edge_raw, decay_mult: None for a threshold. It does not apply from `expires_at` on.
    """

    override_id: int
    pattern_key: str
    category: ActionCategory
    lever: OverrideLever
    mask: int
    values: Scope
    multiplier: float
    confidence: float
    n_trades: int
    edge_raw: float | None
    decay_mult: float | None
    lesson_id: str
    expires_at: datetime


def parse_override(row: Mapping[str, object]) -> PmOverride:
    """Override of a row, with the columns of `learning.pm_overrides` as the driver gives them.

    Parameters
    ----------
    row : mapping
        `scope_values` may be an object or its JSON text.

    Raises
    ------
    OverrideError
        If anything of it cannot be right. Nothing is clamped into its bounds: a 50 is a mistake, not a large 3.
    """
    pattern_key, category, lever = _target(row)
    mask, values = _scope(row)
    return PmOverride(
        override_id=_whole(row, "override_id", lowest=0, highest=MAX_BIGINT),
        pattern_key=pattern_key,
        category=category,
        lever=lever,
        mask=mask,
        values=values,
        multiplier=_number(row, "multiplier", MULTIPLIER_MIN, MULTIPLIER_MAX),
        confidence=_number(row, "confidence", math.nextafter(0.0, 1.0), 1.0),
        n_trades=_whole(row, "n_trades", lowest=1, highest=MAX_INTEGER),
        edge_raw=_number_or_none(row, "edge_raw", -math.inf, math.inf),
        decay_mult=_number_or_none(row, "decay_mult", DECAY_MIN, DECAY_MAX),
        lesson_id=_text(row, "lesson_id"),
        expires_at=_instant(row, "expires_at"),
    )


def _target(row: Mapping[str, object]) -> tuple[str, ActionCategory, OverrideLever]:
    lever = _text(row, "lever")
    if lever not in {each.value for each in OverrideLever}:
        raise OverrideError(RefusalReason.UNKNOWN_LEVER, f"no lever {lever[:80]!r}")
    key, name = _text(row, "pattern_key"), _text(row, "action_category")
    try:
        pattern = parse_pattern_key(key)
    except ValueError as error:
        raise OverrideError(RefusalReason.UNKNOWN_PATTERN, str(error)[:300]) from None
    try:
        category = parse_action_category(name)
    except ValueError as error:
        raise OverrideError(RefusalReason.MALFORMED, str(error)[:300]) from None
    if category.side is not OrderSide.BUY or pattern.flag not in BUY_FLAGS:
        raise OverrideError(RefusalReason.SELLS, f"{category} on {pattern} does not buy; only buys are learned")
    return str(pattern), category, OverrideLever(lever)


def _scope(row: Mapping[str, object]) -> tuple[int, Scope]:
    mask = _whole(row, "scope_mask", lowest=0, highest=MAX_BIGINT)
    given = row.get("scope_values")
    try:
        given = read_json(given) if isinstance(given, str | bytes) else given
    except StrictJsonError as fault:
        raise OverrideError(RefusalReason.MALFORMED, f"scope_values {fault}"[:300]) from None
    if not isinstance(given, Mapping) or not all(isinstance(key, str) for key in given):
        raise OverrideError(RefusalReason.MALFORMED, f"scope_values must be an object, was {_shown(given)}")
    if mask & ~FULL_MASK:
        raise OverrideError(RefusalReason.UNKNOWN_SCOPE, f"no dimensions of the mask {mask:#x}")
    try:
        values = parse_scope(given)
    except ValueError as error:
        raise OverrideError(RefusalReason.UNKNOWN_SCOPE, str(error)[:300]) from None
    if scope_mask(values) != mask or len(values) != len(given):
        raise OverrideError(
            RefusalReason.MASK_MISMATCH, f"scope_mask is {mask}, the known values are of {scope_mask(values)}"
        )
    return mask, values


def _number(row: Mapping[str, object], name: str, lowest: float, highest: float) -> float:
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise OverrideError(RefusalReason.MALFORMED, f"{name} must be a number, was {_shown(value)}")
    if not (lowest <= value <= highest and abs(value) < math.inf):
        raise OverrideError(
            RefusalReason.OUT_OF_BOUNDS, f"{name} must be within {lowest:g}..{highest:g}, was {_shown(value)}"
        )
    return float(value)


def _number_or_none(row: Mapping[str, object], name: str, lowest: float, highest: float) -> float | None:
    return None if row.get(name) is None else _number(row, name, lowest, highest)


def _whole(row: Mapping[str, object], name: str, *, lowest: int, highest: int) -> int:
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, int):
        raise OverrideError(RefusalReason.MALFORMED, f"{name} must be a whole number, was {_shown(value)}")
    if not lowest <= value <= highest:
        raise OverrideError(
            RefusalReason.OUT_OF_BOUNDS, f"{name} must be within {lowest}..{highest}, was {_shown(value)}"
        )
    return value


def _text(row: Mapping[str, object], name: str) -> str:
    value = row.get(name)
    if not isinstance(value, str) or not value:
        raise OverrideError(RefusalReason.MALFORMED, f"{name} must be a text, was {_shown(value)}")
    return str(value)


def _instant(row: Mapping[str, object], name: str) -> datetime:
    value = row.get(name)
    if not isinstance(value, datetime) or value.utcoffset() is None:
        raise OverrideError(RefusalReason.MALFORMED, f"{name} must be an instant with an offset, was {_shown(value)}")
    return value


def _shown(value: object) -> str:
    """Value as a message shows it: short, and never an integer of more digits than Python writes."""
    if isinstance(value, int) and value.bit_length() > MAX_BIGINT.bit_length():
        return f"an integer of {value.bit_length()} bits"
    if value is None or isinstance(value, str | int | float | datetime):
        return f"{value!r:.80}"
    return f"a {type(value).__name__}"
