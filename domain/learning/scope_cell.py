"""Cells as tables store them: pattern, category, mask, values as canonical JSON, and the hash of these."""

import functools
import json
from collections.abc import Mapping
from typing import Any

from domain.learning.trade_fact import ScopeCell
from domain.scopes.bitmask import dimensions_of
from domain.scopes.scope import Scope, parse_scope, scope_hash, scope_json, scope_mask
from domain.vocabulary.action import parse_action_category


def cell_scope(cell: ScopeCell) -> Scope:
    """Dimensions a cell is fixed to, with their values."""
    return dict(zip(dimensions_of(cell.mask), cell.values, strict=True))


def cell_columns(cell: ScopeCell) -> dict[str, Any]:
    """Cell by the columns every table of cells has.

    >>> cell = cell_of_columns({"pattern_key": "pm.uptrend.S1.buy_flag", "action_category": "entry",
    ...                         "scope_values": '{"timeframe":"1h"}'})
    >>> cell_columns(cell)["scope_mask"], cell_columns(cell)["scope_values"]
    (256, '{"timeframe":"1h"}')
    """
    return dict(_columns(cell))


@functools.lru_cache(maxsize=1 << 16)
def _columns(cell: ScopeCell) -> tuple[tuple[str, Any], ...]:
    """Columns of a cell; kept, for the same cells are stored day after day."""
    scope = cell_scope(cell)
    return (
        ("pattern_key", cell.pattern_key),
        ("action_category", cell.action_category.value),
        ("scope_mask", cell.mask),
        ("scope_values", scope_json(scope)),
        ("scope_values_hash", scope_hash(scope)),
    )


def cell_of_columns(row: Mapping[str, Any], *, values: str = "scope_values") -> ScopeCell:
    """Cell that a row is of; `values` names the column of its JSON.

    Raises
    ------
    ValueError
        If a category, dimension or value is unknown.
    """
    stored = row[values]
    text = stored if isinstance(stored, str) else json.dumps(stored)
    return _cell(row["pattern_key"], row["action_category"], text)


@functools.lru_cache(maxsize=1 << 16)
def _cell(pattern_key: str, action_category: str, text: str) -> ScopeCell:
    """Cell of stored words; kept, for the same cells are read day after day."""
    scope = parse_scope(json.loads(text))
    return ScopeCell(
        pattern_key=pattern_key,
        action_category=parse_action_category(action_category),
        mask=scope_mask(scope),
        values=tuple(scope.values()),
    )
