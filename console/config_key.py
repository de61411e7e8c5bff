"""Overrides as a person types them: `scores.min_coverage=10`, one key a time, any depth."""

import json
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

from console.printing import printable
from domain.config.pm_config import ConfigError, PmConfig


def parse_assignment(text: str) -> tuple[tuple[str, ...], Any]:
    """Key and value of `key=value`; the value is JSON, and a bare word is taken as text.

    >>> parse_assignment("scores.min_coverage=10")
    (('scores', 'min_coverage'), 10)
    >>> parse_assignment("scores.weighting=normalised")
    (('scores', 'weighting'), 'normalised')

    Raises
    ------
    ConfigError
        If there is no `=`, or a part of the key is empty.
    """
    key, equals, value = text.partition("=")
    if not equals:
        raise ConfigError(f"Expected key=value, was {text!r}")
    return parse_key(key), _json_or_word(value)


def parse_key(text: str) -> tuple[str, ...]:
    """Parts of a dotted key. Raises `ConfigError` if one is empty."""
    parts = tuple(part.strip() for part in text.split("."))
    if not all(parts):
        raise ConfigError(f"Expected a key such as scores.min_coverage, was {text!r}")
    return parts


def with_override(overrides: Mapping[str, Any], key: tuple[str, ...], value: Any) -> dict[str, Any]:
    """Set one key of overrides; the others stay, and nothing given is changed.

    >>> with_override({"scores": {"base": 0.4}}, ("scores", "min_coverage"), 10)
    {'scores': {'base': 0.4, 'min_coverage': 10}}
    """
    changed = deepcopy(dict(overrides))
    level = changed
    for part in key[:-1]:
        below = level.get(part)
        level[part] = below if isinstance(below, dict) else {}
        level = level[part]
    level[key[-1]] = value
    return changed


def without_override(overrides: Mapping[str, Any], key: tuple[str, ...]) -> dict[str, Any]:
    """Take one key or a whole section out of overrides; sections left empty go too.

    >>> without_override({"scores": {"min_coverage": 10}, "regime": {}}, ("scores", "min_coverage"))
    {'regime': {}}

    Raises
    ------
    ConfigError
        If the key is not overridden.
    """
    head, rest = key[0], key[1:]
    if head not in overrides or (rest and not isinstance(overrides[head], Mapping)):
        raise ConfigError(f"{printable('.'.join(key))} is not overridden")
    changed = deepcopy(dict(overrides))
    if not rest:
        del changed[head]
        return changed
    try:
        below = without_override(changed[head], rest)
    except ConfigError:
        raise ConfigError(f"{printable('.'.join(key))} is not overridden") from None
    if below:
        changed[head] = below
    else:
        del changed[head]
    return changed


def flattened(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Leaves of nested values by dotted key; a list is a leaf.

    >>> flattened({"a": {"b": 1, "c": {"d": [2]}}})
    {'a.b': 1, 'a.c.d': [2]}
    """
    leaves: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            leaves |= flattened(value, f"{prefix}{key}.")
        else:
            leaves[f"{prefix}{key}"] = value
    return leaves


def changes_between(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Keys whose override differs, with both values; where there is no override it is the default.

    Yields
    ------
    dict
        key, before, after; a value is None where the key is neither overridden nor known.
    """
    defaults = flattened(PmConfig().model_dump(mode="json"))
    old, new = flattened(before), flattened(after)
    for key in sorted(old.keys() | new.keys()):
        values = [side.get(key, defaults.get(key)) for side in (old, new)]
        if key not in old or key not in new or values[0] != values[1]:
            yield {"key": key, "before": values[0], "after": values[1]}


def _json_or_word(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError:
        return text


def _refuse_constant(name: str) -> Any:
    raise ConfigError(f"{name} is not a value of any key")
