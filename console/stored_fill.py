"""Fills as the console reads them from the table."""

from collections.abc import Mapping
from typing import Any

from domain.portfolio.fill import Fill
from domain.vocabulary.action import OrderSide


def fill_of(row: Mapping[str, Any]) -> Fill:
    """Fill of a row of `pm.pm_fill`, by its columns."""
    return Fill(
        fill_id=row["fill_id"],
        side=OrderSide(row["side"]),
        quantity=row["quantity"],
        price_usd=row["price_usd"],
        notional_usd=row["notional_usd"],
        fee_usd=row["fee_usd"],
        at=row["filled_at"],
    )
