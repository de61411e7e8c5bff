"""What open positions hold, as a tick looks at it: exposure in the scope and on the pattern each was entered with."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg

from console.learned_row import stored_scope
from console.stored_rows import rows_of
from domain.portfolio.exposure_cell import Holding
from domain.scopes.scope import Scope, parse_scope
from domain.vocabulary.driver import DEFAULT_BOOK_ID


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldBook:
    """Open positions, the largest first.

    rows, holdings: the same positions as they are stored and as neighbours are looked for. unpriced: those among them
    without a last price, which are worth nothing to a tick. unreadable: positions left out, their scope being none.
    """

    rows: tuple[Mapping[str, Any], ...]
    holdings: tuple[Holding, ...]
    unpriced: int
    unreadable: int

    @property
    def exposure_usd(self) -> float:
        """Sum of what is held."""
        return sum(each.exposure_usd for each in self.holdings)

    def share(self, exposure_usd: float) -> float | None:
        """Share of all exposure; None where there is none."""
        return exposure_usd / self.exposure_usd if self.exposure_usd > 0 else None


def read_held_book(connection: psycopg.Connection) -> HeldBook:
    """Read the positions of the search path's runtime or replay that hold something."""
    rows: list[Mapping[str, Any]] = []
    holdings: list[Holding] = []
    unreadable = 0
    for row in rows_of(connection, "positions_held", book_id=DEFAULT_BOOK_ID):
        scope = _scope(row["scope"])
        if scope is None:
            unreadable += 1
            continue
        rows.append(row)
        holdings.append(
            Holding(
                position_id=row["position_id"],
                pattern_key=row["pattern_key"] or "",
                scope=scope,
                exposure_usd=row["quantity"] * (row["last_price_usd"] or 0.0),
            )
        )
    unpriced = sum(row["last_price_usd"] is None for row in rows)
    return HeldBook(rows=tuple(rows), holdings=tuple(holdings), unpriced=unpriced, unreadable=unreadable)


def _scope(text: str | None) -> Scope | None:
    """Scope a position was entered in, nothing known where none was stored; None where it cannot be read."""
    values = {} if text is None else stored_scope(text)
    if not isinstance(values, Mapping):
        return None
    try:
        return parse_scope(values)
    except ValueError:
        return None
