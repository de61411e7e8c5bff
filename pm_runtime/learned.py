"""What was learned about the buys of one bar: how it moves their thresholds, how much of them it makes.

Asked for all positions at once. Which override did what is put into words only for what is ordered.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.portfolio.buy_check import UNTUNED, GateTuning
from domain.portfolio.exposure_cell import Candidate, Holding, book_arrays
from domain.portfolio.exposure_skew import MaskCrowding, SkewBasis, explain_skews, exposure_masks, skew_of
from domain.portfolio.override_row import OverrideLever
from domain.portfolio.pm_strength import Strength, StrengthPanel, StrengthRequest, pm_strengths
from domain.scopes.scope import parse_scope
from pm_runtime.portfolio_row import PositionRow
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
    """Thresholds of one position's buy rule that learning moved; `panel` knows by what."""

    levers: tuple[OverrideLever, ...] = ()
    panel: StrengthPanel | None = None
    number: int = 0

    @property
    def gates(self) -> GateTuning:
        """The multipliers."""
        if self.panel is None or not self.levers:
            return UNTUNED
        return GateTuning(**{lever.value: float(self.panel.multiplier[lever][self.number]) for lever in self.levers})

    def strengths(self) -> dict[OverrideLever, Strength]:
        """Tell every moved threshold with the overrides behind it."""
        return {} if self.panel is None else {lever: self.panel.strength(self.number, lever) for lever in self.levers}


UNMOVED = Tuning()


def tunings(buys: Sequence[Buy], market: TickMarket) -> list[Tuning]:
    """Look up how the thresholds of each buy's rule are moved."""
    on, off = _panels(buys, market)
    found = []
    for number, buy in enumerate(buys):
        panel = on if buy.is_on else off
        moved = tuple(lever for lever in TUNED if panel.multiplier[lever][number] != 1)
        found.append(Tuning(moved, panel, number) if moved else UNMOVED)
    return found


def learned_of(buys: Sequence[Buy], book: Sequence[PositionRow], market: TickMarket) -> list[Learned]:
    """Look up strength and crowding of each buy."""
    if not buys:
        return []
    config, weights = market.config.portfolio.exposure, market.config.portfolio.mask_weight
    arrays = book_arrays(
        [_holding(row) for row in book if not row.position.is_flat],
        [_candidate(buy) for buy in buys],
        masks=exposure_masks(config),
        watchlist_factor=config.watchlist_factor,
    )
    skews = skew_of(arrays, config=config, weights=weights)
    crowding = explain_skews(arrays, weights)
    on, off = _panels(buys, market)
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


def _panels(buys: Sequence[Buy], market: TickMarket) -> tuple[StrengthPanel, StrengthPanel]:
    """Multipliers of the buys where overrides are on, and where they are off."""
    requests = [buy.request for buy in buys]
    weights = market.config.portfolio.mask_weight
    on, off = (
        pm_strengths(market.overrides, requests, as_of=market.at, weights=weights, is_on=is_on)
        for is_on in (True, False)
    )
    return on, off


def _candidate(buy: Buy) -> Candidate:
    request = buy.request
    return Candidate(position_id=buy.position_id, pattern_key=request.pattern_key, scope=request.scope)


def _holding(row: PositionRow) -> Holding:
    """Give what a position adds to the book: its value, in the scope and on the pattern it was entered with."""
    entry = row.trade_memory.entry or {}
    return Holding(
        position_id=row.position_id,
        pattern_key=str(entry.get("pattern_key", "")),
        scope=parse_scope(entry.get("scope", {})),
        exposure_usd=row.position.value_usd,
    )
