"""What one step of the uptrend engine reads: a bar, its columns, and the thresholds as compiled code wants them.

No formula belongs here. Compiled code takes named tuples of scalars: a tuple of arrays that is read inside a loop
costs an atomic reference count per read, which made the fold fifteen times slower.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.config.uptrend import UptrendConfig

FloatArray = NDArray[np.float64]


class EmaStack(NamedTuple):
    """Close and the EMAs of close at one bar, USD (percentage points for a dominance series)."""

    price: float
    ema20: float
    ema30: float
    ema60: float
    ema144: float
    ema250: float
    ema333: float


class Bar(NamedTuple):
    """One bar as the scores and gates read it. Units as in the indicator columns of the same names."""

    stack: EmaStack
    ema20_slope: float
    ema60_slope: float
    ema144_slope: float
    ema250_slope: float
    ema333_slope: float
    d_ema144_slope: float
    dsep_fast_5: float
    dsep_mid_5: float
    atr: float
    atr_mean_20: float
    rsi_slope_10: float
    adx: float
    adx_slope_10: float
    vo_z: float


class StackColumns(NamedTuple):
    """Columns the state alone needs, each of shape (n_bars,), and the bars since each series' last gap."""

    price: FloatArray
    ema20: FloatArray
    ema30: FloatArray
    ema60: FloatArray
    ema144: FloatArray
    ema250: FloatArray
    ema333: FloatArray
    bars_count: NDArray[np.int32]


class SignalColumns(NamedTuple):
    """The remaining columns of `Bar`, in its order, each of shape (n_bars,)."""

    ema20_slope: FloatArray
    ema60_slope: FloatArray
    ema144_slope: FloatArray
    ema250_slope: FloatArray
    ema333_slope: FloatArray
    d_ema144_slope: FloatArray
    dsep_fast_5: FloatArray
    dsep_mid_5: FloatArray
    atr: FloatArray
    atr_mean_20: FloatArray
    rsi_slope_10: FloatArray
    adx: FloatArray
    adx_slope_10: FloatArray
    vo_z: FloatArray


class DecayColumns(NamedTuple):
    """Columns the trend decay reads backwards from a bar, each of shape (n_bars,)."""

    close: FloatArray
    high: FloatArray
    low: FloatArray
    volume: FloatArray
    atr: FloatArray
    ema144: FloatArray
    ema250: FloatArray
    ema333: FloatArray
    ema250_slope: FloatArray
    ema333_slope: FloatArray
    rsi_slope_10: FloatArray
    adx_slope_10: FloatArray


class UptrendParams(NamedTuple):
    """`UptrendConfig` field by field, as a plain tuple: compiled code cannot read a Pydantic model."""

    min_bars: int
    ts_min: float
    first_dip_ts_min: float
    sr_boost_max: float
    sr_halo_atr: float
    sr_full_strength: float
    entry_halo_atr: float
    retest_halo_atr: float
    first_dip_halo_atr: float
    first_dip_fast_bars: int
    first_dip_slow_bars: int
    trim_ox: float
    trim_sr_halo_atr: float
    trim_requires_sr: bool
    dx_threshold: float
    adx_floor: float
    rsi_slope_scale: float
    adx_slope_scale: float
    rail_ema20_atr: float
    rail_ema60_atr: float
    rail_ema144_atr: float
    rail_ema250_atr: float
    dsep_fast_scale: float
    dsep_mid_scale: float
    ema20_slope_scale: float


def uptrend_params(config: UptrendConfig) -> UptrendParams:
    """Thresholds of `config` for compiled code; a field without its twin raises TypeError."""
    return UptrendParams(**config.model_dump())
