"""Uptrend state, scores and flags of each closed bar, from its indicators and the state before it.

One row a bar, the same columns on every bar and in every state. Scores exist where they mean something: `ts` in
S0..S3, `sr_boost` and `ts_with_boost` in S1..S3, `ox` in S2 and S3, `dx` and `edx` in S3; elsewhere they are null.
Formulas stand in `uptrend_state`, `uptrend_score`, `trend_decay` and `uptrend_gate`; this module only moves columns.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from domain.config.uptrend import UptrendConfig
from domain.regime import uptrend_step as stepping
from domain.regime.trend_decay import WINDOW_CAP_BARS
from domain.regime.uptrend_bar import DecayColumns, FloatArray, SignalColumns, StackColumns, uptrend_params
from domain.regime.uptrend_state import NO_STATE, REASON, S3, STATES
from domain.vocabulary.timeframe import MINUTES
from domain.vocabulary.uptrend import StateStatus

HISTORY_ROWS = WINDOW_CAP_BARS
"""Bars before the first new one that the trend decay may read, per series."""

TIMESTAMP = pl.Datetime("us", "UTC")

_IN_ROWS = {"price": "close_usd", "close": "close_usd", "high": "high_usd", "low": "low_usd"}

INPUT_COLUMNS: tuple[str, ...] = tuple(
    dict.fromkeys(
        _IN_ROWS.get(name, name) for name in (*StackColumns._fields, *SignalColumns._fields, *DecayColumns._fields)
    )
)
"""Columns of `rows` beside the key, timeframe and timestamp: of the bar, and of its indicators."""

_PREVIOUS_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "timestamp": TIMESTAMP,
    "state": pl.String,
    "bootstrapped": pl.Boolean,
    "s3_start_at": TIMESTAMP,
    "emergency_exit": pl.Boolean,
}
PREVIOUS_COLUMNS = tuple(_PREVIOUS_SCHEMA)
"""Columns of `previous` beside the key and timeframe."""

_MINUTES = {timeframe.value: minutes for timeframe, minutes in MINUTES.items()}
_STATUSES = pl.Series([StateStatus.WARMING_UP.value, StateStatus.OK.value])
_STATE_NAMES = pl.Series([None, *(state.value for state in STATES)])
_ARROWS = [(before, after) for before in range(NO_STATE, len(STATES)) for after in range(len(STATES))]
_ARROW_REASONS = pl.Series([REASON.get(arrow) for arrow in _ARROWS], dtype=pl.String)
_ARROW_NAMES = pl.Series(
    [f"{STATES[old]}->{STATES[new]}" if (old, new) in REASON and old != NO_STATE else None for old, new in _ARROWS]
)


def uptrend_frame(
    rows: pl.DataFrame,
    previous: pl.DataFrame | None,
    *,
    key: Sequence[str],
    config: UptrendConfig,
    start: datetime | None = None,
    levels: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Uptrend state of every new bar of many series.

    Folding bar by bar through `previous` gives the same bits as one batch: both run the same compiled step, and the
    only memory is in `previous` and in the history rows.

    Parameters
    ----------
    rows : DataFrame
        Closed bars joined with their indicators, in any order: `key`, timeframe, timestamp and `INPUT_COLUMNS`. For
        each series the new bars and the `HISTORY_ROWS` bars before them. A bar whose `bars_count`, close or EMA is
        null or NaN is not defined and has no state; another missing value makes the scores that need it null.
    previous : DataFrame or None
        Last stored state row of each series before its new bars: `key`, timeframe, `PREVIOUS_COLUMNS`; other columns
        are ignored. A series that is not in it starts from nothing.
    key : sequence of str
        Columns that name a series, together with timeframe.
    config : UptrendConfig
        Thresholds.
    start : datetime, optional
        Bars from here on are new; by default all. A bar not after its series' previous row is never evaluated again.
    levels : DataFrame, optional
        Support and resistance: `key`, timeframe, price, strength, in force for all new bars of the series. What was
        known at the first new bar is the caller's to choose.

    Returns
    -------
    DataFrame
        A row per new bar, sorted by key, timeframe and timestamp. `prev_state` is null at a series' first bar;
        `transition` is null there, on a bar that keeps its state and where the series restarts after a gap.

    Raises
    ------
    ValueError
        If timestamps or `start` are not UTC, a series has two rows for one bar or two previous rows, a timeframe is
        unknown, or the history of a series in S3 does not reach back as far as its trend decay reads.
    """
    series = list(dict.fromkeys([*key, "timeframe"]))
    if rows.schema["timestamp"] != TIMESTAMP or (start is not None and start.utcoffset() != timedelta(0)):
        raise ValueError(f"Expected timestamps and start in UTC, were {rows.schema['timestamp']} and {start!r}")
    ordered = rows.select(*series, "timestamp", *INPUT_COLUMNS).sort(*series, "timestamp")
    panel = _panel(ordered)
    table = _series_table(ordered, series, previous, levels)
    is_new = _is_new(table, panel.at, start)
    plan = _plan(table, is_new)
    _require_history(table, plan, panel.at)
    level_price, level_strength = _level_columns(levels, table, series)
    codes = np.empty((int(is_new.sum()), stepping.CODES), np.int64)
    scores = np.empty((codes.shape[0], stepping.SCORES), np.float64)
    stepping.fold_panel(panel, plan, level_price, level_strength, uptrend_params(config), codes, scores)
    named = ordered.select(*series, "timestamp", price="close_usd").filter(is_new)
    return _state_rows(named, codes, scores, panel.stack.bars_count[is_new] >= config.min_bars)


def _panel(ordered: pl.DataFrame) -> stepping.Panel:
    prices = [_floats(ordered[_IN_ROWS.get(name, name)]) for name in StackColumns._fields if name != "bars_count"]
    is_defined = np.logical_and.reduce([np.isfinite(column) for column in prices])
    bars_count = np.where(is_defined, ordered["bars_count"].fill_null(0).to_numpy(), 0).astype(np.int32)
    return stepping.Panel(
        StackColumns._make([*prices, _read_only(bars_count)]),
        SignalColumns(*(_floats(ordered[name]) for name in SignalColumns._fields)),
        DecayColumns(*(_floats(ordered[_IN_ROWS.get(name, name)]) for name in DecayColumns._fields)),
        _read_only(ordered["timestamp"].to_physical().to_numpy()),
    )


def _read_only(array: NDArray[Any]) -> NDArray[Any]:
    # Polars hands out read-only views where it can: one type for all, else the step is compiled once per mixture.
    array.setflags(write=False)
    return array


def _floats(column: pl.Series) -> FloatArray:
    return _read_only(np.ascontiguousarray(column.cast(pl.Float64).to_numpy()))


def _series_table(
    ordered: pl.DataFrame, series: list[str], previous: pl.DataFrame | None, levels: pl.DataFrame | None
) -> pl.DataFrame:
    """One row a series in the order of the rows: its length, what the bar before left, and its number of levels."""
    repeats = [pl.col(name).eq_missing(pl.col(name).shift()) for name in (*series, "timestamp")]
    if ordered.select(pl.all_horizontal(repeats).any()).item():
        raise ValueError("A series must have one row a bar, was given two or more")
    if previous is None:
        previous = pl.DataFrame(schema={**ordered.select(series).schema, **_PREVIOUS_SCHEMA})
    elif previous.select(pl.struct(series).is_duplicated().any()).item():
        raise ValueError("A series must have at most one previous row, was given two or more")
    counted = pl.DataFrame(schema={**ordered.select(series).schema, "level_count": pl.UInt32})
    if levels is not None:
        counted = levels.group_by(series).agg(level_count=pl.len())
    return (
        ordered.group_by(series, maintain_order=True)
        .agg(pl.len())
        .join(previous.select(*series, *PREVIOUS_COLUMNS), on=series, how="left", maintain_order="left")
        .join(counted, on=series, how="left", maintain_order="left")
        .with_columns(pl.col("level_count").fill_null(0))
    )


def _microseconds(column: pl.Series) -> NDArray[np.int64]:
    return column.cast(TIMESTAMP).to_physical().fill_null(stepping.NO_TIME).to_numpy()


def _is_new(table: pl.DataFrame, at: NDArray[np.int64], start: datetime | None) -> NDArray[np.bool_]:
    """Rows to evaluate: from `start` on, and after the row their series already has."""
    known_until = np.repeat(_microseconds(table["timestamp"]), table["len"].to_numpy())
    if start is None:
        return at > known_until
    return (at > known_until) & (at >= int(pl.Series([start]).cast(TIMESTAMP).to_physical()[0]))


def _plan(table: pl.DataFrame, is_new: NDArray[np.bool_]) -> stepping.SeriesPlan:
    stop = np.cumsum(table["len"].to_numpy(), dtype=np.int64)
    first = stop - table["len"].to_numpy()
    new_before = np.concatenate([[0], np.cumsum(is_new)])
    level_stop = np.cumsum(table["level_count"].to_numpy(), dtype=np.int64)
    minutes = table["timeframe"].cast(pl.String).replace_strict(_MINUTES, default=None, return_dtype=pl.Int64)
    if minutes.null_count():
        raise ValueError(f"Expected timeframes of {list(_MINUTES)}, were {table['timeframe'].unique().to_list()}")
    codes = {state.value: code for code, state in enumerate(STATES)}
    state = table["state"].cast(pl.String).replace_strict(codes, return_dtype=pl.Int64)
    plan = stepping.SeriesPlan(
        first,
        stop - (new_before[stop] - new_before[first]),
        stop,
        level_stop - table["level_count"].to_numpy(),
        level_stop,
        minutes.to_numpy() * 60_000_000,
        state.fill_null(NO_STATE).to_numpy(),
        table["bootstrapped"].fill_null(False).to_numpy(),
        _microseconds(table["s3_start_at"]),
        table["emergency_exit"].fill_null(False).to_numpy(),
    )
    return stepping.SeriesPlan._make(map(_read_only, plan))


def _require_history(table: pl.DataFrame, plan: stepping.SeriesPlan, at: NDArray[np.int64]) -> None:
    reads_further = (plan.state == S3) & (plan.first_new < plan.stop) & (at[plan.first] > plan.s3_start)
    short = reads_further & (plan.first_new - plan.first < HISTORY_ROWS - 1)
    if short.any():
        named = table.filter(short).row(0, named=True)
        raise ValueError(f"{int(short.sum())} series in S3 lack history back to s3_start_at; the first is {named}")


def _level_columns(
    levels: pl.DataFrame | None, table: pl.DataFrame, series: list[str]
) -> tuple[FloatArray, FloatArray]:
    if levels is None:
        return _floats(pl.Series([], dtype=pl.Float64)), _floats(pl.Series([], dtype=pl.Float64))
    ours = table.select(series).join(levels, on=series, how="inner", maintain_order="left_right")
    return _floats(ours["price"]), _floats(ours["strength"])


def _state_rows(
    named: pl.DataFrame, codes: NDArray[np.int64], scores: FloatArray, is_warm: NDArray[np.bool_]
) -> pl.DataFrame:
    """Rows as they are stored, from the codes and scores of the step."""
    state, before = codes[:, stepping.STATE], codes[:, stepping.PREVIOUS_STATE]
    arrow = pl.Series((before - NO_STATE) * len(STATES) + state)
    is_s3 = pl.Series(state == S3)
    flags = {
        flag.value: (codes[:, stepping.FLAG_MASK] >> bit & 1).astype(np.bool_)
        for bit, flag in enumerate(stepping.FLAGS)
    }
    reason = _ARROW_REASONS.gather(arrow)
    made = {
        "status": _STATUSES.gather(is_warm.astype(np.int64)),
        "state": _STATE_NAMES.gather(state - NO_STATE),
        "prev_state": _STATE_NAMES.gather(before - NO_STATE),
        "transition": _ARROW_NAMES.gather(arrow),
        "transition_reason": reason,
        "bootstrapped": codes[:, stepping.BOOTSTRAPPED].astype(np.bool_),
        "s3_start_at": pl.Series(codes[:, stepping.S3_START]).cast(TIMESTAMP),
        "bars_since_s3": pl.Series(codes[:, stepping.BARS_SINCE_S3]).cast(pl.Int32),
        "price": named["price"],
        **flags,
        "exit_reason": reason,
        **dict(zip(stepping.Scores._fields, scores.T, strict=True)),
        "gate_mask": pl.Series(codes[:, stepping.GATE_MASK]).cast(pl.Int32),
    }
    return (
        named.drop("price")
        .with_columns(pl.Series(name, values) for name, values in made.items())
        .with_columns(
            pl.when(is_s3).then(pl.col("s3_start_at", "bars_since_s3")),
            pl.when("exit_position").then("exit_reason"),
            pl.col(stepping.Scores._fields).fill_nan(None),
        )
    )
