"""Which driver bar each of the 15 channels reads at an instant, and the A/E rows that follow.

A channel reads the newest bar of its driver and horizon that has closed by the evaluation. One that closed longer
ago than its time to live is stale; a driver still warming up has no state. Neither adds anything, both are counted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import polars as pl

from domain.config.scores import ScoresConfig
from domain.scores.ae_score import (
    LEVER_FLAGS,
    NO_TRANSITION,
    STATES,
    STATUSES,
    AePanel,
    ChannelPanel,
    IntArray,
    score_panel,
)
from domain.vocabulary.cap_bucket import REGIME_BUCKETS, CapBucket
from domain.vocabulary.driver import CHANNEL_NAMES, CHANNELS, ChannelStatus
from domain.vocabulary.horizon import HORIZON_TIMEFRAME, Horizon
from domain.vocabulary.timeframe import Timeframe
from domain.vocabulary.uptrend import EXIT_TRANSITIONS, StateStatus

UTC_MICROSECONDS = pl.Datetime("us", "UTC")


@dataclass(frozen=True)
class _DriverSeries:
    """One driver on one timeframe, oldest first; every array of shape (n_bars,). Times in microseconds."""

    opened_at: IntArray
    closed_at: IntArray
    warming_up: IntArray
    state: IntArray
    flags: IntArray
    transition: IntArray
    transition_age: IntArray


def channel_lookback(config: ScoresConfig) -> timedelta:
    """How far before a window its channels may reach: the longest time to live plus a fading transition."""
    ttl = max(config.channel_ttl_minutes.values())
    slowest = max(timeframe.minutes for timeframe in HORIZON_TIMEFRAME.values())
    return timedelta(minutes=ttl + slowest * (1 + config.transition_hold_bars))


def ae_score_frame(
    states: pl.DataFrame,
    evaluations: pl.DataFrame,
    *,
    book_id: str,
    config: ScoresConfig,
    buckets: Sequence[CapBucket] = REGIME_BUCKETS,
) -> pl.DataFrame:
    """A/E of every bucket at every evaluation.

    Parameters
    ----------
    states : DataFrame
        Driver states (driver, timeframe, timestamp, status, state, transition, flags) with `channel_lookback` bars
        before the first evaluation. Order does not matter.
    evaluations : DataFrame
        Columns timeframe, timestamp: the execution bars to score, each at its close.

    Returns
    -------
    DataFrame
        One row per bucket, execution timeframe and bar, sorted; `a` and `e` are null where no channel is present.
    """
    series = _series_by_driver(states, config)
    frames = [
        _bucket_frame(bucket, Timeframe(timeframe), bars["timestamp"], series, book_id=book_id, config=config)
        for (timeframe,), bars in evaluations.unique().sort("timestamp").group_by("timeframe", maintain_order=True)
        for bucket in buckets
    ]
    return pl.concat(frames).sort("bucket", "timeframe", "timestamp") if frames else _empty_frame()


def _series_by_driver(states: pl.DataFrame, config: ScoresConfig) -> dict[tuple[str, Timeframe], _DriverSeries]:
    ordered = states.sort("timestamp")
    return {
        (driver, Timeframe(timeframe)): _driver_series(rows, Timeframe(timeframe), config)
        for (driver, timeframe), rows in ordered.group_by("driver", "timeframe", maintain_order=True)
    }


def _driver_series(rows: pl.DataFrame, timeframe: Timeframe, config: ScoresConfig) -> _DriverSeries:
    opened_at = rows["timestamp"].dt.epoch("us").to_numpy()
    length = timeframe.minutes * 60_000_000
    flags = np.zeros(rows.height, dtype=np.int64)
    for bit, flag in enumerate(LEVER_FLAGS):
        flags |= rows[flag.value].to_numpy().astype(np.int64) << bit
    codes = {name: index for index, name in enumerate(EXIT_TRANSITIONS)}
    falls = np.array([codes.get(name, NO_TRANSITION) for name in rows["transition"].to_list()], dtype=np.int64)
    last_fall = np.maximum.accumulate(np.where(falls == NO_TRANSITION, -1, np.arange(rows.height)))
    has_fallen = last_fall >= 0
    age = np.where(has_fallen, (opened_at - opened_at[last_fall]) // length, config.transition_hold_bars)
    state = rows["state"].replace_strict({name.value: i for i, name in enumerate(STATES)}, return_dtype=pl.Int64)
    return _DriverSeries(
        opened_at=opened_at,
        closed_at=opened_at + length,
        warming_up=(rows["status"] == StateStatus.WARMING_UP.value).to_numpy().astype(np.int64),
        state=state.to_numpy(),
        flags=flags,
        transition=np.where(has_fallen & (age < config.transition_hold_bars), falls[last_fall], NO_TRANSITION),
        transition_age=age,
    )


def _bucket_frame(
    bucket: CapBucket,
    timeframe: Timeframe,
    timestamps: pl.Series,
    series: Mapping[tuple[str, Timeframe], _DriverSeries],
    *,
    book_id: str,
    config: ScoresConfig,
) -> pl.DataFrame:
    evaluated_at = timestamps.dt.epoch("us").to_numpy() + timeframe.minutes * 60_000_000
    columns = [
        _read_channel(series.get((role.driver(bucket), horizon.timeframe)), horizon, evaluated_at, config)
        for role, horizon in CHANNELS
    ]
    status, state, flags, transition, age, read_at = (np.column_stack(parts) for parts in zip(*columns, strict=True))
    panel = ChannelPanel(status, state, flags, transition, age)
    scores = score_panel(panel, timeframe, config)
    keys = pl.DataFrame({"timestamp": timestamps}, schema={"timestamp": UTC_MICROSECONDS}).select(
        pl.lit(bucket.value).alias("bucket"),
        pl.lit(book_id).alias("book_id"),
        pl.lit(timeframe.value).alias("timeframe"),
        "timestamp",
    )
    return keys.hstack(_score_columns(scores)).hstack(_channel_columns(panel, scores, read_at))


def _read_channel(
    driver: _DriverSeries | None, horizon: Horizon, evaluated_at: IntArray, config: ScoresConfig
) -> tuple[IntArray, ...]:
    """Status, state, flags, transition, age and bar open of one channel at each evaluation."""
    nothing = np.zeros(len(evaluated_at), dtype=np.int64)
    missing = np.full(len(evaluated_at), STATUSES.index(ChannelStatus.MISSING), dtype=np.int64)
    if driver is None:
        return missing, nothing, nothing, nothing + NO_TRANSITION, nothing, nothing - 1
    newest = np.searchsorted(driver.closed_at, evaluated_at, side="right") - 1
    row = np.maximum(newest, 0)
    ttl = config.channel_ttl_minutes[horizon] * 60_000_000
    status = np.where(driver.warming_up[row] == 1, STATUSES.index(ChannelStatus.WARMING_UP), 0)
    status = np.where(evaluated_at - driver.closed_at[row] > ttl, STATUSES.index(ChannelStatus.STALE), status)
    status = np.where(newest < 0, missing, status)
    return (
        status,
        driver.state[row],
        driver.flags[row],
        driver.transition[row],
        driver.transition_age[row],
        np.where(newest < 0, -1, driver.opened_at[row]),
    )


def _score_columns(scores: AePanel) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "a": scores.a,
            "e": scores.e,
            "a_raw": scores.a_raw,
            "e_raw": scores.e_raw,
            "coverage": scores.coverage,
            "degraded": scores.degraded,
        }
    ).with_columns(pl.col("a", "e", "a_raw", "e_raw").fill_nan(None), pl.col("coverage").cast(pl.Int16))


def _channel_columns(panel: ChannelPanel, scores: AePanel, read_at: IntArray) -> pl.DataFrame:
    ok = panel.status == STATUSES.index(ChannelStatus.OK)
    states = [_words(STATE_WORDS, np.where(ok, panel.state, -1)[:, column]) for column in range(len(CHANNELS))]
    signals = (panel.state << len(LEVER_FLAGS) | panel.flags) * len(FALL_WORDS) + panel.transition + 1
    return pl.DataFrame(
        {
            **dict(zip(CHANNEL_NAMES, states, strict=True)),
            "channel_status": _lists(_words(STATUS_WORDS, panel.status.ravel())),
            "channel_a": _lists(pl.Series(scores.channel_a.ravel()).fill_nan(None)),
            "channel_e": _lists(pl.Series(scores.channel_e.ravel()).fill_nan(None)),
            "channel_signal": _lists(_words(_signal_words(), np.where(ok, signals, -1).ravel())),
            "channel_timestamp": _lists(_known(read_at.ravel()).cast(UTC_MICROSECONDS)),
        }
    )


STATE_WORDS = [state.value for state in STATES]
STATUS_WORDS = [status.value for status in STATUSES]
FALL_WORDS = ["", *EXIT_TRANSITIONS]


def _known(codes: IntArray) -> pl.Series:
    """Codes as a series; -1 becomes null."""
    return pl.Series(codes).replace(-1, None)


def _words(table: Sequence[str], codes: IntArray) -> pl.Series:
    """Word of each code; null for -1."""
    return pl.Series(table, dtype=pl.String).gather(_known(codes))


def _lists(flat: pl.Series) -> pl.Series:
    """Values of (n, 15) read row by row, as n lists of 15."""
    return flat.reshape((-1, len(CHANNELS))).arr.to_list()


def _signal_words() -> list[str]:
    """Words for every (state, flags, fall), in the order of their codes."""
    masks = range(1 << len(LEVER_FLAGS))
    return [_signal(state, flags, fall) for state in STATE_WORDS for flags in masks for fall in FALL_WORDS]


def _signal(state: str, flags: int, fall: str) -> str:
    """State, flags and fall in words, such as "S3+trim_flag" or "S0+S1->S0"."""
    raised = [flag.value for bit, flag in enumerate(LEVER_FLAGS) if flags >> bit & 1]
    return "+".join([state, *raised, *([fall] if fall else [])])


def _empty_frame() -> pl.DataFrame:
    template = _bucket_frame(
        REGIME_BUCKETS[0],
        Timeframe.H1,
        pl.Series([0], dtype=pl.Int64).cast(UTC_MICROSECONDS),
        {},
        book_id="",
        config=ScoresConfig(),
    )
    return template.clear()
