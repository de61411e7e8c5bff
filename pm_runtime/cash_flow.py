"""What fills brought and took, summed exactly: as decimals, the way the database turns doubles into them.

A sum of doubles depends on the order they come in, a sum of decimals does not. So what is added up tick by tick is, to
the last bit, what a sum over all fills gives.
"""

from collections.abc import Iterable
from decimal import Decimal, localcontext

from domain.portfolio.fill import Fill
from domain.vocabulary.action import OrderSide

DOUBLE_DIGITS = 15
"""Decimal digits a database keeps of a double that becomes a decimal."""

EXACT_DIGITS = 700
"""More than any sum of doubles needs."""

NOTHING = Decimal(0)


def stored_decimal(usd: float) -> Decimal:
    """Return a double as the decimal a database makes of it.

    >>> stored_decimal(0.1 + 0.2)
    Decimal('0.3')
    """
    return Decimal(f"{usd:.{DOUBLE_DIGITS}g}")


def brought(fill: Fill) -> Decimal:
    """Money a fill brought, less its fee, USD; negative for a buy."""
    notional, fee = stored_decimal(fill.notional_usd), stored_decimal(fill.fee_usd)
    with localcontext(prec=EXACT_DIGITS):
        return (notional if fill.side is OrderSide.SELL else -notional) - fee


def exact_sum(amounts: Iterable[Decimal]) -> Decimal:
    """Sum of decimals without rounding.

    >>> exact_sum([Decimal("1e13"), Decimal("0.1"), Decimal("0.2")])
    Decimal('10000000000000.3')
    """
    with localcontext(prec=EXACT_DIGITS):
        return sum(amounts, NOTHING)
