"""Thresholds and scales of the uptrend engine.

Bounds keep an edited value inside the range in which the engine's formulas mean something. The weights inside the
scores are part of the formulas, not settings, and stand beside them.
"""

from pydantic import BaseModel, Field


class UptrendConfig(BaseModel, frozen=True, extra="forbid"):
    """What the uptrend engine asks of a bar before it names a state or raises a flag."""

    min_bars: int = Field(
        default=333,
        ge=333,
        le=5000,
        description="Bars since the last gap below which there is no state; the first value weighs 14 % of EMA333.",
    )

    ts_min: float = Field(default=0.60, ge=0, le=1.25, description="Least trend strength with boost for a buy, 0..1.")
    first_dip_ts_min: float = Field(
        default=0.50, ge=0, le=1.25, description="Least trend strength with boost for a first-dip buy, 0..1."
    )
    sr_boost_max: float = Field(
        default=0.25, ge=0, le=1, description="Trend strength a level of full strength adds when it stands on the EMA."
    )
    sr_halo_atr: float = Field(
        default=1.0, gt=0, le=10, description="Distance in ATR from the anchor EMA at which a level boosts nothing."
    )
    sr_full_strength: float = Field(
        default=20.0, gt=0, description="Level strength that counts as 1; strengths are touch counts, typically 1..60."
    )

    entry_halo_atr: float = Field(default=1.0, gt=0, le=10, description="S1 buy: largest distance to EMA60, in ATR.")
    retest_halo_atr: float = Field(default=0.5, gt=0, le=10, description="S2 buy: largest distance to EMA333, in ATR.")
    first_dip_halo_atr: float = Field(
        default=0.5, gt=0, le=10, description="First-dip buy: largest distance to the EMA dipped to, in ATR."
    )
    first_dip_fast_bars: int = Field(
        default=6, ge=0, le=500, description="Bars since S3 began within which a dip to EMA20 or EMA30 counts."
    )
    first_dip_slow_bars: int = Field(
        default=12, ge=0, le=500, description="Bars since S3 began within which a dip to EMA60 counts."
    )

    trim_ox: float = Field(default=0.65, ge=0, le=1, description="Least over-extension for a trim, 0..1.")
    trim_sr_halo_atr: float = Field(
        default=1.0, gt=0, le=10, description="Trim: largest distance of a level to the price, in ATR."
    )
    trim_requires_sr: bool = Field(
        default=False, description="Whether a series without levels may not trim; with levels one must be near anyway."
    )

    dx_threshold: float = Field(
        default=0.60, ge=0, le=1, description="Least discount for an S3 buy, 0..1, before decay and position move it."
    )
    adx_floor: float = Field(
        default=18.0, ge=0, le=100, description="ADX below which its slope says nothing about relief, 0..100."
    )
    rsi_slope_scale: float = Field(
        default=0.5, gt=0, description="RSI slope (points per bar) that counts as one unit of relief."
    )
    adx_slope_scale: float = Field(
        default=0.3, gt=0, description="ADX slope (points per bar) that counts as one unit of relief."
    )

    rail_ema20_atr: float = Field(default=1.5, gt=0, description="Over-extension above EMA20: one unit, in ATR.")
    rail_ema60_atr: float = Field(default=2.0, gt=0, description="Over-extension above EMA60: one unit, in ATR.")
    rail_ema144_atr: float = Field(default=1.5, gt=0, description="Over-extension above EMA144: one unit, in ATR.")
    rail_ema250_atr: float = Field(default=2.0, gt=0, description="Over-extension above EMA250: one unit, in ATR.")
    dsep_fast_scale: float = Field(
        default=0.0015,
        gt=0,
        description="Change of the EMA20-EMA60 gap in 5 bars that is one unit, a fraction of EMA60.",
    )
    dsep_mid_scale: float = Field(
        default=0.0010,
        gt=0,
        description="Change of the EMA60-EMA144 gap in 5 bars that is one unit, a fraction of EMA144.",
    )
    ema20_slope_scale: float = Field(
        default=0.0008, gt=0, description="EMA20 slope that is one unit of fragility, a fraction per bar."
    )
