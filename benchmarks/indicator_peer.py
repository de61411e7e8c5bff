"""The 17 core indicator columns as others compute them: TA-Lib, NumPy across series, Polars, pandas.

Same formulas as ours where the library has them. TA-Lib's RSI is Wilder's and its EMAs start from a mean of n closes;
in Polars and pandas ATR and ADX start from the first range instead of a mean of 14: neither can seed a recursion.
"""

import numpy as np
import pandas as pd
import polars as pl
import talib
from talib import stream

from benchmarks.workloads import EMA_SPANS, SLOPE_WINDOW, WILDER, Panel
from domain.regime.indicator_kernel import CORE_COLUMNS, FloatArray

WEIGHTS = (np.arange(SLOPE_WINDOW) - 4.5) / 82.5
ONES = np.ones(WILDER)
ALPHAS = 2.0 / (np.array(EMA_SPANS)[:, np.newaxis] + 1.0)


def talib_columns(high: FloatArray, low: FloatArray, close: FloatArray, out: FloatArray) -> None:
    """Fill out[column, series, bar] from arrays of shape (n_series, n_bars), one series and one function at a time."""
    for i in range(close.shape[0]):
        for k, span in enumerate(EMA_SPANS):
            ema = talib.EMA(close[i], span)
            out[k, i] = ema
            np.divide(talib.LINEARREG_SLOPE(ema, SLOPE_WINDOW), ema, out=out[7 + k, i])
        out[14, i] = talib.ATR(high[i], low[i], close[i], WILDER)
        out[15, i] = talib.RSI(close[i], WILDER)
        out[16, i] = talib.ADX(high[i], low[i], close[i], WILDER)


class TalibStreams:
    """TA-Lib's incremental functions, seventeen objects a series, opened on the bars so far."""

    def __init__(self, high: FloatArray, low: FloatArray, close: FloatArray) -> None:
        self.series = [self._opened(*bars) for bars in zip(high, low, close, strict=True)]
        self.out = np.empty((len(self.series), len(CORE_COLUMNS)))

    @staticmethod
    def _opened(
        high: FloatArray, low: FloatArray, close: FloatArray
    ) -> tuple[list[tuple[object, object]], list[object]]:
        emas = [
            (stream.EMA(close, span), stream.LINEARREG_SLOPE(talib.EMA(close, span)[span - 1 :], SLOPE_WINDOW))
            for span in EMA_SPANS
        ]
        others = [stream.ATR(high, low, close, WILDER), stream.RSI(close, WILDER), stream.ADX(high, low, close, WILDER)]
        return emas, others

    def step(self, high: FloatArray, low: FloatArray, close: FloatArray) -> FloatArray:
        """Results of one bar, (n_series, 17); overwritten by the next."""
        bars = zip(self.series, high.tolist(), low.tolist(), close.tolist(), strict=True)
        for i, ((emas, (atr, rsi, adx)), top, bottom, last) in enumerate(bars):
            row = []
            for ema, slope in emas:
                level = ema.update(last)
                row += (level, slope.update(level) / level)
            self.out[i] = (
                *row[::2],
                *row[1::2],
                atr.update(top, bottom, last),
                rsi.update(last),
                adx.update(top, bottom, last),
            )
        return self.out


class NumpyIndicators:
    """State of all series in NumPy arrays; a step is some forty vector operations, without temporaries where it can."""

    def __init__(self, high: FloatArray, low: FloatArray, close: FloatArray) -> None:
        n_series = close.size
        self.count = 1
        self.closes = np.repeat(close[np.newaxis], 2 * WILDER + 4, axis=0)  # written twice: a window is contiguous
        self.ups, self.downs = np.zeros_like(self.closes), np.zeros_like(self.closes)
        self.high, self.low = high.copy(), low.copy()
        self.slopes = np.zeros((7, n_series))
        self.wilder = np.zeros((3, n_series))
        self.out = np.full((len(CORE_COLUMNS), n_series), np.nan)
        self.out[:7] = close
        self.emas = self.out[:7]
        self.adx = np.zeros(n_series)
        self.now = np.zeros((3, n_series))

    def step(self, high: FloatArray, low: FloatArray, close: FloatArray) -> FloatArray:
        """Results of one bar, (17, n_series); overwritten by the next."""
        size = WILDER + 2
        slot = self.count % size
        self.count += 1
        row = slot + size
        before = self.closes[row - 1]
        self._move_rsi(close - before, slot, row)
        self._move_ranges(high, low, before)
        self.closes[slot] = self.closes[row] = close
        self.emas += ALPHAS * (close - self.emas)
        self.slopes += ALPHAS * (WEIGHTS @ self.closes[row - 9 : row + 1] - self.slopes)
        np.divide(self.slopes, self.emas, out=self.out[7:14])
        return self.out

    def _move_rsi(self, change: FloatArray, slot: int, row: int) -> None:
        up, down = np.maximum(change, 0.0), np.maximum(-change, 0.0)
        self.ups[slot] = self.ups[row] = up
        self.downs[slot] = self.downs[row] = down
        gained = ONES @ self.ups[row - WILDER + 1 : row + 1]  # a running sum would drift: 0/0 on a flat series
        moved = gained + ONES @ self.downs[row - WILDER + 1 : row + 1]
        gained *= 100.0
        self.out[15] = 50.0
        np.divide(gained, moved, out=self.out[15], where=moved > 0.0)

    def _move_ranges(self, high: FloatArray, low: FloatArray, before: FloatArray) -> None:
        rise, fall = high - self.high, self.low - low
        np.maximum(high, before, out=self.now[0])
        self.now[0] -= np.minimum(low, before)
        np.multiply(rise, (rise > fall) & (rise > 0.0), out=self.now[1])
        np.multiply(fall, (fall > rise) & (fall > 0.0), out=self.now[2])
        self.high[:], self.low[:] = high, low
        if self.count > WILDER + 1:
            self.wilder *= WILDER - 1
        self.wilder += self.now
        if self.count > WILDER:
            self.wilder /= WILDER
        _, plus, minus = self.wilder
        dx = np.abs(plus - minus)
        dx *= 100.0
        moved = plus + minus
        np.divide(dx, moved, out=dx, where=moved > 0.0)
        if self.count > WILDER + 1:
            self.adx *= WILDER - 1
            self.adx += dx
            self.adx /= WILDER
        else:
            self.adx[:] = dx
        self.out[14], self.out[16] = self.wilder[0], self.adx


def polars_columns(frame: pl.DataFrame) -> pl.DataFrame:
    """Make the columns with Polars expressions over each series; frame and result are sorted by series, then bar."""
    close, before = pl.col("close"), pl.col("close").shift().over("series")
    change = close - before
    rise = (pl.col("high") - pl.col("high").shift()).over("series")
    fall = (pl.col("low").shift() - pl.col("low")).over("series")
    emas = {f"ema{span}": close.ewm_mean(span=span, adjust=False).over("series") for span in EMA_SPANS}
    ranges = frame.lazy().with_columns(
        up=change.clip(lower_bound=0.0),
        down=(-change).clip(lower_bound=0.0),
        range=pl.max_horizontal("high", before) - pl.min_horizontal("low", before),
        plus=pl.when((rise > fall) & (rise > 0)).then(rise).otherwise(0.0),
        minus=pl.when((fall > rise) & (fall > 0)).then(fall).otherwise(0.0),
        **emas,
    )
    smooth = {name: pl.col(name).ewm_mean(alpha=1 / WILDER, adjust=False).over("series") for name in ("plus", "minus")}
    slopes = {
        f"{name}_slope": pl.sum_horizontal(
            WEIGHTS[-1 - k] * (pl.col(name).shift(k) - pl.col(name).shift(9 - k)) for k in range(5)
        ).over("series")
        / pl.col(name)
        for name in emas
    }
    gained, lost = (pl.col(name).rolling_sum(WILDER).over("series") for name in ("up", "down"))
    atr = pl.col("range").ewm_mean(alpha=1 / WILDER, adjust=False).over("series")
    dx = 100 * (pl.col("plus") - pl.col("minus")).abs() / (pl.col("plus") + pl.col("minus"))
    return (
        ranges.with_columns(**smooth, **slopes, atr=atr, rsi=100 * gained / (gained + lost))
        .with_columns(adx=dx.fill_nan(0.0).ewm_mean(alpha=1 / WILDER, adjust=False).over("series"))
        .select(CORE_COLUMNS)
        .collect()
    )


def pandas_columns(panel: Panel) -> pd.DataFrame:
    """Make the columns with pandas on wide frames, bar by series: its fastest form, no group-by."""
    high, low, close = (pd.DataFrame(panel.mat(name).T) for name in ("high", "low", "close"))
    before, change, rise, fall = close.shift(), close.diff(), high.diff(), -low.diff()
    columns = {}
    for span in EMA_SPANS:
        ema = close.ewm(span=span, adjust=False).mean()
        columns[f"ema{span}"] = ema
        slope = sum(WEIGHTS[-1 - k] * (ema.shift(k) - ema.shift(9 - k)) for k in range(5))
        columns[f"ema{span}_slope"] = slope / ema
    ranges = np.maximum(high, before) - np.minimum(low, before)
    columns["atr"] = ranges.ewm(alpha=1 / WILDER, adjust=False).mean()
    gained, lost = change.clip(lower=0).rolling(WILDER).sum(), (-change).clip(lower=0).rolling(WILDER).sum()
    columns["rsi"] = 100 * gained / (gained + lost)
    moves = (rise.where((rise > fall) & (rise > 0), 0.0), fall.where((fall > rise) & (fall > 0), 0.0))
    plus, minus = (move.ewm(alpha=1 / WILDER, adjust=False).mean() for move in moves)
    columns["adx"] = (100 * (plus - minus).abs() / (plus + minus)).ewm(alpha=1 / WILDER, adjust=False).mean()
    return pd.concat({name: columns[name] for name in CORE_COLUMNS}, axis=1)
