"""A feed as bad as real ones, from seeds: holes, silent members, spikes, steps of unit, repeated and broken rows."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

from domain.regime.bar_quarantine import RAW_SCHEMA
from domain.vocabulary.driver import BTC, DOMINANCE_DRIVERS, DRIVERS
from domain.vocabulary.horizon import REGIME_TIMEFRAMES
from domain.vocabulary.timeframe import Timeframe
from domain.vocabulary.universe import MAJORS
from domain.vocabulary.uptrend import EXIT_TRANSITIONS, StateStatus, UptrendFlag, UptrendState

START = datetime(2025, 3, 1, tzinfo=UTC)
END = START + timedelta(hours=38)
MEMES = ("meme-a", "meme-b", "meme-c", "meme-d")
UTC_US = pl.Datetime("us", "UTC")


def raw_bars(seed: int) -> pl.DataFrame:
    """Rows of five majors and four tokens of one chain over START .. END, in no order.

    All print minutes; BTC prints its hours and its first day too. HYPE is silent for seven hours, every series has
    holes, and rows are repeated, contradicted, multiplied by 100 or left without a price.
    """
    rng = np.random.default_rng(seed)
    minutes = [_token_minutes(name, "majors" if name in MAJORS else "sol", rng) for name in (*MAJORS, *MEMES)]
    stepped = pl.col("chain") == "sol"
    hour = pl.col("timestamp").is_between(START + timedelta(hours=11), START + timedelta(hours=12), closed="left")
    printed = pl.concat(minutes).with_columns(
        pl.when(stepped & hour).then(pl.col(name) * 5000.0).otherwise(pl.col(name)).alias(name)
        for name in ("open_usd", "high_usd", "low_usd", "close_usd")
    )
    coarse = [_native(printed, timeframe) for timeframe in (Timeframe.H1, Timeframe.D1)]
    rows = pl.concat([printed, *coarse]).select(RAW_SCHEMA.keys()).cast(RAW_SCHEMA)
    repeated = rows.sample(fraction=0.01, seed=seed)
    contradicted = rows.sample(fraction=0.01, seed=seed + 1).with_columns(source=pl.lit("other"), volume=2.0)
    everything = pl.concat([rows, repeated, contradicted])
    return break_some(everything, seed).sample(fraction=1.0, shuffle=True, seed=seed)


def break_some(rows: pl.DataFrame, seed: int, *, fraction: float = 0.005) -> pl.DataFrame:
    """Spikes of 100, missing and negative prices, and highs below lows in a share of raw rows."""
    fault = pl.lit(pl.Series(np.random.default_rng([seed, 1]).random(rows.height) // fraction))
    return rows.with_columns(
        close_usd=pl.when(fault == 0).then(None).otherwise("close_usd"),
        low_usd=pl.when(fault == 1).then(-1.0).otherwise("low_usd"),
        high_usd=pl.when(fault == 2)
        .then(pl.col("low_usd") * 0.5)
        .when(fault == 3)
        .then(pl.col("high_usd") * 100.0)
        .otherwise("high_usd"),
    )


def dominance_samples(seed: int) -> pl.DataFrame:
    """Samples every five minutes with holes, and hourly and daily ones; some are no percentage."""
    rng = np.random.default_rng(seed)
    frames = []
    for metric in DOMINANCE_DRIVERS:
        for timeframe in (Timeframe.M5, Timeframe.H1, Timeframe.D1):
            opens = _opens(timeframe)
            level = rng.uniform(5, 60) * np.exp(np.cumsum(rng.normal(0, 0.003, len(opens))))
            frame = pl.DataFrame({"timestamp": opens, "value_pct": level}).with_columns(
                metric=pl.lit(metric), timeframe=pl.lit(timeframe.value), source=pl.lit("sampler")
            )
            broken = frame.with_columns(
                value_pct=pl.when(pl.Series(rng.random(len(opens)) < 0.01)).then(101.0).otherwise("value_pct")
            )
            frames.append(broken.filter(pl.Series(rng.random(len(opens)) > 0.15)))
    return (
        pl.concat(frames).cast({"timestamp": UTC_US}).select("metric", "timestamp", "timeframe", "value_pct", "source")
    )


def driver_states(seed: int) -> pl.DataFrame:
    """States of every driver on the regime timeframes, drawn at random, with holes; days and hours begin earlier."""
    rng = np.random.default_rng(seed)
    frames = [
        _states(driver, timeframe, rng)
        for driver in DRIVERS
        for timeframe in REGIME_TIMEFRAMES
        if (driver, timeframe) != ("nano", Timeframe.H1)  # a channel that is missing altogether
    ]
    return pl.concat(frames).cast({"timestamp": UTC_US})


def _states(driver: str, timeframe: Timeframe, rng: np.random.Generator) -> pl.DataFrame:
    opens = _opens(timeframe, START - 6 * timeframe.duration)
    n_bars = len(opens)
    has_fallen = pl.Series(rng.random(n_bars) < 0.1)
    frame = pl.DataFrame(
        {
            "driver": driver,
            "timeframe": timeframe.value,
            "timestamp": opens,
            "status": rng.choice([status.value for status in StateStatus], n_bars, p=[0.1, 0.9]),
            "state": rng.choice([state.value for state in UptrendState], n_bars),
            "transition": rng.choice(EXIT_TRANSITIONS, n_bars),
            **{flag.value: rng.random(n_bars) < 0.2 for flag in UptrendFlag},
        }
    ).with_columns(pl.when(has_fallen).then("transition"))
    return frame.filter(pl.Series(rng.random(n_bars) > 0.1))


def _token_minutes(token: str, chain: str, rng: np.random.Generator) -> pl.DataFrame:
    opens = _opens(Timeframe.M1)
    drift = np.repeat(rng.normal(0, 0.3, len(opens) // 90 + 1), 90)[: len(opens)]
    close = 10.0 ** rng.uniform(-6, 4) * np.exp(np.cumsum(0.002 * (rng.standard_normal(len(opens)) + drift)))
    open_ = np.append(close[:1], close[:-1])
    frame = pl.DataFrame(
        {
            "timestamp": pl.Series(opens, dtype=UTC_US),
            "open_usd": open_,
            "high_usd": np.maximum(open_, close) * np.exp(rng.uniform(0, 0.002, len(opens))),
            "low_usd": np.minimum(open_, close) * np.exp(-rng.uniform(0, 0.002, len(opens))),
            "close_usd": close,
            "volume": np.where(rng.random(len(opens)) < 0.1, 0.0, rng.lognormal(3, 1, len(opens))),
        }
    ).with_columns(token_contract=pl.lit(token), chain=pl.lit(chain), timeframe=pl.lit("1m"), source=pl.lit("venue"))
    silent_from = START + (timedelta(hours=14) if token == "HYPE" else timedelta(minutes=int(rng.integers(60, 1800))))
    silent = timedelta(hours=7) if token == "HYPE" else timedelta(minutes=40)
    is_hole = pl.col("timestamp").is_between(silent_from, silent_from + silent, closed="left")
    return frame.filter(~is_hole & pl.Series(rng.random(len(opens)) > 0.02))


def _native(minutes: pl.DataFrame, timeframe: Timeframe) -> pl.DataFrame:
    """Bars of a timeframe as BTC's venue prints them: from its minutes, with more volume than those show."""
    label = pl.col("timestamp").dt.truncate(f"{timeframe.minutes}m")
    bars = (
        minutes.filter(token_contract=BTC)
        .group_by("token_contract", "chain", "source", timestamp=label)
        .agg(
            pl.col("open_usd").first(),
            pl.col("high_usd").max(),
            pl.col("low_usd").min(),
            pl.col("close_usd").last(),
            pl.col("volume").sum() * 1.5,
        )
    )
    return bars.with_columns(timeframe=pl.lit(timeframe.value)).select(minutes.columns)


def _opens(timeframe: Timeframe, first: datetime = START) -> list[datetime]:
    start = timeframe.floor(first)
    return [start + i * timeframe.duration for i in range((END - start) // timeframe.duration)]
