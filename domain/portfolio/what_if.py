"""What buys and their trades would have been, had the buys been taken at other learned strengths, or not at all.

    order   = remaining x min(size_frac x strength x skew, 1), no more than the cash where cash bounded it
    bought  = each fill x order / order as it was; an order that was filled in part is given no more than it was
    sold    = each fill x what is held then / what was held then

What remains of the cap follows from the trade's own fills. Wallet, caps, skews, levers, prices and the moments of all
decisions stay as they were stored: what another size would have meant for other trades is not asked. Taken as they
were, all buys and the trade come out as they were, bit for bit: whoever asks can prove the method on the case at hand.

What belongs here: sizes and results. What does not: which strength (`what_if_lever`), where the numbers are stored.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from domain.config.portfolio import SizingConfig
from domain.portfolio.fill import Fill
from domain.portfolio.mark import Mark
from domain.portfolio.position import NO_POSITION, Position, apply_fill, apply_mark
from domain.portfolio.sizing import rest_of_cap, share_of_rest
from domain.vocabulary.action import ActionCategory, OrderSide

FULL_FRAC = 1 - 1e-9
"""Share of an order from which on it counts as filled wholly: fee and price are divided out of it again."""


class BuyFate(StrEnum):
    """What becomes of a buy. Only `sized` is above 0."""

    SIZED = "sized"
    TOO_SMALL = "too_small"
    GATE_SHUT = "gate_shut"
    NOT_OPENED = "not_opened"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBuy:
    """A buy as its decision tells it.

    cap_usd: most the position might have invested. size_frac: share of what remained, before strength and skew, which
    are ratios as they were applied. cash_usd: what cash left of the order, None where there was enough. order_usd: what
    was ordered. sizing: configuration it was decided with.
    """

    order_id: str
    category: ActionCategory
    decided_at: datetime
    cap_usd: float
    size_frac: float
    pm_strength: float
    exposure_skew: float
    cash_usd: float | None
    order_usd: float
    sizing: SizingConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class BuyChoice:
    """How a buy is taken: at a strength, a ratio > 0, or not at all."""

    pm_strength: float
    is_taken: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeFill:
    """A fill and the order it is of."""

    order_id: str
    fill: Fill


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTrade:
    """A trade: every buy, fill and bar it was held through, each in any order."""

    trade_id: str
    buys: tuple[StoredBuy, ...]
    fills: tuple[TradeFill, ...]
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SizedBuy:
    """A buy as it would have been: what remained of its cap, the share taken of it, and the order; 0 if not made."""

    order_id: str
    fate: BuyFate
    pm_strength: float
    remaining_usd: float
    final_frac: float
    order_usd: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeWhatIf:
    """A trade as it would have been, by time. `was`: as its fills make it; `position`: as the other sizes would."""

    buys: tuple[SizedBuy, ...]
    was: Position
    position: Position

    @property
    def is_opened(self) -> bool:
        """Whether anything is bought at all."""
        return self.position.bought_quantity > 0


def as_it_was(buy: StoredBuy) -> BuyChoice:
    """Choice that changes nothing."""
    return BuyChoice(pm_strength=buy.pm_strength)


def what_if_trade(trade: StoredTrade, choices: Mapping[str, BuyChoice], *, fill_grace: timedelta) -> TradeWhatIf:
    """Walk through a trade with its buys taken otherwise.

    Parameters
    ----------
    trade : StoredTrade
        As it was.
    choices : mapping of str to BuyChoice
        By order; a buy that is not among them is taken at the strength it had, of what then remains.
    fill_grace : timedelta
        As `apply_mark` takes it.

    Returns
    -------
    TradeWhatIf
        An add to what was never bought falls away: what else would have opened the trade is not known.

    Raises
    ------
    ValueError
        If a strength is not finite and > 0, or the fills cannot be those of one trade.
    """
    walk = _Walk(trade, choices, fill_grace)
    moments: list[tuple[tuple[datetime, int, str], StoredBuy | TradeFill | Mark]] = [
        *(((each.closed_at, 0, each.opened_at.isoformat()), each) for each in trade.marks),
        *(((each.decided_at, 1, each.order_id), each) for each in trade.buys),
        *((_moment_of(each.fill), each) for each in trade.fills),
    ]
    for _, moment in sorted(moments, key=lambda each: each[0]):
        walk.take(moment)
    return TradeWhatIf(buys=tuple(walk.sized.values()), was=walk.was, position=walk.now)


class _Walk:
    """A trade as it was and as it would be, side by side."""

    def __init__(self, trade: StoredTrade, choices: Mapping[str, BuyChoice], fill_grace: timedelta) -> None:
        self.was, self.now = NO_POSITION, NO_POSITION
        self.sized: dict[str, SizedBuy] = {}
        self._choices, self._grace = choices, fill_grace
        self._buys = {buy.order_id: buy for buy in trade.buys}
        self._filled = _filled_usd(trade.fills)

    def take(self, moment: StoredBuy | TradeFill | Mark) -> None:
        """Go on by one bar, decision or fill."""
        if isinstance(moment, Mark):
            self._move(lambda position: apply_mark(position, moment, fill_grace=self._grace))
        elif isinstance(moment, StoredBuy):
            self.sized[moment.order_id] = self._sized(moment)
        else:
            self._fill(moment.fill, self._share(moment))

    def _move(self, step: Callable[[Position], Position]) -> None:
        """Take the same step on both sides; once where nothing has parted them yet."""
        is_one = self.now is self.was
        self.was = step(self.was)
        self.now = self.was if is_one else step(self.now)

    def _fill(self, fill: Fill, share: float) -> None:
        if share == 1:
            self._move(lambda position: apply_fill(position, fill))
            return
        self.was = apply_fill(self.was, fill)
        if share > 0:
            self.now = apply_fill(self.now, _times(fill, share))

    def _sized(self, buy: StoredBuy) -> SizedBuy:
        choice = self._choices.get(buy.order_id) or as_it_was(buy)
        if not 0 < choice.pm_strength < math.inf:
            raise ValueError(f"A strength must be finite and > 0, was {choice.pm_strength}")
        sizing = buy.sizing
        strength = min(max(choice.pm_strength, sizing.pm_strength_min), sizing.pm_strength_max)
        remaining = rest_of_cap(buy.cap_usd, self.now.net_invested_usd)
        frac = share_of_rest(buy.size_frac, strength, buy.exposure_skew)
        order_usd = remaining * frac if buy.cash_usd is None else min(remaining * frac, buy.cash_usd)
        fate = self._fate(buy, choice, order_usd)
        return SizedBuy(
            order_id=buy.order_id,
            fate=fate,
            pm_strength=strength,
            remaining_usd=remaining,
            final_frac=frac,
            order_usd=order_usd if fate is BuyFate.SIZED else 0.0,
        )

    def _fate(self, buy: StoredBuy, choice: BuyChoice, order_usd: float) -> BuyFate:
        if not choice.is_taken:
            return BuyFate.GATE_SHUT
        if buy.category is ActionCategory.ADD and self.was.bought_quantity > 0 and self.now.bought_quantity == 0:
            return BuyFate.NOT_OPENED
        return BuyFate.SIZED if order_usd > 0 and order_usd >= buy.sizing.min_order_usd else BuyFate.TOO_SMALL

    def _share(self, moment: TradeFill) -> float:
        """Part of a fill that is made, 1 as it was. Of a sale: what is held over what was held."""
        if moment.fill.side is OrderSide.SELL:
            return self.now.quantity / self.was.quantity if self.was.quantity > 0 else 0.0
        buy = self._buys.get(moment.order_id)
        if buy is None:
            raise ValueError(f"Fill {moment.fill.fill_id} is of no known buy")
        if buy.order_id not in self.sized:
            raise ValueError(f"Fill {moment.fill.fill_id} came before its buy was decided")
        return _share_of_order(buy, self.sized[buy.order_id].order_usd, self._filled[buy.order_id])


def _share_of_order(buy: StoredBuy, order_usd: float, filled_usd: float) -> float:
    if filled_usd >= buy.order_usd * FULL_FRAC:
        return order_usd / buy.order_usd
    return min(order_usd / filled_usd, 1.0)


def _filled_usd(fills: Sequence[TradeFill]) -> dict[str, float]:
    """Money that the fills of each order took, fees included."""
    paid: dict[str, list[float]] = {}
    for each in fills:
        paid.setdefault(each.order_id, []).extend((each.fill.notional_usd, each.fill.fee_usd))
    return {order_id: math.fsum(amounts) for order_id, amounts in paid.items()}


def _times(fill: Fill, share: float) -> Fill:
    return replace(
        fill, quantity=fill.quantity * share, notional_usd=fill.notional_usd * share, fee_usd=fill.fee_usd * share
    )


def _moment_of(fill: Fill) -> tuple[datetime, int, str]:
    return fill.at, 2 if fill.side is OrderSide.BUY else 3, fill.fill_id
