"""The buy rules of S1, S2 and S3 at one bar, gate by gate, with thresholds that learning may have moved.

    S1  price within the halo of EMA60, EMA60 rising or EMA144 not falling, trend strength enough, not on a flip
    S2  price within the halo of EMA333, EMA250 rising or EMA333 not falling, trend strength enough, not on a flip
    S3  discount enough, EMA333 <= price <= EMA144, slopes as in S2, trend strength enough, not bootstrapped

With neutral multipliers this is the rule behind the engine's own `buy_signal` and `buy_flag`. A tuned check may open
where the flag is down and stay shut where it is up: the check decides, the flag is not asked.
"""

import math
from dataclasses import dataclass

from domain.config.plan import GateScaleConfig, PlanConfig
from domain.config.uptrend import UptrendConfig
from domain.portfolio.gate import Gate, GateReading, at_least, fact, measured, missing, units
from domain.portfolio.override_row import OverrideLever
from domain.portfolio.token_bar import TokenBar
from domain.vocabulary.uptrend import StateStatus, UptrendState


@dataclass(frozen=True, slots=True, kw_only=True)
class GateTuning:
    """Learned multipliers of the thresholds of a buy rule, > 0; 1 changes nothing.

    Raises
    ------
    ValueError
        If a multiplier is not finite and > 0.
    """

    ts_min_mult: float = 1.0
    halo_mult: float = 1.0
    dx_min_mult: float = 1.0

    def __post_init__(self) -> None:
        for name in ("ts_min_mult", "halo_mult", "dx_min_mult"):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"{name} must be finite and > 0, was {getattr(self, name)}")


UNTUNED = GateTuning()

GATE_LEVER: dict[Gate, OverrideLever] = {
    Gate.TREND_STRENGTH: OverrideLever.TS_MIN_MULT,
    Gate.NEAR_EMA60: OverrideLever.HALO_MULT,
    Gate.NEAR_EMA333: OverrideLever.HALO_MULT,
    Gate.DISCOUNTED: OverrideLever.DX_MIN_MULT,
}
"""Lever that moves the threshold of a gate; the other gates cannot be tuned."""


@dataclass(frozen=True, slots=True)
class _Threshold:
    base: float
    tuned: float


@dataclass(frozen=True, slots=True)
class _Thresholds:
    ts_min: _Threshold
    entry_halo: _Threshold
    retest_halo: _Threshold
    dx_min: _Threshold


def check_buy(
    bar: TokenBar, *, uptrend: UptrendConfig, config: PlanConfig, tuning: GateTuning = UNTUNED
) -> tuple[GateReading, ...]:
    """Gates of the buy rule of the bar's state.

    Parameters
    ----------
    bar : TokenBar
        The bar; a value the rule needs and that is None shuts its gate.
    uptrend : UptrendConfig
        The engine's thresholds.
    config : PlanConfig
        Bounds of the tuned thresholds, scales of the margins.
    tuning : GateTuning
        Multipliers in force here.

    Returns
    -------
    tuple of GateReading
        All of them must have passed; empty in S0 and S4, and while the state may not be used: they have no buy rule.
    """
    if bar.status is not StateStatus.OK:
        return ()
    thresholds, scale = _thresholds(uptrend, config, tuning), config.gate_scale
    if bar.state is UptrendState.S1:
        return (
            _near(Gate.NEAR_EMA60, "ema60", bar, thresholds.entry_halo, scale),
            _rising(Gate.MID_SLOPE_RISING, bar.ema60_slope, bar.ema144_slope, scale),
            _strong(bar, thresholds.ts_min, scale),
            fact(Gate.NOT_ON_A_FLIP, not bar.is_flip),
        )
    if bar.state is UptrendState.S2:
        return (
            _near(Gate.NEAR_EMA333, "ema333", bar, thresholds.retest_halo, scale),
            _rising(Gate.SLOW_SLOPE_RISING, bar.ema250_slope, bar.ema333_slope, scale),
            _strong(bar, thresholds.ts_min, scale),
            fact(Gate.NOT_ON_A_FLIP, not bar.is_flip),
        )
    if bar.state is UptrendState.S3:
        return (
            _discounted(bar, thresholds.dx_min, scale),
            _below(bar, scale),
            above_ema333(bar, scale),
            _rising(Gate.SLOW_SLOPE_RISING, bar.ema250_slope, bar.ema333_slope, scale),
            _strong(bar, thresholds.ts_min, scale),
            fact(Gate.NOT_BOOTSTRAPPED, not bar.bootstrapped),
        )
    return ()


def above_ema333(bar: TokenBar, scale: GateScaleConfig) -> GateReading:
    """Read the gate that every buy in S3 stands behind: the price is not below EMA333."""
    if bar.ema333 is None:
        return missing(Gate.AT_OR_ABOVE_EMA333, "ema333")
    return _beyond(Gate.AT_OR_ABOVE_EMA333, bar, bar.ema333, bar.close_usd - bar.ema333, scale)


def tuned_threshold(base: float, multiplier: float, *, low: float, high: float) -> float:
    """Threshold after tuning: base x multiplier, held within the bounds.

    A base outside of the bounds widens them to itself, so a multiplier of 1 never moves a threshold.

    >>> tuned_threshold(0.6, 2.0, low=0.45, high=0.75), tuned_threshold(0.3, 1.0, low=0.45, high=0.75)
    (0.75, 0.3)
    """
    return min(max(base * multiplier, min(low, base)), max(high, base))


def discount_threshold(bar: TokenBar, dx_min: float) -> float | None:
    """Discount an S3 buy needs at a bar; None where an EMA or the decay is missing.

    More as the trend decays: half of what EDX exceeds .5 by, .15 from .7 on. Less near EMA333, more near EMA144: with
    p from 0 at EMA144 to 1 at EMA333 it moves by -.10 p + .05 (1 - p), and not at all in a hallway without width.
    """
    if bar.ema144 is None or bar.ema333 is None or bar.edx is None:
        return None
    support = 0.0
    if bar.edx >= 0.7:
        support = 0.15
    elif bar.edx >= 0.5:
        support = (bar.edx - 0.5) * 0.5
    width = bar.ema144 - bar.ema333
    position_boost = 0.0
    if width != 0.0:
        position = min(max((bar.ema144 - bar.close_usd) / width, 0.0), 1.0)
        position_boost = 0.10 * position - 0.05 * (1.0 - position)
    return max(0.0, dx_min + support - position_boost)


def _thresholds(uptrend: UptrendConfig, config: PlanConfig, tuning: GateTuning) -> _Thresholds:
    bounds = config.tuning_bounds

    def tuned(base: float, multiplier: float, low: float, high: float) -> _Threshold:
        return _Threshold(base, tuned_threshold(base, multiplier, low=low, high=high))

    halo = tuning.halo_mult, bounds.halo_low_atr, bounds.halo_high_atr
    return _Thresholds(
        ts_min=tuned(uptrend.ts_min, tuning.ts_min_mult, bounds.ts_min_low, bounds.ts_min_high),
        entry_halo=tuned(uptrend.entry_halo_atr, *halo),
        retest_halo=tuned(uptrend.retest_halo_atr, *halo),
        dx_min=tuned(uptrend.dx_threshold, tuning.dx_min_mult, bounds.dx_min_low, bounds.dx_min_high),
    )


def _near(name: Gate, anchor: str, bar: TokenBar, halo: _Threshold, scale: GateScaleConfig) -> GateReading:
    ema: float | None = getattr(bar, anchor)
    if ema is None or bar.atr is None:
        lacking = anchor if ema is None else "atr"
        return missing(name, lacking, threshold_base=halo.base, threshold=halo.tuned)
    gap = abs(bar.close_usd - ema)
    distance = units(gap, bar.atr) if gap else 0.0
    if distance is None:
        return missing(name, "distance: the ATR is 0", threshold_base=halo.base, threshold=halo.tuned)
    return measured(
        name,
        value=distance,
        threshold_base=halo.base,
        threshold=halo.tuned,
        # The engine's own comparison, not the quotient's: rounding must not part the two on an edge.
        passed=gap <= halo.tuned * bar.atr,
        margin=units(halo.tuned - distance, scale.halo_atr),
    )


def _rising(name: Gate, faster: float | None, slower: float | None, scale: GateScaleConfig) -> GateReading:
    """Read two slopes: the faster EMA rises, or the slower one at least does not fall."""
    if faster is None or slower is None:
        return missing(name, "slope", threshold_base=0.0, threshold=0.0)
    steepest = max(faster, slower)
    return measured(
        name,
        value=steepest,
        threshold_base=0.0,
        threshold=0.0,
        passed=faster > 0.0 or slower >= 0.0,
        margin=units(steepest, scale.slope),
    )


def _strong(bar: TokenBar, ts_min: _Threshold, scale: GateScaleConfig) -> GateReading:
    if bar.ts_with_boost is None:
        return missing(Gate.TREND_STRENGTH, "ts_with_boost", threshold_base=ts_min.base, threshold=ts_min.tuned)
    return at_least(Gate.TREND_STRENGTH, bar.ts_with_boost, base=ts_min.base, threshold=ts_min.tuned, scale=scale.ts)


def _discounted(bar: TokenBar, dx_min: _Threshold, scale: GateScaleConfig) -> GateReading:
    base, tuned = discount_threshold(bar, dx_min.base), discount_threshold(bar, dx_min.tuned)
    if base is None or tuned is None or bar.dx is None:
        return missing(Gate.DISCOUNTED, "dx, edx or an EMA", threshold_base=base, threshold=tuned)
    return at_least(Gate.DISCOUNTED, bar.dx, base=base, threshold=tuned, scale=scale.dx)


def _below(bar: TokenBar, scale: GateScaleConfig) -> GateReading:
    if bar.ema144 is None:
        return missing(Gate.AT_OR_BELOW_EMA144, "ema144")
    return _beyond(Gate.AT_OR_BELOW_EMA144, bar, bar.ema144, bar.ema144 - bar.close_usd, scale)


def _beyond(name: Gate, bar: TokenBar, ema: float, room: float, scale: GateScaleConfig) -> GateReading:
    margin = None if bar.atr is None else units(room, bar.atr * scale.halo_atr)
    return measured(name, value=bar.close_usd, threshold_base=ema, threshold=ema, passed=room >= 0.0, margin=margin)
