"""Gates of the uptrend engine's flags: one bit each, and the gates every flag stands on.

A flag is up exactly when all of its gates passed, so the stored mask says of every bar why it was not bought. Flags
that are facts and not decisions (emergency exit, EMA333 reclaimed, exit) have no gates and belong to `uptrend_step`.
A gate that the state does not ask is 0. Thresholds on scores are inclusive; NaN passes no gate.
"""

from numba import njit

from domain.regime.uptrend_bar import Bar, UptrendParams
from domain.regime.uptrend_score import discount_threshold
from domain.regime.uptrend_state import S1, S2, S3

GATES = (
    "near_ema60",
    "mid_slope_rising",
    "trend_strength",
    "near_ema333",
    "slow_slope_rising",
    "overextended",
    "near_level",
    "discounted",
    "at_or_below_ema144",
    "at_or_above_ema333",
    "first_dip_in_time_and_near",
    "first_dip_slope_rising",
    "first_dip_trend_strength",
    "not_bootstrapped",
    "not_on_a_flip",
)
"""Name of each bit, lowest first. Bits are stored: add at the end, never reorder."""

(
    NEAR_EMA60,
    MID_SLOPE_RISING,
    TREND_STRENGTH,
    NEAR_EMA333,
    SLOW_SLOPE_RISING,
    OVEREXTENDED,
    NEAR_LEVEL,
    DISCOUNTED,
    AT_OR_BELOW_EMA144,
    AT_OR_ABOVE_EMA333,
    FIRST_DIP,
    FIRST_DIP_SLOPE_RISING,
    FIRST_DIP_TREND_STRENGTH,
    NOT_BOOTSTRAPPED,
    NOT_ON_A_FLIP,
) = (1 << bit for bit in range(len(GATES)))

BUY_SIGNAL_GATES = NEAR_EMA60 | MID_SLOPE_RISING | TREND_STRENGTH | NOT_ON_A_FLIP
"""S1."""

RETEST_BUY_GATES = NEAR_EMA333 | SLOW_SLOPE_RISING | TREND_STRENGTH | NOT_ON_A_FLIP
"""S2 `buy_flag`."""

DISCOUNT_BUY_GATES = (
    DISCOUNTED | AT_OR_BELOW_EMA144 | AT_OR_ABOVE_EMA333 | SLOW_SLOPE_RISING | TREND_STRENGTH | NOT_BOOTSTRAPPED
)
"""S3 `buy_flag`."""

FIRST_DIP_GATES = FIRST_DIP | FIRST_DIP_SLOPE_RISING | FIRST_DIP_TREND_STRENGTH | AT_OR_ABOVE_EMA333 | NOT_BOOTSTRAPPED
"""S3 `first_dip_buy_flag`."""

TRIM_GATES = OVEREXTENDED | NEAR_LEVEL | NOT_ON_A_FLIP
"""S2 and S3 `trim_flag`."""


def explain_gates(mask: int) -> dict[str, bool]:
    """Which gates of a stored mask passed.

    Raises
    ------
    ValueError
        If the mask has a bit that names no gate.

    >>> [gate for gate, passed in explain_gates(5).items() if passed]
    ['near_ema60', 'trend_strength']
    """
    if not 0 <= mask < 1 << len(GATES):
        raise ValueError(f"Expected a gate mask of {len(GATES)} bits, was {mask}")
    return {gate: bool(mask >> bit & 1) for bit, gate in enumerate(GATES)}


@njit(cache=True, error_model="numpy")
def _bit(passed: bool, gate: int) -> int:
    return gate if passed else 0


@njit(cache=True, error_model="numpy")
def _entry_gates(bar: Bar, ts_with_boost: float, params: UptrendParams) -> int:
    near = abs(bar.stack.price - bar.stack.ema60) <= params.entry_halo_atr * bar.atr
    return (
        _bit(near, NEAR_EMA60)
        | _bit(bar.ema60_slope > 0.0 or bar.ema144_slope >= 0.0, MID_SLOPE_RISING)
        | _bit(ts_with_boost >= params.ts_min, TREND_STRENGTH)
    )


@njit(cache=True, error_model="numpy")
def _slow_gates(bar: Bar, ts_with_boost: float, ox: float, is_near_level: bool, params: UptrendParams) -> int:
    """Pass on what S2 and S3 ask alike."""
    return (
        _bit(bar.ema250_slope > 0.0 or bar.ema333_slope >= 0.0, SLOW_SLOPE_RISING)
        | _bit(ts_with_boost >= params.ts_min, TREND_STRENGTH)
        | _bit(ox >= params.trim_ox, OVEREXTENDED)
        | _bit(is_near_level, NEAR_LEVEL)
    )


@njit(cache=True, error_model="numpy")
def _is_first_dip(bar: Bar, bars_since_s3: int, params: UptrendParams) -> bool:
    price, halo = bar.stack.price, params.first_dip_halo_atr * bar.atr
    fast = abs(price - bar.stack.ema20) <= halo or abs(price - bar.stack.ema30) <= halo
    if fast and bars_since_s3 <= params.first_dip_fast_bars:
        return True
    return abs(price - bar.stack.ema60) <= halo and bars_since_s3 <= params.first_dip_slow_bars


@njit(cache=True, error_model="numpy")
def _hallway_gates(
    bar: Bar, ts_with_boost: float, dx: float, edx: float, bars_since_s3: int, bootstrapped: bool, params: UptrendParams
) -> int:
    stack = bar.stack
    return (
        _bit(dx >= discount_threshold(stack, edx, params), DISCOUNTED)
        | _bit(stack.price <= stack.ema144, AT_OR_BELOW_EMA144)
        | _bit(stack.price >= stack.ema333, AT_OR_ABOVE_EMA333)
        | _bit(_is_first_dip(bar, bars_since_s3, params), FIRST_DIP)
        | _bit(bar.ema144_slope > 0.0 or bar.ema250_slope >= 0.0, FIRST_DIP_SLOPE_RISING)
        | _bit(ts_with_boost >= params.first_dip_ts_min, FIRST_DIP_TREND_STRENGTH)
        | _bit(not bootstrapped, NOT_BOOTSTRAPPED)
    )


@njit(cache=True, error_model="numpy")
def passed_gates(
    state: int,
    bar: Bar,
    ts_with_boost: float,
    ox: float,
    dx: float,
    edx: float,
    is_near_level: bool,
    is_on_a_flip: bool,
    bars_since_s3: int,
    bootstrapped: bool,
    params: UptrendParams,
) -> int:
    """Mask of the gates a bar passes in its (new) state; 0 in S0 and S4.

    Parameters
    ----------
    state : int
        Code of the bar's state.
    bar : Bar
        The bar.
    ts_with_boost, ox, dx, edx : float
        Its scores, NaN where the state has none.
    is_near_level : bool
        Whether a trim may rely on a level.
    is_on_a_flip : bool
        Whether the bar moved between S1 and S2; such a bar raises no flag.
    bars_since_s3 : int
        Whole bars since S3 began.
    bootstrapped : bool
        Whether S3 was not reached through S0; it may not buy.
    params : UptrendParams
        Thresholds.
    """
    settled = _bit(not is_on_a_flip, NOT_ON_A_FLIP)
    if state == S1:
        return settled | _entry_gates(bar, ts_with_boost, params)
    if state == S2:
        near = abs(bar.stack.price - bar.stack.ema333) <= params.retest_halo_atr * bar.atr
        return settled | _bit(near, NEAR_EMA333) | _slow_gates(bar, ts_with_boost, ox, is_near_level, params)
    if state == S3:
        hallway = _hallway_gates(bar, ts_with_boost, dx, edx, bars_since_s3, bootstrapped, params)
        return settled | hallway | _slow_gates(bar, ts_with_boost, ox, is_near_level, params)
    return 0


@njit(cache=True, error_model="numpy")
def has_gates(mask: int, required: int) -> bool:
    """Whether every required gate passed."""
    return mask & required == required
