"""The learned overrides of one version, as arrays: compiled once, then matched against all positions of a tick at once.

What belongs here: which rows apply, until when, and to which buys. What does not: what they make together
(`pm_strength`) and what a row may say (`override_row`).

Rows that cannot be right are left out and said; the others apply. Of two rows for one cell (pattern, category, lever
and scope) the one of higher confidence counts, of equal ones the one with the lower id; the other only after that one
has expired. So what applies at an instant does not depend on when the set was compiled.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from domain.portfolio.override_row import (
    MAX_BIGINT,
    OverrideError,
    OverrideLever,
    PmOverride,
    RefusalReason,
    parse_override,
)
from domain.scopes.scope import Scope, scope_json
from domain.scopes.scope_code import N_COLUMNS
from domain.vocabulary.action import ActionCategory
from domain.vocabulary.scope_dimension import BIT, ScopeDimension

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

LEVERS: tuple[OverrideLever, ...] = tuple(OverrideLever)
ALWAYS = np.iinfo(np.int64).min
BATCH_CELLS = 1 << 21
"""Overrides times positions compared at once: their arrays stay within some ten megabytes."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

Target = tuple[str, ActionCategory]


@dataclass(frozen=True, slots=True)
class RefusedOverride:
    """A row that does not apply, or not yet; `override_id` is None where the row has none."""

    override_id: int | None
    reason: RefusalReason
    detail: str

    def __str__(self) -> str:
        return f"override {self.override_id} ignored: {self.reason}: {self.detail}"


@dataclass(frozen=True, slots=True, eq=False)
class OverrideArrays:
    """m overrides, arrays of shape (m,) unless said; rows of one pattern and category stand together.

    lever: place in LEVERS. mask_row: place in `masks`. live_from, expires_at: microseconds since 1970, half-open.
    condition_bit, condition_code: shape (depth, m), bit of the dimension and code of the value each condition asks for;
    rows with more conditions stand first in their part. parts: rows of each pattern and category, from and to.
    codes: number of each value any override asks for, from 1; 0 is every other value and none.
    """

    lever: IntArray
    masks: tuple[int, ...]
    mask_row: IntArray
    multiplier: FloatArray
    confidence: FloatArray
    live_from: IntArray
    expires_at: IntArray
    condition_bit: IntArray
    condition_code: IntArray
    parts: Mapping[Target, tuple[int, int]]
    codes: Mapping[ScopeDimension, Mapping[str, int]]


@dataclass(frozen=True, slots=True, eq=False)
class OverrideSet:
    """A compiled version. `overrides` in the order of `arrays`; `refused` what does not apply, by id."""

    set_id: int | None
    compiled_at: datetime
    overrides: tuple[PmOverride, ...]
    refused: tuple[RefusedOverride, ...]
    arrays: OverrideArrays


@dataclass(frozen=True, slots=True)
class OverrideMatches:
    """Pairs of an override and a buy it applies to, arrays of one length; of each buy in the order of the overrides."""

    rows: IntArray
    buys: IntArray


def compile_overrides(
    rows: Iterable[Mapping[str, object]], as_of: datetime, *, set_id: int | None = None
) -> OverrideSet:
    """Compile the rows of one set.

    Parameters
    ----------
    rows : iterable of mapping
        Rows of `learning.pm_overrides`, in any order: the result does not depend on it.
    as_of : datetime
        Rows that have expired by then are refused; with an offset.
    set_id : int, optional
        Version, for the record.

    Returns
    -------
    OverrideSet
        Every row is compiled or among the refused. A duplicate that outlives what counts before it is both.

    Raises
    ------
    ValueError
        If `as_of` has no offset. No row raises.
    """
    now = microseconds(as_of)
    refused: list[RefusedOverride] = []
    believed: list[PmOverride] = []
    for row in rows:
        try:
            override = parse_override(row)
        except OverrideError as error:
            refused.append(RefusedOverride(_id_of(row), error.reason, str(error)))
            continue
        if microseconds(override.expires_at) <= now:
            said = f"since {override.expires_at.isoformat()}"
            refused.append(RefusedOverride(override.override_id, RefusalReason.EXPIRED, said))
        else:
            believed.append(override)
    kept, live_from, duplicates = _one_a_cell(believed)
    order = sorted(range(len(kept)), key=lambda place: _order(kept[place]))
    ordered = tuple(kept[place] for place in order)
    return OverrideSet(
        set_id=set_id,
        compiled_at=as_of,
        overrides=ordered,
        refused=tuple(sorted([*refused, *duplicates], key=_refusal_order)),
        arrays=_arrays(ordered, [live_from[place] for place in order]),
    )


def match_overrides(overrides: OverrideSet, buys: Sequence[tuple[Target, Scope]], as_of: datetime) -> OverrideMatches:
    """Find the overrides that apply to each of some buys at an instant.

    One applies where pattern and category are the same and the scope has every value it asks for; a dimension that is
    not known has none.

    Raises
    ------
    ValueError
        If the instant is before that of the compilation: what had expired by then is gone.
    """
    now = microseconds(as_of)
    if now < microseconds(overrides.compiled_at):
        raise ValueError(f"Compiled as of {overrides.compiled_at.isoformat()}, asked for {as_of.isoformat()}")
    arrays = overrides.arrays
    codes = _encoded([scope for _, scope in buys], arrays)
    by_target: dict[Target, list[int]] = {}
    for place, (target, _) in enumerate(buys):
        by_target.setdefault(target, []).append(place)
    rows, places = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
    for target, of_target in by_target.items():
        start, end = arrays.parts.get(target, (0, 0))
        there = np.array(of_target, dtype=np.int64)
        step = max(BATCH_CELLS // len(there), 1)
        for first in range(start, end, step):
            hit_buys, hit_rows = np.nonzero(_hits(arrays, first, min(first + step, end), codes[:, there]).T)
            rows.append(hit_rows + first)
            places.append(there[hit_buys])
    found, asked_by = np.concatenate(rows), np.concatenate(places)
    alive = (arrays.live_from[found] <= now) & (now < arrays.expires_at[found])
    return OverrideMatches(found[alive], asked_by[alive])


def microseconds(at: datetime) -> int:
    """Microseconds since 1970.

    Raises
    ------
    ValueError
        If the instant has no offset.
    """
    if at.utcoffset() is None:
        raise ValueError(f"Expected an instant with an offset, was {at.isoformat()}")
    return (at - _EPOCH) // _MICROSECOND


def _id_of(row: Mapping[str, object]) -> int | None:
    number = row.get("override_id")
    if isinstance(number, bool) or not isinstance(number, int):
        return None
    return number if 0 <= number <= MAX_BIGINT else None


def _one_a_cell(believed: Sequence[PmOverride]) -> tuple[list[PmOverride], list[int], list[RefusedOverride]]:
    """Rows that apply at some time, the instant each does from, and what is to be said of duplicates."""
    cells: dict[tuple[object, ...], list[PmOverride]] = {}
    for override in believed:
        cells.setdefault((*_target(override), override.lever, scope_json(override.values)), []).append(override)
    kept: list[PmOverride] = []
    live_from: list[int] = []
    refused: list[RefusedOverride] = []
    for rivals in cells.values():
        first, *later = sorted(rivals, key=lambda each: (-each.confidence, each.override_id, each.lesson_id))
        kept.append(first)
        live_from.append(int(ALWAYS))
        free_at = first.expires_at
        for override in later:
            said = f"of override {first.override_id}, which is of higher confidence or came first"
            if override.expires_at > free_at:
                kept.append(override)
                live_from.append(microseconds(free_at))
                said += f"; applies from {free_at.isoformat()} on"
                free_at = override.expires_at
            refused.append(RefusedOverride(override.override_id, RefusalReason.DUPLICATE, said))
    return kept, live_from, refused


def _target(override: PmOverride) -> Target:
    return override.pattern_key, override.category


def _order(override: PmOverride) -> tuple[object, ...]:
    conditions = len(override.values)
    return *_target(override), -conditions, override.lever, scope_json(override.values), override.override_id


def _refusal_order(refused: RefusedOverride) -> tuple[int, str, str]:
    return -1 if refused.override_id is None else refused.override_id, refused.reason, refused.detail


def _arrays(overrides: Sequence[PmOverride], live_from: Sequence[int]) -> OverrideArrays:
    codes: dict[ScopeDimension, dict[str, int]] = {}
    depth = max((len(each.values) for each in overrides), default=0)
    bit, code = (np.zeros((depth, len(overrides)), dtype=np.int64) for _ in range(2))
    for column, override in enumerate(overrides):
        for row, (dimension, value) in enumerate(override.values.items()):
            numbers = codes.setdefault(dimension, {})
            bit[row, column] = BIT[dimension]
            code[row, column] = numbers.setdefault(value, len(numbers) + 1)
    masks = tuple(sorted({each.mask for each in overrides}))
    place = {mask: row for row, mask in enumerate(masks)}
    parts: dict[Target, tuple[int, int]] = {}
    for target, members in groupby(range(len(overrides)), key=lambda row: _target(overrides[row])):
        rows = list(members)
        parts[target] = (rows[0], rows[-1] + 1)
    return OverrideArrays(
        lever=np.array([LEVERS.index(each.lever) for each in overrides], dtype=np.int64),
        masks=masks,
        mask_row=np.array([place[each.mask] for each in overrides], dtype=np.int64),
        multiplier=np.array([each.multiplier for each in overrides], dtype=np.float64),
        confidence=np.array([each.confidence for each in overrides], dtype=np.float64),
        live_from=np.array(live_from, dtype=np.int64),
        expires_at=np.array([microseconds(each.expires_at) for each in overrides], dtype=np.int64),
        condition_bit=bit,
        condition_code=code,
        parts=parts,
        codes=codes,
    )


def _encoded(scopes: Sequence[Scope], arrays: OverrideArrays) -> NDArray[np.int32]:
    """Codes of the scopes' values, shape (N_COLUMNS, n); 0 where no override asks for the value, or it is not known."""
    codes = np.zeros((N_COLUMNS, len(scopes)), dtype=np.int32)
    for dimension, numbers in arrays.codes.items():
        codes[BIT[dimension]] = [numbers.get(scope.get(dimension, ""), 0) for scope in scopes]
    return codes


def _hits(arrays: OverrideArrays, start: int, end: int, codes: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Whether each of some rows applies to each of n scopes, shape (end - start, n)."""
    hit = np.ones((end - start, codes.shape[1]), dtype=np.bool_)
    for bits, asked in zip(arrays.condition_bit[:, start:end], arrays.condition_code[:, start:end], strict=True):
        n_asking = int(np.count_nonzero(asked))
        if n_asking == 0:
            break
        hit[:n_asking] &= codes[bits[:n_asking]] == asked[:n_asking, None]
    return hit
