"""The context of an action as one dict: made in one place, compared in one way.

A dimension that is not known is not in the dict. No value stands for "missing", so nothing can match it.
"""

import hashlib
import json
from collections.abc import Mapping

from domain.scopes.bitmask import dimensions_of, mask_of
from domain.scopes.scope_value import canonical_value
from domain.vocabulary.scope_dimension import BIT, ScopeContext, ScopeDimension, context_of

Scope = Mapping[ScopeDimension, str]
"""Known dimensions with their canonical values, in the order of the bits."""

_DIMENSIONS: Mapping[str, ScopeDimension] = {dimension: dimension for dimension in BIT}
_ENTRY_DIMENSIONS = tuple(dimension for dimension in BIT if context_of(dimension) is ScopeContext.ENTRY)

BUCKET_ALIAS = "bucket"
"""Other name of `mcap_bucket` in a context from outside; it is never stored."""


def extract_scope(
    *, entry: Mapping[str, object], action: Mapping[str, object], regime: Mapping[str, object]
) -> dict[ScopeDimension, str]:
    """Scope of an action, from its three contexts.

    Each dimension is read from the one context it belongs to, whatever else the contexts hold: what a token's approval
    says about the market is weeks old by the time of a trim and must not overwrite the market's present state.

    Parameters
    ----------
    entry : mapping
        Captured when the token was approved: curator, chain, mcap_bucket (or bucket), ...
    action : mapping
        Captured at the action: market_family, timeframe, A_mode, E_mode.
    regime : mapping
        The market at the action: the 15 channel states, bucket_leader, bucket_rank_position, phases.

    Returns
    -------
    dict
        The dimensions that are known, in the order of the bits.

    Raises
    ------
    ValueError
        If a value cannot be one of its dimension, or `bucket` and `mcap_bucket` differ.

    >>> extract_scope(entry={"bucket": "nano"}, action={"timeframe": "1h"}, regime={"btc_macro": "S4"})
    {<ScopeDimension.MCAP_BUCKET: 'mcap_bucket'>: 'nano', <ScopeDimension.TIMEFRAME: 'timeframe'>: '1h'}
    """
    contexts = {ScopeContext.ENTRY: entry, ScopeContext.ACTION: action, ScopeContext.REGIME: regime}
    found = {dimension: contexts[context_of(dimension)].get(dimension) for dimension in BIT}
    found[ScopeDimension.MCAP_BUCKET] = _one_bucket(entry)
    return _canonical(found)


def extract_entry_scope(entry: Mapping[str, object]) -> dict[ScopeDimension, str]:
    """Return the part of a scope that a token's approval gives, as `extract_scope` does.

    Raises
    ------
    ValueError
        If a value cannot be one of its dimension, or `bucket` and `mcap_bucket` differ.

    >>> extract_entry_scope({"chain": "solana", "btc_macro": "S1"})
    {<ScopeDimension.CHAIN: 'chain'>: 'solana'}
    """
    found: dict[ScopeDimension, object] = {dimension: entry.get(dimension) for dimension in _ENTRY_DIMENSIONS}
    found[ScopeDimension.MCAP_BUCKET] = _one_bucket(entry)
    return _canonical(found)


def parse_scope(values: Mapping[str, object]) -> dict[ScopeDimension, str]:
    """Scope as it was stored, made canonical again.

    Raises
    ------
    ValueError
        If a key is no dimension or a value cannot be one of its dimension.

    >>> parse_scope({"bucket_rank_position": 1, "curator": None})
    {<ScopeDimension.BUCKET_RANK_POSITION: 'bucket_rank_position'>: '1'}
    """
    unknown = sorted(set(values).difference(BIT))
    if unknown:
        raise ValueError(f"Expected dimensions of a scope, was {unknown}")
    given = sorted((_DIMENSIONS[name] for name in values), key=BIT.__getitem__)
    return _canonical({dimension: values[dimension] for dimension in given})


def scope_mask(scope: Scope) -> int:
    """Return the mask of the dimensions a scope knows.

    >>> scope_mask({ScopeDimension.CHAIN: "solana"})
    2
    """
    return mask_of(scope)


def scope_values(scope: Scope, mask: int) -> dict[ScopeDimension, str] | None:
    """Part of a scope that a mask looks at; None where the scope does not know all of it."""
    wanted = dimensions_of(mask)
    if any(dimension not in scope for dimension in wanted):
        return None
    return {dimension: scope[dimension] for dimension in wanted}


def is_match(scope: Scope, mask: int, values: Scope) -> bool:
    """Whether a scope has exactly the values a mask is fixed to; what else it has does not count.

    Raises
    ------
    ValueError
        If `values` does not give one value for each dimension of the mask and no other.

    >>> nano = {ScopeDimension.MCAP_BUCKET: "nano"}
    >>> is_match({**nano, ScopeDimension.TIMEFRAME: "1h"}, 4, nano), is_match({}, 4, nano), is_match({}, 0, {})
    (True, False, True)
    """
    if mask_of(values) != mask:
        raise ValueError(f"Expected values of the mask {mask}, was {sorted(values)}")
    return all(scope.get(dimension) == value for dimension, value in values.items())


def scope_json(scope: Scope) -> str:
    """Text of a scope: the same for equal scopes, whatever the order of their keys.

    >>> scope_json({ScopeDimension.TIMEFRAME: "1h", ScopeDimension.CHAIN: "base"})
    '{"chain":"base","timeframe":"1h"}'
    """
    return json.dumps(
        {dimension.value: value for dimension, value in scope.items()}, sort_keys=True, separators=(",", ":")
    )


def scope_hash(scope: Scope) -> str:
    """Return the first 16 hexadecimal digits of the SHA-256 of the scope's text."""
    return hashlib.sha256(scope_json(scope).encode()).hexdigest()[:16]


def _one_bucket(entry: Mapping[str, object]) -> str | None:
    given = [canonical_value(ScopeDimension.MCAP_BUCKET, entry.get(key)) for key in ("mcap_bucket", BUCKET_ALIAS)]
    named = {bucket for bucket in given if bucket is not None}
    if len(named) > 1:
        raise ValueError(f"mcap_bucket and {BUCKET_ALIAS} are one thing, was {given}")
    return named.pop() if named else None


def _canonical(found: Mapping[ScopeDimension, object]) -> dict[ScopeDimension, str]:
    """Canonical values of the dimensions given, in their order, that of the bits."""
    given = [(dimension, raw) for dimension, raw in found.items() if raw is not None]
    values = ((dimension, canonical_value(dimension, raw)) for dimension, raw in given)
    return {dimension: value for dimension, value in values if value is not None}
