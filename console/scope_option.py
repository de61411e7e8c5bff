"""A scope as a person types it: `--scope chain=solana --scope timeframe=1h`, one value a dimension."""

import difflib
from collections.abc import Iterable, Sequence
from typing import Annotated

import psycopg
import typer

from console.session import RefusedError
from domain.scopes.scope import Scope
from domain.scopes.scope_value import WORDS, canonical_value
from domain.vocabulary.scope_dimension import ScopeDimension
from sql.queries import query

ScopeOption = Annotated[
    list[str] | None,
    typer.Option("--scope", metavar="DIMENSION=VALUE", help="Only where this holds; may be repeated."),
]

NAMED = (ScopeDimension.CHAIN, ScopeDimension.CURATOR, ScopeDimension.INTENT)
"""Dimensions with names of people's own, which a position has from its approval on."""


def read_scope(assignments: Sequence[str] | None) -> dict[ScopeDimension, str]:
    """Scope of some assignments, values in their one spelling; empty is everywhere.

    >>> read_scope(["timeframe=1h", "chain=Solana"])
    {<ScopeDimension.TIMEFRAME: 'timeframe'>: '1h', <ScopeDimension.CHAIN: 'chain'>: 'solana'}

    Raises
    ------
    RefusedError
        If there is no `=`, a dimension is unknown or given twice, or a value is none of its dimension.
    """
    scope: dict[ScopeDimension, str] = {}
    for assignment in assignments or ():
        name, equals, text = assignment.partition("=")
        if not equals:
            raise RefusedError(f"Expected DIMENSION=VALUE, such as chain=solana, was {assignment!r}")
        dimension = _dimension(name.strip())
        if dimension in scope:
            raise RefusedError(f"{dimension} was given twice: a scope has one value a dimension")
        scope[dimension] = _value(dimension, text)
    return scope


def refuse_unseen_names(connection: psycopg.Connection, scope: Scope) -> None:
    """Refuse a name that no position has: a halt of a misspelled chain would halt nothing and look as if it did.

    Raises
    ------
    RefusedError
        If no position has the name; the message says which there are.
    """
    used = {dimension: scope[dimension] for dimension in NAMED if dimension in scope}
    if not used:
        return
    seen: dict[ScopeDimension, set[str | None]] = {dimension: set() for dimension in NAMED}
    for name, text in connection.execute(query("names_of_positions").encode()):
        seen[ScopeDimension(name)].add(canonical_value(ScopeDimension(name), text))
    for dimension, value in used.items():
        known = sorted(name for name in seen[dimension] if name)
        if value not in known:
            there = f"there are {', '.join(known)}" if known else "none of them has one yet"
            raise RefusedError(
                f"No position has the {dimension} {value!r}: {there}{_meant(value, known)}."
                " To set it nonetheless, for positions to come: --ahead"
            )


def _dimension(name: str) -> ScopeDimension:
    known = [dimension.value for dimension in ScopeDimension]
    if name not in known:
        said = _meant(name, known) or f"; there are {', '.join(known)}"
        raise RefusedError(f"No dimension {name!r}{said}")
    return ScopeDimension(name)


def _value(dimension: ScopeDimension, text: str) -> str:
    try:
        value = canonical_value(dimension, text)
    except ValueError as error:
        raise RefusedError(f"{error}{_meant(text.strip(), sorted(WORDS.get(dimension, ())))}") from None
    if value is None:
        raise RefusedError(f"{dimension}={text} says that nothing is known: a scope fixes dimensions to values")
    return value


def _meant(text: str, known: Iterable[str]) -> str:
    by_folded = {word.casefold(): str(word) for word in known}
    near = difflib.get_close_matches(text.casefold(), by_folded, n=1, cutoff=0.5)
    return f"; did you mean {by_folded[near[0]]!r}?" if near else ""
