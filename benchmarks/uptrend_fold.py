"""Benchmark B: the uptrend fold over 3 million bars, ours against NumPy across series and plain Python.

`python -m benchmarks.uptrend_fold [--small]`. All contenders read the same precomputed EMAs and must give the same
states before anything is timed. NumPy has its columns bar by bar in memory (its best layout), ours series by series
(as they are stored). It reports and does not judge: exit code 0.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import product

import numpy as np
from numba import njit
from numpy.typing import NDArray

from benchmarks.workloads import Panel as Workload
from benchmarks.workloads import ohlcv_panel
from domain.config.uptrend import UptrendConfig
from domain.regime import uptrend_step as stepping
from domain.regime.uptrend_bar import DecayColumns, EmaStack, FloatArray, SignalColumns, StackColumns, uptrend_params
from domain.regime.uptrend_state import NO_STATE, S0, S1, S2, S3, S4, fold_states

SPANS = (20, 30, 60, 144, 250, 333)
CONFIG = UptrendConfig()
REPEATS = 5
PYTHON_BARS = 100_000
BAR_US = 60_000_000
States = NDArray[np.int8]


def main() -> None:
    """Build the panel, check that all contenders agree, time them, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="300 series of 1,000 bars instead of 1,500 of 2,000")
    small = parser.parse_args().small
    panel = ohlcv_panel(300, 1000) if small else ohlcv_panel()
    columns = stack_columns(panel)
    contenders = state_contenders(columns, panel)
    check_equal(contenders, panel)
    bars = f"{panel.n:,} bars ({panel.n_series:,} x {panel.n_bars:,})"
    report(f"B. State of {bars}, median of {REPEATS}", {n: (median_ms(f), s) for n, (f, s) in contenders.items()})
    full = full_fold(columns, panel)
    full()
    full_ms = median_ms(full)
    print(
        f"\nFull fold (state, flags, gates, scores, decay): {full_ms:,.0f} ms, {full_ms * 1e6 / panel.n:,.0f} ns a bar"
    )


def stack_columns(panel: Workload) -> StackColumns:
    """Return closes and EMAs of the panel, series by series, made without compiled code."""
    close = panel.mat("close")
    emas = [recursive_mean(close, 2.0 / (span + 1)).reshape(-1) for span in SPANS]
    bars_count = np.tile(np.arange(1, panel.n_bars + 1, dtype=np.int32), panel.n_series)
    return StackColumns(panel.close, *emas, bars_count)


def recursive_mean(values: FloatArray, alpha: float) -> FloatArray:
    """Exponential mean along the second axis, seeded with the first value."""
    out = np.empty_like(values)
    mean = values[:, 0].copy()
    for bar in range(values.shape[1]):
        mean += alpha * (values[:, bar] - mean)
        out[:, bar] = mean
    return out


def state_contenders(columns: StackColumns, panel: Workload) -> dict[str, tuple[Callable[[], States | None], float]]:
    """Name what is timed: the function, and by how much its time is scaled up."""
    offsets = np.arange(panel.n_series + 1, dtype=np.int64) * panel.n_bars
    initial = np.full(panel.n_series, NO_STATE, np.int8)
    out, out_of_two = np.empty(panel.n, np.int8), np.empty(panel.n, np.int8)
    half = panel.n_series // 2
    pool = ThreadPoolExecutor(2)
    by_bar = [np.ascontiguousarray(column.reshape(panel.n_series, panel.n_bars).T) for column in columns]
    python_series = min(panel.n_series, max(1, PYTHON_BARS // panel.n_bars))

    def ours() -> States:
        fold_states(columns, offsets, initial, CONFIG.min_bars, out)
        return out

    def ours_on_two_threads() -> States:
        parts = ((offsets[: half + 1], initial[:half]), (offsets[half:], initial[half:]))
        list(pool.map(lambda part: fold_states(columns, *part, CONFIG.min_bars, out_of_two), parts))
        return out_of_two

    return {
        "ours, 1 thread": (ours, 1.0),
        "ours, 2 threads": (ours_on_two_threads, 1.0),
        "numpy, one step a bar across series": (lambda: numpy_states(by_bar), 1.0),
        f"python, {python_series} series scaled up": (
            lambda: python_states(columns, panel.n_bars, python_series),
            panel.n_series / python_series,
        ),
        "floor: read the columns once": (lambda: read_columns(columns), 1.0),
    }


def transition_table() -> NDArray[np.int8]:
    """Next state of (state, six facts as bits), so that NumPy needs one lookup a bar; index state x 64 + facts."""
    table = np.empty((5, 64), np.int8)
    for state, facts in product(range(5), range(64)):
        risen, above, below, bearish, bullish, sunk = (bool(facts >> bit & 1) for bit in range(6))
        table[state, facts] = {
            S0: S1 if risen else S0,
            S1: S0 if bearish else S2 if above else S1,
            S2: S0 if bearish else S1 if below else S3 if bullish else S2,
            S3: S0 if sunk else S3,
            S4: S0 if bearish else S3 if bullish else S4,
        }[state]
    return table.reshape(-1)


def numpy_states(by_bar: list[NDArray[np.generic]]) -> States:
    """States by one vector step a bar across all series, columns of shape (n_bars, n_series)."""
    table = transition_table()
    price, ema20, ema30, ema60, ema144, ema250, ema333, bars_count = by_bar
    out = np.full(price.shape, S4, np.int8)
    state = np.full(price.shape[1], S4, np.intp)
    for bar in range(CONFIG.min_bars - 1, price.shape[0]):
        p, mid, a, b, c = price[bar], ema60[bar], ema144[bar], ema250[bar], ema333[bar]
        low, high = np.minimum(ema20[bar], ema30[bar]), np.maximum(ema20[bar], ema30[bar])
        fast = low > mid
        facts = (fast & (p > mid)).view(np.int8) | (p > c).view(np.int8) << 1 | (p < c).view(np.int8) << 2
        facts |= ((high < mid) & (mid < a) & (a < b) & (b < c)).view(np.int8) << 3
        facts |= (fast & (mid > a) & (a > b) & (b > c)).view(np.int8) << 4
        facts |= (np.maximum(np.maximum(high, mid), np.maximum(a, b)) < c).view(np.int8) << 5
        out[bar] = table[state * 64 + facts]
        out[bar][bars_count[bar] < CONFIG.min_bars] = S4
        state = out[bar].astype(np.intp)
    return out


def python_states(columns: StackColumns, n_bars: int, n_series: int) -> States:
    """States of the first series, a bar at a time."""
    out = np.empty(n_series * n_bars, np.int8)
    rows = zip(*(column[: out.size].tolist() for column in columns), strict=True)
    state = NO_STATE
    for i, (*prices, bars_count) in enumerate(rows):
        if i % n_bars == 0:
            state = NO_STATE
        state = S4 if bars_count < CONFIG.min_bars else python_next_state(state, EmaStack(*prices))
        out[i] = state
    return out


def python_next_state(state: int, emas: EmaStack) -> int:
    """Step of the state machine as one would write it in Python."""
    price, ema20, ema30, ema60, ema144, ema250, ema333 = emas
    if state == S3:
        return S0 if max(ema20, ema30, ema60, ema144, ema250) < ema333 else S3
    if state == S0:
        return S1 if price > ema60 and ema20 > ema60 and ema30 > ema60 else S0
    if max(ema20, ema30) < ema60 < ema144 < ema250 < ema333:
        return S0
    if state == S1:
        return S2 if price > ema333 else S1
    if state == S2 and price < ema333:
        return S1
    if min(ema20, ema30) > ema60 > ema144 > ema250 > ema333:
        return S3
    return S2 if state == S2 else S4


@njit(cache=True, fastmath=True)
def _total(column: FloatArray) -> float:
    total = 0.0
    for i in range(column.size):
        total += column[i]
    return total


def read_columns(columns: StackColumns) -> None:
    """Read every value once, as fast as one thread can."""
    for column in columns:
        _total(column)


def check_equal(contenders: dict[str, tuple[Callable[[], States | None], float]], panel: Workload) -> None:
    """Refuse to time contenders that disagree; warms the compiled ones."""
    expected = None
    for name, (run, _) in contenders.items():
        states = run()
        if states is None:
            continue
        flat = states.T.reshape(-1) if states.ndim == 2 else states
        expected = flat if expected is None else expected
        if not np.array_equal(flat, expected[: flat.size]):
            raise ValueError(f"{name} gives other states than the rest")
    shares = np.bincount(expected, minlength=5) / panel.n
    print("All contenders agree. Bars in S0..S4:", ", ".join(f"{share:.1%}" for share in shares))


def median_ms(run: Callable[[], object]) -> float:
    """Median wall time of five runs, ms."""
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        run()
        times.append(1000.0 * (time.perf_counter() - started))
    return statistics.median(times)


def report(title: str, measured: dict[str, tuple[float, float]]) -> None:
    """Print times, scaled where a contender ran a slice, and ratios to our single thread and to NumPy."""
    times = {name: milliseconds * scale for name, (milliseconds, scale) in measured.items()}
    ours, numpy = (next(t for name, t in times.items() if name.startswith(prefix)) for prefix in ("ours", "numpy"))
    print(f"\n{title}\n{'':38}{'ms':>10}{'x ours':>9}{'numpy / it':>12}")
    for name, milliseconds in times.items():
        print(f"{name:38}{milliseconds:10.2f}{milliseconds / ours:9.2f}{numpy / milliseconds:12.1f}")


def full_fold(columns: StackColumns, panel: Workload) -> Callable[[], object]:
    """Fold of the whole step over the panel; indicators by plain NumPy, close to the stored ones."""
    values = indicator_columns(columns, panel)
    signal = SignalColumns(*(values[name] for name in SignalColumns._fields))
    decay = DecayColumns(*(values[name] for name in DecayColumns._fields))
    bars = stepping.Panel(columns, signal, decay, panel.ts * 1_000_000)
    first = np.arange(panel.n_series, dtype=np.int64) * panel.n_bars
    none = np.zeros(panel.n_series, np.int64)
    plan = stepping.SeriesPlan(
        first,
        first,
        first + panel.n_bars,
        none,
        none,
        np.full(panel.n_series, BAR_US),
        np.full(panel.n_series, NO_STATE),
        none.astype(np.bool_),
        np.full(panel.n_series, stepping.NO_TIME),
        none.astype(np.bool_),
    )
    codes = np.empty((panel.n, stepping.CODES), np.int64)
    scores = np.empty((panel.n, stepping.SCORES))
    no_levels, params = np.empty(0), uptrend_params(CONFIG)
    return lambda: stepping.fold_panel(bars, plan, no_levels, no_levels, params, codes, scores)


def indicator_columns(columns: StackColumns, panel: Workload) -> dict[str, FloatArray]:
    """Columns the scores and the decay read, flat; RSI and ADX are stand-ins of the right size and smoothness."""
    emas = {f"ema{span}": column.reshape(panel.n_series, -1) for span, column in zip(SPANS, columns[1:7], strict=True)}
    slopes = {f"{name}_slope": rolling_slope(ema) / ema for name, ema in emas.items() if name != "ema30"}
    close, high, low = (panel.mat(name) for name in ("close", "high", "low"))
    atr = recursive_mean(high - low, 1.0 / 14)
    pull = np.tanh((close - emas["ema20"]) / (2.0 * atr))
    adx = recursive_mean(100.0 * np.abs(pull), 1.0 / 14)
    made = {
        **emas,
        **slopes,
        **{"close": close, "high": high, "low": low, "volume": panel.mat("volume")},
        "d_ema144_slope": change(slopes["ema144_slope"], 10),
        "dsep_fast_5": change(emas["ema20"] / emas["ema60"], 5),
        "dsep_mid_5": change(emas["ema60"] / emas["ema144"], 5),
        "atr": atr,
        "atr_mean_20": recursive_mean(atr, 0.1),
        "rsi_slope_10": rolling_slope(recursive_mean(50.0 + 30.0 * pull, 0.2)),
        "adx": adx,
        "adx_slope_10": rolling_slope(adx),
        "vo_z": np.log(panel.mat("volume")) - 8.0,
    }
    return {name: np.ascontiguousarray(values).reshape(-1) for name, values in made.items()}


def rolling_slope(values: FloatArray) -> FloatArray:
    """Least-squares slope of the last 10 values along the second axis; 0 before there are 10."""
    out = np.zeros_like(values)
    bars = values.shape[1]
    for place in range(10):
        out[:, 9:] += (place - 4.5) / 82.5 * values[:, place : bars - 9 + place]
    return out


def change(values: FloatArray, bars: int) -> FloatArray:
    """Value now minus value `bars` bars ago along the second axis; 0 where there is none."""
    out = np.zeros_like(values)
    out[:, bars:] = values[:, bars:] - values[:, :-bars]
    return out


if __name__ == "__main__":
    main()
