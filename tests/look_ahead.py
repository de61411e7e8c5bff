"""The test for look-ahead: what a function said at T, and what it says of the same bars when it knows the future."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl

from domain.regime.dominance_sample import COARSEST_CARRIED
from domain.vocabulary.timeframe import Timeframe

Inputs = Mapping[str, pl.DataFrame]


@dataclass(frozen=True)
class SeriesFunction:
    """A function of series under test.

    Attributes
    ----------
    make : callable
        Rows from inputs and the instant they are seen at.
    inputs : mapping
        What there is in the end, the future of every T included; all with timestamp and timeframe.
    seen_at_end : datetime
        When all of it has closed.
    stops_at_as_of : bool
        Whether the function itself leaves out what closes after the instant, whatever it is given.
    garble : callable
        Makes nonsense of the rows of an input, of a kind its function does not refuse as a whole.
    """

    make: Callable[[Inputs, datetime], pl.DataFrame]
    inputs: Inputs
    seen_at_end: datetime
    stops_at_as_of: bool
    garble: Callable[[pl.DataFrame, int], pl.DataFrame]


def look_ahead(function: SeriesFunction, at: datetime) -> list[str]:
    """What in the rows of a function at `at` depends on what came later; empty when nothing does."""
    past = {name: frame.filter(is_known(frame, at)) for name, frame in function.inputs.items()}
    future = {name: frame.filter(~is_known(frame, at)) for name, frame in function.inputs.items()}
    garbage = {name: pl.concat([past[name], function.garble(frame, 5)]) for name, frame in future.items()}
    then = function.make(past, at)
    if then.is_empty() or any(frame.is_empty() for frame in future.values()):
        raise ValueError(f"There must be rows by {at} and a future after it, were {then.height} rows")
    forming = then.height - closed_by(then, at).height
    complaints = [f"{forming} rows had not closed by {at}"] if forming else []
    later = closed_by(function.make(function.inputs, function.seen_at_end), at)
    complaints += changed_rows(then, later, "when the future is known")
    beside_garbage = function.make(garbage, at)
    if not function.stops_at_as_of:
        beside_garbage = closed_by(beside_garbage, at)
    return complaints + changed_rows(then, beside_garbage, "when garbage follows")


def changed_rows(then: pl.DataFrame, now: pl.DataFrame, occasion: str) -> list[str]:
    """Complaint about the rows that are not the same in both frames, bit for bit."""
    if then.equals(now):
        return []
    gone = then.join(now, on=then.columns, how="anti", nulls_equal=True)
    come = now.join(then, on=then.columns, how="anti", nulls_equal=True)
    first = (gone if gone.height else come).head(1).to_dicts()
    return [f"{occasion}: {gone.height} rows are no longer there, {come.height} are new, the first {first}"]


def closed_by(frame: pl.DataFrame, at: datetime) -> pl.DataFrame:
    """Rows whose bar had closed."""
    return frame.filter(pl.col("timestamp") + _length() <= at)


def is_known(frame: pl.DataFrame, at: datetime) -> pl.Expr:
    """Whether a row could be known: a bar or hour that had closed, a sample, cap or tag of an instant that had come."""
    if frame.schema.get("ts") == pl.Datetime("us", "UTC"):  # elsewhere ts is a trend strength
        return pl.col("ts") + Timeframe.H1.duration <= at
    if "regime_label" in frame.columns:
        return pl.col("timestamp") + Timeframe.H1.duration <= at
    if "timeframe" not in frame.columns:
        return pl.col("timestamp") <= at
    is_instant = pl.lit("metric" in frame.columns) & (_length() <= COARSEST_CARRIED.duration)
    return pl.col("timestamp") + pl.when(is_instant).then(pl.duration()).otherwise(_length()) <= at


def scaled(frame: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Half of the rows, the numbers of each multiplied by something around a thousandth to a thousand."""
    rng = np.random.default_rng(seed)
    factor = pl.Series(np.exp(rng.normal(0.0, 2.5, frame.height)))
    return frame.with_columns(pl.col(pl.Float64) * factor).filter(pl.Series(rng.random(frame.height) < 0.5))


def shuffled(frame: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Half of the rows, with words and flags that belong to other ones."""
    names = [name for name in ("status", "state", "transition", "buy_signal", "trim_flag") if name in frame.columns]
    return frame.with_columns(pl.col(name).shuffle(seed) for name in names).sample(fraction=0.5, seed=seed)


def _length() -> pl.Expr:
    lengths = {timeframe.value: timeframe.duration for timeframe in Timeframe}
    return pl.col("timeframe").replace_strict(lengths, return_dtype=pl.Duration("us"))
