"""Benchmark C: mean clipped log return of six groups of 2,000 tokens, 7 days of minutes and of hours, with gaps.

`python -m benchmarks.group_returns [--small]`. Every contender must give the same table before it is timed; then all
take turns. Each starts from the form it likes best, made beforehand: ours from columns sorted by time and member,
Polars and DuckDB from their own tables in that order, pandas from a frame sorted by token. On hours ours also runs as
the product does, from frames with named tokens to rows with levels and residuals. Extra memory is the growth of the
largest resident size over the run, each contender in a process of its own. It reports and does not judge: exit code 0.
"""

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks import group_returns_peer as peer
from benchmarks.group_returns_peer import CLIP, N_GROUPS, Long
from benchmarks.workloads import Ticks, composite_ticks
from domain.config.cap_bucket import CapBucketConfig
from domain.regime.bucket_return import bucket_returns
from domain.regime.group_return import GroupDays, GroupRule, MemberCloses, group_returns
from domain.vocabulary.timeframe import Timeframe

ROUNDS, ROUNDS_SMALL = 5, 3
TOKENS, TOKENS_SMALL = 2000, 200
MINUTE, HOUR = 60, 3600
ARRAYS, FRAMES, FLOOR = "ours, arrays", "ours, the product: frames, levels", "floor: read the columns (NumPy)"
PEERS = {"Polars, streaming": "polars", "DuckDB": "duckdb", "pandas": "pandas"}

Run = Callable[[], object]
Contender = tuple[Run, Callable[[], np.ndarray]]
"""What is timed, and what gives its table of means."""


def main() -> None:
    """Check and time the contenders on both bar lengths, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--small", action="store_true", help="200 tokens instead of 2,000, three rounds instead of five"
    )
    parser.add_argument("--memory-of", help=argparse.SUPPRESS)
    parser.add_argument("--step", type=int, default=MINUTE, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    tokens = TOKENS_SMALL if asked.small else TOKENS
    if asked.memory_of:
        print(extra_memory(asked.memory_of, tokens, asked.step))
        return
    if missing := [name for name, package in PEERS.items() if not peer.is_installed(package)]:
        print(f"Peers left out, not installed: {', '.join(missing)}")
    for step in (MINUTE, HOUR):
        ticks = composite_ticks(tokens, step_s=step)
        entries = contenders(ticks)
        check(entries)
        times = time_all({name: run for name, (run, _) in entries.items()}, ROUNDS_SMALL if asked.small else ROUNDS)
        memory = {name: memory_of(name, step, is_small=asked.small) for name in entries if name != FLOOR}
        length = "minutes" if step == MINUTE else "hours"
        report(f"C. {tokens:,} tokens x 7 days of {length}, {ticks.n:,} closes", times, memory)
    report_growth(tokens)


def contenders(ticks: Ticks, only: str = "") -> dict[str, Contender]:
    """Name what can run on these ticks, or the one asked for."""
    long = Long.of(ticks)
    makers = {ARRAYS: lambda: arrays_contender(ticks)}
    if ticks.step_s == HOUR:
        makers[FRAMES] = lambda: frames_contender(long)
    makers["Polars, streaming"] = lambda: (
        lambda: peer.polars_returns(long),
        lambda: long.table(peer.polars_returns(long)),
    )
    for name, kind in (("DuckDB", peer.DuckDB), ("pandas", peer.Pandas)):
        if peer.is_installed(PEERS[name]):
            makers[name] = lambda kind=kind: peer_contender(kind(long), long)
    makers[FLOOR] = lambda: (lambda: read_columns(ticks), lambda: np.empty(0))
    return {name: make() for name, make in makers.items() if only in ("", name)}


def arrays_contender(ticks: Ticks) -> Contender:
    """Ours, as the kernel takes it."""
    closes = MemberCloses(ticks.ts * 1_000_000, ticks.token, ticks.close)
    days = GroupDays(ticks.day_bucket.astype(np.int16), None)
    rule = GroupRule(ticks.step_s * 1_000_000, 1, CLIP)

    def run() -> np.ndarray:
        return group_returns(closes, days, n_groups=N_GROUPS, start_us=int(closes.at_us[0]), rule=rule).log_return

    return run, run


def frames_contender(long: Long) -> Contender:
    """Ours, as the asset calls it."""
    ticks, utc = long.ticks, pl.Datetime("us", "UTC")
    named = pl.format("0x{}", pl.col("token").cast(pl.String).str.zfill(40))
    bars = long.rows.select(
        token_contract=named, chain=pl.lit("bsc"), timeframe=pl.lit("1h"),
        timestamp=pl.from_epoch("ts", time_unit="s").cast(utc), close_usd="close",
    )  # fmt: skip
    day = pl.from_epoch(pl.col("day") * peer.DAY_S, time_unit="s").dt.date()
    members = long.members.select(
        bucket=pl.col("group").cast(pl.String), token_contract=named, chain=pl.lit("bsc"), day=day
    )
    no_references = pl.DataFrame(schema={"timestamp": utc, "r_btc": pl.Float64, "r_alt": pl.Float64})
    no_levels = pl.DataFrame(schema={"bucket": pl.String, "timestamp": utc, "index_level": pl.Float64})
    start, end = (datetime.fromtimestamp(int(at), UTC) for at in (ticks.ts[0], ticks.ts[-1] + ticks.step_s))
    config = CapBucketConfig(bucket_phase_min_population=1)

    def run() -> pl.DataFrame:
        return bucket_returns(
            bars, members, no_references, no_levels, start=start, end=end, config=config, timeframe=Timeframe.H1
        ).returns

    def table() -> np.ndarray:
        made = run().select(
            ts=pl.col("timestamp").dt.epoch("s"), group=pl.col("bucket").cast(pl.Int64), mean="r_bucket"
        )
        return long.table(made)

    return run, table


def peer_contender(found: "peer.DuckDB | peer.Pandas", long: Long) -> Contender:
    """One of the others."""
    return found.returns, lambda: long.table(found.returns())


def read_columns(ticks: Ticks) -> float:
    """Touch every value once: nothing that reads them all is faster."""
    return float(ticks.ts.max() + ticks.token.max() + ticks.close.max())


def check(entries: Mapping[str, Contender]) -> None:
    """Refuse to time contenders that do not give our table."""
    expected = entries[ARRAYS][1]()
    for name, (_, table) in entries.items():
        if name != FLOOR and not np.allclose(table(), expected, rtol=1e-9, atol=1e-12, equal_nan=True):
            raise ValueError(f"{name} gives other returns than ours")


def time_all(runs: Mapping[str, Run], rounds: int) -> dict[str, float]:
    """Median wall time of each, ms; in each round every contender runs in turn."""
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            begin = time.perf_counter()
            run()
            taken[name].append((time.perf_counter() - begin) * 1e3)
    return {name: statistics.median(times) for name, times in taken.items()}


def memory_of(name: str, step: int, *, is_small: bool) -> float:
    """Extra memory of a contender in a process of its own, MB."""
    size = ["--small"] if is_small else []
    command = [sys.executable, "-m", "benchmarks.group_returns", *size, "--step", str(step), "--memory-of", name]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def extra_memory(name: str, tokens: int, step: int) -> float:
    """Growth of this process's largest resident size over one run, after one on little data has loaded everything."""
    contenders(composite_ticks(20, days=1, step_s=step), name)[name][0]()
    run, _ = contenders(composite_ticks(tokens, step_s=step), name)[name]
    before = resident_mb("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # forget the largest size so far
    run()
    return resident_mb("VmHWM") - before


def resident_mb(line: str) -> float:
    """One of the kernel's figures for this process, MB."""
    status = Path("/proc/self/status").read_text()
    return next(int(text.split()[1]) / 1024 for text in status.splitlines() if text.startswith(line))


def report(title: str, times: Mapping[str, float], memory: Mapping[str, float]) -> None:
    """Print times, ratios to ours, and extra memory; under 1 MB counts as 1 MB, for a heap has that lying about."""
    print(f"\n{title}\n{'':36}{'ms':>10}{'x ours':>9}{'extra MB':>10}{'x ours':>9}")
    for name, ms in times.items():
        extra = (
            f"{memory[name]:10.1f}{max(memory[name], 1.0) / max(memory[ARRAYS], 1.0):9.1f}" if name in memory else ""
        )
        print(f"{name:36}{ms:10.1f}{ms / times[ARRAYS]:9.1f}{extra}")


def report_growth(tokens: int) -> None:
    """Print ours as tokens double: linear when the last column stands still."""
    print("\nGrowth of ours, arrays, 7 days of minutes")
    for n_tokens in (tokens // 4, tokens // 2, tokens):
        ticks = composite_ticks(n_tokens)
        run, _ = arrays_contender(ticks)
        ms = time_all({ARRAYS: run}, ROUNDS_SMALL)[ARRAYS]
        print(f"{n_tokens:6,} tokens {ticks.n:12,} closes {ms:9.2f} ms {ms * 1e6 / ticks.n:7.2f} ns a close")


if __name__ == "__main__":
    main()
