"""A row of what was learned, as JSON has it and as a person reads it; a scope comes as the text it is stored as."""

import math
from collections.abc import Mapping
from datetime import date
from typing import Any

from domain.portfolio.strict_json import StrictJsonError, read_json
from domain.scopes.pattern_key import PREFIX

SCOPES = frozenset({"scope", "parent", "explained_by"})
SHORT_ID = 8
UNKNOWN = "-"


def row_facts(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row as JSON has it: instants and days as text, scopes as objects, None for what is no finite number."""
    return {name: stored_scope(value) if name in SCOPES else _as_json(value) for name, value in row.items()}


def stored_scope(text: str | None) -> dict[str, str] | str | None:
    """Scope of its stored text: dimensions and their values; the text itself where it is no such thing.

    >>> stored_scope('{"timeframe":"1h"}'), stored_scope('{"timeframe":[1]}')
    ({'timeframe': '1h'}, '{"timeframe":[1]}')
    """
    if text is None:
        return None
    try:
        document = read_json(text)
    except StrictJsonError:
        return text
    is_scope = isinstance(document, dict) and all(isinstance(value, str) for value in document.values())
    return document if is_scope else text


def scope_words(scope: Mapping[str, str] | str | None) -> str:
    """Say where something holds.

    >>> scope_words({"mcap_bucket": "nano", "timeframe": "1h"}), scope_words({}), scope_words("{1}"), scope_words(None)
    ('mcap_bucket=nano timeframe=1h', 'everywhere', 'unreadable: {1}', '-')
    """
    if scope is None:
        return UNKNOWN
    if isinstance(scope, str):
        return f"unreadable: {scope:.200}"
    return " ".join(f"{dimension}={value}" for dimension, value in scope.items()) or "everywhere"


def pattern_words(facts: Mapping[str, Any]) -> str:
    """Say which pattern, and which of its actions.

    >>> pattern_words({"pattern_key": "pm.uptrend.S1.buy_flag", "action_category": "add"})
    'S1.buy_flag add'
    """
    if facts["pattern_key"] is None:
        return UNKNOWN
    return f"{facts['pattern_key'].removeprefix(f'{PREFIX}.')} {facts['action_category']}"


def number(value: float | None, spec: str) -> str:
    """Write a number, or that there is none."""
    return UNKNOWN if value is None else f"{value:{spec}}"


def interval_words(value: float | None, low: float | None, high: float | None, spec: str = "+.2f") -> str:
    """Write a number with the interval around it.

    >>> interval_words(0.4, 0.1, 0.7), interval_words(0.4, None, None), interval_words(None, None, None)
    ('+0.40 (+0.10 to +0.70)', '+0.40 (no interval)', '-')
    """
    if value is None:
        return UNKNOWN
    around = "no interval" if low is None or high is None else f"{low:{spec}} to {high:{spec}}"
    return f"{value:{spec}} ({around})"


def _as_json(value: Any) -> Any:
    if isinstance(value, date):  # an instant is a day too
        return value.isoformat()
    return None if isinstance(value, float) and not math.isfinite(value) else value
