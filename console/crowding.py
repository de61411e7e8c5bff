"""The crowding map: exposure and skew by every value of every dimension, by the largest cells of two, and as a grid.

What belongs here: which cells are told. What does not: what is told of one (`cell_crowding`), words and pictures.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import psycopg

from console.cell_crowding import Cell, asked_dimensions, cell_facts
from console.held_book import HeldBook, read_held_book
from console.lessons_view import read_pattern_key
from console.replay import look_at
from console.session import RefusedError
from domain.config.pm_config import PmConfig
from domain.scopes.scope_value import WORDS
from domain.vocabulary.cap_bucket import CapBucket
from domain.vocabulary.entry_band import BANDS
from domain.vocabulary.phase import Phase
from domain.vocabulary.scope_dimension import BIT, ScopeDimension
from sql.pm_config import read_pm_config

Facts = Mapping[str, Any]

NO_PATTERN = "a pattern nobody holds"
LARGEST, MOST_LINES = 12, 12
"""Positions told one by one; rows and columns of the grid, those with the most exposure."""


def crowding_facts(
    connection: psycopg.Connection,
    *,
    rows: str | None,
    columns: str | None,
    pattern: str | None,
    most: int,
    replay: str | None,
) -> dict[str, Any]:
    """Facts of the map, of what is held now or at the end of a replay.

    Parameters
    ----------
    connection : psycopg.Connection
        In a transaction; its search path is set to a replay's.
    rows, columns : str or None
        Dimensions of the grid; None is the first that neighbours are looked for by and that the other one is not.
    pattern : str or None
        Pattern of the candidates, as a person types it; None is one that nobody holds.
    most : int
        How many cells of two dimensions at most.
    replay : str or None
        What a replay holds.

    Raises
    ------
    RefusedError
        If there is no such dimension, pattern or replay, or rows and columns are one dimension.
    """
    versioned = read_pm_config(connection)
    config, asked = versioned.config.portfolio, asked_dimensions(versioned.config.portfolio)
    key = None if pattern is None else read_pattern_key(pattern)
    across = _across(rows, columns, asked)
    look_at(connection, replay)
    book = read_held_book(connection)
    singles = {dimension: _values(book, dimension) for dimension in ScopeDimension}
    pairs = _pairs(book, asked)
    lines = [_lines(book, dimension, versioned.config) for dimension in across]
    grid = [[_cell(across, (row, column)) for column in lines[1]] for row in lines[0]]
    alone = [((name, value),) for name, values in singles.items() for value in values]
    told = cell_facts([*alone, *pairs, *(cell for line in grid for cell in line)], book, config, key or NO_PATTERN)
    return {
        "config_version": versioned.version,
        "rules": _rules(versioned.config),
        "pattern": key,
        "book": _book_facts(book),
        "grid": {
            **{"rows": across[0].value, "columns": across[1].value, "row_values": lines[0], "column_values": lines[1]},
            "cells": [[told[cell] for cell in line] for line in grid],
        },
        "pairs": sorted((told[cell] for cell in pairs), key=lambda each: -each["exposure_usd"])[:most],
        "dimensions": [
            _dimension(name, values, told, book, name in asked) for name, values in singles.items() if values
        ],
        "largest": [_position(book, place) for place in range(min(LARGEST, len(book.rows)))],
    }


def _across(rows: str | None, columns: str | None, asked: Sequence[ScopeDimension]) -> list[ScopeDimension]:
    chosen = [None if name is None else _dimension_named(name) for name in (rows, columns)]
    spare = [each for each in (*asked, *BIT) if each not in chosen]
    found = [spare.pop(0) if each is None else each for each in chosen]
    if found[0] is found[1]:
        raise RefusedError(f"Rows and columns are both {found[0].value}; give two dimensions")
    return found


def _dimension_named(name: str) -> ScopeDimension:
    known = [each.value for each in ScopeDimension]
    if name not in known:
        raise RefusedError(f"No dimension {name!r:.80}; there are {', '.join(known)}")
    return ScopeDimension(name)


def _cell(across: Sequence[ScopeDimension], values: Sequence[str]) -> Cell:
    return tuple(zip(across, values, strict=True))


def _values(book: HeldBook, dimension: ScopeDimension) -> list[str]:
    """Values of a dimension that are held, the most exposure first."""
    usd: dict[str, float] = {}
    for each in book.holdings:
        if dimension in each.scope:
            value = each.scope[dimension]
            usd[value] = usd.get(value, 0.0) + each.exposure_usd
    return sorted(usd, key=lambda value: (-usd[value], value))


def _lines(book: HeldBook, dimension: ScopeDimension, config: PmConfig) -> list[str]:
    """Values of a dimension for the grid, in their order: what could be held too, if all of it is few enough."""
    order = _order(dimension, config)
    held = _values(book, dimension)
    shown = order if len(order) <= MOST_LINES and set(held) <= set(order) else held[:MOST_LINES]
    places = {value: place for place, value in enumerate(order)}
    return sorted(shown, key=lambda value: (places.get(value, len(places)), value))


def _order(dimension: ScopeDimension, config: PmConfig) -> list[str]:
    if dimension in BANDS:
        return list(BANDS[dimension])
    if dimension is ScopeDimension.TIMEFRAME:
        return [each.value for each in config.scores.execution_timeframes]
    words = WORDS.get(dimension, frozenset())
    known = [each.value for vocabulary in (CapBucket, Phase) for each in vocabulary if each.value in words]
    return known or sorted(words)


def _pairs(book: HeldBook, asked: Sequence[ScopeDimension]) -> list[Cell]:
    """Cells of two of the dimensions neighbours are looked for by, in which something is held."""
    found: dict[Cell, None] = {}
    for held in book.holdings:
        for two in combinations([each for each in asked if each in held.scope], 2):
            found[tuple((dimension, held.scope[dimension]) for dimension in two)] = None
    return list(found)


def _dimension(
    dimension: ScopeDimension, values: Sequence[str], told: Mapping[Cell, Facts], book: HeldBook, asked: bool
) -> dict[str, Any]:
    known = [each for each in book.holdings if dimension in each.scope]
    usd = book.exposure_usd - sum(each.exposure_usd for each in known)
    return {
        **{"dimension": dimension.value, "is_asked": asked, "values": [told[((dimension, each),)] for each in values]},
        "unknown": {"positions": len(book.holdings) - len(known), "exposure_usd": usd, "share_frac": book.share(usd)},
    }


def _rules(config: PmConfig) -> dict[str, Any]:
    exposure = config.portfolio.exposure
    return {
        **{"skew_min": exposure.exposure_skew_min, "skew_max": exposure.exposure_skew_max},
        **{"empty_book_skew": exposure.empty_book_skew, "watchlist_factor": exposure.watchlist_factor},
        "masks": [[dimension.value for dimension in mask] for mask in exposure.mask_defs],
    }


def _book_facts(book: HeldBook) -> dict[str, Any]:
    newest = max((row["last_event_at"] for row in book.rows if row["last_event_at"] is not None), default=None)
    return {
        **{"positions": len(book.rows), "exposure_usd": book.exposure_usd, "unpriced": book.unpriced},
        **{"unreadable": book.unreadable, "newest_event_at": None if newest is None else newest.isoformat()},
    }


def _position(book: HeldBook, place: int) -> dict[str, Any]:
    row, held = book.rows[place], book.holdings[place]
    names = ("trade_id", "token_contract", "chain", "token_ticker", "timeframe", "pattern_key")
    usd = None if row["last_price_usd"] is None else held.exposure_usd
    return {name: row[name] for name in names} | {
        "exposure_usd": usd,
        "share_frac": None if usd is None else book.share(usd),
        "scope": {dimension.value: value for dimension, value in held.scope.items()},
    }
