"""Benchmarks A1 and A3: indicators of 1,500 series x 2,000 bars, and one new bar for each series.

`python -m benchmarks.indicator [--small]`. Contenders are checked against ours before anything is timed (at late bars
where their seeds differ; TA-Lib's RSI is another definition), then run in turn, five rounds. Inputs and outputs lie as
each contender likes them best: ours in tiles of series, TA-Lib series by series, NumPy bar by bar; outputs are
allocated beforehand. "Frames" start and end with a Polars frame. It reports and does not judge: exit code 0.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import polars as pl

from benchmarks.indicator_peer import NumpyIndicators, TalibStreams, pandas_columns, polars_columns, talib_columns
from benchmarks.workloads import Panel, next_bar, ohlcv_panel
from domain.config.indicator import IndicatorConfig
from domain.regime.indicator import indicator_frame
from domain.regime.indicator_kernel import CORE_COLUMNS, LANES, FloatArray, advance_segments
from domain.regime.indicator_panel import IndicatorState, pack_tiles, unpack_tiles
from domain.regime.indicator_segment import BAR_VALUES, checked_bars, segment_bars

ROUNDS = 5
STEPS = 200
NAMES = ("high", "low", "close", "volume")
KEY = ("series", "timeframe")


def main() -> None:
    """Check and time both benchmarks, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="300 series of 1,500 bars instead of 1,500 of 2,000")
    small = parser.parse_args().small
    panel = ohlcv_panel(300, 1500) if small else ohlcv_panel()
    size = f"{panel.n_series:,} series ({panel.n_series // 3:,} tokens on 3 timeframes) x {panel.n_bars:,} bars"
    report(f"A1. 17 indicator columns, {size}, arrays", time_all(array_contenders(panel)), "TA-Lib, a loop over series")
    report(
        f"A1. The same from and to Polars frames, {size}", time_all(frame_contenders(panel)), "TA-Lib, frame to frame"
    )
    report_growth(small)
    steps = time_all(step_contenders(panel), STEPS)
    report(f"A3. One new bar for each of {panel.n_series:,} series", steps, "NumPy across series, 17 columns")


class TiledPanel:
    """A panel packed for ours, with its outputs: the layout is chosen once, where bars are stored."""

    def __init__(self, panel: Panel, *, is_full: bool) -> None:
        self.bars = [pack_tiles(panel.mat(name).T) for name in NAMES]
        self.first_close = panel.mat("close")[:, 0].copy()
        self.n_series, self.is_full = panel.n_series, is_full
        n_columns = len(IndicatorState(self.first_close[:1], is_full=is_full).columns)
        self.out = np.zeros((*self.bars[0].shape[:2], n_columns, LANES))

    def run(self) -> None:
        """All bars in one thread."""
        IndicatorState(self.first_close, is_full=self.is_full).batch(*self.bars, self.out)

    def run_on_two_threads(self, pool: ThreadPoolExecutor) -> None:
        """All bars, half of the tiles in each thread."""
        half = self.bars[0].shape[0] // 2
        list(pool.map(self._run_tiles, (slice(0, half), slice(half, None))))

    def _run_tiles(self, tiles: slice) -> None:
        series = slice(tiles.start * LANES, None if tiles.stop is None else tiles.stop * LANES)
        state = IndicatorState(self.first_close[series], is_full=self.is_full)
        state.batch(*(values[tiles] for values in self.bars), self.out[tiles])


def array_contenders(panel: Panel) -> dict[str, Callable[[], object]]:
    """Check, then name what runs on arrays."""
    core, full, pool = TiledPanel(panel, is_full=False), TiledPanel(panel, is_full=True), ThreadPoolExecutor(2)
    high, low, close = (panel.mat(name) for name in NAMES[:3])
    by_bar = [np.ascontiguousarray(values.T) for values in (high, low, close)]
    talib_out = np.zeros((len(CORE_COLUMNS), *close.shape))
    numpy_out = np.zeros((panel.n_bars, len(CORE_COLUMNS), panel.n_series))

    def run_numpy() -> None:
        state = NumpyIndicators(*(values[0] for values in by_bar))
        for bar in range(1, panel.n_bars):
            numpy_out[bar] = state.step(*(values[bar] for values in by_bar))

    def run_floor() -> None:
        for values in core.bars[:3]:
            values.max()
        core.out.fill(1.0)

    core.run()
    expected = unpack_tiles(core.out, panel.n_series)
    core.run_on_two_threads(pool)
    check("two threads", unpack_tiles(core.out, panel.n_series), expected, rtol=0.0)
    full.run()
    check("the full block", unpack_tiles(full.out, panel.n_series)[: len(CORE_COLUMNS)], expected, rtol=0.0)
    run_numpy()
    check("NumPy", numpy_out.transpose(1, 0, 2), expected, first_bar=20)
    talib_columns(high, low, close, talib_out)
    check("TA-Lib", talib_out.transpose(0, 2, 1), expected, first_bar=1250, rtol=2e-3, share=0.98)
    return {
        "ours": core.run,
        "ours, 2 threads": lambda: core.run_on_two_threads(pool),
        "ours, full block (32 columns)": full.run,
        "TA-Lib, a loop over series": lambda: talib_columns(high, low, close, talib_out),
        "NumPy across series, bar by bar": run_numpy,
        "floor: read inputs, fill outputs (NumPy)": run_floor,
    }


def frame_contenders(panel: Panel) -> dict[str, Callable[[], object]]:
    """Check, then name what starts from a frame sorted by series and bar, and ends in one."""
    frame = pl.DataFrame({"series": panel.series, **{name: getattr(panel, name) for name in NAMES}})
    at = pl.from_epoch(pl.Series(panel.ts), time_unit="s").cast(pl.Datetime("us", "UTC"))
    renamed = {name: f"{name}_usd" for name in NAMES[:3]}
    bars = frame.rename(renamed).with_columns(timeframe=pl.lit("1m"), timestamp=at)
    shape = (panel.n_series, panel.n_bars)

    def run_ours() -> pl.DataFrame:
        return indicator_frame(bars, None, key=KEY, config=IndicatorConfig())

    def run_core() -> pl.DataFrame:
        ordered = checked_bars(bars, KEY)
        segments = segment_bars(ordered, None, KEY, IndicatorConfig().max_gap_bars).longest_first()
        prices = np.stack([ordered[name].to_numpy() for name in BAR_VALUES])
        out, count = np.empty((len(CORE_COLUMNS), ordered.height)), np.empty(ordered.height, np.int32)
        no_carry, picked = np.empty((ordered.height, 0)), np.arange(len(CORE_COLUMNS))
        advance_segments(prices, *segments, picked, out, count, no_carry, is_full=False)
        return pl.DataFrame([pl.Series(name, column) for name, column in zip(CORE_COLUMNS, out, strict=True)])

    def run_talib() -> pl.DataFrame:
        arrays = (frame[name].to_numpy().reshape(shape) for name in NAMES[:3])
        out = np.empty((len(CORE_COLUMNS), *shape))
        talib_columns(*arrays, out)
        return pl.DataFrame([pl.Series(name, out[i].reshape(-1)) for i, name in enumerate(CORE_COLUMNS)])

    product = run_ours()
    shared = [name for name in CORE_COLUMNS if name in product.columns]
    expected = as_panel(product, shared, shape)
    # Not all: their rolling sums drift, so an RSI of a flat window is not 50.
    check("17 columns", as_panel(run_core(), shared, shape), expected, rtol=0.0)
    check("Polars", as_panel(polars_columns(frame), shared, shape), expected, first_bar=600, share=0.98)
    wide = pandas_columns(panel)
    own = np.stack([wide[name].to_numpy() for name in shared])
    check("pandas", own, expected, first_bar=600, share=0.98)
    return {
        "ours, 17 columns": run_core,
        "ours, the product: 30 columns, carry, nulls": run_ours,
        "TA-Lib, frame to frame": run_talib,
        "Polars expressions": lambda: polars_columns(frame),
        "pandas, wide frames": lambda: pandas_columns(panel),
    }


def step_contenders(panel: Panel) -> dict[str, Callable[[], object]]:
    """Check, then name what takes one new bar of every series."""
    high, low, close = next_bar(panel)
    volume = np.ones(panel.n_series)
    ours, states = {}, {}
    for is_full in (False, True):
        state = IndicatorState(panel.mat("close")[:, 0].copy(), is_full=is_full)
        tiles = TiledPanel(panel, is_full=is_full)
        state.batch(*tiles.bars, tiles.out)
        states[is_full] = state.copy()
        ours[is_full] = lambda state=state: state.step(high, low, close, volume)
    longer = [np.vstack([panel.mat(name).T, new]) for name, new in zip(NAMES, (*next_bar(panel), volume), strict=True)]
    whole = IndicatorState(longer[2][0], is_full=False)
    out = np.empty((-(-panel.n_series // LANES), panel.n_bars + 1, len(CORE_COLUMNS), LANES))
    whole.batch(*(pack_tiles(values) for values in longer), out)
    batch_row = unpack_tiles(out, panel.n_series)[:, -1]
    row = states[False].step(high, low, close, volume)
    check("the step", unpack_tiles(row[:, np.newaxis], panel.n_series), batch_row[:, np.newaxis], rtol=0.0)
    peer = NumpyIndicators(*(values[0] for values in longer[:3]))
    for bar in range(1, panel.n_bars + 1):
        peer_row = peer.step(*(values[bar] for values in longer[:3]))
    check("NumPy's step", peer_row[:, np.newaxis], batch_row[:, np.newaxis])
    streams = TalibStreams(*(panel.mat(name) for name in NAMES[:3]))
    own = streams.step(high, low, close).T
    check("TA-Lib", own[:, np.newaxis], batch_row[:, np.newaxis], rtol=2e-3, share=0.95)
    return {
        "ours, 17 columns": ours[False],
        "ours, full block (32 columns)": ours[True],
        "NumPy across series, 17 columns": lambda: peer.step(high, low, close),
        "TA-Lib streams, 17 columns": lambda: streams.step(high, low, close),
    }


def as_panel(frame: pl.DataFrame, names: list[str], shape: tuple[int, int]) -> FloatArray:
    """Columns of a sorted frame as (n_columns, n_bars, n_series)."""
    return np.stack([frame[name].to_numpy().reshape(shape).T for name in names])


def check(
    name: str, values: FloatArray, expected: FloatArray, *, first_bar: int = 0, rtol: float = 1e-9, share: float = 1.0
) -> None:
    """Refuse to time a contender of whose values from `first_bar` on less than `share` equal ours, column by column.

    Arrays are (n_columns, n_bars, n_series). TA-Lib's RSI is left out: it is Wilder's.
    """
    for i, (own, wanted) in enumerate(zip(values[:, first_bar:], expected[:, first_bar:], strict=True)):
        atol = rtol * np.nanmax(np.abs(wanted))
        equal = np.isclose(own, wanted, rtol=rtol, atol=atol, equal_nan=True).mean()
        if equal < share and not (name == "TA-Lib" and CORE_COLUMNS[i] == "rsi"):
            raise ValueError(f"{name}: only {equal:.2%} of column {i} equal ours")


def time_all(contenders: dict[str, Callable[[], object]], repeats: int = 1) -> dict[str, float]:
    """Median over the rounds of the wall time of a run, ms; in each round every contender runs in turn."""
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(ROUNDS):
        for name, run in contenders.items():
            laps = 3 if name.startswith("TA-Lib streams") else repeats
            begin = time.perf_counter()
            for _ in range(laps):
                run()
            times[name].append((time.perf_counter() - begin) * 1e3 / laps)
    return {name: statistics.median(values) for name, values in times.items()}


def report(title: str, times: dict[str, float], peer: str) -> None:
    """Print one table; the first contender is ours, and peer / time says how many times faster than the peer."""
    print(f"\n{title}, median of {ROUNDS}\n{'':44}{'ms':>12}{'time / ours':>14}{'peer / time':>14}   (peer: {peer})")
    ours = next(iter(times.values()))
    for name, ms in times.items():
        print(f"{name:44}{ms:12,.4f}{ms / ours:13.2f}x{times[peer] / ms:13.2f}x")


def report_growth(small: bool) -> None:
    """Print the time per bar as bars and series double: it should stand still."""
    print("\nGrowth of ours, 17 columns on arrays")
    for n_series, n_bars in (
        ((150, 500), (300, 500), (300, 1000)) if small else ((750, 1000), (1500, 1000), (1500, 2000))
    ):
        panel = ohlcv_panel(n_series, n_bars)
        tiles = TiledPanel(panel, is_full=False)
        ms = time_all({"ours": tiles.run})["ours"]
        print(f"{n_series:6,} series x {n_bars:5,} bars {ms:9.2f} ms {ms * 1e6 / panel.n:7.2f} ns a bar")


if __name__ == "__main__":
    main()
