"""Groups of a feed as bad as real ones: tags that change and end by the day, and hourly indices with holes."""

from datetime import timedelta

import numpy as np
import polars as pl

from domain.regime.spiral_phase import STREAM_SCHEMA
from domain.vocabulary.universe import MAJORS
from tests.faulty_feed import END, MEMES, START, UTC_US

LOOKBACK = timedelta(hours=220)


def tag_readings(seed: int) -> pl.DataFrame:
    """Bucket and liquidity of each token, by the midnight of the day that was read; they hold on the next day.

    Tokens change their bucket, lose their tag, or have no liquidity. The last reading is of a day after END.
    """
    rng = np.random.default_rng([seed, 2])
    tokens = [*(("majors", name) for name in MAJORS), *(("sol", name) for name in MEMES)]
    rows = [
        (START + timedelta(days=day), chain, name, str(rng.choice(["nano", "micro"])), float(rng.lognormal(10, 2)))
        for day in range(-2, 3)
        for chain, name in tokens
    ]
    schema = ["timestamp", "chain", "token_contract", "bucket", "liquidity_usd"]
    frame = pl.DataFrame(rows, schema=schema, orient="row").cast({"timestamp": UTC_US})
    has_liquidity = pl.Series(rng.random(frame.height) > 0.1)
    kept = frame.with_columns(timeframe=pl.lit("1d"), liquidity_usd=pl.when(has_liquidity).then("liquidity_usd"))
    return kept.filter(pl.Series(rng.random(frame.height) > 0.1))


def log_streams(seed: int) -> pl.DataFrame:
    """Log indices of BTC, ALT and six subjects, hour by hour from well before START, with coverage.

    One subject has every hour; of the others some are missing, and some have no coverage or no number.
    """
    rng = np.random.default_rng([seed, 3])
    hours = pl.datetime_range(START - LOOKBACK, END, "1h", closed="left", eager=True, time_unit="us")
    btc, alt = (np.cumsum(rng.normal(0, 0.01, len(hours))) for _ in range(2))
    frames = []
    for number in range(6):
        frame = pl.DataFrame(
            {
                "timestamp": hours,
                "btc_log_index": btc,
                "alt_log_index": alt,
                "subject_log_index": btc + np.cumsum(rng.normal(0, 0.02, len(hours))),
                "coverage": rng.uniform(0.4, 1.0, len(hours)),
            }
        ).with_columns(subject=pl.lit(f"group-{number}"))
        fault = pl.Series(rng.random(len(hours)) // 0.004 if number else np.full(len(hours), 9.0))
        frame = frame.with_columns(
            subject_log_index=pl.when(fault == 0).then(float("nan")).otherwise("subject_log_index"),
            coverage=pl.when((fault == 1) | (fault == 2)).then(None).otherwise("coverage"),
        )
        frames.append(frame.filter(fault != 3).select(STREAM_SCHEMA.keys()))
    return pl.concat(frames).with_columns(timeframe=pl.lit("1h"))
