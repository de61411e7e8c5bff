"""What a buy may stand near: what is held, at its value, and what is only watched, at what it is meant to take.

A position on the watchlist is meant to take its cap. How much of that counts is configured, and is nothing by default:
hundreds of watched tokens would swamp the few that are held.
"""

from collections.abc import Sequence
from functools import reduce
from operator import or_

from domain.portfolio.exposure_cell import Holding
from domain.portfolio.exposure_skew import exposure_masks
from domain.portfolio.lifecycle import PositionStatus
from domain.portfolio.timeframe_split import split_of
from domain.scopes.bitmask import ROOT_MASK, dimensions_of
from domain.scopes.scope import parse_scope
from domain.vocabulary.scope_dimension import ScopeDimension
from pm_runtime.portfolio_row import PositionRow
from pm_runtime.seat import Table
from pm_runtime.tick_market import TickMarket


def neighbours(
    book: Sequence[PositionRow],
    listed: Sequence[PositionRow],
    *,
    table: Table,
    market: TickMarket,
    wallet_usd: float,
) -> list[Holding]:
    """Exposure of the book, and of the watchlist where it counts.

    Parameters
    ----------
    book : sequence of PositionRow
        What all timeframes hold.
    listed : sequence of PositionRow
        Positions that may be on the watchlist; those that are not, or hold something, add nothing.
    table : Table
        Knows the scope a watched position would be bought in.
    market : TickMarket
        What the tick has read.
    wallet_usd : float
        What caps are shares of.
    """
    config = market.config.portfolio.exposure
    asked = dimensions_of(reduce(or_, exposure_masks(config), ROOT_MASK))
    held = [_held(row, asked) for row in book if not row.position.is_flat]
    if config.watchlist_factor == 0:
        return held
    return held + [_watched(row, table, market, wallet_usd) for row in listed if is_watched(row)]


def is_watched(row: PositionRow) -> bool:
    """Whether a position may be entered and holds nothing yet."""
    return row.status is PositionStatus.WATCHLIST and row.position.is_flat


def _held(row: PositionRow, asked: Sequence[ScopeDimension]) -> Holding:
    """Give what a position adds: its value, in the scope and on the pattern it was entered with.

    Of the scope, the dimensions neighbours are looked for by: the others are not asked.
    """
    entry = row.trade_memory.entry or {}
    scope = entry.get("scope", {})
    return Holding(
        position_id=row.position_id,
        pattern_key=str(entry.get("pattern_key", "")),
        scope=parse_scope({dimension: scope[dimension] for dimension in asked if dimension in scope}),
        exposure_usd=row.position.value_usd,
    )


def _watched(row: PositionRow, table: Table, market: TickMarket, wallet_usd: float) -> Holding:
    """Give what a watched position is meant to take, in the scope it would be bought in now, on no pattern yet."""
    split = split_of(row.entry_context, row.timeframe, market.config.portfolio.sizing)
    return Holding(
        position_id=row.position_id,
        pattern_key="",
        scope=table.scope(row),
        exposure_usd=wallet_usd * row.total_allocation_pct / 100.0 * split.share,
        is_watchlist=True,
    )
