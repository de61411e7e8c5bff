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


@dataclass
class Ticks:
    """Closes of many tokens, sorted by (ts, token). About 1 % of the bars are missing; buckets change once a day."""

    n_tokens: int
    step_s: int
    ts: np.ndarray  # int64 seconds (n,)
    token: np.ndarray  # int32 (n,)
    close: np.ndarray  # float64 (n,)
    bucket: np.ndarray  # uint8 (n,): of the row's token on the row's day
    day_bucket: np.ndarray  # uint8 (n_days, n_tokens)

    @property
    def n(self) -> int:
        """Closes of all tokens."""
        return self.ts.size


def composite_ticks(n_tokens=2000, days=7, step_s=60, missing=0.01, seed=SEED) -> Ticks:
    """Random walks in six groups by size: 35, 25, 18, 12, 7 and 3 % of the tokens."""
    rng = np.random.default_rng([seed, n_tokens, days, step_s, 3])
    n_bars = days * 86400 // step_s
    walk = rng.standard_normal((n_bars, n_tokens), dtype=np.float32)
    walk *= np.float32(0.004 * np.sqrt(step_s / 60))
    np.cumsum(walk, axis=0, out=walk)
    close = np.exp(walk.astype(np.float64)) * np.exp(rng.uniform(np.log(1e-6), np.log(10), n_tokens))
    size = np.exp(rng.normal(11, 1.8, n_tokens)) * np.exp(rng.normal(0, 0.3, (days, n_tokens)))
    day_bucket = np.digitize(size, np.quantile(size, [0.35, 0.6, 0.78, 0.9, 0.97])).astype(np.uint8)
    ts = np.int64(1_700_006_400) + step_s * np.arange(n_bars, dtype=np.int64)  # from a midnight
    keep = rng.random((n_bars, n_tokens), dtype=np.float32) >= missing
    keep[0] = True
    kept = keep.reshape(-1)
    return Ticks(
        n_tokens,
        step_s,
        np.repeat(ts, n_tokens)[kept],
        np.tile(np.arange(n_tokens, dtype=np.int32), n_bars)[kept],
        close.reshape(-1)[kept],
        np.repeat(day_bucket, 86400 // step_s, axis=0).reshape(-1)[kept],
        day_bucket,
    )
