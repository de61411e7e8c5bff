"""Deterministic workloads of the benchmarks.

Everything is seeded (PCG64) and depends only on the arguments, so every implementation runs on bit-identical data.
NumPy only, no file is read. Each workload has a full size and a small one (`--small`, under 50 s).
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SEED = 20240607

# ----------------------------------------------------------------------------------------------- A / B indicators
EMA_SPANS = (20, 30, 50, 60, 144, 250, 333)
SLOPE_WINDOW = 10      # slope = least-squares slope of the EMA over the last 10 bars, divided by the EMA (per bar)
WILDER = 14


@dataclass
class Panel:
    """`n_series` contiguous (series-major) OHLCV series of `n_bars` bars; flat float64 arrays."""
    n_series: int
    n_bars: int
    series: np.ndarray   # int32 (n,)
    ts: np.ndarray       # int64 seconds (n,)
    open: np.ndarray
    high: np.ndarray
    low: np.ndarray
    close: np.ndarray
    volume: np.ndarray

    @property
    def n(self):
        return self.n_series * self.n_bars

    def mat(self, name):
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
    ts = (np.int64(1_700_000_000) + 60 * np.arange(n_bars, dtype=np.int64))
    return Panel(n_series, n_bars,
                 np.repeat(np.arange(n_series, dtype=np.int32), n_bars),
                 np.tile(ts, n_series),
                 *[np.ascontiguousarray(a).reshape(-1) for a in (open_, high, low, close, volume)])


def next_bar(panel: Panel, seed=SEED):
    """One new (high, low, close) bar for every series: arrays of length n_series."""
    rng = np.random.default_rng([seed, panel.n_series, 2])
    last = panel.mat("close")[:, -1]
    c = last * np.exp(rng.normal(0, 0.01, panel.n_series))
    hi = np.maximum(c, last) * (1 + np.abs(rng.normal(0, 0.004, panel.n_series)))
    lo = np.minimum(c, last) / (1 + np.abs(rng.normal(0, 0.004, panel.n_series)))
    return hi, lo, c


# ----------------------------------------------------------------------------------------------- C composites
BUCKETS = ("nano", "micro", "small", "mid", "big", "large")


@dataclass
class Ticks:
    """Long table sorted by (ts, token). ~1% of bars missing; a token's bucket is re-tagged once a day."""
    n_tokens: int
    step_s: int
    ts: np.ndarray       # int64 seconds
    token: np.ndarray    # int32
    close: np.ndarray    # float64
    volume: np.ndarray   # float64
    liq: np.ndarray      # float64 (liquidity in usd)
    bucket: np.ndarray   # uint8 index into BUCKETS


def composite_ticks(n_tokens=2000, days=7, step_s=60, missing=0.01, seed=SEED) -> Ticks:
    rng = np.random.default_rng([seed, n_tokens, days, step_s, 3])
    T = days * 86400 // step_s
    r = rng.standard_normal((T, n_tokens), dtype=np.float32)
    r *= np.float32(0.004 * np.sqrt(step_s / 60))
    np.cumsum(r, axis=0, out=r)
    p0 = np.exp(rng.uniform(np.log(1e-6), np.log(10), n_tokens)).astype(np.float64)
    close = np.exp(r.astype(np.float64)) * p0
    del r
    volume = np.exp(rng.standard_normal((T, n_tokens), dtype=np.float32) * 1.2 + 7).astype(np.float64)
    liq0 = np.exp(rng.normal(11, 1.8, n_tokens))
    liq = liq0 * np.exp(rng.normal(0, 0.02, (T, 1)).cumsum(axis=0)) * (0.9 + 0.2 * rng.random((1, n_tokens)))
    rank = liq0 * np.exp(rng.normal(0, 0.3, (days, n_tokens)))
    edges = np.quantile(rank, [0.35, 0.6, 0.78, 0.9, 0.97])
    bday = np.digitize(rank, edges).astype(np.uint8)                       # (days, n_tokens)
    per_day = 86400 // step_s
    bucket = np.repeat(bday, per_day, axis=0)
    ts = np.int64(1_700_006_400) + step_s * np.arange(T, dtype=np.int64)   # 1_700_006_400 % 86400 == 0
    keep = rng.random((T, n_tokens), dtype=np.float32) >= missing
    keep[0] = True
    k = keep.reshape(-1)
    return Ticks(n_tokens, step_s, np.repeat(ts, n_tokens)[k], np.tile(np.arange(n_tokens, dtype=np.int32), T)[k],
                 close.reshape(-1)[k], volume.reshape(-1)[k], liq.reshape(-1)[k], bucket.reshape(-1)[k])


# ----------------------------------------------------------------------------------------------- D / E / G scopes
_REGIME = [(f"{d}_{h}", c) for d in ("btc", "alt", "bucket", "btcd", "usdtd")
           for h, c in (("macro", 4), ("meso", 5), ("micro", 6))]
SCOPE_DIMS = [("curator", 12), ("chain", 5), ("mcap_bucket", 7), ("vol_bucket", 6), ("age_bucket", 6), ("intent", 8),
              ("mcap_vol_ratio_bucket", 5), ("market_family", 2), ("timeframe", 4), ("A_mode", 3), ("E_mode", 3),
              ("bucket_leader", 7), ("bucket_rank_position", 7)] + _REGIME
assert len(SCOPE_DIMS) == 28
DIM_NAMES = [d for d, _ in SCOPE_DIMS]
CARDS = np.array([c for _, c in SCOPE_DIMS], dtype=np.int64)
N_PATTERNS, N_CATS = 12, 4
N_MIN = 33
RR_SCALE = 10_000          # rr is stored with 4 decimals, so integer sums are exact


@dataclass
class Events:
    pattern: np.ndarray   # uint8  (E,)
    cat: np.ndarray       # uint8  (E,)
    scope: np.ndarray     # uint8  (E, 28) C-order
    rr: np.ndarray        # float64 (E,)  = rr_q / 1e4
    rr_q: np.ndarray      # int32
    ts: np.ndarray        # int64 seconds

    @property
    def E(self):
        return len(self.rr)

    @property
    def group(self):
        return (self.pattern.astype(np.int64) * N_CATS + self.cat).astype(np.uint8)


def _zipf_p(n, s, rng):
    p = 1.0 / np.arange(1, n + 1) ** s
    return p / p.sum()


def _ndtr(x):
    from math import sqrt
    try:
        from scipy.special import ndtr
        return ndtr(x)
    except ImportError:                                         # pragma: no cover
        from math import erf
        return np.vectorize(lambda v: 0.5 * (1 + erf(v / sqrt(2))))(x)


def scope_codes(E, rng, persistent=True) -> np.ndarray:
    """(E, 28) uint8: skewed (zipf s in 0.3..1.4) marginals, correlated through 6 latent factors; the regime dims
    are slow functions of event time (neighbouring events share them), as they are in the real system."""
    F = 6
    z = rng.standard_normal((E, F)).astype(np.float32)
    z2 = np.empty((E, 3), np.float32)
    nt = max(E // 40, 8)
    for k, knots in enumerate((max(nt // 64, 8), max(nt // 8, 8), nt)):           # macro, meso, micro horizons
        y = rng.standard_normal(knots)
        z2[:, k] = np.interp(np.linspace(0, knots - 1, E), np.arange(knots), y) * 1.2
    out = np.empty((E, 28), np.uint8)
    for d, (name, card) in enumerate(SCOPE_DIMS):
        load = rng.uniform(0.45, 0.9)
        if d >= 13 and persistent:
            hor = (d - 13) % 3
            drv = (d - 13) // 3
            knots = max((nt // 64, nt // 8, nt)[hor], 8)
            own = np.interp(np.linspace(0, knots - 1, E), np.arange(knots), rng.standard_normal(knots)) * 1.2
            x = (load * z2[:, hor] + np.sqrt(1 - load ** 2) * own + 0.15 * rng.standard_normal(E)) / 1.1
            del drv
        else:
            x = load * z[:, d % F] + np.sqrt(1 - load ** 2) * rng.standard_normal(E)
        cum = np.cumsum(_zipf_p(card, rng.uniform(0.3, 1.4), rng))[:-1]
        out[:, d] = np.digitize(_ndtr(x), cum).astype(np.uint8)
    return out


def mining_events(E=100_000, seed=SEED) -> Events:
    """pattern (12, zipf) x action category (4) = 48 groups; 28 scope dims; rr heavy-tailed (t, df 2.3), clipped +-33,
    with ~40 planted depth-1..3 effects."""
    rng = np.random.default_rng([seed, E, 4])
    pattern = rng.choice(N_PATTERNS, E, p=_zipf_p(N_PATTERNS, 0.9, rng)).astype(np.uint8)
    cat = rng.choice(N_CATS, E, p=[0.45, 0.15, 0.25, 0.15]).astype(np.uint8)
    scope = scope_codes(E, rng)
    rr = 0.12 + 0.9 * rng.standard_t(2.3, E)
    for _ in range(40):
        k = int(rng.integers(1, 4))
        dims = rng.choice(28, k, replace=False)
        m = pattern == rng.integers(0, 4)
        for d in dims:
            m &= scope[:, d] == rng.integers(0, min(3, CARDS[d]))
        rr[m] += rng.normal(0, 0.5)
    rr_q = np.rint(np.clip(rr, -33, 33) * RR_SCALE).astype(np.int32)
    ts = np.int64(1_690_000_000) + np.sort(rng.integers(0, 86400 * 365, E))
    return Events(pattern, cat, scope, rr_q / RR_SCALE, rr_q, ts)


def masks_upto(k, n_dims=28, kmin=0):
    """All dim-tuples with kmin <= len <= k, ordered by length then lexicographically. k=3: 1+28+378+3276 = 3,683."""
    from itertools import combinations
    return [c for r in range(kmin, k + 1) for c in combinations(range(n_dims), r)]


# ----------------------------------------------------------------------------------------------- F decay
@dataclass
class DecayCells:
    """Ragged (edge, t) snapshots in CSR form. truth: kind 0 exp, 1 linear, 2 flat."""
    start: np.ndarray   # int64 (C+1,)
    t: np.ndarray       # float64 hours since the cell's first snapshot, increasing
    y: np.ndarray       # float64
    kind: np.ndarray    # uint8
    a: np.ndarray       # amplitude
    lam: np.ndarray     # decay rate per hour (exp), slope (linear)

    @property
    def C(self):
        return len(self.kind)


def decay_cells(C=10_000, seed=SEED) -> DecayCells:
    rng = np.random.default_rng([seed, C, 5])
    n = np.exp(rng.uniform(np.log(18), np.log(501), C)).astype(np.int64)
    start = np.concatenate([[0], np.cumsum(n)])
    N = int(start[-1])
    cell = np.repeat(np.arange(C), n)
    gap = rng.exponential(1.0, N)
    gap[start[:-1]] = 0
    t = np.cumsum(gap)
    t -= t[start[:-1]][cell]
    span = np.exp(rng.uniform(np.log(24), np.log(24 * 90), C))          # 1 .. 90 days observed
    t *= (span / t[start[1:] - 1])[cell]
    kind = rng.choice(3, C, p=[0.6, 0.25, 0.15]).astype(np.uint8)
    a = rng.normal(0, 0.8, C)
    a = np.sign(a) * (np.abs(a) + 0.15)
    half = span * np.exp(rng.uniform(np.log(0.1), np.log(3), C))        # half-life 0.1 .. 3 x observed span
    lam = np.where(kind == 0, np.log(2) / half, np.where(kind == 1, -a * rng.uniform(0.2, 1.5, C) / span, 0.0))
    mu = np.where(kind[cell] == 0, a[cell] * np.exp(-np.where(kind == 0, lam, 0)[cell] * t), a[cell] + np.where(kind == 1, lam, 0)[cell] * t)
    y = mu + rng.normal(0, 1, N) * (0.1 * np.abs(a))[cell]
    return DecayCells(start, t, y, kind, a, lam)


# ----------------------------------------------------------------------------------------------- G PM tick
@dataclass
class Tick:
    scope: np.ndarray      # (P, 28) uint8
    pattern: np.ndarray    # (P,) uint8
    cat: np.ndarray        # (P,) uint8
    usd: np.ndarray        # (P,) float64
    A: np.ndarray
    E: np.ndarray
    frac: np.ndarray
    # overrides (CSR-like): k dims with values; mask bit set
    o_pattern: np.ndarray
    o_cat: np.ndarray
    o_k: np.ndarray        # uint8 number of conditions (0..3)
    o_dim: np.ndarray      # (O, 3) int8, -1 padded
    o_val: np.ndarray      # (O, 3) uint8
    o_dirA: np.ndarray
    o_dirE: np.ndarray
    o_conf: np.ndarray


def pm_tick(P=1000, O=5000, seed=SEED) -> Tick:
    rng = np.random.default_rng([seed, P, O, 6])
    scope = scope_codes(P, rng, persistent=True)
    pattern = rng.choice(N_PATTERNS, P, p=_zipf_p(N_PATTERNS, 0.9, rng)).astype(np.uint8)
    cat = rng.choice(N_CATS, P, p=[0.45, 0.15, 0.25, 0.15]).astype(np.uint8)
    usd = np.exp(rng.normal(5, 1.5, P))
    # overrides are drawn from scopes that exist (as mined ones are): take a random position-like row, keep k dims
    src = scope_codes(max(O, 2000), rng, persistent=True)
    o_pattern = rng.choice(N_PATTERNS, O, p=_zipf_p(N_PATTERNS, 0.9, rng)).astype(np.uint8)
    o_cat = rng.choice(N_CATS, O, p=[0.45, 0.15, 0.25, 0.15]).astype(np.uint8)
    o_k = rng.choice(4, O, p=[0.01, 0.12, 0.32, 0.55]).astype(np.uint8)
    o_dim = np.full((O, 3), -1, np.int8)
    o_val = np.zeros((O, 3), np.uint8)
    rows = rng.integers(0, len(src), O)
    seen = set()
    for i in range(O):
        for _ in range(50):
            d = np.sort(rng.choice(28, o_k[i], replace=False))
            v = src[rows[i], d]
            key = (o_pattern[i], o_cat[i], tuple(d.tolist()), tuple(v.tolist()))
            if key not in seen:
                break
            rows[i] = rng.integers(0, len(src))
            if o_k[i] < 2:
                o_k[i] += 1
        seen.add(key)
        o_dim[i, :len(d)] = d
        o_val[i, :len(d)] = v
        o_k[i] = len(d)
    return Tick(scope, pattern, cat, usd, rng.uniform(0.1, 0.9, P), rng.uniform(0.1, 0.9, P),
                rng.uniform(0.1, 0.6, P), o_pattern, o_cat, o_k, o_dim, o_val,
                rng.normal(0, 0.1, O), rng.normal(0, 0.1, O), rng.uniform(0.2, 1.0, O))


# ----------------------------------------------------------------------------------------------- H OHLC table
@dataclass
class Ohlc:
    token: np.ndarray   # int32
    tf: np.ndarray      # int16 (0..5)
    ts_us: np.ndarray   # int64 microseconds since the unix epoch
    o: np.ndarray
    h: np.ndarray
    l: np.ndarray
    c: np.ndarray
    v: np.ndarray

    @property
    def n(self):
        return len(self.token)


def ohlc_rows(n=1_000_000, n_tokens=500, seed=SEED) -> Ohlc:
    """n rows, primary key (token, tf, ts), ordered by (ts, token) as they arrive."""
    rng = np.random.default_rng([seed, n, n_tokens, 7])
    bars = -(-n // n_tokens)
    token = np.tile(np.arange(n_tokens, dtype=np.int32), bars)[:n]
    ts = np.repeat(np.int64(1_700_006_400_000_000) + 60_000_000 * np.arange(bars, dtype=np.int64), n_tokens)[:n]
    c = np.exp(rng.normal(-3, 3, n))
    o = c * np.exp(rng.normal(0, 0.01, n))
    h = np.maximum(o, c) * (1 + np.abs(rng.normal(0, 0.005, n)))
    l = np.minimum(o, c) / (1 + np.abs(rng.normal(0, 0.005, n)))
    return Ohlc(token, np.zeros(n, np.int16), ts, o, h, l, c, np.exp(rng.normal(8, 1.5, n)))


if __name__ == "__main__":      # fingerprint: a later implementation can check that it sees the same bits
    import hashlib

    def fp(*arrs):
        m = hashlib.sha256()
        for a in arrs:
            m.update(np.ascontiguousarray(a).tobytes())
        return m.hexdigest()[:16]

    p = ohlcv_panel(50, 500)
    print("ohlcv_panel(50,500)      ", fp(p.high, p.low, p.close))
    c = composite_ticks(50, 1)
    print("composite_ticks(50,1)    ", fp(c.ts, c.token, c.close, c.liq, c.bucket), len(c.ts))
    e = mining_events(10_000)
    print("mining_events(10_000)    ", fp(e.pattern, e.cat, e.scope, e.rr_q))
    d = decay_cells(1000)
    print("decay_cells(1000)        ", fp(d.start, d.t, d.y))
    g = pm_tick(100, 5000)
    print("pm_tick(100,5000)        ", fp(g.scope, g.usd, g.o_dim, g.o_val))
    h = ohlc_rows(10_000)
    print("ohlc_rows(10_000)        ", fp(h.token, h.ts_us, h.c))
