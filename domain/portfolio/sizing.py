"""How much an action buys or sells, one factor after the other.

    buy:  order = wallet x base allocation x timeframe split x what remains of that cap
                  x clamp(size_frac x pm_strength x exposure_skew, 0..1)
    trim: sold  = holding x fraction of E's mode           exit: everything

Strength and skew multiply the fraction, not the cap: however often they are applied, a position never passes its cap.
They apply to buys only; what is sold never depends on what was learned. Each factor is kept, so their product is the
order and any of them can be shown.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from domain.config.portfolio import PortfolioConfig, SizingConfig
from domain.portfolio.lever_mode import lever_mode
from domain.vocabulary.action import ActionCategory, OrderSide
from domain.vocabulary.lever_mode import LeverMode

BUY_STEPS: tuple[str, ...] = (
    "wallet",
    "base_alloc",
    "timeframe_split",
    "remaining",
    "size_frac",
    "pm_strength",
    "exposure_skew",
    "clamp",
)
"""The steps of every buy, in order, whether they change anything or not."""

TRIM_STEPS: tuple[str, ...] = ("holding", "size_frac")


class SizeBasis(StrEnum):
    """Why a size is what it is. Only `sized` is above 0."""

    SIZED = "sized"
    LEVER_TOO_LOW = "lever_too_low"
    CAP_REACHED = "cap_reached"


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeStep:
    """One factor, and the amount it left: amount = amount before x factor. The first factor is the amount itself."""

    name: str
    factor: float
    amount: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BuySize:
    """An order to buy for `order_usd`, 0 with the reason as `basis`. Amounts of the steps are USD.

    cap_usd: most the position may have invested. remaining_usd: of it, what is not invested. size_frac: share of what
    remains, before strength and skew, final_frac: after. mode: of A, what an add went by.
    """

    order_usd: float
    basis: SizeBasis
    mode: LeverMode
    cap_usd: float
    remaining_usd: float
    size_frac: float
    pm_strength_applied: float
    exposure_skew_applied: float
    final_frac: float
    waterfall: tuple[SizeStep, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SellSize:
    """An order to sell `quantity` tokens, `size_frac` of the holding. Amounts of the steps are tokens.

    mode: of E; None for an exit, which asks no lever.
    """

    quantity: float
    size_frac: float
    mode: LeverMode | None
    waterfall: tuple[SizeStep, ...]


def size_buy(
    category: ActionCategory,
    *,
    a: float,
    wallet_usd: float,
    timeframe_split: float,
    net_invested_usd: float,
    pm_strength: float,
    exposure_skew: float,
    config: PortfolioConfig,
) -> BuySize:
    """Size of an entry or an add.

    Parameters
    ----------
    category : ActionCategory
        entry takes entry_base_frac + entry_a_frac x A of what remains, nothing below min_entry_a; add a fraction by
        the mode of A.
    a : float
        Lever, 0..1.
    wallet_usd : float
        >= 0.
    timeframe_split : float
        Share of the token's allocation that is this timeframe's, 0..1; learned, or `config.sizing.timeframe_splits`.
    net_invested_usd : float
        Invested less extracted of the trade; a trade that has paid itself back has all of its cap again, not more.
    pm_strength, exposure_skew : float
        Ratios > 0, 1 is neutral. Clamped here once more, whoever made them.
    config : PortfolioConfig
        Every number of the cascade.

    Raises
    ------
    ValueError
        If the category sells, or a number is NaN or out of its bounds.
    """
    if category.side is not OrderSide.BUY:
        raise ValueError(f"Expected an action that buys, was {category}")
    _refuse_wrong_money(wallet_usd, timeframe_split, net_invested_usd)
    sizing, exposure = config.sizing, config.exposure
    strength = _clamped_ratio("pm_strength", pm_strength, sizing.pm_strength_min, sizing.pm_strength_max)
    skew = _clamped_ratio("exposure_skew", exposure_skew, exposure.exposure_skew_min, exposure.exposure_skew_max)
    mode = lever_mode(a, config.lever_mode)
    base = sizing.default_allocation_pct / 100.0
    cap = wallet_usd * base * timeframe_split
    remaining = rest_of_cap(cap, net_invested_usd)
    size_frac = _buy_frac(category, a, mode, sizing)
    unclamped = size_frac * strength * skew
    final_frac = share_of_rest(size_frac, strength, skew)
    factors = (
        wallet_usd,
        base,
        timeframe_split,
        remaining / cap if cap > 0 else 0.0,
        size_frac,
        strength,
        skew,
        final_frac / unclamped if unclamped > 0 else 1.0,
    )
    return BuySize(
        order_usd=remaining * final_frac,
        basis=_basis(size_frac, remaining),
        mode=mode,
        cap_usd=cap,
        remaining_usd=remaining,
        size_frac=size_frac,
        pm_strength_applied=strength,
        exposure_skew_applied=skew,
        final_frac=final_frac,
        waterfall=_waterfall(BUY_STEPS, factors),
    )


def rest_of_cap(cap_usd: float, net_invested_usd: float) -> float:
    """Part of a cap that is not invested, USD, 0..cap.

    >>> rest_of_cap(700.0, 100.0), rest_of_cap(700.0, -50.0), rest_of_cap(700.0, 800.0)
    (600.0, 700.0, 0.0)
    """
    return min(max(cap_usd - net_invested_usd, 0.0), cap_usd)


def share_of_rest(size_frac: float, pm_strength: float, exposure_skew: float) -> float:
    """Share of what remains of the cap that a buy takes, at most all of it; strength and skew as they were clamped.

    >>> share_of_rest(0.35, 1.2, 1.0), share_of_rest(0.6, 2.0, 1.33)
    (0.42, 1.0)
    """
    return min(size_frac * pm_strength * exposure_skew, 1.0)


def size_trim(quantity: float, *, e: float, config: PortfolioConfig) -> SellSize:
    """Size of a trim: a share of the holding, by the mode of E.

    Raises
    ------
    ValueError
        If the holding is not finite and > 0, or E is NaN or outside 0..1.
    """
    mode = lever_mode(e, config.lever_mode)
    return _sell(quantity, config.sizing.trim_fracs[mode], mode)


def size_exit(quantity: float) -> SellSize:
    """Size of an exit: the whole holding, whatever E and what was learned say.

    Raises
    ------
    ValueError
        If the holding is not finite and > 0.

    >>> size_exit(120.0).quantity
    120.0
    """
    return _sell(quantity, 1.0, None)


def _buy_frac(category: ActionCategory, a: float, mode: LeverMode, sizing: SizingConfig) -> float:
    if category is ActionCategory.ADD:
        return sizing.add_fracs[mode]
    return 0.0 if a < sizing.min_entry_a else sizing.entry_base_frac + sizing.entry_a_frac * a


def _basis(size_frac: float, remaining_usd: float) -> SizeBasis:
    if size_frac == 0:
        return SizeBasis.LEVER_TOO_LOW
    return SizeBasis.SIZED if remaining_usd > 0 else SizeBasis.CAP_REACHED


def _sell(quantity: float, frac: float, mode: LeverMode | None) -> SellSize:
    if not 0 < quantity < math.inf:
        raise ValueError(f"A holding must be finite and > 0 to be sold, was {quantity}")
    steps = _waterfall(TRIM_STEPS, (quantity, frac))
    return SellSize(quantity=quantity * frac, size_frac=frac, mode=mode, waterfall=steps)


def _waterfall(names: tuple[str, ...], factors: Iterable[float]) -> tuple[SizeStep, ...]:
    steps: list[SizeStep] = []
    amount = 1.0
    for name, factor in zip(names, factors, strict=True):
        amount *= factor
        steps.append(SizeStep(name=name, factor=factor, amount=amount))
    return tuple(steps)


def _clamped_ratio(name: str, ratio: float, lowest: float, highest: float) -> float:
    if not 0 < ratio < math.inf:
        raise ValueError(f"{name} must be finite and > 0, was {ratio}")
    return min(max(ratio, lowest), highest)


def _refuse_wrong_money(wallet_usd: float, timeframe_split: float, net_invested_usd: float) -> None:
    if not 0 <= wallet_usd < math.inf:
        raise ValueError(f"wallet_usd must be finite and >= 0, was {wallet_usd}")
    if not 0 <= timeframe_split <= 1:
        raise ValueError(f"timeframe_split must be within 0..1, was {timeframe_split}")
    if not math.isfinite(net_invested_usd):
        raise ValueError(f"net_invested_usd must be finite, was {net_invested_usd}")
