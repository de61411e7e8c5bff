"""How much of a book stands in a cell of scopes, and the skew of a further buy there.

A *cell* is one or two dimensions with their values. A candidate there is bought in that cell, and otherwise in the
scopes that what stands in it was bought in, or, where nothing does, in those of everything that is held: a skew for
each of them, weighted by the exposure that stands so.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from console.held_book import HeldBook
from domain.config.portfolio import PortfolioConfig
from domain.portfolio.exposure_cell import Candidate, Holding
from domain.portfolio.exposure_skew import exposure_masks, exposure_skew
from domain.scopes.scope import Scope
from domain.vocabulary.scope_dimension import ScopeDimension

Cell = tuple[tuple[ScopeDimension, str], ...]


def asked_dimensions(config: PortfolioConfig) -> tuple[ScopeDimension, ...]:
    """Dimensions neighbours are looked for by, as they are configured; the others move no skew."""
    return tuple(dict.fromkeys(dimension for mask in config.exposure.mask_defs for dimension in mask))


def cell_facts(
    cells: Iterable[Cell], book: HeldBook, config: PortfolioConfig, pattern_key: str
) -> dict[Cell, dict[str, Any]]:
    """Facts of some cells.

    Parameters
    ----------
    cells : iterable of Cell
        Dimensions with canonical values.
    book : HeldBook
        What is held.
    config : PortfolioConfig
        Masks, weights and ends of the skew.
    pattern_key : str
        What the candidates are bought on.

    Returns
    -------
    dict
        By cell: scope, positions, exposure_usd, share_frac (None while nothing is held), and the skew of a candidate
        there, a ratio, with the lowest and highest of those it is the mean of.
    """
    asked = asked_dimensions(config)
    inside = {cell: [held for held in book.holdings if _is_in(held.scope, cell)] for cell in dict.fromkeys(cells)}
    ways = {cell: _ways(cell, held or book.holdings, asked) for cell, held in inside.items()}
    skews = _skews({scope for found in ways.values() for scope in found}, book, config, pattern_key)
    return {cell: _facts(cell, held, ways[cell], skews, book) for cell, held in inside.items()}


def _is_in(scope: Scope, cell: Cell) -> bool:
    return all(scope.get(dimension) == value for dimension, value in cell)


def _ways(cell: Cell, held: Sequence[Holding], asked: Sequence[ScopeDimension]) -> dict[Cell, float]:
    """Scopes a candidate may have in a cell, of the dimensions asked for, each with the exposure that stands so."""
    fixed = {dimension: value for dimension, value in cell if dimension in asked}
    found: dict[Cell, float] = {}
    for each in held:
        known = {name: each.scope[name] for name in asked if name in each.scope} | fixed
        scope = tuple((name, known[name]) for name in asked if name in known)
        found[scope] = found.get(scope, 0.0) + each.exposure_usd
    return found or {tuple(fixed.items()): 0.0}


def _skews(scopes: Iterable[Cell], book: HeldBook, config: PortfolioConfig, pattern_key: str) -> Mapping[Cell, float]:
    ordered = sorted(scopes)
    candidates = [Candidate(position_id="", pattern_key=pattern_key, scope=dict(scope)) for scope in ordered]
    masks = exposure_masks(config.exposure)
    panel = exposure_skew(book.holdings, candidates, masks=masks, config=config.exposure, weights=config.mask_weight)
    return dict(zip(ordered, panel.skew.tolist(), strict=True))


def _facts(
    cell: Cell, held: Sequence[Holding], ways: Mapping[Cell, float], skews: Mapping[Cell, float], book: HeldBook
) -> dict[str, Any]:
    usd = sum(each.exposure_usd for each in held)
    weights = list(ways.values())
    values = [skews[scope] for scope in ways]
    mean = np.average(values, weights=weights) if sum(weights) > 0 else np.mean(values)
    return {
        **{"scope": {dimension.value: value for dimension, value in cell}, "positions": len(held)},
        **{"exposure_usd": usd, "share_frac": book.share(usd)},
        **{"skew": float(mean), "skew_low": min(values), "skew_high": max(values)},
    }
