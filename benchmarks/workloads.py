"""Deterministic workloads of the benchmarks.

Everything is seeded (PCG64) and depends only on the arguments, so every implementation runs on bit-identical data.
NumPy only, no file is read. Each workload has a full size and a small one (`--small`, under 50 s).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SEED = 20240607

EMA_SPANS = (20, 30, 50, 60, 144, 250, 333)
SLOPE_WINDOW = 10  # slope = least-squares slope of the EMA over the last 10 bars, divided by the EMA (per bar)
WILDER = 14


@dataclass
class Panel:
    """`n_series` contiguous (series-major) OHLCV series of `n_bars` bars; flat float64 arrays."""

    n_series: int
    n_bars: int
    series: np.ndarray  # int32 (n,)
    ts: np.ndarray  # int64 seconds (n,)
    open: np.ndarray
    high: np.ndarray
    low: np.ndarray
    close: np.ndarray
    volume: np.ndarray

    @property
    def n(self) -> int:
        """Bars of all series."""
        return self.n_series * self.n_bars

    def mat(self, name: str) -> np.ndarray:
        """One column as an array of shape (n_series, n_bars)."""
        return getattr(self, name).reshape(self.n_series, self.n_bars)


def ohlcv_panel(n_series=1500, n_bars=2000, seed=SEED) -> Panel:
    """500 tokens x 3 timeframes x 2,000 bars by default. Memecoin-like: vol-of-vol, jumps, prices 1e-7..1e2."""
    rng = np.random.default_rng([seed, n_series, n_bars, 1])
    shape = (n_series, n_bars)
    base_vol = np.exp(rng.normal(np.log(0.012), 0.6, (n_series, 1)))
    h = rng.normal(0, 0.08, shape)
    np.cumsum(h, axis=1, out=h)
    h -= h.mean(axis=1, keepdims=True)
    vol = base_vol * np.exp(np.clip(h, -1.5, 1.5))
    # slow drift regimes so that the EMA stack actually orders itself (all states of workload B are visited)
    drift = rng.normal(0, 0.25, (n_series, n_bars // 100 + 1)).repeat(100, axis=1)[:, :n_bars]
    r = vol * (rng.standard_t(4, shape) * 0.7 + drift)
    r = np.clip(r, -0.5, 0.5)
    logp = np.cumsum(r, axis=1)
    p0 = np.exp(rng.uniform(np.log(1e-7), np.log(1e2), (n_series, 1)))
    close = p0 * np.exp(np.clip(logp, -12, 12))
    open_ = np.concatenate([p0, close[:, :-1]], axis=1)
    wick = vol * np.abs(rng.normal(0, 0.6, shape))
    high = np.maximum(open_, close) * (1 + wick)
    low = np.minimum(open_, close) / (1 + vol * np.abs(rng.normal(0, 0.6, shape)))
    volume = np.exp(rng.normal(8, 1.5, shape))
    ts = np.int64(1_700_000_000) + 60 * np.arange(n_bars, dtype=np.int64)
    return Panel(
        n_series,
        n_bars,
        np.repeat(np.arange(n_series, dtype=np.int32), n_bars),
        np.tile(ts, n_series),
        *[np.ascontiguousarray(a).reshape(-1) for a in (open_, high, low, close, volume)],
    )


def next_bar(panel: Panel, seed=SEED):
    """One new (high, low, close) bar for every series: arrays of length n_series."""
    rng = np.random.default_rng([seed, panel.n_series, 2])
    last = panel.mat("close")[:, -1]
    c = last * np.exp(rng.normal(0, 0.01, panel.n_series))
    hi = np.maximum(c, last) * (1 + np.abs(rng.normal(0, 0.004, panel.n_series)))
    lo = np.minimum(c, last) / (1 + np.abs(rng.normal(0, 0.004, panel.n_series)))
    return hi, lo, c
