"""The indicator recursion: one bar of a tile of series, and the loops that repeat it.

A tile is `LANES` series side by side, so that one instruction moves many of them. Batch, live step and frames run the
same row functions, which hold nothing but IEEE arithmetic and selects (a mask by bar count, never a branch), so a bar
gives the same bits whichever loop brought it, alone or among others. All compiled functions of the indicators stand in
this one file: Numba's disk cache watches only the file of the function that is called, and would go on using an old
copy of one inlined from elsewhere.

Flat float64 arrays and offsets into them (unsigned: each access by a signed one tests for a negative index):
level[tile, LEVEL_ROWS, lane] what the recursion needs; closes[tile, 2 * CLOSE_RING, lane] and
rows[tile, 2 * RING, column, lane] the last RING closes and results, each written at slot and slot + RING, so that the
window before any bar is contiguous. Before a series starts, `closes` holds its first close and the EMAs equal it: an
EMA seeded with its first value is one whose past was constant, hence its slope, filtered from the closes, holds from
the first bar.
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
u = np.uintp

LANES = 32
CLOSE_RING = 16
RING = 32
LOOKBACK_ROWS = 30
BLOCK_ROWS = 64
SPANS = (20, 30, 50, 60, 144, 250, 333)
CORE_COLUMNS = (*(f"ema{span}" for span in SPANS), *(f"ema{span}_slope" for span in SPANS), "atr", "rsi", "adx")
PANEL_COLUMNS = (
    *CORE_COLUMNS,
    *("d_ema60_slope", "d_ema144_slope", "d_ema250_slope", "d_ema333_slope"),
    *("sep_fast", "sep_mid", "dsep_fast_5", "dsep_mid_5"),
    *("atr_norm", "atr_mean_20", "atr_peak_10", "rsi_slope_10", "adx_slope_10", "vo_z", "vo_z_cluster"),
)
CARRY_COLUMNS = (
    *(f"raw_slope{span}" for span in SPANS),
    *("tr_mean", "plus_dm_mean", "minus_dm_mean", "adx_mean", "high", "low", "volume_mean", "volume_variance"),
)

CORE_WIDTH = len(CORE_COLUMNS) * LANES
ROW_WIDTH = len(PANEL_COLUMNS) * LANES
SLOPE, ATR, RSI, ADX = 7, 14, 15, 16
SLOPE60, D_SLOPE60, SEP_FAST, SEP_MID, DSEP_FAST, DSEP_MID = 10, 17, 21, 22, 23, 24
ATR_NORM, ATR_MEAN, ATR_PEAK, RSI_SLOPE, ADX_SLOPE, VO_Z, VO_Z_CLUSTER = 25, 26, 27, 28, 29, 30, 31
HISTORY_ROWS = (10, 11, 12, 13, SEP_FAST, SEP_MID, ATR, RSI, ADX, VO_Z)  # the columns that later bars look back at

BARS_COUNT, EMA_LEVEL, CARRY, RAW_SLOPE, TR_MEAN, PLUS_DM, MINUS_DM, ADX_MEAN = 0, 1, 8, 8, 15, 16, 17, 18
HIGH, LOW, VOLUME_MEAN, VOLUME_VARIANCE, LOG_VOLUME = 19, 20, 21, 22, 23
LEVEL_ROWS = 24

NAN = math.nan
ALPHAS = tuple(2.0 / (span + 1.0) for span in SPANS)
VOLUME_ALPHA = 2.0 / 65.0
MIN_VOLUME_VARIANCE = 1e-12
SLOPE_SCALE = 1.0 / 82.5  # sum of the squared distances of 0..9 from their mean
WILDER_SCALE = 1.0 / 14.0


@njit(cache=True, error_model="numpy")
def wilder(mean: float, value: float, count: float) -> float:
    """Wilder's mean at bar `count`: a sum at bars 2..14, the mean of its 14 values at bar 15, smoothed from then on."""
    total = mean * (1.0 if count <= 15.0 else 13.0) + (0.0 if count < 2.0 else value)
    return total * (1.0 if count < 15.0 else WILDER_SCALE)


@njit(cache=True, error_model="numpy")
def range_lane(high: float, low: float, before: float, level: FloatArray, y: np.uintp, count: float) -> None:
    """Move Wilder's means of the true range and of the directional moves, and the ADX, of one series."""
    rise = high - level[y + u(HIGH * LANES)]
    fall = level[y + u(LOW * LANES)] - low
    true_range = max(high - low, max(abs(high - before), abs(before - low)))
    plus = wilder(level[y + u(PLUS_DM * LANES)], rise if (rise > fall) & (rise > 0.0) else 0.0, count)
    minus = wilder(level[y + u(MINUS_DM * LANES)], fall if (fall > rise) & (fall > 0.0) else 0.0, count)
    moved = plus + minus
    dx = 100.0 * (abs(plus - minus) / moved) if moved > 0.0 else 0.0
    smoothed = (13.0 * level[y + u(ADX_MEAN * LANES)] + dx) * WILDER_SCALE
    level[y + u(TR_MEAN * LANES)] = wilder(level[y + u(TR_MEAN * LANES)], true_range, count)
    level[y + u(PLUS_DM * LANES)] = plus
    level[y + u(MINUS_DM * LANES)] = minus
    level[y + u(ADX_MEAN * LANES)] = smoothed if count > 15.0 else dx
    level[y + u(HIGH * LANES)] = high
    level[y + u(LOW * LANES)] = low


@njit(cache=True, error_model="numpy", forceinline=True)
def core_row(
    high: FloatArray, low: FloatArray, r: np.uintp, closes: FloatArray, c: np.uintp,
    level: FloatArray, v: np.uintp, rows: FloatArray, o: np.uintp, lanes: int,
) -> None:  # fmt: skip
    """Count the bar; EMAs and their slopes, ATR, RSI, ADX."""
    for lane in range(lanes):
        x, y, z = c + u(lane), v + u(lane), o + u(lane)
        count = level[y] + 1.0
        level[y] = count
        trend = 0.0
        for k in range(5):
            trend += (4.5 - k) * (closes[x - u(k * LANES)] - closes[x - u((9 - k) * LANES)])
        trend *= SLOPE_SCALE
        for k in range(7):
            ema = level[y + u((EMA_LEVEL + k) * LANES)]
            ema += ALPHAS[k] * (closes[x] - ema)
            slope = level[y + u((RAW_SLOPE + k) * LANES)]
            slope += ALPHAS[k] * (trend - slope)
            level[y + u((EMA_LEVEL + k) * LANES)] = ema
            level[y + u((RAW_SLOPE + k) * LANES)] = slope
            rows[z + u(k * LANES)] = ema
            rows[z + u((SLOPE + k) * LANES)] = slope / ema if count >= 10.0 else NAN
        net, moved = 0.0, 0.0  # gains - losses and gains + losses of 14 changes
        for k in range(14):
            change = closes[x - u(k * LANES)] - closes[x - u((k + 1) * LANES)]
            net += change
            moved += abs(change)
        rsi = 50.0 + 50.0 * (net / moved) if moved > 0.0 else 50.0
        range_lane(high[r + u(lane)], low[r + u(lane)], closes[x - u(LANES)], level, y, count)
        rows[z + u(ATR * LANES)] = level[y + u(TR_MEAN * LANES)] if count >= 15.0 else NAN
        rows[z + u(RSI * LANES)] = rsi if count >= 15.0 else NAN
        rows[z + u(ADX * LANES)] = level[y + u(ADX_MEAN * LANES)] if count >= 16.0 else NAN


@njit(cache=True, error_model="numpy")
def difference_row(level: FloatArray, v: np.uintp, rows: FloatArray, o: np.uintp, lanes: int) -> None:
    """Separations of the EMAs; changes of separations over 5 bars and of slopes over 10; ATR over EMA50."""
    for lane in range(lanes):
        z = o + u(lane)
        count = level[v + u(lane)]
        ema20, ema60, ema144 = rows[z], rows[z + u(3 * LANES)], rows[z + u(4 * LANES)]
        fast = (ema20 - ema60) / ema60
        mid = (ema60 - ema144) / ema144
        rows[z + u(SEP_FAST * LANES)] = fast
        rows[z + u(SEP_MID * LANES)] = mid
        old_fast = rows[z + u(SEP_FAST * LANES) - u(5 * ROW_WIDTH)]
        old_mid = rows[z + u(SEP_MID * LANES) - u(5 * ROW_WIDTH)]
        rows[z + u(DSEP_FAST * LANES)] = fast - old_fast if count >= 6.0 else NAN
        rows[z + u(DSEP_MID * LANES)] = mid - old_mid if count >= 6.0 else NAN
        for k in range(4):
            slope = z + u((SLOPE60 + k) * LANES)
            delta = rows[slope] - rows[slope - u(10 * ROW_WIDTH)]
            rows[z + u((D_SLOPE60 + k) * LANES)] = delta if count >= 20.0 else NAN
        rows[z + u(ATR_NORM * LANES)] = rows[z + u(ATR * LANES)] / rows[z + u(2 * LANES)]


@njit(cache=True, error_model="numpy")
def window_row(level: FloatArray, v: np.uintp, rows: FloatArray, o: np.uintp, lanes: int) -> None:
    """Mean of 20 ATRs, peak of 10; slopes of the last 10 RSI and ADX values. Windows must be full."""
    for lane in range(lanes):
        count = level[v + u(lane)]
        z = o + u(lane)
        atr, rsi, adx = z + u(ATR * LANES), z + u(RSI * LANES), z + u(ADX * LANES)
        total, peak = rows[atr], rows[atr]
        for k in range(1, 20):
            total += rows[atr - u(k * ROW_WIDTH)]
        for k in range(1, 10):
            peak = max(peak, rows[atr - u(k * ROW_WIDTH)])
        rsi_slope, adx_slope = 0.0, 0.0
        for k in range(5):
            rsi_slope += (4.5 - k) * (rows[rsi - u(k * ROW_WIDTH)] - rows[rsi - u((9 - k) * ROW_WIDTH)])
            adx_slope += (4.5 - k) * (rows[adx - u(k * ROW_WIDTH)] - rows[adx - u((9 - k) * ROW_WIDTH)])
        rows[z + u(ATR_MEAN * LANES)] = total / 20.0 if count >= 34.0 else NAN
        rows[z + u(ATR_PEAK * LANES)] = peak if count >= 24.0 else NAN
        rows[z + u(RSI_SLOPE * LANES)] = rsi_slope * SLOPE_SCALE if count >= 24.0 else NAN
        rows[z + u(ADX_SLOPE * LANES)] = adx_slope * SLOPE_SCALE if count >= 25.0 else NAN


@njit(cache=True, error_model="numpy")
def volume_row(
    volume: FloatArray, r: np.uintp, level: FloatArray, v: np.uintp, rows: FloatArray, o: np.uintp, lanes: int
) -> None:
    """z-score of the log volume against its exponential mean and variance; whether high ones cluster in 30 bars."""
    for lane in range(lanes):  # a loop of its own: a call of the C library cannot be vectorised
        level[v + u(LOG_VOLUME * LANES) + u(lane)] = math.log1p(volume[r + u(lane)])
    for lane in range(lanes):
        y, z = v + u(lane), o + u(VO_Z * LANES) + u(lane)
        value = level[y + u(LOG_VOLUME * LANES)]
        before = value if level[y] < 2.0 else level[y + u(VOLUME_MEAN * LANES)]
        mean = before + VOLUME_ALPHA * (value - before)
        variance = level[y + u(VOLUME_VARIANCE * LANES)] + VOLUME_ALPHA * (value - before) * (value - mean)
        variance *= 1.0 - VOLUME_ALPHA
        level[y + u(VOLUME_MEAN * LANES)] = mean
        level[y + u(VOLUME_VARIANCE * LANES)] = variance
        score = (value - mean) / math.sqrt(max(variance, MIN_VOLUME_VARIANCE))
        score = min(6.0, max(-4.0, score))
        rows[z] = score
        positive = max(score, 0.0)
        high_count = 1.0 if score >= 2.0 else 0.0
        for k in range(1, 30):
            past = rows[z - u(k * ROW_WIDTH)]
            positive += max(past, 0.0)
            high_count += 1.0 if past >= 2.0 else 0.0
        is_cluster = 1.0 if (high_count >= 3.0) | (positive >= 6.0) else 0.0
        rows[z + u(LANES)] = is_cluster if level[y] >= 30.0 else NAN


@njit(cache=True, error_model="numpy", forceinline=True)
def advance_tile(
    high: FloatArray, low: FloatArray, close: FloatArray, volume: FloatArray, r: np.uintp,
    closes: FloatArray, level: FloatArray, rows: FloatArray, tile: int, slot: int, lanes: int, is_full: bool,
) -> np.uintp:  # fmt: skip
    """One bar of one tile; returns the offset of its results in `rows` (core columns only: a single row a tile)."""
    v = u(tile * LEVEL_ROWS * LANES)
    c = u((tile * 2 * CLOSE_RING + CLOSE_RING + slot % CLOSE_RING) * LANES)
    for lane in range(lanes):
        close_now = close[r + u(lane)]
        closes[c + u(lane)] = close_now
        closes[c + u(lane) - u(CLOSE_RING * LANES)] = close_now
    if not is_full:
        o = u(tile * CORE_WIDTH)
        core_row(high, low, r, closes, c, level, v, rows, o, lanes)
        return o
    o = u((tile * 2 * RING + RING + slot) * ROW_WIDTH)
    core_row(high, low, r, closes, c, level, v, rows, o, lanes)
    difference_row(level, v, rows, o, lanes)
    window_row(level, v, rows, o, lanes)
    volume_row(volume, r, level, v, rows, o, lanes)
    for k in range(ROW_WIDTH):
        rows[o + u(k) - u(RING * ROW_WIDTH)] = rows[o + u(k)]
    return o


@njit(cache=True, error_model="numpy")
def step_tiles(
    high: FloatArray, low: FloatArray, close: FloatArray, volume: FloatArray,
    closes: FloatArray, level: FloatArray, rows: FloatArray, n_series: int, slot: int, is_full: bool,
) -> None:  # fmt: skip
    """One bar of every series: inputs of shape (n_series,)."""
    for tile in range((n_series + LANES - 1) // LANES):
        lanes = min(LANES, n_series - tile * LANES)
        advance_tile(high, low, close, volume, u(tile * LANES), closes, level, rows, tile, slot, lanes, is_full)


@njit(cache=True, error_model="numpy", nogil=True)
def batch_tiles(
    high: FloatArray, low: FloatArray, close: FloatArray, volume: FloatArray, closes: FloatArray, level: FloatArray,
    rows: FloatArray, out: FloatArray, n_series: int, n_bars: int, slot: int, is_full: bool,
) -> None:  # fmt: skip
    """Repeat the step, tile by tile: inputs (n_tiles, n_bars, LANES), out (n_tiles, n_bars, column, LANES).

    Results are made in `rows`, which stays in the cache, then copied: stored straight to `out`, they came out slower.
    """
    width = ROW_WIDTH if is_full else CORE_WIDTH
    for tile in range((n_series + LANES - 1) // LANES):
        lanes = min(LANES, n_series - tile * LANES)
        for bar in range(n_bars):
            place = tile * n_bars + bar
            at = (slot + bar) % RING
            o = advance_tile(high, low, close, volume, u(place * LANES), closes, level, rows, tile, at, lanes, is_full)
            for k in range(width):
                out[u(place * width) + u(k)] = rows[o + u(k)]


@njit(cache=True, error_model="numpy")
def gather_block(bars: FloatArray, starts: IntArray, lengths: IntArray, first: int, block: FloatArray) -> None:
    """Turn BLOCK_ROWS bars of each series from `first` on to time-major; beyond its end a lane keeps older values."""
    for i in range(bars.shape[0]):
        source, target = bars[i], block[i]
        for lane in range(starts.size):
            place = u(starts[lane] + first)
            for row in range(min(BLOCK_ROWS, lengths[lane] - first)):
                target[u(row * LANES + lane)] = source[place + u(row)]


@njit(cache=True, error_model="numpy")
def scatter_block(
    block: FloatArray, width: int, picked: IntArray, starts: IntArray, lengths: IntArray, first: int, out: FloatArray
) -> None:
    """Turn BLOCK_ROWS rows of the `picked` columns back to out[column, bar]."""
    for i in range(picked.size):
        target = out[i]
        for lane in range(starts.size):
            place, source = u(starts[lane] + first), u(picked[i] * LANES + lane)
            for row in range(min(BLOCK_ROWS, lengths[lane] - first)):
                target[place + u(row)] = block[source + u(row) * u(width)]


@njit(cache=True, error_model="numpy")
def scatter_levels(
    levels: FloatArray, width: int, starts: IntArray, lengths: IntArray, first: int,
    count: NDArray[np.int32], carry: FloatArray,
) -> None:  # fmt: skip
    """Write the bar count and the carried levels of BLOCK_ROWS rows to count[bar] and carry[bar, value]."""
    for lane in range(starts.size):
        for row in range(min(BLOCK_ROWS, lengths[lane] - first)):
            source, place = u(row * width + lane), u(starts[lane] + first + row)
            count[place] = np.int32(levels[source])
            for k in range(carry.shape[1]):
                carry[place, u(k)] = levels[source + u((CARRY + k) * LANES)]


@njit(cache=True, error_model="numpy")
def load_lanes(
    level0: FloatArray, closes0: FloatArray, history0: FloatArray,
    level: FloatArray, closes: FloatArray, rows: FloatArray,
) -> None:  # fmt: skip
    """Set the state of a tile from that of its series, so that their next bar stands at slot 0."""
    for lane in range(level0.shape[0]):
        for k in range(LEVEL_ROWS):
            level[k * LANES + lane] = level0[lane, k]
        for k in range(LOOKBACK_ROWS):
            back = RING - LOOKBACK_ROWS + k
            if back >= CLOSE_RING:
                closes[(back - CLOSE_RING) * LANES + lane] = closes0[lane, k]
            for i in range(len(HISTORY_ROWS)):
                rows[back * ROW_WIDTH + HISTORY_ROWS[i] * LANES + lane] = history0[lane, k, i]


@njit(cache=True, error_model="numpy", nogil=True)
def advance_segments(
    bars: FloatArray, starts: IntArray, lengths: IntArray,
    level0: FloatArray, closes0: FloatArray, history0: FloatArray,
    picked: IntArray, out: FloatArray, count: NDArray[np.int32], carry: FloatArray, is_full: bool,
) -> None:  # fmt: skip
    """Run ragged series, longest first: stretches of bars[high low close volume, bar], out[i, bar], carry[bar, value].

    `picked` names the columns kept in `out`; a `carry` without values is left out. The states before the first bars are
    of shape (n_series, LEVEL_ROWS), (n_series, LOOKBACK_ROWS) and (n_series, LOOKBACK_ROWS, len(HISTORY_ROWS)).
    """
    block = np.ones((4, BLOCK_ROWS * LANES))
    closes, level, rows = np.empty(2 * CLOSE_RING * LANES), np.empty(LEVEL_ROWS * LANES), np.zeros(2 * RING * ROW_WIDTH)
    # Eight values more than a row: rows a multiple of 4 kB apart would share one set of the cache.
    width, level_width = (ROW_WIDTH if is_full else CORE_WIDTH) + 8, level.size + 8
    results, levels = np.empty(BLOCK_ROWS * width), np.empty(BLOCK_ROWS * level_width)
    for group in range(0, starts.size, LANES):
        own = slice(group, min(group + LANES, starts.size))
        begin, length = starts[own], lengths[own]
        load_lanes(level0[own], closes0[own], history0[own], level, closes, rows)
        for first in range(0, length[0], BLOCK_ROWS):
            gather_block(bars, begin, length, first, block)
            high, low, close, volume = block[0], block[1], block[2], block[3]
            for row in range(min(BLOCK_ROWS, length[0] - first)):
                r, at = u(row * LANES), (first + row) % RING
                o = advance_tile(high, low, close, volume, r, closes, level, rows, 0, at, begin.size, is_full)
                for k in range(width - 8):
                    results[u(row * width + k)] = rows[o + u(k)]
                for k in range(level.size if carry.shape[1] > 0 else LANES):
                    levels[u(row * level_width + k)] = level[u(k)]
            scatter_block(results, width, picked, begin, length, first, out)
            scatter_levels(levels, level_width, begin, length, first, count, carry)
