"""Which bars may be used: every row received is accepted, refused with a reason, or counted.

What belongs here: the validity of raw bars of any source. What does not: roll-ups, storage, the revision of bars that
are stored already.

No rule mends a value, and none depends on the order of the rows: a feed out of order gives what a sorted one gives.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from domain.config.bar import BarConfig
from domain.regime.bar_jump import PLACE, judge_in_time
from domain.regime.bar_quarantine import BAR_KEY, PRICE_COLUMNS, RAW_SCHEMA, VALUE_COLUMNS, quarantine_frame
from domain.vocabulary.bar_quarantine import QuarantineReason as Reason
from domain.vocabulary.timeframe import Timeframe

_STEP_US = {timeframe.value: timeframe.minutes * 60_000_000 for timeframe in Timeframe}
_TEXT = "timestamp_text"
_WELL_FORMED, _FORMING = "well_formed", "forming"


@dataclass(frozen=True, eq=False)
class ValidatedBars:
    """What became of the rows received: they are accepted, quarantined, duplicates or forming, and nothing else.

    Attributes
    ----------
    accepted : DataFrame
        Columns of `RAW_SCHEMA`, one row a bar, sorted by token_contract, chain, timeframe, timestamp.
    quarantined : DataFrame
        Columns of `QUARANTINE_SCHEMA`, one row an id.
    duplicates : int
        Rows that only repeat another one.
    forming : int
        Rows of bars that were not closed yet.
    last_close : DataFrame
        Columns of `LAST_CLOSE_SCHEMA`: the `previous_close` of the window that follows this one.
    """

    accepted: pl.DataFrame
    quarantined: pl.DataFrame
    duplicates: int
    forming: int
    last_close: pl.DataFrame


def validate_bars(
    bars: pl.DataFrame,
    previous_close: pl.DataFrame,
    *,
    as_of: datetime,
    config: BarConfig,
    released: Collection[str] = (),
) -> ValidatedBars:
    """Split the rows received into those that may be used and those that may not.

    Rules apply in the order of `QuarantineReason`; a row bears the first that applies. A bar is in the future when it
    opens later than `as_of` + the tolerance; otherwise it is forming while open + timeframe > `as_of`. Of two rows of
    one bar with different values the more trusted source wins, then the row with more volume: a bar read while it was
    forming had traded less. A row that is a jump or a step gives way to one that is not, whatever its source and
    volume. `domain.regime.bar_jump` has the two rules on jumps.

    Parameters
    ----------
    bars : DataFrame
        Columns of `RAW_SCHEMA`, any order, values may be null or NaN. If the timestamps bear no time zone every row
        is refused. A text column `timestamp_text` may hold times that came without one, where timestamp is null.
    previous_close : DataFrame
        token_contract, chain, timeframe, timestamp, close_usd: last accepted close of each series before its first
        bar here; may be empty. Optional step_ratio and is_lone_step: ratio of the step or jump its series is held on,
        and whether it is a jump of this series alone; null when there is none.
    as_of : datetime
        Now, as the caller sees it.
    config : BarConfig
        Limits.
    released : collection of str
        Ids of quarantined price jumps and unit steps that a person has found to be right.

    Returns
    -------
    ValidatedBars
        accepted + quarantined + duplicates + forming = rows received.

    Raises
    ------
    ValueError
        If a column is missing, a timeframe is unknown, `as_of` is naive, or a previous close is not positive, not the
        only one of its series, or not earlier than the bars of its series.
    """
    if as_of.tzinfo is None:
        raise ValueError(f"as_of must be timezone-aware, was {as_of!r}")
    received = bars.select(_as_received(bars))
    columns = received.columns
    judged = received.with_columns(status=_row_status(as_of, config))
    malformed = judged.filter(pl.col("status").is_in([reason.value for reason in Reason]))
    well_formed = judged.filter(pl.col("status") == _WELL_FORMED).drop("status")
    ranked = _ranked(well_formed, config.source_priority)
    accepted, refused, last_close = judge_in_time(ranked, previous_close, columns, config, released)
    malformed = malformed.rename({"status": "reason"}).with_columns(detail=_row_detail(as_of))
    quarantined = quarantine_frame(pl.concat([malformed, refused], how="diagonal"), columns)
    forming = judged.height - malformed.height - well_formed.height
    return ValidatedBars(
        accepted=accepted,
        quarantined=quarantined,
        duplicates=judged.height - forming - accepted.height - quarantined.height,
        forming=forming,
        last_close=last_close,
    )


def _as_received(bars: pl.DataFrame) -> list[pl.Expr]:
    missing = [name for name in RAW_SCHEMA if name not in bars.columns]
    if missing:
        raise ValueError(f"bars must have the columns {list(RAW_SCHEMA)}, lacks {missing}")
    dtype = bars.schema["timestamp"]
    is_naive = isinstance(dtype, pl.Datetime) and dtype.time_zone is None
    text = pl.lit(None, pl.String)
    if is_naive:
        text = pl.col("timestamp").dt.to_string("iso:strict")
    elif _TEXT in bars.columns:
        text = pl.col(_TEXT).cast(pl.String)
    at = pl.lit(None) if is_naive else pl.col("timestamp")
    unknown = set(bars["timeframe"].cast(pl.String).unique().drop_nulls()) - set(_STEP_US)
    if unknown:
        raise ValueError(f"timeframe must be one of {list(_STEP_US)}, was {sorted(unknown)}")
    typed = [pl.col(name).cast(dtype) for name, dtype in RAW_SCHEMA.items() if name != "timestamp"]
    return [*typed[:3], at.cast(RAW_SCHEMA["timestamp"]).alias("timestamp"), *typed[3:], text.alias(_TEXT)]


def _step() -> pl.Expr:
    steps = pl.col("timeframe").replace_strict(_STEP_US, default=None, return_dtype=pl.Int64)
    return steps.cast(pl.Duration("us"))


def _row_status(as_of: datetime, config: BarConfig) -> pl.Expr:
    """Reason of the first rule a row breaks on its own, else forming or well formed."""
    off_grid = pl.col("timestamp").dt.epoch("us") % _step().dt.total_microseconds() != 0
    body_high, body_low = pl.max_horizontal("open_usd", "close_usd"), pl.min_horizontal("open_usd", "close_usd")
    rules = [
        (Reason.NAIVE_TIMESTAMP.value, pl.col("timestamp").is_null() & pl.col(_TEXT).is_not_null()),
        (Reason.MISSING_VALUE.value, pl.any_horizontal(pl.col(name).is_null() for name in RAW_SCHEMA)),
        (Reason.OFF_GRID_TIMESTAMP.value, off_grid),
        (Reason.FUTURE_BAR.value, pl.col("timestamp") > as_of + timedelta(seconds=config.future_tolerance_s)),
        (_FORMING, pl.col("timestamp") + _step() > as_of),  # before the values: they may still change
        (Reason.NOT_FINITE.value, pl.any_horizontal(~pl.col(name).is_finite() for name in VALUE_COLUMNS)),
        (Reason.NON_POSITIVE_PRICE.value, pl.any_horizontal(pl.col(name) <= 0 for name in PRICE_COLUMNS)),
        (Reason.NEGATIVE_VOLUME.value, pl.col("volume") < 0),
        (Reason.OHLC_ORDER.value, (pl.col("high_usd") < body_high) | (pl.col("low_usd") > body_low)),
    ]
    status = pl.lit(_WELL_FORMED)
    for name, breaks in reversed(rules):
        status = pl.when(breaks).then(pl.lit(name)).otherwise(status)
    return status


def _row_detail(as_of: datetime) -> pl.Expr:
    at = pl.col("timestamp").dt.to_string("iso:strict")
    absent = [pl.when(pl.col(name).is_null()).then(pl.lit(name)) for name in RAW_SCHEMA]
    values = pl.format("open {} high {} low {} close {} volume {}", *VALUE_COLUMNS)
    return (
        pl.when(pl.col("reason") == Reason.NAIVE_TIMESTAMP.value)
        .then(pl.format("timestamp {} has no time zone", _TEXT))
        .when(pl.col("reason") == Reason.MISSING_VALUE.value)
        .then(pl.format("missing: {}", pl.concat_str(absent, separator=", ", ignore_nulls=True)))
        .when(pl.col("reason") == Reason.OFF_GRID_TIMESTAMP.value)
        .then(pl.format("timestamp {} is off the {} grid", at, "timeframe"))
        .when(pl.col("reason") == Reason.FUTURE_BAR.value)
        .then(pl.format("opens at {}, as_of was {}", at, pl.lit(as_of.isoformat())))
        .otherwise(values)
    )


def _ranked(rows: pl.DataFrame, source_priority: tuple[str, ...]) -> pl.DataFrame:
    """Add the place of each row among the rows of its bar: the most trusted source first, then the most volume."""
    is_contested = rows.select(pl.struct(BAR_KEY).is_duplicated()).to_series()
    trust = {source: rank for rank, source in reversed(list(enumerate(source_priority)))}
    contested = (
        rows.filter(is_contested)
        .with_columns(rank=pl.col("source").replace_strict(trust or {"": 0}, default=len(trust), return_dtype=pl.Int64))
        .sort(
            [*BAR_KEY, "rank", "volume", "high_usd", "low_usd", "open_usd", "close_usd", "source"],
            descending=[False] * 5 + [True, True] + [False] * 4,
        )
        .with_columns(pl.int_range(pl.len(), dtype=pl.Int64).over(BAR_KEY).alias(PLACE))
    )
    alone = rows.filter(~is_contested).with_columns(pl.lit(0, pl.Int64).alias(PLACE))
    return pl.concat([alone, contested.select(alone.columns)])
