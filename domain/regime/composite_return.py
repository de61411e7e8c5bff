"""The low-cap composite: a weighted blend of the buckets' returns, chained to an index.

Formula, each bar: r = sum_b w_b r_b / sum_b w_b over the buckets that have a return in it, level(t) = level(t-1) x
exp(r). xl has no weight and so no part. The weights that were in force are stored beside the return, and the share of
the configured weight that was heard: coverage = sum_b w_b c_b / sum of all weights, c_b the coverage of the bucket.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

import polars as pl

from domain.config.cap_bucket import CapBucketConfig
from domain.regime.bucket_return import chain_levels, level_before, with_residuals
from domain.regime.rollup import TIMESTAMP


class CompositeReturns(NamedTuple):
    """Rows of the composite, and the bars that have none.

    returns : timestamp (open), r_composite, resid_btc, resid_alt (null without a reference), index_level,
    group_count, coverage, and weight_<group> of each group with a weight: its share of the bar, null where it had no
    part.
    skipped : timestamp of the bars asked for in which no weighted group has a return: the composite is unknown there.
    """

    returns: pl.DataFrame
    skipped: pl.DataFrame


def composite_returns(
    returns: pl.DataFrame,
    references: pl.DataFrame,
    last_levels: pl.DataFrame,
    *,
    start: datetime,
    end: datetime,
    timestamps: pl.Series,
    config: CapBucketConfig,
    group: str = "bucket",
    weights: Mapping[str, float] | None = None,
) -> CompositeReturns:
    """Blend the returns of the groups in a window.

    Parameters
    ----------
    returns : DataFrame
        `group`, timestamp, r_bucket (natural log per bar), coverage (0..1) of groups fit to be scored; others have no
        weight or no row.
    references : DataFrame
        timestamp, r_btc, r_alt.
    last_levels : DataFrame
        timestamp, index_level of stored rows; the latest before `start` is gone on from.
    start, end : datetime
        Bars with start <= timestamp < end come out.
    timestamps : Series of datetime
        Opens at which a composite is asked for.
    config : CapBucketConfig
        Weights by bucket, base.
    group : str
        Column that names the groups.
    weights : mapping of group to float, optional
        In place of the configured ones, each > 0.

    Returns
    -------
    CompositeReturns
        In order of time, the same however the window is cut.

    Raises
    ------
    ValueError
        If a weight is not > 0, a return is null or not finite, or a group comes twice in a bar.
    """
    shares = dict(config.composite_bucket_weights) if weights is None else dict(weights)
    shares = {str(name): weight for name, weight in shares.items()}
    if not shares or not all(weight > 0 for weight in shares.values()):
        raise ValueError(f"Weights must be > 0, was {shares}")
    inside = pl.col("timestamp").is_between(start, end, closed="left")
    taken = returns.filter(inside & pl.col(group).is_in(list(shares)))
    _require_sound(taken, group)
    share_of = pl.col(group).replace_strict(shares, return_dtype=pl.Float64)
    covered = (pl.col("coverage") * share_of).sort_by(group).sum() / sum(shares.values())
    heard = taken.group_by("timestamp").agg(coverage=covered.clip(upper_bound=1.0))  # a sum of shares may round above
    wide = _by_time(taken, group, list(shares)).join(heard, on="timestamp", maintain_order="left")
    total = pl.sum_horizontal(pl.when(pl.col(name).is_not_null()).then(share) for name, share in shares.items())
    blended = wide.with_columns(
        pl.sum_horizontal(pl.col(name) * share for name, share in shares.items()).truediv(total).alias("r_composite"),
        *(
            pl.when(pl.col(name).is_not_null()).then(share / total).alias(f"weight_{name}")
            for name, share in shares.items()
        ),
        group_count=pl.sum_horizontal(pl.col(name).is_not_null().cast(pl.Int32) for name in shares),
    )
    level = level_before(last_levels, start, config.index_base)
    chain = pl.Series(chain_levels(blended["r_composite"], level), dtype=pl.Float64)
    rows = with_residuals(blended.with_columns(index_level=chain), references, "r_composite").select(
        "timestamp",
        *("r_composite", "resid_btc", "resid_alt", "index_level", "group_count", "coverage"),
        *(f"weight_{name}" for name in shares),
    )
    asked = timestamps.cast(TIMESTAMP).unique().sort().alias("timestamp").to_frame().filter(inside)
    return CompositeReturns(rows, asked.join(rows, on="timestamp", how="anti"))


def _require_sound(taken: pl.DataFrame, group: str) -> None:
    if taken.select(group, "timestamp").is_duplicated().any():
        raise ValueError("A group must have one return a bar, had two")
    if not taken["r_bucket"].is_finite().fill_null(value=False).all():
        raise ValueError("Returns must be finite, were not: a group without one has no row")


def _by_time(taken: pl.DataFrame, group: str, names: list[str]) -> pl.DataFrame:
    """One row a timestamp, one column a group, null where it has no return."""
    by_name = (
        taken.filter(pl.col(group) == name).select("timestamp", pl.col("r_bucket").alias(name)) for name in names
    )
    wide = taken.select(pl.col("timestamp").unique().sort())
    for column in by_name:
        wide = wide.join(column, on="timestamp", how="left", maintain_order="left")
    return wide
