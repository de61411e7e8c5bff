"""Judging prices by what was accepted before: lone jumps, and steps of a whole chain at once.

What belongs here: getting the rows and the last closes into the fold of `bar_fold`, and what it refuses out of it.
What does not: whether a bar is well formed by itself.
"""

from collections.abc import Collection

import numpy as np
import numpy.typing as npt
import polars as pl

from domain.config.bar import BarConfig
from domain.regime.bar_fold import ACCEPTED, GAVE_WAY, UNIT_STEP, BoolArray, FloatArray, IntArray, judge_jumps
from domain.regime.bar_quarantine import BAR_KEY, RAW_SCHEMA, SERIES_KEY, VALUE_COLUMNS, payload_and_id
from domain.vocabulary.bar_quarantine import QuarantineReason

LAST_CLOSE_SCHEMA: dict[str, pl.DataType] = {
    **{name: RAW_SCHEMA[name] for name in (*SERIES_KEY, "timestamp", "close_usd")},
    "step_ratio": pl.Float64(),
    "is_lone_step": pl.Boolean(),
}
STEP_COLUMNS = ("step_ratio", "is_lone_step")
PLACE = "place"
"""Order of preference among the rows of one bar, least first."""
_CHAIN = ("chain", "timeframe")


def judge_in_time(
    rows: pl.DataFrame,
    previous_close: pl.DataFrame,
    payload_columns: list[str],
    config: BarConfig,
    released: Collection[str],
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Split well-formed rows into accepted and refused, and give the last accepted close of each series.

    Parameters
    ----------
    rows : DataFrame
        Well-formed rows, any order; prices finite and > 0. The column `PLACE` ranks the rows of a
        bar.
    previous_close : DataFrame
        See `domain.regime.bar.validate_bars`.
    payload_columns : list of str
        Columns that make a row's quarantine id.
    config : BarConfig
        Limits.
    released : collection of str
        Quarantine ids to accept all the same.

    Returns
    -------
    accepted, refused, last_close : DataFrame
        One accepted row a bar. Refused are price jumps, unit steps, and rows that gave way to another of their bar and
        differ from it; with reason and detail. One last close a series: columns of `LAST_CLOSE_SCHEMA`.

    Raises
    ------
    ValueError
        If a previous close is not positive, not the only one of its series, or not earlier than the series' bars.
    """
    series = _series(rows, previous_close)
    ordered = rows.join(series.select(*SERIES_KEY, "series", "group"), on=SERIES_KEY).sort(
        "group", "timestamp", "series", PLACE
    )
    starts, index, prices, at = _arrays(ordered)
    limits = _limits(config)
    forced = np.zeros(ordered.height, dtype=np.bool_)
    while True:
        carried = _anchors(series)
        verdict, reference, reference_at = judge_jumps(starts, index, prices, at, forced, *carried, limits)
        refused_at = np.flatnonzero((verdict != ACCEPTED) & (verdict != GAVE_WAY))
        refused = _refused(ordered, refused_at, verdict, reference, reference_at)
        ids = payload_and_id(refused, payload_columns)[1] if released else []
        is_released = np.array([key in released for key in ids], dtype=np.bool_)
        if not is_released.any():
            break
        forced[refused_at[is_released]] = True  # later bars are judged by the bar let in
    accepted = ordered.filter(verdict == ACCEPTED).sort("series", "timestamp").select(list(RAW_SCHEMA))
    refused = pl.concat([refused, _gave_way(ordered, verdict)], how="diagonal")
    return accepted, refused, _last_close(series, *carried)


def _limits(config: BarConfig) -> FloatArray:
    return np.array(
        [
            config.max_jump,
            config.unit_step_min_tokens,
            config.unit_step_min_share,
            config.unit_step_min_ratio,
            config.unit_step_tolerance,
            config.unit_step_hold_factor,
        ]
    )


def with_step_under_way(previous_close: pl.DataFrame, refused: pl.DataFrame, config: BarConfig) -> pl.DataFrame:
    """Add to each previous close the step or jump its series is held on, from the bars refused since.

    It is what the fold would have carried: the ratio of the first refused bar that was away. Without it a level that
    fades would slip back in at the next window.

    Parameters
    ----------
    previous_close : DataFrame
        `SERIES_KEY`, timestamp, close_usd: one row a series.
    refused : DataFrame
        `SERIES_KEY`, timestamp, close_usd, reason of bars refused as unit steps or price jumps before the window; any
        order of bars, of a bar that was refused twice the last one counts.

    Returns
    -------
    DataFrame
        Columns of `LAST_CLOSE_SCHEMA`; step_ratio and is_lone_step are null where no step is under way.
    """
    back, ratio = min(config.max_jump, config.unit_step_min_ratio), pl.col("step_ratio")
    first = (
        refused.unique(BAR_KEY, keep="last", maintain_order=True)
        .join(previous_close, on=list(SERIES_KEY), suffix="_last")
        .filter(pl.col("timestamp") > pl.col("timestamp_last"))
        .with_columns(step_ratio=pl.col("close_usd") / pl.col("close_usd_last"))
        .filter((ratio > back) | (ratio * back < 1))
        .sort("timestamp")
        .unique(SERIES_KEY, keep="first", maintain_order=True)
        .select(*SERIES_KEY, ratio, is_lone_step=pl.col("reason") == QuarantineReason.PRICE_JUMP.value)
    )
    return previous_close.join(first, on=list(SERIES_KEY), how="left").select(list(LAST_CLOSE_SCHEMA))


def _series(rows: pl.DataFrame, previous_close: pl.DataFrame) -> pl.DataFrame:
    """Every series, with its number, the number of its chain and timeframe, and its previous close (null if none)."""
    absent = [pl.lit(None).alias(name) for name in STEP_COLUMNS if name not in previous_close.columns]
    previous_close = previous_close.with_columns(absent)
    last = previous_close.select(pl.col(name).cast(dtype) for name, dtype in LAST_CLOSE_SCHEMA.items())
    if last.select(pl.struct(SERIES_KEY).is_duplicated().any()).item():
        raise ValueError("previous_close must have one row a series")
    usable = pl.col("close_usd").is_finite() & (pl.col("close_usd") > 0)
    if not last.select(usable.fill_null(value=False).all()).item():
        raise ValueError(f"previous_close must be > 0, was {last.filter(~usable.fill_null(value=False)).row(0)}")
    first = rows.group_by(SERIES_KEY).agg(first_at=pl.col("timestamp").min())
    series = first.join(last, on=SERIES_KEY, how="full", coalesce=True)
    early = series.filter(pl.col("timestamp") >= pl.col("first_at"))
    if early.height:
        raise ValueError(
            f"previous_close must be earlier than the bars of its series, was {early.sort(SERIES_KEY).row(0)}"
        )
    return (
        series.sort(SERIES_KEY)
        .with_row_index("series")
        .with_columns(group=pl.struct(_CHAIN).rank("dense").cast(pl.Int64), series=pl.col("series").cast(pl.Int64))
    )


def _arrays(ordered: pl.DataFrame) -> tuple[IntArray, IntArray, FloatArray, IntArray]:
    at = ordered["timestamp"].dt.epoch("us").to_numpy()
    group = ordered["group"].to_numpy()
    is_new = np.ones(ordered.height, dtype=np.bool_)
    is_new[1:] = (np.diff(at) != 0) | (np.diff(group) != 0)
    starts = np.append(np.flatnonzero(is_new), ordered.height)
    prices = np.ascontiguousarray(ordered.select("open_usd", "high_usd", "low_usd", "close_usd").to_numpy())
    return starts, ordered["series"].to_numpy(), prices, at


def _anchors(series: pl.DataFrame) -> tuple[FloatArray, IntArray, FloatArray, BoolArray]:
    """Fresh, writable copies: the fold carries them forward in place."""
    return (
        series["close_usd"].fill_null(np.nan).to_numpy().copy(),
        series["timestamp"].dt.epoch("us").fill_null(0).to_numpy().copy(),
        series["step_ratio"].fill_null(np.nan).to_numpy().copy(),
        series["is_lone_step"].fill_null(value=False).to_numpy().copy(),
    )


def _refused(
    ordered: pl.DataFrame, at: IntArray, verdict: npt.NDArray[np.int8], reference: FloatArray, reference_at: IntArray
) -> pl.DataFrame:
    ratio = pl.col("close_usd") / pl.col("reference")
    seen_at = pl.from_epoch("reference_at", "us").dt.strftime("%Y-%m-%dT%H:%MZ")
    return (
        ordered[at]
        .with_columns(
            reason=pl.when(pl.Series(verdict[at]) == UNIT_STEP)
            .then(pl.lit(QuarantineReason.UNIT_STEP.value))
            .otherwise(pl.lit(QuarantineReason.PRICE_JUMP.value)),
            reference=pl.Series(reference[at]).fill_nan(None),
            reference_at=pl.Series(reference_at[at]),
        )
        .with_columns(
            detail=pl.when(pl.col("reference").is_not_null())
            .then(
                pl.format(
                    "open {} high {} low {} close {}, ratio {} to previous close {} at {}",
                    "open_usd",
                    "high_usd",
                    "low_usd",
                    "close_usd",
                    ratio.round_sig_figs(6),
                    "reference",
                    seen_at,
                )
            )
            .otherwise(
                pl.format(
                    "open {} high {} low {} close {}, no previous close", "open_usd", "high_usd", "low_usd", "close_usd"
                )
            )
        )
    )


def _gave_way(ordered: pl.DataFrame, verdict: npt.NDArray[np.int8]) -> pl.DataFrame:
    """Rows that gave way to another row of their bar and say something else; rows that repeat it are left out."""
    judged = ordered.with_columns(verdict=pl.Series(verdict))
    bars = judged.filter(pl.col("verdict") == GAVE_WAY).select(BAR_KEY).unique()
    is_taken = pl.col("verdict") == ACCEPTED
    said = pl.format("{} of {}", pl.concat_str(VALUE_COLUMNS, separator=" "), "source")
    rivals = judged.join(bars, on=list(BAR_KEY), how="semi").sort(*BAR_KEY, ~is_taken, PLACE)
    differs = pl.any_horizontal(pl.col(name) != pl.col(name).first().over(BAR_KEY) for name in VALUE_COLUMNS)
    return (
        rivals.with_columns(said=said, differs=differs)
        .with_columns(detail=pl.format("{} gave way to {}", "said", pl.col("said").first().over(BAR_KEY)))
        .filter(pl.col("verdict") == GAVE_WAY, "differs")
        .select(*ordered.columns, "detail", reason=pl.lit(QuarantineReason.REVISION_CONFLICT.value))
    )


def _last_close(
    series: pl.DataFrame, anchor: FloatArray, anchor_at: IntArray, step: FloatArray, is_lone: BoolArray
) -> pl.DataFrame:
    return (
        series.select(SERIES_KEY)
        .with_columns(
            timestamp=pl.from_epoch(pl.Series(anchor_at), "us").dt.replace_time_zone("UTC"),
            close_usd=pl.Series(anchor),
            step_ratio=pl.Series(step).fill_nan(None),
            is_lone_step=pl.when(pl.Series(~np.isnan(step))).then(pl.Series(is_lone)),
        )
        .filter(pl.col("close_usd").is_not_nan())
    )
