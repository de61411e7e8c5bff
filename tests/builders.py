"""Market data for tests, made with plain NumPy from seeds; nothing here calls the indicators under test."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from domain.vocabulary.timeframe import Timeframe

FloatArray = NDArray[np.float64]
FIRST_BAR_AT = datetime(2025, 1, 1, tzinfo=UTC)

BULLISH_EMAS = {"ema20": 106.0, "ema30": 105.0, "ema60": 103.0, "ema144": 100.0, "ema250": 98.0, "ema333": 95.0}
BEARISH_EMAS = {"ema20": 94.0, "ema30": 95.0, "ema60": 97.0, "ema144": 100.0, "ema250": 102.0, "ema333": 105.0}
MIXED_EMAS = {"ema20": 99.0, "ema30": 101.0, "ema60": 100.0, "ema144": 102.0, "ema250": 99.0, "ema333": 101.0}

QUIET_SIGNALS = {
    **dict.fromkeys(("ema20_slope", "ema60_slope", "ema144_slope", "ema250_slope", "ema333_slope"), 0.0),
    **dict.fromkeys(("d_ema144_slope", "dsep_fast_5", "dsep_mid_5", "rsi_slope_10", "adx_slope_10", "vo_z"), 0.0),
    "atr": 2.0,
    "atr_mean_20": 2.0,
    "adx": 22.0,
}


def random_walk(n_bars: int, seed: int, *, volatility: float = 0.02) -> FloatArray:
    """Closes of shape (n_bars,) whose drift changes every 150 bars, so that every uptrend state is visited."""
    rng = np.random.default_rng(seed)
    drift = np.repeat(rng.normal(0.0, 0.25, n_bars // 150 + 1), 150)[:n_bars]
    return 100.0 * np.exp(np.cumsum(volatility * (rng.standard_normal(n_bars) + drift)))


def uptrend_rows(close: FloatArray, *, volume: FloatArray | None = None, token: str = "a") -> pl.DataFrame:
    """Hourly bars with the indicators the uptrend engine reads, from closes of shape (n_bars,).

    Wicks are 0.3 % of the close. Indicators follow their textbook definitions; where a window is not full they are 0.
    """
    high, low = close * 1.003, close * 0.997
    emas = {f"ema{span}": ewma(close, 2.0 / (span + 1)) for span in (20, 30, 60, 144, 250, 333)}
    slopes = {f"{name}_slope": rolling_slope(values) / values for name, values in emas.items() if name != "ema30"}
    previous = np.concatenate([close[:1], close[:-1]])
    atr = ewma(np.maximum(high, previous) - np.minimum(low, previous), 1.0 / 14)
    adx = ewma(100.0 * np.abs(np.tanh((close - emas["ema20"]) / (2.0 * atr))), 1.0 / 14)
    fast = emas["ema20"] / emas["ema60"] - 1.0
    mid = emas["ema60"] / emas["ema144"] - 1.0
    gain = np.maximum(close - previous, 0.0)
    loss = np.maximum(previous - close, 0.0)
    rsi = 100.0 * ewma(gain, 1.0 / 14) / np.maximum(ewma(gain + loss, 1.0 / 14), 1e-12 * close)
    amounts = np.full(close.size, 1000.0) if volume is None else volume
    values = {
        "close_usd": close,
        "high_usd": high,
        "low_usd": low,
        "volume": amounts,
        **emas,
        **slopes,
        "d_ema144_slope": change(slopes["ema144_slope"], 10),
        "dsep_fast_5": change(fast, 5),
        "dsep_mid_5": change(mid, 5),
        "atr": atr,
        "atr_mean_20": ewma(atr, 0.1),
        "rsi_slope_10": rolling_slope(rsi),
        "adx": adx,
        "adx_slope_10": rolling_slope(adx),
        "vo_z": np.tanh(np.log1p(amounts) - ewma(np.log1p(amounts), 2.0 / 65)),
    }
    times = [FIRST_BAR_AT + i * Timeframe.H1.duration for i in range(close.size)]
    return pl.DataFrame(values).select(
        pl.lit(token).alias("token"),
        pl.lit(Timeframe.H1.value).alias("timeframe"),
        pl.Series("timestamp", times, dtype=pl.Datetime("us", "UTC")),
        pl.Series("bars_count", np.arange(1, close.size + 1, dtype=np.int32)),
        *values,
    )


def ewma(values: FloatArray, alpha: float) -> FloatArray:
    """Exponential mean of shape (n,), seeded with the first value."""
    out = values.copy()
    for i in range(1, values.size):
        out[i] = out[i - 1] + alpha * (values[i] - out[i - 1])
    return out


def rolling_slope(values: FloatArray, window: int = 10) -> FloatArray:
    """Least-squares slope of the last `window` values at each place, shape (n,); 0 before the window is full."""
    place = np.arange(window) - (window - 1) / 2.0
    out = np.zeros(values.size)
    windows = np.lib.stride_tricks.sliding_window_view(values, window)
    out[window - 1 :] = (windows - windows.mean(axis=1, keepdims=True)) @ place / (place @ place)
    return out


def change(values: FloatArray, bars: int) -> FloatArray:
    """Value now minus value `bars` bars ago, shape (n,); 0 where there is none."""
    out = np.zeros(values.size)
    out[bars:] = values[bars:] - values[:-bars]
    return out


def uptrend_bar(*, history: int = 0, bars_count: int = 1000, **values: float | None) -> pl.DataFrame:
    """One warm hourly bar with quiet indicators and mixed EMAs, after `history` bars just like it.

    `values` override columns; `price` stands for the close and its wicks.
    """
    price = values.pop("price", 100.0)
    row = (
        {"close_usd": price, "high_usd": price, "low_usd": price, "volume": 100.0} | MIXED_EMAS | QUIET_SIGNALS | values
    )
    return pl.DataFrame(
        [
            {"token": "a", "timeframe": "1h", "timestamp": FIRST_BAR_AT + timedelta(hours=i), "bars_count": bars_count}
            | row
            for i in range(history + 1)
        ],
        schema_overrides={"timestamp": pl.Datetime("us", "UTC"), **dict.fromkeys(row, pl.Float64)},
    )


def uptrend_previous(
    state: str,
    *,
    at: datetime,
    s3_start_at: datetime | None = None,
    bootstrapped: bool = False,
    emergency: bool = False,
) -> pl.DataFrame:
    """Last stored state row of the series of `uptrend_bar`."""
    row = {
        "token": "a",
        "timeframe": "1h",
        "timestamp": at,
        "state": state,
        "bootstrapped": bootstrapped,
        "s3_start_at": s3_start_at,
        "emergency_exit": emergency,
    }
    times = dict.fromkeys(("timestamp", "s3_start_at"), pl.Datetime("us", "UTC"))
    return pl.DataFrame([row], schema_overrides=times)
