"""Scores of one bar: trend strength, S/R boost, over-extension, discount.

Scalars in, a scalar out; no state, no threshold on a score (`uptrend_gate` has those), no window (`trend_decay`).
NaN in gives NaN out, never a neutral value. A flat series (ATR or its mean <= 0) is defined: no rail is exceeded
and volatility stands at its mean.
"""

import math

from numba import njit

from domain.regime.uptrend_bar import Bar, EmaStack, FloatArray, UptrendParams


@njit(cache=True, error_model="numpy")
def clamp(value: float, low: float, high: float) -> float:
    """`value` held inside [low, high]; NaN stays NaN."""
    if value < low:
        return low
    return high if value > high else value


@njit(cache=True, error_model="numpy")
def sigmoid(x: float) -> float:
    """1 / (1 + exp(-x)), in the form that cannot overflow."""
    if x >= 0.0:
        return 1.0 / (1.0 + math.exp(-x))
    grown = math.exp(x)
    return grown / (1.0 + grown)


@njit(cache=True, error_model="numpy")
def trend_strength(rsi_slope: float, adx_slope: float) -> float:
    """TS, 0..1: the mean of the RSI slope placed in [-5, 5] and the ADX slope placed in [-2, 2], points per bar."""
    return 0.5 * clamp((rsi_slope + 5.0) / 10.0, 0.0, 1.0) + 0.5 * clamp((adx_slope + 2.0) / 4.0, 0.0, 1.0)


@njit(cache=True, error_model="numpy")
def sr_boost(
    anchor: float, atr: float, level_price: FloatArray, level_strength: FloatArray, params: UptrendParams
) -> float:
    """Trend strength added by support and resistance near the anchor EMA.

    Parameters
    ----------
    anchor, atr : float
        EMA60 in S1, EMA333 in S2 and S3; average true range. Price units.
    level_price, level_strength : ndarray of shape (n_levels,)
        Levels of the series; strength is a count of touches, unbounded, and is scaled to 0..1 here.
    params : UptrendParams
        Uses `sr_halo_atr`, `sr_full_strength`, `sr_boost_max`.

    Returns
    -------
    float
        Largest strength01 x (1 - distance / halo) x sr_boost_max, in [0, sr_boost_max]; 0 without levels or on a
        flat series, NaN when the ATR is NaN.
    """
    if level_price.size == 0 or atr <= 0.0:
        return 0.0
    if math.isnan(atr):
        return math.nan
    halo = params.sr_halo_atr * atr
    best = 0.0
    for k in range(level_price.size):
        distance = abs(level_price[k] - anchor)
        if distance <= halo:
            strength = clamp(level_strength[k] / params.sr_full_strength, 0.0, 1.0)
            best = max(best, strength * (1.0 - distance / halo) * params.sr_boost_max)
    return best


@njit(cache=True, error_model="numpy")
def is_level_near(price: float, atr: float, level_price: FloatArray, params: UptrendParams) -> bool:
    """Whether a trim may rely on a level: one within the halo; a series without levels passes unless required."""
    if level_price.size == 0:
        return not params.trim_requires_sr
    is_near = False
    for k in range(level_price.size):
        is_near |= abs(level_price[k] - price) <= params.trim_sr_halo_atr * atr
    return is_near


@njit(cache=True, error_model="numpy")
def atr_ratio(atr: float, atr_mean_20: float) -> float:
    """ATR over its 20-bar mean; 1 where the mean is not positive (a flat series stands at its mean)."""
    if atr_mean_20 <= 0.0:
        return 1.0
    return atr / atr_mean_20


@njit(cache=True, error_model="numpy")
def rail(price: float, ema: float, atr: float, unit_atr: float) -> float:
    """How far the price stands above an EMA, 0..1, .5 on it; 0 on a flat series."""
    if atr <= 0.0:
        return 0.0
    return sigmoid((price - ema) / (atr * unit_atr))


@njit(cache=True, error_model="numpy")
def overextension_base(bar: Bar, params: UptrendParams) -> float:
    """OX before decay scales it, 0..1: rails above four EMAs, expansion, ATR surge, EMA20 fragility.

    Formula: .35 rail20 + .20 rail60 + .10 rail144 + .10 rail250 + .10 sig(dsep_fast) + .05 sig(dsep_mid)
    + .05 sig(ATR / mean - 1) + .05 sig(-EMA20 slope), each in its configured unit.
    """
    price, atr = bar.stack.price, bar.atr
    rails = (
        0.35 * rail(price, bar.stack.ema20, atr, params.rail_ema20_atr)
        + 0.20 * rail(price, bar.stack.ema60, atr, params.rail_ema60_atr)
        + 0.10 * rail(price, bar.stack.ema144, atr, params.rail_ema144_atr)
        + 0.10 * rail(price, bar.stack.ema250, atr, params.rail_ema250_atr)
    )
    return (
        rails
        + 0.10 * sigmoid(bar.dsep_fast_5 / params.dsep_fast_scale)
        + 0.05 * sigmoid(bar.dsep_mid_5 / params.dsep_mid_scale)
        + 0.05 * sigmoid(atr_ratio(atr, bar.atr_mean_20) - 1.0)
        + 0.05 * sigmoid(-bar.ema20_slope / params.ema20_slope_scale)
    )


@njit(cache=True, error_model="numpy")
def decayed_overextension(base: float, decay: float) -> float:
    """OX in S3, 0..1: a decaying trend makes the same distance count for up to a sixth more."""
    return clamp(base * (1.0 + 0.33 * clamp(decay - 0.5, 0.0, 0.5)), 0.0, 1.0)


@njit(cache=True, error_model="numpy")
def hallway_position(stack: EmaStack) -> float:
    """Place of the price between EMA333 (0) and EMA144 (1), clamped.

    In an inverted hallway (EMA333 above) it is measured from EMA144; in one without width it is 1 at or below it.
    """
    width = stack.ema144 - stack.ema333
    if width > 0.0:
        return clamp((stack.price - stack.ema333) / width, 0.0, 1.0)
    if width < 0.0:
        return clamp((stack.price - stack.ema144) / -width, 0.0, 1.0)
    return 1.0 if stack.price <= stack.ema144 else 0.0


@njit(cache=True, error_model="numpy")
def relief(bar: Bar, params: UptrendParams) -> float:
    """Whether volatility and momentum turn up, 0..1; a weak ADX (below the floor) adds nothing."""
    atr_relief = sigmoid((atr_ratio(bar.atr, bar.atr_mean_20) - 0.9) / 0.05)
    rsi_relief = sigmoid(bar.rsi_slope_10 / params.rsi_slope_scale)
    # 0 x ADX, not 0: a missing ADX must not read as a weak one.
    adx_relief = sigmoid(bar.adx_slope_10 / params.adx_slope_scale) if bar.adx >= params.adx_floor else 0.0 * bar.adx
    return 0.5 * atr_relief + 0.5 * (0.5 * rsi_relief + 0.5 * adx_relief)


@njit(cache=True, error_model="numpy")
def discount(bar: Bar, decay: float, params: UptrendParams) -> float:
    """DX, 0..1: how good a place inside the EMA144-EMA333 hallway this is to buy a living trend.

    Formula: (.45 location + .25 sig(-vo_z) + .25 relief + .05 curl) x (1 - .5 clamp(decay - .6, 0, .4)), where
    location = exp(-3 x) (1 + .3 sig((.03 - hallway / price) / .02)) and curl = 1 if the EMA144 slope rises.
    """
    stack = bar.stack
    compression = sigmoid((0.03 - (stack.ema144 - stack.ema333) / stack.price) / 0.02)
    location = math.exp(-3.0 * hallway_position(stack)) * (1.0 + 0.3 * compression)
    curl = 1.0 if bar.d_ema144_slope > 0.0 else 0.0 * bar.d_ema144_slope  # NaN stays NaN
    base = 0.45 * location + 0.25 * sigmoid(-bar.vo_z) + 0.25 * relief(bar, params) + 0.05 * curl
    return clamp(base * (1.0 - 0.5 * clamp(decay - 0.6, 0.0, 0.4)), 0.0, 1.0)


@njit(cache=True, error_model="numpy")
def discount_threshold(stack: EmaStack, decay: float, params: UptrendParams) -> float:
    """DX an S3 buy needs: more as the trend decays (a jump from .10 to .15 at .7), up to .10 less near EMA333.

    The position p runs from 0 at EMA144 to 1 at EMA333 whichever of the two is higher; it moves the threshold by
    -.10 p + .05 (1 - p), and not at all when the hallway has no width.
    """
    support = 0.0
    if decay >= 0.7:
        support = 0.15
    elif decay >= 0.5:
        support = (decay - 0.5) * 0.5
    width = stack.ema144 - stack.ema333
    position_boost = 0.0
    if width != 0.0:
        position = clamp((stack.ema144 - stack.price) / width, 0.0, 1.0)
        position_boost = 0.10 * position - 0.05 * (1.0 - position)
    return max(0.0, params.dx_threshold + support - position_boost)
