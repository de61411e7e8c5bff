"""What was learned about the buys of one bar: how it moves their thresholds, how much of them it makes.

Asked for all positions at once. Which override did what is put into words only for what is ordered.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from domain.portfolio.buy_check import UNTUNED, GateTuning
from domain.portfolio.exposure_cell import Candidate, Holding, book_arrays
from domain.portfolio.exposure_skew import MaskCrowding, SkewBasis, explain_skews, exposure_masks, skew_of
from domain.portfolio.override_row import OverrideLever
from domain.portfolio.pm_strength import Strength, StrengthPanel, StrengthRequest, pm_strengths
from pm_runtime.tick_market import TickMarket

TUNED = (OverrideLever.TS_MIN_MULT, OverrideLever.HALO_MULT, OverrideLever.DX_MIN_MULT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Buy:
    """A buy that is considered. `is_on`: whether learned overrides apply to it."""

    position_id: str
    request: StrengthRequest
    is_on: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """What was learned about one buy: its size, its neighbourhood, and the overrides behind both."""

    strength: Strength
    skew: float
    skew_basis: SkewBasis
    conc_norm: float | None
    others_usd: float
    crowding: tuple[MaskCrowding, ...]


@dataclass(frozen=True, slots=True)
class Tuning:
    """Thresholds of one position's buy rule: those that learning moved; `panel` knows all that applied, and by what."""

    levers: tuple[OverrideLever, ...] = ()
    panel: StrengthPanel | None = None
    number: int = 0

    @property
    def gates(self) -> GateTuning:
        """The multipliers."""
        if self.panel is None or not self.levers:
            return UNTUNED
        return GateTuning(**{lever.value: float(self.panel.multiplier[lever][self.number]) for lever in self.levers})

    def strengths(self, levers: Collection[OverrideLever]) -> dict[OverrideLever, Strength]:
        """Tell some thresholds with the overrides behind them, those too that were left where they are."""
        if self.panel is None:
            return {}
        return {lever: self.panel.strength(self.number, lever) for lever in TUNED if lever in levers}


UNMOVED = Tuning()


def tunings(buys: Sequence[Buy], market: TickMarket) -> list[Tuning]:
    """Look up how the thresholds of each buy's rule are moved."""
    panel = _panel(buys, market, is_on=True)
    applied_to = frozenset(panel.buys.tolist())
    found = []
    for number, buy in enumerate(buys):
        if not buy.is_on or number not in applied_to:
            found.append(UNMOVED)
            continue
        moved = tuple(lever for lever in TUNED if panel.multiplier[lever][number] != 1)
        found.append(Tuning(moved, panel, number))
    return found


def learned_of(buys: Sequence[Buy], near: Sequence[Holding], market: TickMarket) -> list[Learned]:
    """Look up strength and crowding of each buy, among what stands near."""
    if not buys:
        return []
    config, weights = market.config.portfolio.exposure, market.config.portfolio.mask_weight
    arrays = book_arrays(
        near,
        [_candidate(buy) for buy in buys],
        masks=exposure_masks(config),
        watchlist_factor=config.watchlist_factor,
    )
    skews = skew_of(arrays, config=config, weights=weights)
    crowding = explain_skews(arrays, weights)
    on, off = (_panel(buys, market, is_on=is_on) for is_on in (True, False))
    found = []
    for number, buy in enumerate(buys):
        norm = float(skews.conc_norm[number])
        found.append(
            Learned(
                strength=(on if buy.is_on else off).strength(number),
                skew=float(skews.skew[number]),
                skew_basis=skews.basis(number),
                conc_norm=None if norm != norm else norm,
                others_usd=float(skews.others_usd[number]),
                crowding=crowding[number],
            )
        )
    return found


def _panel(buys: Sequence[Buy], market: TickMarket, *, is_on: bool) -> StrengthPanel:
    """Multipliers of the buys, as where overrides are on, or off."""
    requests = [buy.request for buy in buys]
    weights = market.config.portfolio.mask_weight
    return pm_strengths(market.overrides, requests, as_of=market.at, weights=weights, is_on=is_on)


def _candidate(buy: Buy) -> Candidate:
    request = buy.request
    return Candidate(position_id=buy.position_id, pattern_key=request.pattern_key, scope=request.scope)
