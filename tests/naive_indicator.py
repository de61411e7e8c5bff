"""The indicators by definition: every value recomputed from the whole past of its bar, in plain loops.

Nothing here is shared with the product: other formulas, other order of summation. NaN until a value is defined.
"""

import math

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
SPANS = (20, 30, 50, 60, 144, 250, 333)


def ema(values, span):
    alpha = 2.0 / (span + 1.0)
    out = [values[0]]
    for value in values[1:]:
        out.append(alpha * value + (1.0 - alpha) * out[-1])
    return np.array(out)


def lin_slope(values):
    x = np.arange(len(values)) - (len(values) - 1) / 2.0
    return float(np.dot(x, values - np.mean(values)) / np.dot(x, x))


def rolling(values, n, reduce):
    """`reduce` of the last n values where all of them are defined, else NaN."""
    out = np.full(len(values), np.nan)
    for t in range(n - 1, len(values)):
        window = np.asarray(values[t - n + 1 : t + 1])
        if not np.isnan(window).any():
            out[t] = reduce(window)
    return out


def rsi(closes):
    def of_changes(changes):
        gained, lost = changes[changes > 0].sum(), -changes[changes < 0].sum()
        if gained == lost == 0:
            return 50.0
        return 100.0 if lost == 0 else 100.0 - 100.0 / (1.0 + gained / lost)

    return np.concatenate([[np.nan], rolling(np.diff(closes), 14, of_changes)])


def true_range(highs, lows, closes):
    before = closes[:-1]
    return np.maximum(highs[1:] - lows[1:], np.maximum(abs(highs[1:] - before), abs(before - lows[1:])))


def wilder(values):
    """Mean of the first 14, then (13 before + value) / 14; NaN before."""
    out = np.full(len(values), np.nan)
    if len(values) >= 14:
        out[13] = np.mean(values[:14])
    for t in range(14, len(values)):
        out[t] = (13.0 * out[t - 1] + values[t]) / 14.0
    return out


def atr(highs, lows, closes):
    return np.concatenate([[np.nan], wilder(true_range(highs, lows, closes))])


def adx(highs, lows, closes):
    rise, fall = np.diff(highs), -np.diff(lows)
    mean_range = wilder(true_range(highs, lows, closes))
    plus = wilder(np.where((rise > fall) & (rise > 0), rise, 0.0))
    minus = wilder(np.where((fall > rise) & (fall > 0), fall, 0.0))
    out = np.full(len(closes), np.nan)
    for t in range(13, len(rise)):
        if plus[t] + minus[t] == 0:
            dx = 0.0
        else:
            plus_di, minus_di = 100 * plus[t] / mean_range[t], 100 * minus[t] / mean_range[t]
            dx = 100 * abs(plus_di - minus_di) / (plus_di + minus_di)
        out[t + 1] = dx if t == 13 else (13 * out[t] + dx) / 14
    out[:15] = np.nan  # fewer than 16 bars: no ADX, though its seed exists at bar 15
    return out


def volume_z(volumes):
    logs = [math.log(1.0 + v) for v in volumes]
    alpha = 2.0 / 65.0
    mean, variance, out = logs[0], 0.0, []
    for value in logs:
        old, mean = mean, alpha * value + (1 - alpha) * mean
        variance = (1 - alpha) * (variance + alpha * (value - old) * (value - mean))
        out.append(min(6.0, max(-4.0, (value - mean) / math.sqrt(max(variance, 1e-12)))))
    return np.array(out)


def is_cluster(scores):
    return float((scores >= 2.0).sum() >= 3 or scores[scores > 0].sum() >= 6.0)


def lagged(values, n):
    """Value now - value n bars ago."""
    return np.concatenate([np.full(min(n, len(values)), np.nan), values[n:] - values[:-n]])


def naive_indicators(highs, lows, closes, volumes) -> dict[str, FloatArray]:
    """All panel columns of one series by name."""
    emas = {span: ema(closes, span) for span in SPANS}
    out = {f"ema{span}": values for span, values in emas.items()}
    out |= {f"ema{span}_slope": rolling(values, 10, lin_slope) / values for span, values in emas.items()}
    out |= {f"d_ema{span}_slope": lagged(out[f"ema{span}_slope"], 10) for span in (60, 144, 250, 333)}
    out["sep_fast"] = (emas[20] - emas[60]) / emas[60]
    out["sep_mid"] = (emas[60] - emas[144]) / emas[144]
    out["dsep_fast_5"], out["dsep_mid_5"] = lagged(out["sep_fast"], 5), lagged(out["sep_mid"], 5)
    out["atr"] = atr(highs, lows, closes)
    out["atr_norm"] = out["atr"] / emas[50]
    out["atr_mean_20"], out["atr_peak_10"] = rolling(out["atr"], 20, np.mean), rolling(out["atr"], 10, np.max)
    out["rsi"], out["adx"] = rsi(closes), adx(highs, lows, closes)
    out["rsi_slope_10"], out["adx_slope_10"] = rolling(out["rsi"], 10, lin_slope), rolling(out["adx"], 10, lin_slope)
    out["vo_z"] = volume_z(volumes)
    out["vo_z_cluster"] = rolling(out["vo_z"], 30, is_cluster)
    return out
