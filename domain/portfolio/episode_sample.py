"""Bars of a window of opportunity, and which of them came nearest to a buy."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.portfolio.gate import GateReading
from domain.portfolio.token_bar import TokenBar


@dataclass(frozen=True, slots=True, kw_only=True)
class EpisodeSample:
    """One bar of a window with what its buy rule reads. Units as in `TokenBar`; None where a value is not defined.

    gates_open, shortfall: gates that passed, and the units by which the others failed.
    """

    at: datetime
    close_usd: float
    ts_with_boost: float | None
    sr_boost: float | None
    dx: float | None
    edx: float | None
    ema60: float | None
    ema144: float | None
    ema333: float | None
    atr: float | None
    gates_open: int
    shortfall: float


@dataclass(frozen=True, slots=True, kw_only=True)
class NearestBar:
    """The bar of a window that came nearest to a buy, or made it: its open, close and gates."""

    at: datetime
    close_usd: float
    gates: tuple[GateReading, ...]

    @property
    def gates_open(self) -> int:
        """Gates that passed."""
        return sum(gate.passed for gate in self.gates)

    @property
    def shortfall(self) -> float:
        """Units by which the other gates failed, added up."""
        return math.fsum(gate.shortfall for gate in self.gates)


def nearest_of(bar: TokenBar, gates: tuple[GateReading, ...]) -> NearestBar:
    """Return a bar as what came nearest; without gates nothing was asked of it."""
    return NearestBar(at=bar.opened_at, close_usd=bar.close_usd, gates=gates)


def nearer(best: NearestBar, other: NearestBar) -> NearestBar:
    """Return which of two bars came nearer to a buy: more gates open, then less shortfall; the first if neither did."""
    if (other.gates_open, -other.shortfall) > (best.gates_open, -best.shortfall):
        return other
    return best


def sample_of(bar: TokenBar, nearest: NearestBar) -> EpisodeSample:
    """Return a bar as it is kept."""
    return EpisodeSample(
        at=bar.opened_at,
        close_usd=bar.close_usd,
        ts_with_boost=bar.ts_with_boost,
        sr_boost=bar.sr_boost,
        dx=bar.dx,
        edx=bar.edx,
        ema60=bar.ema60,
        ema144=bar.ema144,
        ema333=bar.ema333,
        atr=bar.atr,
        gates_open=nearest.gates_open,
        shortfall=nearest.shortfall,
    )


def kept_samples(
    samples: Sequence[EpisodeSample], latest: EpisodeSample, max_samples: int
) -> tuple[EpisodeSample, ...]:
    """Add a sample and keep two kinds: the first of the window, and the latest of the others."""
    return (*samples[:1], *(*samples[1:], latest)[-(max_samples - 1) :])
