"""One execution of an order, as the venue confirmed it: a fact that is never changed.

Quantities and money are doubles, as every price is. A quantity bought is USD over a price, which no decimal holds
exactly either; a double keeps 15 digits of it whatever the token is worth, returns from the database unchanged, and the
same fold over the same fills gives the same bytes. Selling everything is said by the action, not by a number: what
rounding leaves over is cleared by the position.
"""

import math
from dataclasses import dataclass
from datetime import datetime

from domain.vocabulary.action import OrderSide

MAX_NOTIONAL_GAP_FRAC = 0.01
"""Gap allowed between the money and quantity x price. Rounding to cents stays below; a wrong number of decimals is a
factor of ten or more, and once booked a thousand times what was bought."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """An execution. The maker of the order gives the id, so a fill told twice is known to be one.

    quantity: tokens, from the confirmed transaction, not from a quote. price_usd: USD per token. notional_usd: what was
    paid or received, without the fee. fee_usd: >= 0. at: when it was confirmed.

    Raises
    ------
    ValueError
        If the id is empty, a number is not finite and > 0 (the fee: >= 0), the money is not quantity x price, or the
        instant has no offset.
    """

    fill_id: str
    side: OrderSide
    quantity: float
    price_usd: float
    notional_usd: float
    fee_usd: float
    at: datetime

    def __post_init__(self) -> None:
        if not self.fill_id:
            raise ValueError("A fill must have an id")
        if self.at.utcoffset() is None:
            raise ValueError(f"Expected an instant with an offset, was {self.at.isoformat()}")
        for name in ("quantity", "price_usd", "notional_usd"):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"{name} of fill {self.fill_id} must be finite and > 0, was {getattr(self, name)}")
        if not 0 <= self.fee_usd < math.inf:
            raise ValueError(f"fee_usd of fill {self.fill_id} must be finite and >= 0, was {self.fee_usd}")
        if abs(self.quantity * self.price_usd - self.notional_usd) > MAX_NOTIONAL_GAP_FRAC * self.notional_usd:
            raise ValueError(
                f"notional_usd of fill {self.fill_id} must be quantity x price_usd = {self.quantity * self.price_usd},"
                f" was {self.notional_usd}; were the token's decimals right?"
            )
